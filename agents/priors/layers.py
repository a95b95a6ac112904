"""The states that may be a player's after an input, as far as pictures tell."""

from dataclasses import dataclass, field

import numpy as np

from priorlab.agents.priors.facts import LADDER_UNKNOWN, MOTION_UNKNOWN
from priorlab.envs.game.rules import JUMPING, ON_LADDER, SPEED, X, Y


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
        state[[JUMPING, ON_LADDER]] = MOTION_UNKNOWN, LADDER_UNKNOWN
        return state

    def placed(self) -> bool:
        """Whether all states agree in where the player is."""
        return len({(int(state[X]), int(state[Y])) for state in self.states}) == 1

    def likeliest(self) -> np.ndarray:
        return self.states[int(np.argmax(self.scores))]


def motion(state: np.ndarray) -> tuple[int, ...]:
    flies = int(state[JUMPING])
    return int(state[X]), int(state[Y]), flies, int(state[SPEED]) * flies
