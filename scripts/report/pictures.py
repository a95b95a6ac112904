"""Pictures of the versions, and maps of where players went."""

import base64
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from priorlab.envs.base.files import writing
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_rules, find_version
from priorlab.envs.plays.tracks import Thing
from priorlab.envs.results.rows import CELL
from priorlab.scripts.analysis.statistics import Played
from priorlab.scripts.report.plots import INKS, THINGS

GLOW = np.array([[20, 11, 53], [120, 28, 109], [207, 68, 70], [251, 155, 6], [252, 255, 164]], float)  # dark to bright


@lru_cache(maxsize=64)
def picture_of(version: str, level: str | Level = "princess") -> np.ndarray | None:
    """The version's first picture, uint8 (side, side, 3), at 15 px per tile, upright even if the version turns it; read
    only, since it is kept.

    None for a game that is not ours.
    """
    from priorlab.envs.engine.games import Games

    try:
        read = Level.read(level)
        games = Games(1, version, game=read.game, level=read, obs="tiles")  # draws no pictures for steps
    except ValueError:
        return None
    games.reset(seed=0)
    picture = np.array(games.native_frame(0))
    picture.flags.writeable = False
    return np.rot90(picture) if is_turned(read.game, version) else picture


def is_turned(game: str, version: str) -> bool:
    return find_rules(find_version(game, version).rules).turned


def data_uri(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def heat_map(runs: Sequence[Played], picture: np.ndarray) -> np.ndarray:
    """How often each 7 px cell was visited, on a log scale, over the level in dark gray; uint8 (side, side, 3).

    Visits count as shares of their run, so that a long run does not drown the others.
    """
    side = picture.shape[0]
    cells = np.zeros((-(-side // CELL), -(-side // CELL)))
    for run in runs:
        x, y, visits = run.visits.T
        np.add.at(cells, (y // CELL, x // CELL), visits / max(visits.sum(), 1))
    image = darkened(picture)
    if cells.any():
        least = cells[cells > 0].min()
        heat = np.log(np.maximum(cells, least) / least)
        heat = enlarged(heat / max(heat.max(), 1e-9), side)
        went = enlarged(cells > 0, side)
        points = np.linspace(0, 1, len(GLOW))
        colour = np.stack([np.interp(heat, points, GLOW[:, channel]) for channel in range(3)], axis=2)
        strength = (0.45 + 0.5 * heat)[..., None]
        image = np.where(went[..., None], image * (1 - strength) + colour * strength, image)
    return image.round().astype(np.uint8)


def enlarged(cells: np.ndarray, side: int) -> np.ndarray:
    """(cells, cells) -> (side, side): each cell as CELL x CELL pixels."""
    return cells.repeat(CELL, axis=0).repeat(CELL, axis=1)[:side, :side]


def trajectories(runs: Sequence[Played], picture: np.ndarray, colour: str) -> np.ndarray:
    """Each play's track over the level in dark gray, one thin line per life; uint8 (2 side, 2 side, 3).

    With more plays, each is fainter.
    """
    side = picture.shape[0]
    figure = Figure(figsize=(side / 50, side / 50), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(darkened(picture).astype(np.uint8), extent=(0, side, side, 0), interpolation="nearest")
    axes.axis("off")
    axes.set(xlim=(0, side), ylim=(side, 0))
    for run in runs:
        _, life, x, y = run.track.T
        breaks = np.flatnonzero(np.diff(life)) + 1
        axes.plot(
            np.insert(x, breaks, np.nan), np.insert(y, breaks, np.nan), color=colour, lw=1.2,
            alpha=float(np.clip(4 / len(runs), 0.05, 0.8)), solid_joinstyle="round",
        )  # fmt: skip
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def darkened(picture: np.ndarray) -> np.ndarray:
    """The picture in dark gray, float64."""
    return np.repeat(picture.astype(float).mean(axis=2, keepdims=True) * 0.28 + 14, 3, axis=2)


def save_picture(figure: Figure, path: Path, dpi: int, paper: str) -> Path:
    """Writes a PNG file atomically, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as file:
        figure.savefig(file, format="png", dpi=dpi, facecolor=paper, metadata={"Software": None})
    return path


def numbered(things: Sequence[Thing], picture: np.ndarray) -> np.ndarray:
    """The level in gray with the short name of each of its things, as figures use them; uint8 (3 side, 3 side, 3)."""
    side = picture.shape[0]
    figure = Figure(figsize=(3 * side / 100, 3 * side / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(darkened(picture).astype(np.uint8), extent=(0, side, side, 0), interpolation="nearest")
    axes.axis("off")
    axes.set(xlim=(0, side), ylim=(side, 0))
    for thing in things:
        left, top, right, bottom = thing.box
        box = {"boxstyle": "round,pad=0.2", "fc": INKS[THINGS.get(thing.kind, thing.kind)], "ec": "white", "lw": 1.5}
        axes.text(
            (left + right) / 2, (top + bottom) / 2, thing.short, ha="center", va="center", color="white", fontsize=21,
            fontweight="bold", bbox=box,
        )  # fmt: skip
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]
