"""Learning how a player moves, from free play on random levels.

Each round plays anew, as the seed and the round's number say. Of all play each situation is kept once, as it always
ends alike, and a decision tree is grown that tells all these ends. A seed learns the same, stopped meanwhile or not.
"""

import math
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.free_play import EVENTS, Plays, events_of, free_play
from priorlab.agents.priors.movement import KILLS
from priorlab.agents.priors.settings import MovementSettings
from priorlab.envs.base.files import writing
from priorlab.envs.game.movement import Movement, tell
from priorlab.envs.game.movement_tree import grown

CHECKPOINT = "seen.npz"
LEVELS = 500  # of a round
HELD_OUT = {"as drawn": 0.0, "exchanged": 1.0}  # kinds of held-out levels: the share of them with exchanged cells


class Score(NamedTuple):
    """On levels of one kind, of one event, or of all: how many inputs there were, and the share of which the whole end
    was told right."""

    levels: str
    event: str
    inputs: int
    accuracy: float


class Seen(NamedTuple):
    """What was seen so far: ``situations`` int64 (n,), each once, and their ``ends`` int32 (n,); ``outcomes`` int64
    (2, KILLS), after how many inputs the player lived and died, by what it touched; ``played`` int64 (), levels."""

    situations: np.ndarray
    ends: np.ndarray
    outcomes: np.ndarray
    played: np.ndarray


def learn_movement(
    settings: MovementSettings, folder: Path | None = None, report: Callable[[int], None] = lambda levels: None
) -> Movement:
    """What is learned from free play on so many training levels; ``report`` is told how many were played so far.

    ``folder`` keeps what was seen, until all is; what is there is continued, which raises ValueError if it is damaged
    or of other settings.
    """
    checkpoint, own = folder / CHECKPOINT if folder else None, [settings.seed, settings.levels]
    seen = Seen(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((2, KILLS), np.int64), np.zeros((), np.int64))
    if checkpoint and checkpoint.exists():
        seen = restored(checkpoint, own)
    while (played := int(seen.played)) < settings.levels:
        levels = min(LEVELS, settings.levels - played)
        plays = free_play(np.random.default_rng([settings.seed, played // LEVELS]), "training", levels)
        seen = joined(seen, plays, levels)
        if checkpoint:
            with writing(checkpoint) as file:
                np.savez(file, settings=np.array(own), **seen._asdict())
        report(int(seen.played))
    return grown(seen.situations, seen.ends, seen.outcomes[1] > seen.outcomes[0])


def joined(seen: Seen, plays: Plays, levels: int) -> Seen:
    """What was seen after these plays, in so many levels."""
    situations, first = np.unique(np.concatenate([seen.situations, plays.situations]), return_index=True)
    ends = np.concatenate([seen.ends, plays.ends])[first]
    outcomes = [np.bincount(plays.touches[plays.dies == died], minlength=KILLS) for died in (False, True)]
    return Seen(situations, ends, seen.outcomes + outcomes, seen.played + levels)


def restored(path: Path, own: list[int]) -> Seen:
    """What was seen by that file. ValueError, one line, where it is damaged, or of other settings than ``own``, the
    seed and the number of levels."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            parts = dict(archive)
            same, seen = parts.pop("settings").tolist() == own, Seen(**parts)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged ({' '.join(str(error).split())}); delete it to start again") from None
    if not same:
        raise ValueError(f"{path}: of other settings: expected the same, or another folder")
    return seen


def scored(movement: Movement, levels: int, split: str = "held_out") -> list[Score]:
    """How often the ends of the inputs of free play on levels of that split are told right, by kind of event; a death
    is told right where the player learned that what it touches kills."""
    rows = []
    for number, (kind, exchanged) in enumerate(HELD_OUT.items()):
        plays = free_play(np.random.default_rng([levels, number]), split, levels, exchanged)
        ends, events = np.zeros_like(plays.ends), events_of(plays)
        tell(movement, plays.situations, ends)
        right = ends == plays.ends
        chosen = {"all": np.ones(len(right), bool)} | {name: events == k for k, name in enumerate(EVENTS)}
        rows += [Score(kind, name, int(at.sum()), share(right[at])) for name, at in chosen.items()]
        killed = movement.kills[plays.touches[plays.dies]]
        rows.append(Score(kind, "dies", len(killed), share(killed)))
    return rows


def share(right: np.ndarray) -> float:
    return float(right.mean()) if len(right) else math.nan
