"""Curiosity that counts: what was seen seldom pays.

The bonus of a step is 1 / n when it leads to something not yet seen in this episode, n being in how many episodes it
was seen so far, this one included; else 0. Each half of that can be had alone: "episodic" pays 1 for what is new in
this episode, "lifelong" 1 / n for every visit, n being the visits so far. Counts of coarse picture codes see what
the agent sees, in the spirit of Tang et al. 2017 (#Exploration, arXiv 1611.04717) and Ecoffet et al. 2021 (Go-Explore,
arXiv 2004.12919).
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.curiosity.bonus import Curiosity
from priorlab.agents.settings import Counted
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import X, Y


class PictureCodes:
    """Numbers for pictures, the same for pictures that look alike from afar.

    The newest frame of an observation is averaged over areas to a gray picture of ``size`` x ``size``; each of its
    pixels is then darker than in the first picture ever seen, or brighter, by ``step`` gray levels or more, or neither;
    and that is hashed to 64 bits. So what counts is where something is that was not there at first, or no longer, and
    hardly how it is drawn. ``channels`` is how many a frame has. With a ``device`` all are tensors there.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        size: int,
        step: float,
        channels: int = 1,
        device: torch.device | None = None,
    ):
        height, width, _ = shape
        if not 1 <= size <= min(height, width):
            raise ValueError(f"code_size is {size}: expected 1 to {min(height, width)}, the picture's side")
        if not 0 < step <= 255:
            raise ValueError(f"code_step is {step}: expected more than 0 and at most 255 gray levels")
        self.step, self.channels = step, channels
        self.rows, self.columns = area_weights(height, size), area_weights(width, size).T
        odd = np.random.default_rng(0).integers(2**62, size=size * size) * 2 + 1
        self.weights = odd.astype(np.int64).reshape(size, size)  # (size * size,) -> (size, size), of each pixel
        if device:
            parts = self.rows, self.columns, self.weights
            self.rows, self.columns, self.weights = (torch.as_tensor(part, device=device) for part in parts)
        self.first: Any = None  # float32 (size, size), the first picture ever seen

    def __call__(self, observations: Any) -> Any:
        """int64 (n,) for uint8 (n, S, S, stack * channels)."""
        frames = observations[..., -self.channels :]
        on_cpu = isinstance(frames, np.ndarray)
        gray = frames.mean(axis=3, dtype=np.float32) if on_cpu else frames.float().mean(3)
        small = self.rows @ gray @ self.columns  # (n, size, size), 0 to 255
        if self.first is None:
            self.first = small[0] + 0  # a copy, without the other pictures
        change = small - self.first
        signs = 1 * (change >= self.step) - 1 * (change <= -self.step)
        return (signs * self.weights).sum((1, 2))  # wraps around at 64 bits, as a hash may


def area_weights(side: int, size: int) -> np.ndarray:
    """float32 (size, side): how much of each of ``side`` pixels goes into each of ``size``; rows sum to 1."""
    edges = np.linspace(0, side, size + 1)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.maximum(overlap, 0) * size / side).astype(np.float32)


