"""What a player that learned to act presses: a network from its belief to an input, and for how long it is held.

The map part of the network learns, from the belief, what it costs to go from each cell to the cells beside it and how
near the end is, and finds by sweeps the cheapest way from every cell: value iteration inside a network (Tamar et al.
2016, arXiv 1602.02867), in the order of a fast sweeping method. The body part sees the cells around the player, these
costs there, and how it moves. Nothing of either part is given: all of it is learned by ``learning_to_act.py``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from priorlab.agents.device import one_thread
from priorlab.agents.priors.sweeping import DIRECTIONS, swept
from priorlab.agents.priors.views import BODY, COLUMN, FULL, GOAL_ODDS, HOLDS_KEY, KEY_ODDS, LENGTH, PLANES, ROW, SIDE
from priorlab.agents.priors.weights import arrays_of, take_arrays
from priorlab.agents.tensor_files import Arrays, read_tensors, write_tensors
from priorlab.envs.game.rules import CLIMB, DOWN, HAS_KEY, INPUT_COUNT, JUMPING, LEFT, ON_LADDER, RIGHT, TILE, UP, X, Y

KIND, EDITION = "priorlab acting", 1
HOLDS = (1, 12)  # inputs for which an input is held at most; a step from cell to cell takes 2 to 10
CHOICES = INPUT_COUNT * len(HOLDS)
LOOK_EVERY = 16  # decisions after which the map is looked at anew; a death or a key comes before that
WIDTH, WAYS, HIDDEN = 24, 3, (160, 96)  # numbers per cell; maps of costs; units of the body part
FURTHER = 3  # planes that the network adds: the key, and the odds of the goal with it, of the key without it
AROUND, NEAR = 3, 2  # cells around the player that the body part sees of the planes, and of the costs
FAR, CELL, LEAST = 40.0, 1.0, 0.02  # costs at first: of the end, anywhere, and of a step, and this at least
STEEP = 8.0  # factor on what the network says of the ends


class Choice(NamedTuple):
    """An input, 0 to 5 of an upright picture, and for how many inputs it is held at most."""

    action: int
    inputs: int

    @staticmethod
    def of(number: int) -> "Choice":
        """That of a number under CHOICES."""
        hold, action = divmod(number, INPUT_COUNT)
        return Choice(action, HOLDS[hold])


def lets_go(walk: int, action: int, before: np.ndarray, after: np.ndarray) -> bool:
    """Whether the hold of an input, of an upright picture, ends with this step between states, int32 (FIELDS,): the
    player fits into the next cell, or is stopped; it takes off, lands, or comes onto a ladder or off it; or it has a
    key now. ``walk``: half pixels per step."""
    if any(before[field] != after[field] for field in (JUMPING, ON_LADDER, HAS_KEY)):
        return True
    if action in (LEFT, RIGHT):
        return bool(before[X] == after[X]) or fits(int(after[X]), walk)
    if action in (UP, DOWN):
        return bool(before[Y] == after[Y]) or fits(int(after[Y]), CLIMB)
    return False


def fits(at: int, step: int) -> bool:
    """Whether a centre, in half pixels, is as near to a cell's as steps of this length allow."""
    off = (at - TILE) % (2 * TILE)
    return 2 * min(off, 2 * TILE - off) < step


