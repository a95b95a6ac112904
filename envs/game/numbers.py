"""Level and rules -> the numbers that the compiled rules take."""

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import (
    ALTERNATING,
    BOTTOM,
    GOAL_HEIGHT,
    GOAL_LEFT,
    GOAL_TOP,
    GOAL_WIDTH,
    KEYS,
    MAX_INPUTS,
    MONSTER_COUNT,
    NUMBERS,
    PERIOD,
    RESTARTS,
    SIDE,
    START_X,
    START_Y,
    TILE,
    TURNED,
    WALK,
    pixel,
)
from priorlab.envs.game.versions import Rules

NEVER = 1 << 30  # half pixels below which nothing falls


def level_numbers(level: Level, rules: Rules, max_inputs: int | None = None) -> np.ndarray:
    """int64 (NUMBERS,), the rules' fields; ``max_inputs``: raw inputs per episode, by default the rules' limit."""
    numbers = np.zeros(NUMBERS, np.int64)
    width, height = level.goal_size
    keys = level.key is not None
    numbers[[START_X, START_Y]] = [int(2 * v) for v in level.start]
    numbers[[GOAL_LEFT, GOAL_TOP]] = [pixel(int(2 * v)) - size // 2 for v, size in zip(level.goal, level.goal_size)]
    numbers[[GOAL_WIDTH, GOAL_HEIGHT]] = width, height
    numbers[[MONSTER_COUNT, KEYS]] = len(level.monsters) - keys, keys
    numbers[[MAX_INPUTS, SIDE]] = max_inputs or rules.max_inputs, level.side
    numbers[[WALK, PERIOD]] = round(2 * rules.walk), level.period if level.patrols else 1
    numbers[BOTTOM] = 2 * (TILE * level.height + TILE) if rules.falls_kill else NEVER
    numbers[[RESTARTS, ALTERNATING, TURNED]] = rules.restarts, rules.alternating, rules.turned
    return numbers
