"""What a player believes of each cell: a network from a picture, and what contact has ruled out, to roles.

Cells of the native picture go through a small convolutional network, then through layers over the grid that also get
the evidence. Twice, cells exchange what they know with cells that look alike: with those of the very same pixels, and
by attention with similar ones. The network learns from random reveals (``reveals.py``) how far either can be trusted,
so that evidence at one cell speaks about the cells that look like it.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from priorlab.agents.device import one_thread
from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.roles import ROLES
from priorlab.agents.priors.settings import LEAST, MOST, Architecture
from priorlab.envs.game.rules import TILE

EDITION = 1  # of the network: weights of another one do not fit
PART, PARTS = 3, TILE // 3  # pixels a side of a part of a cell; parts a side of a cell
NEVER = -1e9  # the logit of a role that is ruled out
CODES, CODE_RANGE = 64, 1 << 20


class Perception(nn.Module):
    """Pictures and evidence -> logits of roles, for grids of LEAST to MOST cells a side."""

    def __init__(self, architecture: Architecture | None = None):
        super().__init__()
        self.architecture = architecture = architecture or Architecture()
        width = architecture.width
        self.cells = Cells(CODES)
        self.begin = nn.Linear(CODES + len(ROLES) + 1, width)
        self.before = nn.ModuleList(Layer(width, dilation) for dilation in (1, 2, 4))
        self.first = LookAlikes(width, CODES)
        self.between = nn.ModuleList(Layer(width, dilation) for dilation in (1, 2))
        self.second = LookAlikes(width, CODES)
        self.after = Layer(width, 1)
        self.roles = nn.Sequential(nn.RMSNorm(width), nn.Linear(width, len(ROLES)))
        if architecture.appearance != "learned":
            self.cells.requires_grad_(False)
        if not architecture.look_alikes:
            self.first.requires_grad_(False)
            self.second.requires_grad_(False)

    def forward(self, pictures: torch.Tensor, ruled_out: torch.Tensor) -> torch.Tensor:
        """float32 (N, 3, TILE R, TILE R), 0 to 1, and float32 (N, roles, R, R), 1 where ruled out -> logits, float32
        (N, roles, R, R). They do not exclude what is ruled out; ``posterior`` does."""
        return self.believe(*self.look(pictures), ruled_out)

    def look(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The part of ``forward`` that depends on pictures alone: (features float32 (N, R, R, CODES) of cells, int64
        (N, R, R) numbers of groups of cells with the same pixels)."""
        codes = pixel_codes(pictures)
        shape = codes.shape
        marked = codes + (torch.arange(shape[0], device=codes.device) << 48)[:, None, None]  # no group spans pictures
        groups = torch.unique(marked, return_inverse=True)[1]
        if self.architecture.appearance == "codes":
            return scrambled(codes), groups
        return self.cells(pictures), groups

    def believe(self, features: torch.Tensor, groups: torch.Tensor, ruled_out: torch.Tensor) -> torch.Tensor:
        """What ``look`` gave, and evidence as for ``forward`` -> logits, float32 (N, roles, R, R)."""
        evidence, count = ruled_out.permute(0, 2, 3, 1), torch.bincount(groups.flatten())[groups][..., None]
        common = torch.log(count.float()) / 4
        if not self.architecture.evidence:
            evidence = torch.zeros_like(evidence)
        if not self.architecture.look_alikes:
            common = torch.zeros_like(common)
        hidden = self.begin(torch.cat([features, evidence, common], -1))
        for layer in self.before:
            hidden = layer(hidden)
        if self.architecture.look_alikes:
            hidden = self.first(hidden, features, groups)
        for layer in self.between:
            hidden = layer(hidden)
        if self.architecture.look_alikes:
            hidden = self.second(hidden, features, groups)
        return self.roles(self.after(hidden)).permute(0, 3, 1, 2)


