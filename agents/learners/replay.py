"""A prioritised replay memory with n-step returns that stores each frame once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer


class Samples(NamedTuple):
    """n sampled steps. ``returns``: discounted rewards of the steps up to ``following``, the observation n steps later;
    ``discounts``: factor of the value there, 0 after a termination; ``weights``: of the loss.

    observations, following: uint8 (n, C, S, S); actions: int64 (n,); returns, discounts, weights: float32 (n,);
    places: int64 (n,), for ``FrameReplay.update_priorities``.
    """

    observations: torch.Tensor
    actions: torch.Tensor
    returns: torch.Tensor
    discounts: torch.Tensor
    following: torch.Tensor
    weights: torch.Tensor
    places: np.ndarray


class SumTree:
    """Weights of places, and the places at given sums of them, in logarithmic time (Schaul et al. 2016, B.2.1)."""

    def __init__(self, size: int):
        self.leaves = 1 << (size - 1).bit_length()
        self.nodes = np.zeros(2 * self.leaves)  # node k is the sum of nodes 2 k and 2 k + 1; the leaves come last

    @property
    def total(self) -> float:
        return float(self.nodes[1])

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        return self.nodes[self.leaves + places]

    def __setitem__(self, places: np.ndarray, weights: np.ndarray | float) -> None:
        """A place given twice gets its last weight."""
        nodes = self.leaves + places
        self.nodes[nodes] = weights
        while nodes[0] > 1:
            nodes = nodes >> 1
            self.nodes[nodes] = self.nodes[2 * nodes] + self.nodes[2 * nodes + 1]

    def find(self, sums: np.ndarray) -> np.ndarray:
        """int64 (n,): the first places up to which the weights sum to more than ``sums``, float64 (n,)."""
        nodes, left = np.ones(len(sums), np.int64), sums.copy()
        while nodes[0] < self.leaves:
            nodes = 2 * nodes
            right = (left >= self.nodes[nodes]) & (self.nodes[nodes + 1] > 0)  # rounding never leads to an empty place
            left -= np.where(right, self.nodes[nodes], 0)
            nodes += right
        return nodes - self.leaves


class FrameReplay(ReplayBuffer):
    """The last ``buffer_size`` steps of n_envs environments whose observations are stacks of ``stack`` frames.

    A frame is stored once, and a step holds the numbers of the frames it saw, so a step takes little more memory than
    one frame: 1.8 KB for two grayscale frames of 42x42, where stable-baselines3 takes 7 KB. Stacks must slide: within
    an episode an observation is the previous one without its oldest frame, plus a new frame. Where episodes are so
    short that their starts need more frames than there are steps, the oldest steps are dropped sooner.

    The return of a sampled step spans ``n_steps`` steps, or as many as there are to the episode's end or to the newest
    step; an episode that was cut off continues with the value of its last observation, one that ended does not. Steps
    are drawn in proportion to (|error| + 0.01) ** ``priority``, and weighted by probability ** -``importance``
    (prioritised replay, Schaul et al. 2016, arXiv 1511.05952; both exponents a constant 0.5). ``notes``, int64, are the
    learner's notes on steps, -1 for none; ``sample`` adds to the rewards what these are worth at that time.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Box,
        action_space: spaces.Discrete,
        device: torch.device | str = "auto",
        n_envs: int = 1,
        optimize_memory_usage: bool = False,  # stable-baselines3 passes it; frames are stored once in any case
        *,
        stack: int = 1,
        n_steps: int = 1,
        gamma: float = 0.99,
        priority: float = 0.5,
        importance: float = 0.5,
        seed: int | None = None,
    ):
        super().__init__(1, observation_space, action_space, device, n_envs)  # the parent's arrays hold one step
        channels, *sides = self.obs_shape
        if channels % stack:
            raise ValueError(f"stack is {stack}: expected a divisor of the observations' channels, {channels}")
        self.stack, self.n_steps, self.gamma = stack, n_steps, gamma
        self.priority, self.importance = priority, importance
        self.channels = channels // stack  # of a frame
        self.buffer_size = rows = max(buffer_size // n_envs, 1)
        most = max(
            rows + stack + 1, (stack + 1) ** 2
        )  # the second is enough for the newest step even if all episodes have one step
        self.frames = np.zeros((most * n_envs, self.channels, *sides), np.uint8)
        self.numbers = np.zeros((rows, n_envs, stack + 1), np.int64)  # of frames, counted since the start of the run
        self.actions = np.zeros((rows, n_envs), np.int64)
        self.rewards = np.zeros((rows, n_envs), np.float32)
        self.notes = np.full((rows, n_envs), -1)
        self.ended, self.terminated = np.zeros((2, rows, n_envs), np.bool_)
        self.tree = SumTree(rows * n_envs)
        self.highest = 1.0  # weight of steps that were never sampled
        self.generator = np.random.default_rng(seed)
        self.drawn = 0  # frames stored so far
        self.oldest, self.newest = 0, 0  # rows in memory, counted since the start of the run: oldest to newest - 1
        self.seen = np.zeros((n_envs, stack), np.int64)  # the frames of the current observations
        self.fresh = np.ones(n_envs, np.bool_)  # games whose episode begins

    def size(self) -> int:
        """Steps in memory per environment."""
        return self.newest - self.oldest

    def add(
        self,
        obs: np.ndarray,
        next_obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
        notes: np.ndarray | int = -1,
    ) -> None:
        """Adds a step of each environment; where an episode ended, ``next_obs`` is its last observation."""
        for lane in np.flatnonzero(self.fresh):
            frames = obs[lane].reshape(self.stack, self.channels, *self.obs_shape[1:])  # (C, S, S) -> (stack, c, S, S)
            new = [True, *(frames[1:] != frames[:-1]).any(axis=(1, 2, 3))]
            self.seen[lane] = self.store(frames[new])[np.cumsum(new) - 1]
        row = self.newest % self.buffer_size
        following = self.store(next_obs[:, -self.channels :])
        self.numbers[row] = np.concatenate([self.seen, following[:, None]], axis=1)
        self.actions[row], self.rewards[row], self.notes[row] = np.ravel(action), reward, notes
        late = np.array([info.get("TimeLimit.truncated", False) for info in infos])
        self.ended[row], self.terminated[row] = done, done & ~late
        self.tree[self.places_of(row)] = self.highest
        self.seen, self.fresh = self.numbers[row, :, 1:].copy(), done.astype(np.bool_)
        self.newest += 1
        oldest = max(self.oldest, self.newest - self.buffer_size)
        while self.numbers[oldest % self.buffer_size].min() < self.drawn - len(self.frames):
            self.tree[self.places_of(oldest % self.buffer_size)] = 0
            oldest += 1
        self.oldest = oldest

    def begin(self) -> None:
        """Call it after a reset of all environments: their episodes count as cut off."""
        self.ended[(self.newest - 1) % self.buffer_size] |= self.newest > 0
        self.fresh[:] = True

    def places_of(self, row: int) -> np.ndarray:
        """int64 (n_envs,): the places of this row's steps in the tree."""
        return row * self.n_envs + np.arange(self.n_envs)

    def store(self, frames: np.ndarray) -> np.ndarray:
        """Stores frames (m, c, S, S); their numbers, int64 (m,)."""
        numbers = self.drawn + np.arange(len(frames))
        self.frames[numbers % len(self.frames)] = frames
        self.drawn += len(frames)
        return numbers

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """uint8 (m, C, S, S): the stacks of frames with these numbers, (m, stack)."""
        # (m, stack, c, S, S) -> (m, stack * c, S, S)
        return self.frames[numbers % len(self.frames)].reshape(len(numbers), *self.obs_shape)

    def sample(  # pyright: ignore[reportIncompatibleMethodOverride]  its samples hold more
        self, batch_size: int, env: Any = None, worth: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> Samples:
        """Random steps. ``worth`` maps notes, int64 (n, n_steps), to what they add to the rewards, in that shape."""
        shares = (np.arange(batch_size) + self.generator.random(batch_size)) / batch_size
        places = self.tree.find(shares * self.tree.total)
        weights = (self.tree[places] * self.size() * self.n_envs / self.tree.total) ** -self.importance
        return self.gather(places, (weights / weights.max()).astype(np.float32), worth)

    def gather(
        self, places: np.ndarray, weights: np.ndarray, worth: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> Samples:
        """The steps at these places: row * n_envs + lane."""
        rows, lanes = places // self.n_envs, places % self.n_envs
        ahead = (self.newest - 1 - rows) % self.buffer_size  # rows to the newest one
        walk = np.arange(self.n_steps)
        path = (rows[:, None] + walk) % self.buffer_size, lanes[:, None]  # rows (n, n_steps), lanes (n, 1)
        going = walk <= ahead[:, None]
        going[:, 1:] &= np.logical_and.accumulate(~self.ended[path], axis=1)[:, :-1]
        rewards = self.rewards[path] + (worth(self.notes[path]) if worth else 0)
        returns = (going * rewards * self.gamma**walk).sum(axis=1)
        length = going.sum(axis=1)
        last = (rows + length - 1) % self.buffer_size, lanes
        discounts = np.where(self.terminated[last], 0, self.gamma**length)
        return Samples(
            self.tensor(self.pictures(self.numbers[rows, lanes, :-1])),
            self.tensor(self.actions[rows, lanes]),
            self.tensor(returns.astype(np.float32)),
            self.tensor(discounts.astype(np.float32)),
            self.tensor(self.pictures(self.numbers[last][:, 1:])),
            self.tensor(weights),
            places,
        )

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)

    def update_priorities(self, places: np.ndarray, errors: np.ndarray) -> None:
        """errors: float (n,), by how much the values of the steps at these places were wrong."""
        weights = (np.abs(errors) + 0.01) ** self.priority
        self.tree[places] = weights
        self.highest = max(self.highest, float(weights.max()))

    def trajectory(self, begun: int, lane: int) -> tuple[np.ndarray, np.ndarray]:
        """Observations uint8 (n, C, S, S) and actions of one game's steps from row ``begun`` to the newest."""
        rows = np.arange(max(begun, self.oldest), self.newest) % self.buffer_size
        return self.pictures(self.numbers[rows, lane, :-1]), self.actions[rows, lane]
