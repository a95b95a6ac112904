"""Raising a player: its perception learns what things look like from random levels in random looks.

Each step paints a batch that depends only on the seed and the step's number, so a raising that was stopped goes on as
if never stopped. All is done on one thread, and gives the same weights on one machine.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from priorlab.agents.priors.perception import NEVER, Appearance, Architecture, Perception, as_tensor
from priorlab.agents.priors.samples import DIALS, Sample, World, draw_batch, stacked
from priorlab.envs.base.files import writing
from priorlab.envs.base.provenance import software

CHECKPOINT = "checkpoint.pt"
WARM_UP, LARGEST_GRADIENT, DECAY = 100, 1.0, 0.01  # steps; norm; of AdamW's weights
REPORT_EVERY, SAVE_EVERY = 20, 200  # steps
DRAWN = -1.0  # a dial that is drawn anew for each picture


@dataclass(frozen=True)
class RaiseSettings:
    """What a player is raised on, and what it is. Raises ValueError, one line, for a value out of range."""

    seed: int = 0
    """seed of everything random: weights, levels, looks, reveals"""
    pictures: int = 48_000
    """number of pictures to learn from, each painted anew"""
    batch_size: int = 16
    """pictures per step"""
    learning_rate: float = 1e-3
    """largest learning rate of AdamW; it rises for 100 steps, then falls to 0 along a cosine"""
    semantics: float = DRAWN
    """dial of the looks, 0 to 1: a role looks like its family (-1: drawn for each picture)"""
    objects: float = DRAWN
    """dial: places by objects and on platforms are free of distractors (-1: drawn)"""
    affordance: float = DRAWN
    """dial: free space is free of textures (-1: drawn)"""
    similarity: float = DRAWN
    """dial: things of one kind look alike (-1: drawn)"""
    appearance: Appearance = "learned"
    """what is seen of a cell: learned features, untrained ones, or only codes of exact pixels"""
    look_alikes: bool = True
    """cells exchange what they know with cells that look alike"""
    evidence: bool = True
    """what contact rules out at one cell is fed back, and speaks about others"""
    width: int = 80
    """numbers per cell in the layers over the grid"""

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("pictures", 1), ("batch_size", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(f"{name} is {value!r}: expected a whole number, {least} or more")
        if not 0 < self.learning_rate <= 0.1:
            raise ValueError(f"learning_rate is {self.learning_rate!r}: expected a number above 0, up to 0.1")
        for name in DIALS:
            value = getattr(self, name)
            if value != DRAWN and not 0 <= value <= 1:
                raise ValueError(f"{name} is {value!r}: expected 0 to 1, or {DRAWN:g} to draw it for each picture")
        self.architecture()

    @property
    def steps(self) -> int:
        return -(-self.pictures // self.batch_size)

    def architecture(self) -> Architecture:
        return Architecture(self.width, self.appearance, self.look_alikes, self.evidence)

    def world(self) -> World:
        fixed = {name: getattr(self, name) for name in DIALS}
        return World("training", tuple((name, value) for name, value in fixed.items() if value != DRAWN))


@dataclass(frozen=True)
class Progress:
    """After ``step`` steps: the mean loss of the last REPORT_EVERY, nats per cell, and seconds of processor time."""

    step: int
    loss: float
    seconds: float


class Raising:
    """A perception while it learns. ``folder`` keeps its checkpoint; one that is there is continued."""

    def __init__(self, settings: RaiseSettings, folder: Path | None = None):
        self.settings, self.folder, self.world = settings, folder, settings.world()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.network = Perception(settings.architecture())
        learning = [each for each in self.network.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, settings.learning_rate, weight_decay=DECAY)
        self.step, self.seconds = 0, 0.0
        if folder and (folder / CHECKPOINT).exists():
            self.restore(folder / CHECKPOINT)

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> Perception:
        """Takes the missing steps; returns the network, ready to believe."""
        threads, losses = torch.get_num_threads(), []
        torch.set_num_threads(1)
        try:
            began = time.process_time() - self.seconds
            while self.step < self.settings.steps:
                losses.append(self.learn(self.batch(self.step)))
                self.step += 1
                self.seconds = time.process_time() - began
                if self.step % REPORT_EVERY == 0 or self.step == self.settings.steps:
                    report(Progress(self.step, float(np.mean(losses)), self.seconds))
                    losses.clear()
                if self.folder and self.step % SAVE_EVERY == 0:
                    self.save(self.folder / CHECKPOINT)
        finally:
            torch.set_num_threads(threads)
        return self.network.eval().requires_grad_(False)

    def batch(self, step: int) -> Sample:
        rng = np.random.default_rng([self.settings.seed, step])
        return stacked(draw_batch(rng, self.world, self.settings.batch_size))

    def learn(self, batch: Sample) -> float:
        """One step; returns the mean negative log likelihood per cell, in nats."""
        settings, step = self.settings, self.step
        share = step / settings.steps
        rate = settings.learning_rate * min((step + 1) / WARM_UP, (1 + np.cos(np.pi * share)) / 2)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses, weights = weighed_losses(self.network, batch)
        self.optimizer.zero_grad()
        (losses * weights).sum().div(weights.sum()).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        return float(losses.detach().mean())

    def save(self, path: Path) -> None:
        contents = {
            "settings": asdict(self.settings),
            "software": software(),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path) as file:
            torch.save(contents, file)

    def restore(self, path: Path) -> None:
        """Continues from a checkpoint, running no code from it; ValueError if it is damaged or has other settings."""
        try:
            contents: dict[str, Any] = torch.load(path, weights_only=True)
            if contents["settings"] != asdict(self.settings):
                raise ValueError("of a raising with other settings; choose another folder")
            self.network.load_state_dict(contents["network"])
            self.optimizer.load_state_dict(contents["optimizer"])
            self.step, self.seconds = contents["step"], contents["seconds"]
        except Exception as error:
            raise ValueError(f"{path}: {' '.join(str(error).split())}") from None


def weighed_losses(network: Perception, batch: Sample) -> tuple[torch.Tensor, torch.Tensor]:
    """(negative log likelihood of each cell's role, each cell's weight), both float32 (N, R, R).

    A cell weighs 1 / sqrt(cells of the same pixels in its picture): the weight depends on what is seen and not on the
    role, so probabilities stay calibrated, and the few cells of objects count beside hundreds of the background.
    """
    ruled_out = torch.from_numpy(batch.ruled_out).permute(0, 3, 1, 2)
    features, groups = network.look(as_tensor(batch.picture))
    logits = network.believe(features, groups, ruled_out.float()).masked_fill(ruled_out, NEVER)
    losses = nn.functional.cross_entropy(logits, torch.from_numpy(batch.roles).long(), reduction="none")
    weights = torch.bincount(groups.flatten())[groups].float().rsqrt()
    return losses, weights
