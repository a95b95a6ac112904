"""Plays as demonstrations: what an agent would have seen and done where another player played.

A player gives every input; an agent decides every ``frame_skip`` inputs and sees pictures of another size. So each
episode of a play is cut, from its start, into windows of ``frame_skip`` inputs. A window is one decision: the pictures
that the agent would have seen at its beginning, and the one action that stands for what the player did in it. The
pictures are drawn from the states that the player actually reached. Repeating the chosen actions instead would soon
lead elsewhere: a jump one input late misses the ladder.
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
    from priorlab.agents.imitation.trajectories import Trajectory

NONE, JUMP = ".", "j"
NOT_DRAWN_BY = (
    "num_games",
    "frame_skip",
    "stack_size",
    "max_inputs",
    "random_start",
)  # settings that don't change a drawing


@dataclass(frozen=True)
class Demonstrations:
    """Episodes as an agent would have decided them.

    trajectories: one per episode, observations uint8 (n, S, S, stack * C) and actions int64 (n,); participants: who
    played each; plays: how many they come from; digest: SHA-256 of those plays, in any order.
    """

    trajectories: "list[Trajectory]"
    participants: list[str]
    plays: int
    digest: str


def read_demonstrations(settings: Settings) -> Demonstrations:
    """The demonstrations in the folder ``settings.demonstrations``.

    FileNotFoundError for a folder that does not exist; ValueError, which lists the plays that are there, if none fits.
    """
    from priorlab.agents.imitation.trajectories import remove_loops

    assert settings.demonstrations
    plays = matching_plays(settings, settings.demonstrations)
    trajectories, participants = [], []
    for play, participant in plays:
        for trajectory, won in trajectories_of(play, settings.game_arguments()):
            if settings.demonstrated == "everything" or won:
                trajectories.append(trajectory if settings.demonstrated == "everything" else remove_loops(*trajectory))
                participants.append(participant)
    if not trajectories:
        raise ValueError(
            f"{settings.demonstrations}: {len(plays)} plays of {settings.game} {demonstrated_version(settings)}, none "
            "of them won; expected a won play, or --demonstrated everything"
        )
    return Demonstrations(trajectories, participants, len(plays), digest_of([play for play, _ in plays]))


def matching_plays(settings: Settings, folder: Path) -> list[tuple[Play, str]]:
    """The demonstrators' plays of the agent's level and of its version, or ``demonstrations_version``; and who played
    each."""
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder; expected recorded plays in it")
    version = demonstrated_version(settings)
    target, source = (find_version(settings.game, name) for name in (settings.version, version))
    if target.rules != source.rules:
        raise ValueError(f"demonstrations of {version}: expected a version with the rules of {settings.version}")
    level = Level.read(settings.level or target.level).text()
    recorded, problems = find_plays(folder)
    plays = [(each.play, each.participant or each.play.id) for each in recorded if isinstance(each.play, Play)]
    matching = [
        (play, participant)
        for play, participant in plays
        if (play.player, play.version, play.level.text()) == (settings.demonstrators, version, level) and play.inputs
    ]
    if not matching:
        others = Counter(f"{play.player} on {play.level.name} {play.version}" for play, _ in plays)
        listed = ", ".join(f"{count} {name}" for name, count in others.items()) or "none of our games"
        more = f" ({len(problems)} more can't be read: {problems[0]})" if problems else ""
        raise ValueError(
            f"{folder}: expected plays by player {settings.demonstrators!r} of {settings.game} {version}, on the "
            f"agent's level; found {listed}{more}"
        )
    return matching


def demonstrated_version(settings: Settings) -> str:
    return settings.demonstrations_version or settings.version


def trajectories_of(play: Play, games: Mapping[str, Any]) -> "Iterator[tuple[Trajectory, bool]]":
    """Of each episode of a play: its observations and actions, and whether it won.

    games: the agent's arguments of ``Games``. The pictures are drawn in its version and look seed, on the play's level.
    """
    skip, stack = games.get("frame_skip", 1), games.get("stack_size", 1)
    look = {name: value for name, value in games.items() if name not in (*NOT_DRAWN_BY, "level")}
    batch = Games(1, level=play.level, max_inputs=len(play.inputs) + 1, autoreset=False, **look)
    pictures, taken, one = [batch.reset(play.seed)[0].copy()], "", np.zeros(1, np.int64)
    for number, character in enumerate(play.inputs, 1):
        one[0] = CHARACTERS.index(character)
        picture, rewards, terminated, _ = batch.step(one)
        taken += character
        if terminated[0] or number == len(play.inputs):
            windows = [taken[k : k + skip] for k in range(0, len(taken), skip)]
            actions = np.array([action_for(window) for window in windows], np.int64)
            yield (stack_frames(np.stack(pictures[: len(actions)]), stack), actions), bool(rewards[0])
            if number < len(play.inputs):
                batch.restart(np.zeros(1, np.int64), new_play=False)
                pictures, taken = [batch.lanes.observations[0].copy()], ""
        elif len(taken) % skip == 0:
            pictures.append(picture[0].copy())
    batch.close()


def action_for(window: str) -> int:
    """The action that stands for the inputs of a window, 0 to 5.

    A jump, if there is one: a jump is a tap, which takes effect in a single input. None, if most inputs are none.
    Otherwise the most frequent input, and of several the latest.
    """
    if JUMP in window:
        return CHARACTERS.index(JUMP)
    if 2 * window.count(NONE) > len(window):
        return CHARACTERS.index(NONE)
    counts = Counter(reversed(window.replace(NONE, "")))  # equal counts keep the order of their first occurrence
    return CHARACTERS.index(counts.most_common(1)[0][0])


def stack_frames(pictures: np.ndarray, count: int) -> np.ndarray:
    """An agent's observations (n, S, S, count * C), newest last, from one picture per decision, uint8 (n, S, S, C)."""
    number = np.arange(len(pictures))[:, None] - np.arange(count)[::-1]
    frames = pictures[np.maximum(number, 0)]  # (n, count, S, S, C); at the start the first picture fills the stack
    n, _, height, width, channels = frames.shape
    return np.moveaxis(frames, 1, 3).reshape(n, height, width, count * channels)


def digest_of(plays: list[Play]) -> str:
    lines = sorted(f"{play.id} {play.version} {play.seed} {play.last_state} {play.inputs}" for play in plays)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
