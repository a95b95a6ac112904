"""Counts of picture codes as tensors on one device: the bonus of ``counts.py`` for thousands of games at once."""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.curiosity.base import Curiosity
from priorlab.agents.curiosity.counts import PictureCodes
from priorlab.agents.settings import CountKind

ROOM = 1024  # codes that fit at first; doubled when full


class OnDeviceCounts(Curiosity):
    """Pays what ``CountBonus`` pays, from and to tensors on ``device``; within a step, games count in their order.

    Attributes: codes, int64 (K,), those seen so far, ascending; numbers, int64 (K,), of each in the order in which they
    appeared; times, int64 (room,), how often each number counted; seen, uint8 (N, room / 8), one bit per number that a
    game has seen in its episode. It needs one bit of memory per code and game.
    """

    def __init__(
        self,
        venv: VecEnv,
        scale: float,
        codes: PictureCodes,
        device: torch.device,
        reward_scale: float = 1.0,
        counted: CountKind = "both",
    ):
        super().__init__(venv, scale, reward_scale)
        self.picture_codes, self.counted, self.device = codes, counted, device
        self.codes, self.numbers, self.times = torch.zeros((3, 0), dtype=torch.int64, device=device)
        self.seen = torch.zeros((venv.num_envs, 0), dtype=torch.uint8, device=device)
        self.lanes = torch.arange(venv.num_envs, device=device)

    def tensor(self, array: Any) -> torch.Tensor:
        return torch.as_tensor(array, device=self.device)

    def on_reset(self, observations: np.ndarray) -> None:
        self.begin_on_device(self.lanes, self.picture_codes(self.tensor(observations)))

    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        """The unscaled bonus of ``pay_on_device``."""
        ended = np.flatnonzero(dones)
        last = [infos[lane]["terminal_observation"] for lane in ended]
        last = np.stack(last) if last else observations[:0]
        return self.unscaled(*map(self.tensor, (observations, ended, last))).cpu().numpy()

    def pay_on_device(
        self, actions: torch.Tensor, observations: torch.Tensor, ended: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        bonus = self.scale * self.unscaled(observations, ended, last)
        self.bonus = bonus  # pyright: ignore[reportAttributeAccessIssue]  a tensor on the device
        return bonus

    def unscaled(self, observations: torch.Tensor, ended: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        now = self.picture_codes(observations)
        reached = now.clone()
        if len(ended):
            reached[ended] = self.picture_codes(last)
        times = self.visit(reached)
        if len(ended):
            self.begin_on_device(ended, now[ended])
        return (times > 0) / (torch.ones_like(times) if self.counted == "episodic" else times.clamp(min=1))

    def visit(self, codes: torch.Tensor) -> torch.Tensor:
        """int64 (N,): how often each code had counted, this visit included; 0 where it does not count."""
        numbers = self.numbers_of(codes)
        place, bit = numbers >> 3, (1 << (numbers & 7)).to(torch.uint8)
        seen = self.seen[self.lanes, place]
        counts = (seen & bit) == 0 if self.counted != "lifelong" else torch.ones_like(seen, dtype=torch.bool)
        self.seen[self.lanes, place] = seen | bit
        # games whose visits count for the same number count one after the other, in the order that a stable sort keeps
        sorted_numbers, order = torch.sort(torch.where(counts, numbers, len(self.times)), stable=True)
        rank = torch.empty_like(order)
        rank[order] = self.lanes - torch.searchsorted(sorted_numbers, sorted_numbers)
        times = torch.where(counts, self.times[numbers] + rank + 1, 0)
        self.times.index_add_(0, numbers, counts.long())
        return times

    def begin_on_device(self, lanes: torch.Tensor, codes: torch.Tensor) -> None:
        """New episodes of these games, int64 (n,), which start at these codes, int64 (n,)."""
        numbers = self.numbers_of(codes)
        self.seen[lanes] = 0
        self.seen[lanes, numbers >> 3] = (1 << (numbers & 7)).to(torch.uint8)

    def numbers_of(self, codes: torch.Tensor) -> torch.Tensor:
        """The codes' numbers; new codes get the next ones."""
        new = codes[~torch.isin(codes, self.codes)]
        if len(new):
            self.add(new.unique())
        at = torch.searchsorted(self.codes, codes)
        return self.numbers[at]

    def add(self, new: torch.Tensor) -> None:
        """Numbers these new codes, int64 (n,), all different."""
        numbers = torch.arange(len(self.codes), len(self.codes) + len(new), device=self.device)
        self.codes, order = torch.sort(torch.cat([self.codes, new]))
        self.numbers = torch.cat([self.numbers, numbers])[order]
        room = len(self.times)
        if len(self.codes) > room:
            room = max(ROOM, 1 << (len(self.codes) - 1).bit_length())
            self.times = widened(self.times, room)
            self.seen = widened(self.seen, room // 8)

    def statistics(self) -> dict[str, float]:
        return {"codes": int((self.times > 0).sum())}

    def state(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("codes", "numbers", "times", "seen")}
        return counts | {"first": self.picture_codes.first}

    def restore(self, state: dict[str, Any]) -> None:
        for name in ("codes", "numbers", "times", "seen"):
            setattr(self, name, self.tensor(state[name]))
        self.picture_codes.first = self.tensor(state["first"])


def widened(tensor: torch.Tensor, size: int) -> torch.Tensor:
    """With zeros at the end of its last dimension."""
    return torch.nn.functional.pad(tensor, (0, size - tensor.shape[-1]))
