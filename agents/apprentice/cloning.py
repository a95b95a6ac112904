"""An apprentice imitates recorded lives: complete lives in order, deaths included, its memory carried along.

Each update learns from the next decisions of some games, side by side. The memory is what the network remembers of the
same life so far; gradients reach back to the beginning of the update (truncated backpropagation through time, Williams
and Peng 1990, Neural Computation 2). The pictures are those that the teacher saw, whatever the network would have done.
A stopped cloning continues as if never stopped.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from priorlab.agents.apprentice.lessons import Chunk, Lesson, Watching
from priorlab.agents.apprentice.network import new_network, shape_of
from priorlab.agents.apprentice.settings import ApprenticeSettings
from priorlab.agents.checkpoints import read_checkpoint, write_checkpoint
from priorlab.agents.device import one_thread
from priorlab.agents.learners.recurrent import GameSequences, Memory, RecurrentPolicy

CHECKPOINT = "cloning.pt"
WARM_UP, LARGEST_GRADIENT = 100, 0.5  # updates; norm
REPORT_EVERY, SAVE_SECONDS = 20, 45.0  # updates; seconds


class CloningRow(NamedTuple):
    """Since the last row: mean negative log-likelihood of the teacher's actions, in nats, mean squared error of the
    critic, and the share of decisions of which the most probable action is the teacher's."""

    update: int
    decisions: int
    loss: float
    value_loss: float
    accuracy: float


@dataclass(frozen=True)
class Agreement:
    """How closely a network acts like its teacher, in lives that it did not learn from.

    Shares of decisions, 0 to 1: ``accuracy``, in which the most probable action is the teacher's; ``most_common``, that
    of always taking the action that is most common in the training lives; ``repeating``, that of repeating the
    teacher's last action, which a network that sees pictures alone does not know; ``at_changes``, the accuracy where
    the teacher's action differs from its last one. ``loss``: mean negative log-likelihood, in nats.
    """

    lives: int
    decisions: int
    accuracy: float
    loss: float
    most_common: float
    repeating: float
    at_changes: float

    def __str__(self) -> str:
        return (
            f"agrees with {self.accuracy:.1%} of {self.decisions:,} decisions in {self.lives} lives on held-out levels "
            f"({self.most_common:.1%} by always taking the most common action), with {self.at_changes:.1%} of those "
            f"where the teacher's action changes; loss {self.loss:.3f} nats"
        )


