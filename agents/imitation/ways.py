"""Ways to imitate: pictures and the actions taken there, without loops, and the step that learns them."""

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

Way = tuple[np.ndarray, np.ndarray]  # observations uint8 (n, C, S, S), actions int64 (n,)


def learn(
    policy: ActorCriticPolicy,
    optimizer: torch.optim.Optimizer,
    pictures: torch.Tensor,
    actions: torch.Tensor,
    max_grad_norm: float,
    enough: float = 0.0,
) -> float:
    """A step of the actor towards these actions; the mean of -log of their probability before it.

    pictures: uint8 (n, C, S, S); actions: int64 (n,). Where that mean is less than ``enough``, nothing changes.
    """
    _, logs, _ = policy.evaluate_actions(pictures, actions)
    loss = -logs.mean()
    if loss.item() >= enough:
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
        optimizer.step()
    return loss.item()


def without_loops(pictures: np.ndarray, actions: np.ndarray) -> Way:
    """The decisions that led on: of those between a picture's first and last coming only the last is kept.

    pictures: (n, ...); actions: (n,); both come back with m <= n rows, no picture twice.
    """
    last = {picture.tobytes(): k for k, picture in enumerate(pictures)}
    kept, k = [], 0
    while k < len(pictures):
        k = last[pictures[k].tobytes()]
        kept.append(k)
        k += 1
    return pictures[kept], actions[kept]