class Cells(nn.Module):
    """Pictures -> features of each cell, from its pixels and four pixels around it."""

    def __init__(self, outs: int):
        super().__init__()
        self.pixels = nn.Conv2d(3, 24, 5, PART, 1)
        self.parts = nn.Conv2d(24, 32, 3, 1, 1)
        self.whole = nn.Conv2d(32, outs, PARTS, PARTS)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """float32 (N, 3, TILE R, TILE R) -> (N, R, R, outs)"""
        seen = (pictures - 0.3).contiguous(memory_format=torch.channels_last)
        for layer in (self.pixels, self.parts, self.whole):
            seen = functional.relu(layer(seen), inplace=True)
        return seen.permute(0, 2, 3, 1)


class Layer(nn.Module):
    """A residual convolution over the grid, which also gets the mean over all cells."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.near = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.all = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)  # at first the layer changes nothing

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        normal = self.norm(hidden)  # (N, R, R, width)
        near = self.near(normal.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return hidden + self.out(functional.relu(near + self.all(normal.mean((1, 2), keepdim=True))))


class LookAlikes(nn.Module):
    """Cells exchange what they know: within groups of the same pixels, and by attention on what cells look like.

    How much a cell is listened to depends on what it knows: one known cell among a hundred must not be averaged away.
    """

    exact, heads, size = 4, 2, 24  # heads of either kind; numbers per head

    def __init__(self, width: int, features: int):
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.values = nn.Linear(width, (self.exact + self.heads) * self.size)
        self.weights = nn.Linear(width, self.exact + self.heads)
        self.queries = nn.Linear(features, self.heads * (self.size - 1))
        self.keys = nn.Linear(features, self.heads * (self.size - 1))
        self.out = nn.Linear((self.exact + self.heads) * self.size, width)
        nn.init.zeros_(self.out.weight)

    def forward(self, hidden: torch.Tensor, features: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        normal, (n, side) = self.norm(hidden), hidden.shape[:2]
        values, weights = self.values(normal), self.weights(normal)
        split = self.exact * self.size
        pooled = self.within(values[..., :split], weights[..., : self.exact], groups)
        shape = (n, side * side, self.heads, -1)
        queries, keys = self.queries(features).view(shape), self.keys(features).view(shape)
        # a number more: how much the key's cell is listened to
        queries = torch.cat([queries, torch.ones_like(queries[..., :1])], -1)
        keys = torch.cat([keys, weights[..., self.exact :].reshape(shape) * self.size**0.5], -1)
        query, key, value = (each.transpose(1, 2) for each in (queries, keys, values[..., split:].reshape(shape)))
        alike = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        return hidden + self.out(torch.cat([pooled, alike.reshape(n, side, side, -1)], -1))

    def within(self, values: torch.Tensor, weights: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        """The weighted mean over each cell's group, (N, R, R, exact * size)."""
        flat = groups.flatten()
        shares = torch.exp(8 * torch.tanh(weights / 8)).reshape(-1, self.exact, 1)
        weighted = shares * values.reshape(-1, self.exact, self.size)
        both = torch.cat([weighted, shares], -1)
        sums = torch.zeros(int(flat.max()) + 1, *both.shape[1:], dtype=both.dtype, device=both.device)
        sums = sums.index_add(0, flat, both)
        return (sums[..., :-1] / sums[..., -1:])[flat].reshape(*groups.shape, -1)


