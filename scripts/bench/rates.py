"""How speed is measured: the best rate of several rounds of the same steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ROUNDS = 3  # the best of so many; the machine's noise only ever slows
DIFFERENT = 64  # steps of random actions, used over and over
TURNS = 5  # of one thread against two


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``target`` is the least, or with ``most`` the most, that is wanted."""

    name: str
    value: float
    unit: str
    target: float | None = None
    most: bool = False


def best_rate(step: Callable[[np.ndarray], object], games: int, actions: int, seconds: float) -> float:
    """Games' steps a second under uniform random actions."""
    chosen = np.random.default_rng(0).integers(0, actions, (DIFFERENT, games))
    began = time.perf_counter()
    for row in chosen[:8]:
        step(row)
    steps = max(1, int(seconds / ROUNDS / (time.perf_counter() - began) * 8))
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for k in range(steps):
            step(chosen[k % DIFFERENT])
        rates.append(games * steps / (time.perf_counter() - began))
    return max(rates)
