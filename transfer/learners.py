"""Which learners of stable-baselines3 move weights where methods act: in the steps of their policy's optimizer."""

from types import TracebackType
from typing import Any

import torch
from stable_baselines3.common.callbacks import BaseCallback
from torch.utils.hooks import RemovableHandle

from priorlab.transfer.method import Kept

STEP_BY_OPTIMIZER = {  # modules of learners that do, as their source says
    "stable_baselines3.ppo.ppo",
    "stable_baselines3.a2c.a2c",
    "stable_baselines3.dqn.dqn",
    "sb3_contrib.ppo_mask.ppo_mask",
    "sb3_contrib.ppo_recurrent.ppo_recurrent",
}
STEP_BY_HAND = {"sb3_contrib.trpo.trpo"}  # its actor, after a search along a line


class Watch(BaseCallback):
    """Sees to it that a learner which trains in a way of its own moves weights in its optimizer's steps alone:
    ValueError where it doesn't, with the weights put back. Acts as long as its context."""

    def __init__(self, learner: Any, kept: Kept):
        super().__init__()
        self.learner, self.kept = learner, kept
        self.before: list[torch.Tensor] | None = None
        self.hooks: list[RemovableHandle] = []

    def __enter__(self) -> "Watch":
        optimizer = self.learner.policy.optimizer
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
        raise by_hand(self.learner)


def by_hand(learner: Any) -> ValueError:
    return ValueError(f"model is a {type(learner).__name__}, which moves weights beside policy.optimizer's steps, in "
                      "which methods act: expected a learner such as PPO, A2C or DQN")  # fmt: skip


def watch_of(learner: Any, kept: Kept) -> Watch | None:
    """What a learner needs beside it as it learns; nothing, if it is known to step by its optimizer. ValueError where
    it is known not to."""
    kinds = [kind.__module__ for kind in type(learner).__mro__ if "train" in vars(kind)]
    if kinds and kinds[0] in STEP_BY_HAND:
        raise by_hand(learner)
    is_known = kinds and kinds[0] in STEP_BY_OPTIMIZER and "train" not in vars(learner)
    return None if is_known else Watch(learner, kept)
