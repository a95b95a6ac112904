"""Which algorithms of stable-baselines3 move weights in their optimizer's steps alone, where methods act."""

from types import TracebackType
from typing import Any

import torch
from stable_baselines3.common.callbacks import BaseCallback
from torch.utils.hooks import RemovableHandle

from priorlab.transfer.kept import Kept

STEP_BY_OPTIMIZER = {  # modules of algorithms that do, according to their source
    "stable_baselines3.ppo.ppo",
    "stable_baselines3.a2c.a2c",
    "stable_baselines3.dqn.dqn",
    "sb3_contrib.ppo_mask.ppo_mask",
    "sb3_contrib.ppo_recurrent.ppo_recurrent",
}
STEP_BY_HAND = {"sb3_contrib.trpo.trpo"}  # it moves its actor after a line search


class WeightWatch(BaseCallback):
    """Raises ValueError if an unknown algorithm moves weights outside its optimizer's steps, and restores them. Active
    within its context."""

    def __init__(self, model: Any, kept: Kept):
        super().__init__()
        self.algorithm, self.kept = model, kept
        self.before: list[torch.Tensor] | None = None
        self.hooks: list[RemovableHandle] = []

    def __enter__(self) -> "WeightWatch":
        optimizer = self.algorithm.policy.optimizer
        self.hooks = [
            optimizer.register_step_pre_hook(lambda *_: self.compare()),
            optimizer.register_step_post_hook(lambda *_: self.note()),
        ]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for hook in self.hooks:
            hook.remove()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self.note()

    def _on_rollout_start(self) -> None:
        self.compare()
        self.before = None  # methods and callbacks may change weights until it trains

    def _on_training_end(self) -> None:
        self.compare()

    def note(self) -> None:
        self.before = [each.detach().clone() for each in self.kept.network.parameters().values()]

    @torch.no_grad()
    def compare(self) -> None:
        now = self.kept.network.parameters()
        if self.before is None or all(torch.equal(*each) for each in zip(self.before, now.values(), strict=True)):
            return
        for before, parameter in zip(self.before, now.values(), strict=True):
            parameter.copy_(before)
        raise stepping_by_hand(self.algorithm)


def stepping_by_hand(model: Any) -> ValueError:
    return ValueError(f"model is a {type(model).__name__}, which moves weights outside policy.optimizer's steps, in "
                      "which methods act: expected an algorithm such as PPO, A2C or DQN")  # fmt: skip


def weight_watch(model: Any, kept: Kept) -> WeightWatch | None:
    """A watch for a model's training; None for an algorithm known to step by its optimizer. ValueError for one known
    not to."""
    kinds = [kind.__module__ for kind in type(model).__mro__ if "train" in vars(kind)]
    if kinds and kinds[0] in STEP_BY_HAND:
        raise stepping_by_hand(model)
    is_known = kinds and kinds[0] in STEP_BY_OPTIMIZER and "train" not in vars(model)
    return None if is_known else WeightWatch(model, kept)