class Counts:
    """How often each code was seen, and which codes each lane has seen in its episode.

    ``counted`` is "both", "episodic" or "lifelong"; the last counts visits, the others episodes with a visit. Codes are
    numbered in the order of their coming; ``times`` int64 (m,), m >= codes, is how often each was seen.
    """

    def __init__(self, num_lanes: int, counted: Counted = "both"):
        self.counted = counted
        self.numbers: dict[int, int] = {}
        self.times = np.zeros(1024, np.int64)
        self.episode: list[set[int]] = [set() for _ in range(num_lanes)]

    def visit(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For lanes whose step led to these codes, int64 (n,) each: the codes' numbers, -1 where the visit does not
        count, as this episode had seen the code before; and how often each was seen so far, this visit included, 0
        where it does not count."""
        numbers, times = np.full(len(codes), -1), np.zeros(len(codes), np.int64)
        for lane, (code, seen) in enumerate(zip(codes.tolist(), self.episode)):
            if code not in seen or self.counted == "lifelong":
                seen.add(code)
                numbers[lane] = number = self.numbers.setdefault(code, len(self.numbers))
                if number == len(self.times):
                    self.times = np.concatenate([self.times, np.zeros_like(self.times)])
                self.times[number] += 1
                times[lane] = self.times[number]
        return numbers, times

    def worth(self, times: np.ndarray) -> np.ndarray:
        """float64 (n,): the bonus of visits to what was seen so often."""
        return (times > 0) / (1 if self.counted == "episodic" else np.maximum(times, 1))

    def begin(self, lane: int, code: int) -> None:
        """A new episode, which starts here; the start pays nothing."""
        self.episode[lane] = {code}


class CountBonus(Curiosity):
    """Counts picture codes, or in a subclass other codes. Infos say ``discovery`` at what was never seen before.

    ``visited`` int64 (n,): the numbers of what the last step led to, -1 where that does not count. For a learner that
    keeps steps, ``worth_now`` tells later what such a visit is worth by then.
    """

    def __init__(
        self,
        venv: VecEnv,
        scale: float,
        codes: PictureCodes | None = None,
        reward_scale: float = 1.0,
        counted: Counted = "both",
    ):
        super().__init__(venv, scale, reward_scale)
        self.codes, self.counts = codes, Counts(venv.num_envs, counted)
        self.visited = np.full(venv.num_envs, -1)

    def begin(self, observations: np.ndarray) -> None:
        for lane, code in enumerate(self.shown(observations).tolist()):
            self.counts.begin(lane, code)

    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        shown = self.shown(observations)
        reached = shown.copy()
        ended = np.flatnonzero(dones)
        for lane in ended:  # the step led to the episode's last picture; what is shown is the next one's first
            reached[lane] = self.last(infos[lane])
        self.visited, times = self.counts.visit(reached)
        for lane in np.flatnonzero(times == 1):
            infos[lane]["discovery"] = True
        for lane in ended:
            self.counts.begin(int(lane), int(shown[lane]))
        return self.counts.worth(times)

    def worth_now(self, visited: np.ndarray) -> np.ndarray:
        """float64, in the shape of ``visited``: the bonus of these visits by the counts of now, scaled."""
        return self.scale * self.counts.worth(np.where(visited < 0, 0, self.counts.times[visited]))

    def told(self) -> dict[str, float]:
        return {"codes": len(self.counts.numbers)}

    def memory(self) -> dict[str, Any]:
        return {
            "numbers": self.counts.numbers,
            "times": self.counts.times,
            "episode": self.counts.episode,
            "first": self.codes and self.codes.first,
        }

    def restore(self, memory: dict[str, Any]) -> None:
        self.counts.numbers, self.counts.times = memory["numbers"], memory["times"]
        self.counts.episode = memory["episode"]
        if self.codes:
            self.codes.first = memory["first"]

    def shown(self, observations: np.ndarray) -> np.ndarray:
        """int64 (n,): the codes of where the lanes are."""
        assert self.codes
        return self.codes(observations)

    def last(self, info: dict[str, Any]) -> int:
        """The code of where an episode ended."""
        return int(self.shown(info["terminal_observation"][None])[0])


class PrivilegedCountBonus(CountBonus):
    """Counts the player's positions, which no player sees: for comparisons of speed, never for a claim on looks."""

    privileged = True

    def __init__(self, venv: VecEnv, scale: float, games: Games, reward_scale: float = 1.0, counted: Counted = "both"):
        super().__init__(venv, scale, reward_scale=reward_scale, counted=counted)
        self.games = games

    def shown(self, observations: np.ndarray) -> np.ndarray:
        return self.games.state[:, X].astype(np.int64) << 32 | self.games.state[:, Y].astype(np.int64)

    def last(self, info: dict[str, Any]) -> int:
        return round(2 * info["x"]) << 32 | round(2 * info["y"])
