"""Behavioural cloning (Pomerleau 1991, Neural Computation 3): an actor learns to act as its demonstrators did."""

import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from stable_baselines3 import PPO

from priorlab.agents.imitation.demonstrations import Demonstrations
from priorlab.agents.imitation.trajectories import Trajectory, imitate
from priorlab.envs.base.files import write_whole

NAME = "demonstrations.json"  # in the run's folder: the result
LEARNING_RATE = 1e-3  # of Adam
BATCH = 32  # decisions per minibatch: a play is short, and larger minibatches learned less from it
PATIENCE = 10  # epochs without a better likelihood of the held-out decisions, after which it stops


@dataclass(frozen=True)
class CloningResult:
    """How closely a clone acts like its demonstrators.

    Accuracies are shares of decisions, 0 to 1, in which its most probable action is the demonstrator's;
    ``held_out_most_common`` is the accuracy of always taking the action most common in the training decisions. Both
    held-out accuracies are None where nobody was held out.
    """

    plays: int
    episodes: int
    demonstrators: int
    decisions: int
    epochs: int
    accuracy: float
    held_out_demonstrators: int
    held_out_decisions: int
    held_out_accuracy: float | None
    held_out_most_common: float | None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The result of the run in the folder; None for a run without demonstrations."""
        path = folder / NAME
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def __str__(self) -> str:
        learned = (
            f"  before training, it imitated {self.decisions:,} decisions of {self.demonstrators} demonstrators, and "
            f"agrees with {self.accuracy:.0%} of them; "
        )
        if self.held_out_accuracy is None:
            return learned + "nobody was held out"
        return learned + (
            f"held out: {self.held_out_accuracy:.0%} of {self.held_out_decisions:,} by {self.held_out_demonstrators} "
            f"others ({self.held_out_most_common:.0%} by always taking the most common action)"
        )


def clone(
    model: PPO, demonstrations: Demonstrations, epochs: int, held_out: float, seed: int, folder: Path
) -> CloningResult:
    """Trains the model's actor to imitate the demonstrations, in at most ``epochs`` passes.

    held_out: share of the demonstrators, 0 to 1, that it never learns from: complete demonstrators, at least one of two
    or more, unless the share is 0. They decide when to stop: the actor ends as it was when it gave their decisions the
    highest likelihood. The critic learns nothing. The result is also written to ``folder``, as demonstrations.json.

    Pomerleau 1991, Neural Computation 3.
    """
    names, all_trajectories = demonstrations.participants, demonstrations.trajectories
    others = choose_held_out(names, held_out, seed)
    trained = [each for each, name in zip(all_trajectories, names) if name not in others]
    tested = [each for each, name in zip(all_trajectories, names) if name in others]
    pictures, actions = to_tensors(trained, model.device)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.policy.parameters(), LEARNING_RATE)  # PPO's starts without its moments
    best, best_weights, since, epoch = float("inf"), None, 0, 0
    while epoch < epochs and since < PATIENCE:
        for batch in torch.randperm(len(actions), generator=generator).to(model.device).split(BATCH):
            imitate(model.policy, optimizer, pictures[batch], actions[batch], model.max_grad_norm)
        epoch += 1
        if tested:
            loss = measure(model, tested)[1]
            since = 0 if loss < best else since + 1
            if not since:
                best, best_weights = loss, copy.deepcopy(model.policy.state_dict())
    if best_weights:
        model.policy.load_state_dict(best_weights)
    common = actions.bincount().argmax()
    result = CloningResult(
        plays=demonstrations.plays,
        episodes=len(all_trajectories),
        demonstrators=len({*names} - others),
        decisions=len(actions),
        epochs=epoch,
        accuracy=measure(model, trained)[0],
        held_out_demonstrators=len(others),
        held_out_decisions=sum(len(each[1]) for each in tested),
        held_out_accuracy=measure(model, tested)[0] if tested else None,
        held_out_most_common=(to_tensors(tested, model.device)[1] == common).double().mean().item() if tested else None,
    )
    write_whole(folder / NAME, json.dumps(asdict(result), indent=2) + "\n")
    return result


def choose_held_out(participants: list[str], share: float, seed: int) -> set[str]:
    """That share of the different participants, drawn at random."""
    names = sorted({*participants})
    count = min(max(round(share * len(names)), 1), len(names) - 1) if share else 0
    return {names[k] for k in np.random.default_rng(seed).permutation(len(names))[:count]}


def to_tensors(trajectories: list[Trajectory], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 (n, C, S, S), as policies take them, and int64 (n,)."""
    pictures, actions = (np.concatenate(parts) for parts in zip(*trajectories))
    pictures = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    return torch.from_numpy(pictures).to(device), torch.from_numpy(actions).to(device)


@torch.no_grad()
def measure(model: PPO, trajectories: list[Trajectory]) -> tuple[float, float]:
    """Share of the decisions whose most probable action is the one taken; mean negative log-likelihood of these."""
    alike, loss, count = 0, 0.0, 0
    for trajectory in trajectories:
        pictures, actions = to_tensors([trajectory], model.device)
        alike += int((model.policy(pictures, deterministic=True)[0] == actions).sum())
        loss -= float(model.policy.evaluate_actions(pictures, actions)[1].sum())
        count += len(actions)
    return alike / count, loss / count
