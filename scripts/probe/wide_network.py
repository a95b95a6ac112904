"""The wide probe's classifier: a convolutional network that sees the whole picture, of all cells at once.

Each cell's own pixels go through convolutions; then layers over the grid and attention between all cells, so that
neighbours, rows and the number of cells that look alike count. One network learns all settings of the dials, which it
is told. It never sees a picture twice.
"""

import numpy as np
import torch
from rich.progress import track
from torch import nn
from torch.nn import functional

from priorlab.envs.game.level import Level
from priorlab.envs.looks.dials import Dials
from priorlab.scripts.probe.wide_questions import QUESTIONS, ROLES, SIDE, UNASKED, Asked, ask

WIDTH, HEADS, BATCH = 64, 4, 32
RATE, DECAY = 2e-3, 1e-4


class WideNetwork(nn.Module):
    """``forward(pictures uint8 (n, 3, 15 * SIDE, 15 * SIDE), setting int64 (n,)) -> float32 (n, outs, SIDE, SIDE)``: a
    score for each of ROLES, then for each of QUESTIONS."""

    def __init__(self, settings: int):
        super().__init__()
        self.near = nn.Sequential(
            nn.Conv2d(3, 32, 5, 3, 1), nn.ReLU(),  # (60, 60): 5 x 5 places in each cell
            nn.Conv2d(32, 32, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(32, WIDTH, 5, 5), nn.ReLU(),  # a cell's own
        )  # fmt: skip
        self.told = nn.Embedding(settings, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(1, WIDTH, SIDE, SIDE))
        self.grid = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, 1, dilation, dilation) for dilation in (1, 2, 4, 1))
        self.norms = nn.ModuleList(nn.GroupNorm(4, WIDTH) for _ in self.grid)
        self.asks, self.own = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.answer = nn.Sequential(nn.Linear(2 * WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, len(ROLES) + 3))

    def forward(self, pictures: torch.Tensor, setting: torch.Tensor) -> torch.Tensor:
        cells = self.near(pictures.float() / 128 - 1)
        seen = cells + self.told(setting)[:, :, None, None] + self.place
        for i, (layer, norm) in enumerate(zip(self.grid, self.norms)):
            seen = seen + functional.relu(layer(norm(seen)))
            if i == 1:
                seen = seen + self.attention(seen)
        both = torch.cat([cells, seen], 1).permute(0, 2, 3, 1)  # (n, 2 * WIDTH, S, S) -> (n, S, S, 2 * WIDTH)
        return self.answer(both).permute(0, 3, 1, 2)

    def attention(self, seen: torch.Tensor) -> torch.Tensor:
        n = len(seen)
        flat = seen.flatten(2).transpose(1, 2)  # (n, WIDTH, S, S) -> (n, S * S, WIDTH)
        parts = self.asks(flat).unflatten(2, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        return self.own(mixed.transpose(1, 2).flatten(2)).transpose(1, 2).reshape(n, WIDTH, SIDE, SIDE)


def loss_of(scores: torch.Tensor, batch: Asked) -> torch.Tensor:
    """The sum over questions of the cross-entropy, each answer weighted alike."""
    roles = torch.as_tensor(batch.roles).long()
    logits = scores[:, : len(ROLES)].permute(0, 2, 3, 1)[roles != UNASKED]
    asked = roles[roles != UNASKED]
    counts = torch.bincount(asked, minlength=len(ROLES))
    total = functional.cross_entropy(logits, asked, weight=1 / counts.clamp(min=1).float())
    for i, question in enumerate(QUESTIONS):
        truth = torch.as_tensor(getattr(batch, question))
        score, yes = scores[:, len(ROLES) + i][truth != UNASKED], truth[truth != UNASKED].float()
        if 0 < yes.sum() < len(yes):
            weights = yes / yes.sum() + (1 - yes) / (1 - yes).sum()
            total = total + (weights * functional.binary_cross_entropy_with_logits(score, yes, reduction="none")).sum()
    return total


def learn(levels: list[Level], settings: list[Dials], pictures: int, seed: int = 0) -> WideNetwork:
    """A network that has learned from that many training pictures; the same arguments give the same network."""
    torch.manual_seed(seed)
    network, rng = WideNetwork(len(settings)), np.random.default_rng(seed)
    steps = max(pictures // BATCH, 1)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps + 1)
    for _ in track(range(steps), "learning", transient=True):
        batch = ask(levels, settings, "training", BATCH, rng)
        loss = loss_of(network(torch.as_tensor(batch.pictures), torch.as_tensor(batch.setting)), batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return network


@torch.no_grad()
def scores_of(network: WideNetwork, asked: Asked) -> np.ndarray:
    """float32 (n, outs, SIDE, SIDE)."""
    network.eval()
    parts = [
        network(torch.as_tensor(asked.pictures[i : i + BATCH]), torch.as_tensor(asked.setting[i : i + BATCH]))
        for i in range(0, len(asked.setting), BATCH)
    ]
    return torch.cat(parts).numpy()