def pixel_codes(pictures: torch.Tensor) -> torch.Tensor:
    """float32 (N, 3, TILE R, TILE R), 0 to 1 -> int64 (N, R, R), below 2**48: the same for cells of the same pixels,
    and practically never for others."""
    n, _, side, _ = pictures.shape
    pixels = pictures.permute(0, 2, 3, 1).reshape(n, side // TILE, TILE, side // TILE, -1)
    rng = np.random.default_rng(0)
    weights = torch.from_numpy(rng.integers(0, 1 << 30, (TILE, pixels.shape[-1])).astype(np.float64))
    # sums of whole numbers below 2**53, so the order of summation changes nothing; row by row they stay in the cache
    rows = (torch.round(pixels[:, :, row] * 255).double() @ weights[row].to(pixels.device) for row in range(TILE))
    return torch.stack(list(rows)).sum(0).long()


def scrambled(codes: torch.Tensor) -> torch.Tensor:
    """float32 (N, R, R, CODES), 0 to 1: random numbers, the same for the same pixels, others in each picture."""
    mixed = (codes % CODE_RANGE + codes.sum((1, 2), keepdim=True)) % CODE_RANGE
    factors = torch.from_numpy(np.random.default_rng(1).uniform(1, 1000, CODES)).to(codes.device)
    return torch.frac(mixed[..., None] * factors).float()


def check_picture(picture: np.ndarray) -> None:
    """ValueError, one line, unless it is a native picture of a size that the network knows."""
    shape, side = picture.shape, picture.shape[0] // TILE
    square = picture.ndim == 3 and shape[0] == shape[1] == side * TILE and shape[2] == 3
    if not square or picture.dtype != np.uint8 or not LEAST <= side <= MOST:
        raise ValueError(
            f"the picture is {picture.dtype} {shape}: expected uint8 ({TILE} R, {TILE} R, 3), R from {LEAST} to {MOST}"
        )


def check_evidence(ruled_out: np.ndarray, side: int) -> None:
    """ValueError, one line, unless it leaves a role to each cell of side x side."""
    if ruled_out.shape != (side, side, len(ROLES)) or ruled_out.dtype != bool:
        raise ValueError(
            f"ruled_out is {ruled_out.dtype} {ruled_out.shape}: expected bool ({side}, {side}, {len(ROLES)})"
        )
    if ruled_out.all(-1).any():
        row, column = np.argwhere(ruled_out.all(-1))[0]
        raise ValueError(f"ruled_out has no role left at row {row}, column {column}: expected at least one")


def posterior(network: Perception, picture: np.ndarray, ruled_out: np.ndarray) -> np.ndarray:
    """The probability of each role of each cell, float32 (R, R, roles): 0 where ruled out, each cell sums to 1.

    picture: uint8 (TILE R, TILE R, 3), native; ruled_out: bool (R, R, roles). ValueError, one line, for other shapes or
    sizes, or a cell at which nothing is left.
    """
    check_picture(picture)
    check_evidence(ruled_out, len(picture) // TILE)
    return Gaze(network, picture).posterior(ruled_out)


class Gaze:
    """A picture that is looked at once, for many posteriors as evidence comes in: twice as fast as anew each time.

    On one thread: more are slower for one small picture, and round differently.
    """

    def __init__(self, network: Perception, picture: np.ndarray):
        self.network = network
        with one_thread(), torch.inference_mode():
            self.seen = network.look(as_tensor(picture[None]))

    def posterior(self, ruled_out: np.ndarray) -> np.ndarray:
        """As the function ``posterior``."""
        with one_thread(), torch.inference_mode():
            logits = self.network.believe(*self.seen, torch.from_numpy(ruled_out).float().permute(2, 0, 1)[None])
            return chances(logits, torch.from_numpy(ruled_out).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()


def perceiver(network: Perception) -> Perceive:
    """What a network perceives, for a player: it looks at a picture once, until it sees another. It raises ValueError,
    one line, for a picture of a size that the network does not know."""
    gazes: dict[bytes, Gaze] = {}

    def perceive(picture: np.ndarray, ruled_out: np.ndarray) -> np.ndarray:
        seen = picture.tobytes()
        if seen not in gazes:
            check_picture(picture)
            gazes.clear()  # the scene changes seldom, and never back
            gazes[seen] = Gaze(network, picture)
        return gazes[seen].posterior(ruled_out)

    return perceive


def chances(logits: torch.Tensor, ruled_out: torch.Tensor) -> torch.Tensor:
    """Logits, and bool what is ruled out, both (N, roles, R, R) -> probabilities, 0 where ruled out."""
    return logits.masked_fill(ruled_out, NEVER).softmax(1)


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (N, S, S, 3) -> float32 (N, 3, S, S), 0 to 1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
