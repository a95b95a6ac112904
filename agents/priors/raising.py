"""Raising a player: its perception learns what things look like from random levels in random looks.

Each step paints a batch that depends only on the seed and the step's number, so a raising that was stopped goes on as
if never stopped. All is done on one thread, and gives the same weights on one machine.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from priorlab.agents.checkpoints import read_checkpoint, write_checkpoint
from priorlab.agents.device import one_thread
from priorlab.agents.priors.perception import NEVER, Perception, as_tensor
from priorlab.agents.priors.samples import Sample, World, draw_batch, stacked
from priorlab.agents.priors.settings import RaiseSettings

CHECKPOINT = "checkpoint.pt"
WARM_UP, LARGEST_GRADIENT, DECAY = 100, 1.0, 0.01  # steps; norm; of AdamW's weights
REPORT_EVERY, SAVE_EVERY = 20, 200  # steps


class Progress(NamedTuple):
    """After so many steps and pictures: the mean loss of the steps since the last report, in nats per cell; seconds of
    processor time, painting included."""

    step: int
    pictures: int
    loss: float
    seconds: float


class Raising:
    """A perception while it learns. ``folder`` keeps its checkpoint; one that is there is continued, which raises
    ValueError if it is damaged or of other settings."""

    def __init__(self, settings: RaiseSettings, folder: Path | None = None):
        self.settings, self.world = (
            settings,
            World("training", settings.sizes, settings.fixed_dials(), settings.strange),
        )
        self.checkpoint = folder / CHECKPOINT if folder else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = Perception(settings.architecture())
        learning = [each for each in self.network.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, settings.learning_rate, weight_decay=DECAY)
        self.step, self.seconds = 0, 0.0
        self.rows: list[Progress] = []
        if self.checkpoint and self.checkpoint.exists():
            read_checkpoint(self.checkpoint, settings.config(), self.restore)

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> Perception:
        """Takes the steps that are missing; returns the network, ready to believe.

        FloatingPointError if it diverges; the last checkpoint stays.
        """
        losses = []
        with one_thread():
            began = time.process_time() - self.seconds
            while self.step < self.settings.steps:
                losses.append(self.learn(self.batch(self.step)))
                self.step += 1
                self.seconds = time.process_time() - began
                if self.step % REPORT_EVERY == 0 or self.step == self.settings.steps:
                    self.rows.append(self.progress(losses))
                    report(self.rows[-1])
                    losses = []
                if self.checkpoint and self.step % SAVE_EVERY == 0:
                    self.save(self.checkpoint)
        return self.network.eval().requires_grad_(False)

    def progress(self, losses: list[float]) -> Progress:
        loss = float(np.mean(losses))
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at step {self.step}: try a lower learning_rate")
        return Progress(self.step, self.pictures, loss, self.seconds)

    @property
    def pictures(self) -> int:
        """How many it has learned from."""
        return self.step * self.settings.batch_size

    def batch(self, step: int) -> Sample:
        rng = np.random.default_rng([self.settings.seed, step])
        return stacked(draw_batch(rng, self.world, self.settings.batch_size))

    def learn(self, batch: Sample) -> float:
        """One step; returns the mean negative log likelihood per cell, in nats."""
        decay = (1 + math.cos(math.pi * self.step / self.settings.steps)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * min((self.step + 1) / WARM_UP, decay)
        losses, weights = losses_and_weights(self.network, batch)
        self.optimizer.zero_grad()
        (losses * weights).sum().div(weights.sum()).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        return float(losses.detach().mean())

    def save(self, path: Path) -> None:
        write_checkpoint(path, self.settings.config(), {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step,
            "seconds": self.seconds, "rows": [tuple(row) for row in self.rows],
        })  # fmt: skip

    def restore(self, contents: dict[str, Any]) -> None:
        self.network.load_state_dict(contents["network"])
        self.optimizer.load_state_dict(contents["optimizer"])
        self.step, self.seconds = contents["step"], contents["seconds"]
        self.rows = [Progress(*row) for row in contents["rows"]]


def losses_and_weights(network: Perception, batch: Sample) -> tuple[torch.Tensor, torch.Tensor]:
    """(negative log likelihood of each cell's role, each cell's weight), both float32 (N, R, R).

    A cell weighs 1 / sqrt(cells of the same pixels in its picture). The weight depends on what is seen and not on the
    role, so probabilities stay calibrated, while the few cells of objects count beside hundreds of the background.
    """
    ruled_out = torch.from_numpy(batch.ruled_out).permute(0, 3, 1, 2)
    features, groups = network.look(as_tensor(batch.picture))
    logits = network.believe(features, groups, ruled_out.float()).masked_fill(ruled_out, NEVER)
    losses = nn.functional.cross_entropy(logits, torch.from_numpy(batch.roles).long(), reduction="none")
    return losses, torch.bincount(groups.flatten())[groups].float().rsqrt()
