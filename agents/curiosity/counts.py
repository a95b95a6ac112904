"""Curiosity that counts: what was rarely seen pays.

The bonus of a step is 1 / n when it leads to something not yet seen in this episode, where n is the number of episodes
that saw it so far, this one included; otherwise it is 0. Each half of that is available alone: "episodic" pays 1 for
what is new in this episode, "lifelong" pays 1 / n for every visit, where n is the number of visits so far. Counts of
coarse picture codes use what the agent sees, in the spirit of Tang et al. 2017 (#Exploration, arXiv 1611.04717) and
Ecoffet et al. 2021 (Go-Explore, arXiv 2004.12919).
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.curiosity.base import Curiosity
from priorlab.agents.settings import CountKind
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import X, Y


class PictureCodes:
    """Numbers for pictures, equal for pictures that look alike from afar.

    The newest frame of an observation is averaged over areas to a grayscale picture of ``size`` x ``size`` pixels. Each
    of its pixels is then darker than in the first picture ever seen, or brighter, by ``step`` gray levels or more, or
    neither; these signs are hashed to 64 bits. So a code depends on where something appeared or disappeared, and hardly
    on how it is drawn.

    shape: of an observation, (S, S, stack * channels); channels: of one frame; device: where inputs and codes are
    tensors, None for numpy arrays. ValueError for a size or step out of range.
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
    """How often each code was seen, and which codes each game has seen in its episode.

    ``counted`` is "both", "episodic" or "lifelong"; the last counts visits, the others episodes with a visit. Codes are
    numbered in the order in which they appear; ``times`` int64 (m,), m >= codes, is how often each was seen.
    """

    def __init__(self, num_lanes: int, counted: CountKind = "both"):
        self.counted = counted
        self.numbers: dict[int, int] = {}
        self.times = np.zeros(1024, np.int64)
        self.episode: list[set[int]] = [set() for _ in range(num_lanes)]

    def visit(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For games whose step led to these codes, int64 (n,) each: the codes' numbers, -1 where the visit does not
        count because this episode had seen the code before; and how often each was seen so far, this visit included,
        0 where it does not count."""
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
        """float64 (n,): the bonus of visits to what was seen this many times."""
        return (times > 0) / (1 if self.counted == "episodic" else np.maximum(times, 1))

    def begin(self, lane: int, code: int) -> None:
        """A new episode, which starts here; the start pays nothing."""
        self.episode[lane] = {code}


class CountBonus(Curiosity):
    """Pays for picture codes that were rarely seen; a subclass may count other codes.

    venv: any VecEnv of pictures, uint8 (n, S, S, C); scale: factor of the bonus; codes: how pictures become codes;
    reward_scale: factor of the games' rewards; counted: "both", "episodic" or "lifelong". A step's info holds
    ``discovery`` where it led to a code never seen before. ``visited``, int64 (n,), holds the numbers of the codes that
    the last step led to, -1 where the visit does not count; ``worth_now`` gives what such visits are worth later.

    In the spirit of Tang et al. 2017 (arXiv 1611.04717), section 2, with codes like those of Ecoffet et al. 2021 (arXiv
    2004.12919).
    """

    def __init__(
        self,
        venv: VecEnv,
        scale: float,
        codes: PictureCodes | None = None,
        reward_scale: float = 1.0,
        counted: CountKind = "both",
    ):
        super().__init__(venv, scale, reward_scale)
        self.codes, self.counts = codes, Counts(venv.num_envs, counted)
        self.visited = np.full(venv.num_envs, -1)

    def on_reset(self, observations: np.ndarray) -> None:
        for lane, code in enumerate(self.codes_of(observations).tolist()):
            self.counts.begin(lane, code)

    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        now = self.codes_of(observations)
        reached = now.copy()
        ended = np.flatnonzero(dones)
        for lane in ended:  # the step led to the episode's last picture; the observation is the next one's first
            reached[lane] = self.last_code(infos[lane])
        self.visited, times = self.counts.visit(reached)
        for lane in np.flatnonzero(times == 1):
            infos[lane]["discovery"] = True
        for lane in ended:
            self.counts.begin(int(lane), int(now[lane]))
        return self.counts.worth(times)

    def worth_now(self, visited: np.ndarray) -> np.ndarray:
        """float64, in the shape of ``visited``: the scaled bonus of these visits by the current counts."""
        return self.scale * self.counts.worth(np.where(visited < 0, 0, self.counts.times[visited]))

    def statistics(self) -> dict[str, float]:
        return {"codes": len(self.counts.numbers)}

    def state(self) -> dict[str, Any]:
        return {
            "numbers": self.counts.numbers,
            "times": self.counts.times,
            "episode": self.counts.episode,
            "first": self.codes and self.codes.first,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.counts.numbers, self.counts.times = state["numbers"], state["times"]
        self.counts.episode = state["episode"]
        if self.codes:
            self.codes.first = state["first"]

    def codes_of(self, observations: np.ndarray) -> np.ndarray:
        """int64 (n,): the codes of these observations."""
        assert self.codes
        return self.codes(observations)

    def last_code(self, info: dict[str, Any]) -> int:
        """The code at which an episode ended."""
        return int(self.codes_of(info["terminal_observation"][None])[0])


class PrivilegedCountBonus(CountBonus):
    """Counts the player's positions, which no player sees: for comparisons of speed, never for a claim about looks.

    games: the batch of ``Games`` inside ``venv``; other arguments as ``CountBonus`` has them.
    """

    privileged = True

    def __init__(
        self, venv: VecEnv, scale: float, games: Games, reward_scale: float = 1.0, counted: CountKind = "both"
    ):
        super().__init__(venv, scale, reward_scale=reward_scale, counted=counted)
        self.games = games

    def codes_of(self, observations: np.ndarray) -> np.ndarray:
        return self.games.state[:, X].astype(np.int64) << 32 | self.games.state[:, Y].astype(np.int64)

    def last_code(self, info: dict[str, Any]) -> int:
        return round(2 * info["x"]) << 32 | round(2 * info["y"])
