"""How a learner of action values explores: random actions, more of them in some games, and where nothing new comes."""

import numpy as np

SPREAD = 7.0  # the last game's chance is ``epsilon`` to the power of 1 plus this (Horgan et al. 2018)


class Exploration:
    """Greedy actions of ``num_lanes`` parallel games, some of them replaced by random ones.

    Game i of N takes a random action with a chance of epsilon ** (1 + 7 i / (N - 1)), the ladder of Ape-X (Horgan et
    al. 2018, arXiv 1803.00933). A game whose curiosity paid nothing for more than ``patience`` decisions acts at random
    until it pays again or the episode ends, because nothing is new there.

    ``rate``: the mean of the ladder's chances at the last decision.
    """

    def __init__(self, num_lanes: int, actions: int, epsilon: float, patience: int, seed: int | None):
        self.actions, self.patience = actions, patience
        self.ladder = epsilon ** (1 + SPREAD * np.arange(num_lanes) / max(num_lanes - 1, 1))
        self.waited = np.zeros(num_lanes, np.int64)  # decisions since something new was reached
        # a separate stream, because the replay memory draws from the same seed
        self.generator = np.random.default_rng(None if seed is None else [seed, 1])
        self.rate = 1.0

    def act(self, greedy: np.ndarray, share: float, chance: float | None = None) -> np.ndarray:
        """The actions to take, int64 (n,): ``greedy``, int64 (n,), or random ones.

        share: factor of the ladder's chances; chance: of every game, instead of the ladder's.
        """
        ladder = share * self.ladder if chance is None else np.full(len(greedy), chance)
        self.rate = float(ladder.mean())
        chances = np.where(self.waited > self.patience, 1.0, ladder)
        random = self.generator.integers(self.actions, size=len(greedy))
        return np.where(self.generator.random(len(greedy)) < chances, random, greedy)

    def after_step(self, dones: np.ndarray, paid: np.ndarray | None) -> None:
        """Notes, bool (n,), where episodes ended and where curiosity paid; ``paid`` is None without curiosity."""
        if paid is not None:
            self.waited = np.where(paid | dones, 0, self.waited + 1)
