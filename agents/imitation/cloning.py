"""Behavioural cloning (Pomerleau 1991, Neural Computation 3): an actor learns to act as was demonstrated."""

import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from stable_baselines3 import PPO

from priorlab.agents.imitation.demonstrations import Demonstrations
from priorlab.agents.imitation.ways import Way, learn
from priorlab.envs.base.files import write_whole

NAME = "demonstrations.json"  # in the run's folder: what came of it
LEARNING_RATE = 1e-3  # of Adam
BATCH = 32  # decisions in a minibatch: a play is short, and larger ones learned less from it
PATIENCE = 10  # epochs without a better likelihood of what was held out, after which it stops


@dataclass(frozen=True)
class Cloned:
    """How well a clone acts like its demonstrators.

    Accuracies are shares of decisions in which its most probable action is the demonstrator's; ``most_common`` is that
    of who always takes the action most common in what was learned from. None where nobody was held out.
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
        """What the run in the folder wrote; None for one that was shown nothing."""
        path = folder / NAME
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def __str__(self) -> str:
        told = (
            f"  before, it learned from {self.decisions:,} decisions of {self.demonstrators} demonstrators, and takes "
            f"{self.accuracy:.0%} of them alike; "
        )
        if self.held_out_accuracy is None:
            return told + "nobody was held out"
        return told + (
            f"held out: {self.held_out_accuracy:.0%} of {self.held_out_decisions:,} by {self.held_out_demonstrators} "
            f"others ({self.held_out_most_common:.0%} by always taking the most common action)"
        )


def clone(model: PPO, shown: Demonstrations, epochs: int, held_out: float, seed: int, folder: Path) -> Cloned:
    """Has the model's actor learn all decisions ``epochs`` times, but those of a share ``held_out`` of demonstrators.

    Whole demonstrators are held out, never some of one's decisions; at least one of two or more, unless the share is 0.
    They also tell when to stop, and the actor is left as it was when it gave their decisions the highest likelihood.
    The critic learns nothing here. What came of it is also written to the folder.
    """
    others = drawn(shown.participants, held_out, seed)
    learned = [way for way, name in zip(shown.ways, shown.participants) if name not in others]
    tested = [way for way, name in zip(shown.ways, shown.participants) if name in others]
    pictures, actions = tensors(learned, model.device)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.policy.parameters(), LEARNING_RATE)  # PPO's own begins without its moments
    best, kept, since, epoch = float("inf"), None, 0, 0
    while epoch < epochs and since < PATIENCE:
        for chosen in torch.randperm(len(actions), generator=generator).to(model.device).split(BATCH):
            learn(model.policy, optimizer, pictures[chosen], actions[chosen], model.max_grad_norm)
        epoch += 1
        if tested:
            loss = measured(model, tested)[1]
            since = 0 if loss < best else since + 1
            if not since:
                best, kept = loss, copy.deepcopy(model.policy.state_dict())
    if kept:
        model.policy.load_state_dict(kept)
    common = actions.bincount().argmax()
    cloned = Cloned(
        plays=shown.plays,
        episodes=len(shown.ways),
        demonstrators=len({*shown.participants} - others),
        decisions=len(actions),
        epochs=epoch,
        accuracy=measured(model, learned)[0],
        held_out_demonstrators=len(others),
        held_out_decisions=sum(len(way[1]) for way in tested),
        held_out_accuracy=measured(model, tested)[0] if tested else None,
        held_out_most_common=(tensors(tested, model.device)[1] == common).double().mean().item() if tested else None,
    )
    write_whole(folder / NAME, json.dumps(asdict(cloned), indent=2) + "\n")
    return cloned


def drawn(participants: list[str], share: float, seed: int) -> set[str]:
    """That share of the different participants, by chance."""
    names = sorted({*participants})
    count = min(max(round(share * len(names)), 1), len(names) - 1) if share else 0
    return {names[k] for k in np.random.default_rng(seed).permutation(len(names))[:count]}


def tensors(ways: list[Way], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 (n, C, S, S), as policies take them, and int64 (n,)."""
    pictures, actions = (np.concatenate(parts) for parts in zip(*ways))
    pictures = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    return torch.from_numpy(pictures).to(device), torch.from_numpy(actions).to(device)


@torch.no_grad()
def measured(model: PPO, ways: list[Way]) -> tuple[float, float]:
    """Share of these decisions in which the most probable action is the one taken; mean of -log of its probability."""
    right, loss, count = 0, 0.0, 0
    for way in ways:
        pictures, actions = tensors([way], model.device)
        right += int((model.policy(pictures, deterministic=True)[0] == actions).sum())
        loss -= float(model.policy.evaluate_actions(pictures, actions)[1].sum())
        count += len(actions)
    return right / count, loss / count
