"""The states that may be a player's after an input, as far as pictures tell."""

from dataclasses import dataclass, field

import numpy as np

from priorlab.agents.priors.facts import LADDER_UNKNOWN, MOTION_UNKNOWN
from priorlab.agents.priors.sprites import Place
from priorlab.envs.game.rules import (
    CLOCK,
    EPISODE_INPUTS,
    FALL_SPEED,
    GRID,
    JUMP_SPEED,
    JUMPING,
    ON_LADDER,
    SPEED,
    WALK,
    X,
    Y,
    next_clock,
    pixel,
)


@dataclass
class Layer:
    """The states that are possible after an input, how likely they are, which earlier ones led to each, and whether
    each begins to fall by this input: nothing is below it then, so it goes on to fall."""

    action: int  # that led here
    states: list[np.ndarray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    parents: list[list[int]] = field(default_factory=list)
    falls: list[bool] = field(default_factory=list)

    def keep(self, kept: list[int]) -> None:
        """Forgets all states but these."""
        self.states = [self.states[k] for k in kept]
        self.scores = [self.scores[k] for k in kept]
        self.parents = [self.parents[k] for k in kept]
        self.falls = [self.falls[k] for k in kept]

    def agreed(self) -> np.ndarray | None:
        """The one state, if all agree in what matters; its ON_LADDER may be LADDER_UNKNOWN."""
        first = self.states[0]
        if len(self.states) == 1:
            return first
        if any(motion(state) != motion(first) for state in self.states[1:]):
            return None
        if any(state[ON_LADDER] != first[ON_LADDER] for state in self.states[1:]):
            first = first.copy()
            first[ON_LADDER] = LADDER_UNKNOWN
        return first

    def seen(self) -> np.ndarray | None:
        """The state, if all agree in where the player is; how it moves there is MOTION_UNKNOWN."""
        if not self.placed():
            return None
        state = self.states[0].copy()
        state[JUMPING], state[ON_LADDER] = MOTION_UNKNOWN, LADDER_UNKNOWN
        return state

    def placed(self) -> bool:
        """Whether all states agree in where the player is."""
        return len(self.states) == 1 or len({(int(state[X]), int(state[Y])) for state in self.states}) == 1

    def likeliest(self) -> np.ndarray:
        return self.states[self.scores.index(max(self.scores))]


def anyhow(action: int, before: np.ndarray, place: Place, first: int, numbers: np.ndarray) -> Layer:
    """Every way of moving of a player who is seen at that place after an input from the state ``before``, int32
    (FIELDS,). ``first``: its x at the start, in half pixels, from which it walks in whole steps."""
    states, columns = [], [2 * (place[0] + GRID) - half for half in (1, 0)]
    for x in [x for x in columns if (x - first) % int(numbers[WALK]) == 0] or columns:
        for y in (2 * (place[1] + GRID - 1) - 1, 2 * (place[1] + GRID - 1)):
            for speed in (None, *range(FALL_SPEED, JUMP_SPEED)):
                state = before.copy()
                state[[X, Y, JUMPING, SPEED, ON_LADDER]] = x, y, speed is not None, speed or 0, 0
                state[CLOCK] = next_clock(numbers, int(before[CLOCK]))
                state[EPISODE_INPUTS] += 1
                states.append(state)
    return Layer(action, states, [0.0] * len(states), [[] for _ in states], [False] * len(states))


def place_of(state: np.ndarray) -> Place:
    """Where a player in that state is drawn, in the upright picture."""
    return pixel(int(state[X])) - GRID, pixel(int(state[Y])) - GRID + 1


def motion(state: np.ndarray) -> tuple[int, ...]:
    flies = int(state[JUMPING])
    return int(state[X]), int(state[Y]), flies, int(state[SPEED]) * flies
