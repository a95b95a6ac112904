"""Plays as demonstrations: what an agent would have seen and done where somebody else played.

A player gives every input; an agent decides every ``frame_skip`` inputs and sees pictures of its own size. So each
episode of a play is cut, from its start, into windows of ``frame_skip`` inputs. A window is one decision: the pictures
that the agent would have seen at its beginning, and the one action that stands for what the player did in it. The
pictures are drawn from the states in which the player truly was. To take the actions instead, each repeated, and go on
from where they lead, would soon part from the play: a jump one input late misses the ladder.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from priorlab.agents.settings import Settings
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version
from priorlab.envs.plays.play import CHARACTERS, Play
from priorlab.envs.plays.sessions import find_plays

if TYPE_CHECKING:
    from priorlab.agents.imitation.ways import Way

NONE, JUMP = ".", "j"
APART = ("num_games", "frame_skip", "stack_size", "max_inputs", "random_start")  # settings that no play is drawn by


@dataclass(frozen=True)
class Demonstrations:
    """Episodes as an agent would have decided them.

    ways: of each episode, observations uint8 (n, S, S, stack * C) and actions int64 (n,); participants: whose each is;
    plays: how many they come from; digest: SHA-256 of those plays, in any order.
    """

    ways: "list[Way]"
    participants: list[str]
    plays: int
    digest: str


def read(settings: Settings) -> Demonstrations:
    """The demonstrations in ``settings.demonstrations``. ValueError says what was found where none fits."""
    from priorlab.agents.imitation.ways import without_loops

    assert settings.demonstrations
    plays = fitting(settings, settings.demonstrations)
    ways, participants = [], []
    for play, participant in plays:
        for way, won in ways_of(play, settings.of_games()):
            if settings.demonstrated == "everything" or won:
                ways.append(way if settings.demonstrated == "everything" else without_loops(*way))
                participants.append(participant)
    if not ways:
        raise ValueError(
            f"{settings.demonstrations}: {len(plays)} plays of {settings.game} {demonstrated_version(settings)}, none "
            "of them won; expected a won play, or --demonstrated everything"
        )
    return Demonstrations(ways, participants, len(plays), digest_of([play for play, _ in plays]))


def fitting(settings: Settings, folder: Path) -> list[tuple[Play, str]]:
    """The demonstrators' plays of the agent's level and version, or of the version that it is told to learn from; and
    whose each is."""
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder; expected recorded plays in it")
    version = demonstrated_version(settings)
    own, other = (find_version(settings.game, name) for name in (settings.version, version))
    if own.rules != other.rules:
        raise ValueError(f"demonstrations of {version}: expected a version by the rules of {settings.version}")
    level = Level.read(settings.level or own.level).text()
    recorded, problems = find_plays(folder)
    found = [(each.play, each.participant or each.play.id) for each in recorded if isinstance(each.play, Play)]
    chosen = [
        (play, participant)
        for play, participant in found
        if (play.player, play.version, play.level.text()) == (settings.demonstrators, version, level) and play.inputs
    ]
    if not chosen:
        seen = Counter(f"{play.player} on {play.level.name} {play.version}" for play, _ in found)
        told = ", ".join(f"{count} {name}" for name, count in seen.items()) or "none of our games"
        more = f" ({len(problems)} more can't be read: {problems[0]})" if problems else ""
        raise ValueError(
            f"{folder}: expected plays by player {settings.demonstrators!r} of {settings.game} {version}, on the "
            f"agent's level; found {told}{more}"
        )
    return chosen


def demonstrated_version(settings: Settings) -> str:
    return settings.demonstrations_version or settings.version


def ways_of(play: Play, games: Mapping[str, Any]) -> "Iterator[tuple[Way, bool]]":
    """(observations and actions, whether it won) of each episode of a play; ``games`` are an agent's for ``Games``.

    The version and look seed that are drawn are those of ``games``, level and inputs the play's.
    """
    every, stack = games.get("frame_skip", 1), games.get("stack_size", 1)
    drawn = {name: value for name, value in games.items() if name not in (*APART, "level")}
    batch = Games(1, level=play.level, max_inputs=len(play.inputs) + 1, autoreset=False, **drawn)
    pictures, taken, one = [batch.reset(play.seed)[0].copy()], "", np.zeros(1, np.int64)
    for number, character in enumerate(play.inputs, 1):
        one[0] = CHARACTERS.index(character)
        picture, rewards, terminated, _ = batch.step(one)
        taken += character
        if terminated[0] or number == len(play.inputs):
            windows = [taken[k : k + every] for k in range(0, len(taken), every)]
            actions = np.array([decision(window) for window in windows], np.int64)
            yield (stacked(np.stack(pictures[: len(actions)]), stack), actions), bool(rewards[0])
            if number < len(play.inputs):
                batch.restart(np.zeros(1, np.int64), new_play=False)
                pictures, taken = [batch.lanes.observations[0].copy()], ""
        elif len(taken) % every == 0:
            pictures.append(picture[0].copy())
    batch.close()


def decision(window: str) -> int:
    """The action that stands for the inputs of a window, 0 to 5.

    A jump, if there is one: it is a tap, and does its work in a single input. None, where most inputs are none. Else
    the input that came most often, and of several the last.
    """
    if JUMP in window:
        return CHARACTERS.index(JUMP)
    if 2 * window.count(NONE) > len(window):
        return CHARACTERS.index(NONE)
    counts = Counter(reversed(window.replace(NONE, "")))  # equal counts come in the order first met
    return CHARACTERS.index(counts.most_common(1)[0][0])


def stacked(pictures: np.ndarray, count: int) -> np.ndarray:
    """uint8 (n, S, S, C), a picture a decision, as the observations (n, S, S, count * C) of an agent; newest last."""
    number = np.arange(len(pictures))[:, None] - np.arange(count)[::-1]
    shown = pictures[np.maximum(number, 0)]  # (n, count, S, S, C); at the start the first picture fills the stack
    n, _, height, width, channels = shown.shape
    return np.moveaxis(shown, 1, 3).reshape(n, height, width, count * channels)


def digest_of(plays: list[Play]) -> str:
    lines = sorted(f"{play.id} {play.version} {play.seed} {play.last_state} {play.inputs}" for play in plays)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
