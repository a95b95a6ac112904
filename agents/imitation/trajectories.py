"""Trajectories to imitate: pictures and the actions taken there, without loops, and the update that imitates them."""

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

Trajectory = tuple[np.ndarray, np.ndarray]  # observations uint8 (n, C, S, S), actions int64 (n,)


def imitate(
    policy: ActorCriticPolicy,
    optimizer: torch.optim.Optimizer,
    pictures: torch.Tensor,
    actions: torch.Tensor,
    max_grad_norm: float,
    enough: float = 0.0,
) -> float:
    """One gradient step of the actor towards these actions; their mean negative log-likelihood before it.

    pictures: uint8 (n, C, S, S); actions: int64 (n,). Where that mean is below ``enough``, nothing changes.
    """
    _, log_probs, _ = policy.evaluate_actions(pictures, actions)
    loss = -log_probs.mean()
    if loss.item() >= enough:
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
        optimizer.step()
    return loss.item()


def remove_loops(pictures: np.ndarray, actions: np.ndarray) -> Trajectory:
    """The decisions that led on: where a picture comes again, those between its first and last occurrence are dropped.

    pictures: (n, ...); actions: (n,); both are returned with m <= n rows, in which no picture occurs twice.
    """
    last = {picture.tobytes(): k for k, picture in enumerate(pictures)}
    rows, k = [], 0
    while k < len(pictures):
        k = last[pictures[k].tobytes()]
        rows.append(k)
        k += 1
    return pictures[rows], actions[rows]