class Cloning:
    """A network while it imitates. ``folder`` keeps its checkpoint; one that is there is continued, which raises
    ValueError if it is damaged or of other settings."""

    def __init__(
        self, settings: ApprenticeSettings, lessons: Sequence[Lesson], device: torch.device, folder: Path | None = None
    ):
        self.settings, self.device = settings, device
        self.watching = Watching(
            lessons, settings.watched, settings.screen_size, device, settings.seed, settings.mirrored
        )
        self.updates = max(1, round(settings.passes * self.watching.decisions / (settings.watched * settings.steps)))
        self.network = new_network(shape_of(settings), settings.seed).to(device)
        self.network.make_optimizer(lambda _: settings.learning_rate)
        self.memory = self.network.empty_memory(settings.watched)
        self.update, self.rows = 0, list[CloningRow]()
        self.sums = torch.zeros(3, device=device)  # since the last row: loss, error of the critic, accuracy
        self.checkpoint = folder / CHECKPOINT if folder else None
        if self.checkpoint and self.checkpoint.exists():
            read_checkpoint(self.checkpoint, settings.config(), self.restore)

    def run(self, report: Callable[[CloningRow], None] = lambda row: None) -> RecurrentPolicy:
        """Makes the updates that are missing; the network that results.

        FloatingPointError if it diverges; the last checkpoint stays.
        """
        saved = time.monotonic()
        with one_thread():
            while self.update < self.updates:
                self.learn(self.watching.chunk(self.settings.steps))
                if self.update % REPORT_EVERY == 0 or self.update == self.updates:
                    self.rows.append(self.row())
                    report(self.rows[-1])
                    if self.checkpoint and time.monotonic() > saved + SAVE_SECONDS:
                        self.save(self.checkpoint)
                        saved = time.monotonic()
        self.watching.close()
        return self.network

    def learn(self, chunk: Chunk) -> None:
        """One update."""
        settings, network = self.settings, self.network
        decay = (1 + math.cos(math.pi * self.update / self.updates)) / 2
        for group in network.optimizer.param_groups:
            group["lr"] = settings.learning_rate * min((self.update + 1) / WARM_UP, decay)
        logs, values, self.memory = outputs(network, chunk, self.memory, settings.memory)
        actions = chunk.actions.flatten()
        loss = functional.nll_loss(logs, actions)
        value_loss = functional.mse_loss(values.flatten(), chunk.returns.flatten())
        network.optimizer.zero_grad()
        (loss + settings.value_weight * value_loss).backward()
        nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        network.optimizer.step()
        accuracy = (logs.argmax(1) == actions).float().mean()
        self.sums += torch.stack([loss, value_loss, accuracy]).detach()
        self.update += 1

    def row(self) -> CloningRow:
        before = self.rows[-1].update if self.rows else 0
        loss, value_loss, accuracy = (self.sums / (self.update - before)).tolist()
        if not math.isfinite(loss + value_loss):
            raise FloatingPointError(f"the loss is {loss} at update {self.update}: try a lower learning_rate")
        self.sums = torch.zeros_like(self.sums)
        decisions = self.update * self.settings.watched * self.settings.steps
        return CloningRow(self.update, decisions, loss, value_loss, accuracy)

    def save(self, path: Path) -> None:
        """Call it where a row was just written."""
        write_checkpoint(path, self.settings.config(), {
            "network": self.network.state_dict(), "optimizer": self.network.optimizer.state_dict(),
            "watching": self.watching.state(), "memory": self.memory, "update": self.update,
            "rows": [tuple(row) for row in self.rows],
        })  # fmt: skip

    def restore(self, contents: dict[str, Any]) -> None:
        self.network.load_state_dict(contents["network"])
        self.network.optimizer.load_state_dict(contents["optimizer"])
        self.watching.restore(contents["watching"])
        hidden, cell = (each.to(self.device) for each in contents["memory"])
        self.memory, self.update = (hidden, cell), contents["update"]
        self.rows = [CloningRow(*row) for row in contents["rows"]]


def outputs(
    network: RecurrentPolicy, chunk: Chunk, memory: Memory, remembered: str
) -> tuple[torch.Tensor, torch.Tensor, Memory]:
    """Log probabilities, float32 (N * T, actions), and values, float32 (N * T, 1), game by game; the memory after."""
    forgets = chunk.forgets if remembered == "play" else torch.ones_like(chunk.forgets)
    hidden, (last, cell) = network.unroll(GameSequences(chunk.pictures, forgets, memory))
    return *network.heads_of(hidden), (last.detach(), cell.detach())


@torch.no_grad()
def agreement(
    network: RecurrentPolicy, settings: ApprenticeSettings, lessons: Sequence[Lesson], held_out: Sequence[Lesson]
) -> Agreement:
    """Of the network, in the held-out lives, each watched once; ``lessons``: those that it learned from."""
    common = np.bincount(np.concatenate([lesson.actions for lesson in lessons])).argmax()
    games = min(settings.watched, len(held_out))
    watching = Watching(held_out, games, settings.screen_size, network.device, seed=None)
    memory, last = network.empty_memory(games), torch.full((games, 1), -1, device=network.device)
    network.set_training_mode(False)
    counts = torch.zeros(6, dtype=torch.float64, device=network.device)
    with one_thread():
        while not watching.passes.all():
            chunk = watching.chunk(settings.steps)
            logs, _, memory = outputs(network, chunk, memory, settings.memory)
            actions, first = chunk.actions, chunk.passes == 0
            before = torch.cat([last, actions[:, :-1]], 1).masked_fill(chunk.forgets > 0, -1)
            right = logs.argmax(1).view_as(actions) == actions
            losses = -logs.gather(1, actions.flatten()[:, None]).view_as(actions)
            same = before == actions
            often = torch.eq(actions, int(common))
            measured = torch.ones_like(losses), right, losses, often, same, right & ~same
            counts += torch.stack([each.double()[first].sum() for each in measured])
            last = actions[:, -1:]
    watching.close()
    decisions, agreed, nats, often, same, at_changes = counts.tolist()
    return Agreement(
        lives=len(held_out), decisions=int(decisions), accuracy=agreed / decisions, loss=nats / decisions,
        most_common=often / decisions, repeating=same / decisions, at_changes=at_changes / max(decisions - same, 1),
    )  # fmt: skip
