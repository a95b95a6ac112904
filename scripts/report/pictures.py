"""Pictures of the versions, and heat maps of where players went, as data URIs."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.image import imsave

from envs.results import CELL
from scripts.report.statistics import Played

GLOW = np.array([[20, 11, 53], [120, 28, 109], [207, 68, 70], [251, 155, 6], [252, 255, 164]], float)  # dark to bright


def picture_of(version: str) -> np.ndarray:
    """uint8 (side, side, 3): the version's first picture, 15 px a tile."""
    from envs.games import Games

    games = Games(num_games=1, version=version)
    games.reset(seed=0)
    return np.array(games.native_frame(0))


def data_uri(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    imsave(buffer, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def heat_map(runs: Sequence[Played], picture: np.ndarray) -> np.ndarray:
    """uint8 (side, side, 3): the level in dark gray, and on it how often each 7 px cell was visited, on a log scale.

    Each run counts alike: its visits are taken as shares, so that a long run does not drown the others.
    """
    side = picture.shape[0]
    cells = np.zeros((-(-side // CELL), -(-side // CELL)))
    for run in runs:
        x, y, visits = run.visits.T
        np.add.at(cells, (y // CELL, x // CELL), visits / max(visits.sum(), 1))
    gray = picture.astype(float).mean(axis=2, keepdims=True) * 0.28 + 14
    shown = np.repeat(gray, 3, axis=2)
    if cells.any():
        least = cells[cells > 0].min()
        heat = np.log(np.maximum(cells, least) / least)
        heat = enlarged(heat / max(heat.max(), 1e-9), side)
        went = enlarged(cells > 0, side)
        points = np.linspace(0, 1, len(GLOW))
        colour = np.stack([np.interp(heat, points, GLOW[:, channel]) for channel in range(3)], axis=2)
        strength = (0.45 + 0.5 * heat)[..., None]
        shown = np.where(went[..., None], shown * (1 - strength) + colour * strength, shown)
    return shown.round().astype(np.uint8)


def enlarged(cells: np.ndarray, side: int) -> np.ndarray:
    """(cells, cells) -> (side, side): each cell as CELL x CELL pixels."""
    return cells.repeat(CELL, axis=0).repeat(CELL, axis=1)[:side, :side]
