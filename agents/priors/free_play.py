"""Free play to learn movement from: random inputs, held for a while, from anywhere in random levels.

In a share of the levels some cells are exchanged for others at random, so that play also meets what no level has, as
maps that a player imagines do. Patrols, keys and goals play no part.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.movement import INPUT, MASKS, MOTION, SHIFTS, play_freely, unpacked
from priorlab.envs.game.numbers import NEVER, level_numbers
from priorlab.envs.game.rules import (
    BOTTOM,
    DEADLY,
    FALL_SPEED,
    FIELDS,
    GOAL_LEFT,
    INPUT_COUNT,
    JUMP_SPEED,
    JUMPING,
    KEYS,
    LADDER,
    LEFT,
    MONSTER_COUNT,
    RIGHT,
    SPEED,
    STAND,
    START_X,
    TILE,
    WALK,
    WALL,
    X,
    Y,
    touched,
)
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.bank import Bank

RULES = ("princess", "key_door", "princess_ladder_interaction", "key_door_ladder_interaction")
OFTEN = (0.25, 0.25, 0.25, 0.25)  # each of them is played
SMALL = 0.6  # share of levels of the small bank
EXCHANGED, MOST_EXCHANGED = 0.5, 0.4  # share of levels with exchanged cells; and of these cells, at most
KINDS, KIND_CHANCES = np.array([0, WALL, LADDER, DEADLY], np.uint8), (0.4, 0.3, 0.2, 0.1)
PLAYS, INPUTS = 128, 48  # in a level, and in a play at most
HOLDS = (2, 5, 12)  # mean inputs for which one is held
IN_THE_AIR = 0.5  # share of plays that begin there although there is ground
AT_REST = 0.1  # of those starts, the share that is at rest: it begins to fall
EVENTS = ("stands", "walks", "is stopped", "jumps", "flies", "bumps", "lands", "begins to fall", "climbs", "hangs")
STANDS, WALKS, IS_STOPPED, JUMPS, FLIES, BUMPS, LANDS, BEGINS_TO_FALL, CLIMBS, HANGS = range(len(EVENTS))


class Plays(NamedTuple):
    """What n inputs did: ``situations`` int64 (n,) and ``ends`` int32 (n,), as ``envs/game/movement.py`` numbers them;
    ``touches`` uint8 (n,), the bits of what the player touched then; ``dies`` bool (n,)."""

    situations: np.ndarray
    ends: np.ndarray
    touches: np.ndarray
    dies: np.ndarray


@cache
def bank(split: str, size: str) -> Bank:
    return Bank.read(split, size)


def free_play(rng: np.random.Generator, split: str, levels: int, exchanged: float = EXCHANGED) -> Plays:
    """Plays in so many levels of a split, drawn at random; ``exchanged``: the share of them with exchanged cells."""
    each = [play_in(rng, drawn_level(rng, split), exchanged) for _ in range(levels)]
    return Plays(*(np.concatenate(part) for part in zip(*each)))


def drawn_level(rng: np.random.Generator, split: str) -> Level:
    levels = bank(split, "small" if rng.random() < SMALL else "large")
    return levels[int(rng.integers(len(levels)))].level


def play_in(rng: np.random.Generator, level: Level, exchanged: float) -> Plays:
    numbers = level_numbers(level, find_rules(str(rng.choice(RULES, p=OFTEN))))
    numbers[[KEYS, MONSTER_COUNT, GOAL_LEFT, BOTTOM]] = 0, 0, -NEVER, NEVER
    tiles = level.tiles.copy()
    if rng.random() < exchanged:
        cells = rng.random(tiles.shape) < rng.random() * MOST_EXCHANGED
        tiles[cells] = rng.choice(KINDS, int(cells.sum()), p=KIND_CHANCES)
    starts, actions = drawn_starts(rng, tiles, numbers), drawn_inputs(rng)
    room = actions.size
    plays = Plays(np.zeros(room, np.int64), np.zeros(room, np.int32), np.zeros(room, np.uint8), np.zeros(room, bool))
    taken = play_freely(tiles, numbers, np.zeros((0, 4), np.int32), starts, actions[: len(starts)], *plays)
    return Plays(*(part[:taken].copy() for part in plays))


def drawn_starts(rng: np.random.Generator, tiles: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """int32 (n, FIELDS), n at most PLAYS: on the ground and in the air, where it flies or, as some levels begin, is at
    rest; in no wall."""
    walk, states = int(numbers[WALK]), np.zeros((PLAYS, FIELDS), np.int32)
    cells = np.argwhere(tiles & WALL == 0)
    if not len(cells):
        return states[:0]
    rows, columns = cells[rng.integers(len(cells), size=PLAYS)].T
    below = np.pad(tiles, ((0, 1), (0, 0)))[rows + 1, columns]
    grounded = (below & (WALL | LADDER) > 0) & (rng.random(PLAYS) >= IN_THE_AIR)
    x = 2 * TILE * columns + TILE + rng.integers(-TILE, TILE + 1, PLAYS)
    heights = np.where(grounded, STAND - 2 * TILE, rng.integers(2 * TILE, size=PLAYS))
    states[:, X], states[:, Y] = x - (x - int(numbers[START_X])) % walk, 2 * TILE * rows + TILE - heights
    flies = ~grounded & (rng.random(PLAYS) >= AT_REST)
    states[:, JUMPING] = flies
    states[:, SPEED] = np.where(flies, rng.integers(FALL_SPEED, JUMP_SPEED, PLAYS), 0)
    clear = [not touched(tiles, int(state[X]), int(state[Y])) & WALL for state in states]
    return np.ascontiguousarray(states[clear])


def drawn_inputs(rng: np.random.Generator) -> np.ndarray:
    """uint8 (PLAYS, INPUTS)."""
    changes = rng.random((PLAYS, INPUTS)) < 1 / rng.choice(HOLDS, size=(PLAYS, 1))
    actions = rng.integers(INPUT_COUNT, size=(PLAYS, INPUTS)).astype(np.uint8)
    since = np.maximum.accumulate(np.where(changes, np.arange(INPUTS), 0), axis=1)
    return np.take_along_axis(actions, since, axis=1)


def events_of(plays: Plays) -> np.ndarray:
    """int (n,): which of EVENTS each input was."""
    action, motion = (plays.situations >> SHIFTS[part] & MASKS[part] for part in (INPUT, MOTION))
    ahead, down, then, held = unpacked(plays.ends)
    flies, still_flies, leaps = motion > 0, then > 0, then >= JUMP_SPEED - FALL_SPEED
    sideways = (action == LEFT) | (action == RIGHT)
    return np.select(
        [(held > 0) & (down != 0), held > 0, flies & ~still_flies, flies & (then < motion - 1), flies & still_flies,
         still_flies & leaps, still_flies, ahead > 0, sideways],
        [CLIMBS, HANGS, LANDS, BUMPS, FLIES, JUMPS, BEGINS_TO_FALL, WALKS, IS_STOPPED], STANDS,
    )  # fmt: skip
