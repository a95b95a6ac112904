"""How a learner of values looks around: random actions, more of them in some lanes, and where nothing new comes."""

import numpy as np

SPREAD = 7.0  # the last lane's chance is ``epsilon`` to the power of 1 more than this (Horgan et al. 2018)


class Exploring:
    """Actions of ``num_lanes`` lanes side by side, of which some are random.

    Lane i of N takes a random action with a chance of epsilon ** (1 + 7 i / (N - 1)), from the ladder of Ape-X (Horgan
    et al. 2018, arXiv 1803.00933). A lane whose curiosity paid nothing for more than ``patience`` decisions acts at
    random until it does, or its episode ends: all is known there.

    ``rate``: the mean of the ladder's chances at the last decision.
    """

    def __init__(self, num_lanes: int, actions: int, epsilon: float, patience: int, seed: int | None):
        self.actions, self.patience = actions, patience
        self.ladder = epsilon ** (1 + SPREAD * np.arange(num_lanes) / max(num_lanes - 1, 1))
        self.waited = np.zeros(num_lanes, np.int64)  # decisions since something new came
        # a stream of its own, beside the one by which the replay memory draws from the same seed
        self.generator = np.random.default_rng(None if seed is None else [seed, 1])
        self.rate = 1.0

    def act(self, greedy: np.ndarray, share: float, chance: float | None = None) -> np.ndarray:
        """int64 (n,): ``greedy``, int64 (n,), where nothing random comes.

        share: of the ladder's chances; chance: all lanes' in their place.
        """
        ladder = share * self.ladder if chance is None else np.full(len(greedy), chance)
        self.rate = float(ladder.mean())
        chances = np.where(self.waited > self.patience, 1.0, ladder)
        random = self.generator.integers(self.actions, size=len(greedy))
        return np.where(self.generator.random(len(greedy)) < chances, random, greedy)

    def learn(self, dones: np.ndarray, paid: np.ndarray | None) -> None:
        """What the step led to, bool (n,): episodes' ends, and where curiosity paid; None where there is none."""
        if paid is not None:
            self.waited = np.where(paid | dones, 0, self.waited + 1)