class Acting(nn.Module):
    """Views -> logits of choices and a value. ``look`` is the part that takes time, and needs the planes alone."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.Conv2d(len(PLANES) + FURTHER, WIDTH, 3, padding=1)
        self.ends = nn.Conv2d(len(PLANES) + FURTHER, WAYS, 1, bias=False)
        self.steps = nn.Conv2d(WIDTH, WAYS * (1 + DIRECTIONS), 3, padding=1)
        seen = len(PLANES) * (2 * AROUND + 1) ** 2 + WAYS * (2 * NEAR + 1) ** 2 + WAYS + BODY - 2
        self.body = nn.Sequential(nn.Linear(seen, HIDDEN[0]), nn.ReLU(), nn.Linear(HIDDEN[0], HIDDEN[1]), nn.ReLU())
        self.choices = nn.Linear(HIDDEN[1], CHOICES)
        self.value = nn.Linear(HIDDEN[1] + WAYS, 1)
        nn.init.zeros_(self.ends.weight)
        nn.init.orthogonal_(self.choices.weight, 0.01)
        nn.init.zeros_(self.choices.bias)

    def map_part(self) -> Iterator[nn.Parameter]:
        """The parameters of ``look``."""
        for layer in (self.cells, self.ends, self.steps):
            yield from layer.parameters()

    def look(self, views: torch.Tensor) -> torch.Tensor:
        """uint8 (n, LENGTH) -> what it costs from each cell to the end, float32 (n, WAYS, SIDE, SIDE)."""
        planes, body = parts(views)
        seen, key = planes.float() / FULL, (body[:, HOLDS_KEY].float() / FULL)[:, None, None, None]
        key = key.expand(-1, 1, SIDE, SIDE)
        seen = torch.cat([seen, key, key * seen[:, [GOAL_ODDS]], (1 - key) * seen[:, [KEY_ODDS]]], 1)
        costs = self.steps(functional.relu(self.cells(seen))).view(len(views), 1 + DIRECTIONS, WAYS, SIDE, SIDE)
        ends = functional.softplus(FAR * (1 + self.ends(seen)) + STEEP * costs[:, 0])
        return swept(ends, functional.softplus(costs[:, 1:] + CELL) + LEAST)

    def forward(
        self, views: torch.Tensor, ways: torch.Tensor, which: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Views, uint8 (n, LENGTH); what ``look`` gave for m of them; and which of these each view goes by, int64 (n,)
        -> (logits, float32 (n, CHOICES), values, float32 (n, 1))."""
        planes, body = parts(views)
        row, column = body[:, ROW].long(), body[:, COLUMN].long()
        around = cropped(functional.pad(planes, (AROUND,) * 4), None, row, column, 2 * AROUND + 1)
        near = cropped(functional.pad(ways, (NEAR,) * 4, mode="replicate"), which, row, column, 2 * NEAR + 1)
        here = near[:, NEAR, NEAR]  # (n, WAYS)
        parted = [
            around.flatten(1).float() / FULL, ((near - here[:, None, None]) / 4).clamp(-2, 2).flatten(1),
            here / FAR, body[:, 2:].float() / FULL,
        ]  # fmt: skip
        hidden = self.body(torch.cat(parted, 1))
        return self.choices(hidden), self.value(torch.cat([hidden, here / FAR], 1))


def parts(views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(planes, uint8 (n, PLANES, SIDE, SIDE); bodies, uint8 (n, BODY)) of views, uint8 (n, LENGTH)."""
    return views[:, :-BODY].view(len(views), len(PLANES), SIDE, SIDE), views[:, -BODY:]


def cropped(
    maps: torch.Tensor, which: torch.Tensor | None, row: torch.Tensor, column: torch.Tensor, size: int
) -> torch.Tensor:
    """From each map, (m, C, ., .), the cells from (row, column) on, int64 (n,) -> (n, size, size, C). ``which``: int64
    (n,), the map of each; None: its own."""
    steps = torch.arange(size, device=maps.device)
    which = torch.arange(len(row), device=maps.device) if which is None else which
    return maps[which[:, None, None], :, (row[:, None] + steps)[:, :, None], (column[:, None] + steps)[:, None]]


class Learned:
    """Acts for one life by a network. The same seed and views choose the same."""

    def __init__(self, network: Acting, seed: int):
        self.network, self.rng = network, np.random.default_rng([seed, 2])
        self.view, self.decisions = np.zeros(LENGTH, np.uint8), 0
        self.ways: torch.Tensor | None = None  # None: the map is to be looked at anew

    @property
    def looks_anew(self) -> bool:
        """Whether its next choice begins with a new look at the map."""
        return self.ways is None or self.decisions % LOOK_EVERY == 0

    def choose(self) -> Choice:
        """By what is in ``view``, drawn with the probabilities that the network gives."""
        with one_thread(), torch.inference_mode():
            views = torch.from_numpy(self.view)[None]
            if self.ways is None or self.looks_anew:
                self.ways = self.network.look(views)
            logits = self.network(views, self.ways, torch.zeros(1, dtype=torch.int64))[0][0]
            chances = logits.double().softmax(0).numpy()
        self.decisions += 1
        return Choice.of(int(self.rng.choice(CHOICES, p=chances / chances.sum())))


def save_acting(network: Acting, path: Path, about: dict[str, Any]) -> None:
    """Writes a new file, the same bytes for the same contents; FileExistsError if it exists. ``about``: plain data on
    where it comes from."""
    write_tensors(path, KIND, EDITION, arrays_of(network.state_dict()), {"about": about})


def shipped_acting() -> Path:
    """The network that comes with the package: of ``ActSettings()``."""
    return Path(__file__).with_name("acting.safetensors")


def load_acting(path: Path | None = None) -> Acting:
    """The network in that file, by default the one that comes with the package.

    ValueError, one line that names the file, for anything but a file of ``save_acting`` of this edition; OSError for
    one that can't be read.
    """

    def make(texts: dict[str, Any], arrays: Arrays) -> Acting:
        network = Acting()
        take_arrays(network, arrays, network.state_dict())
        return network.eval().requires_grad_(False)

    return read_tensors(path or shipped_acting(), KIND, EDITION, "priorlab acting", make)
