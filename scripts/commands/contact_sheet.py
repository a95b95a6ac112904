"""`priorlab contact-sheet`: draws all versions of a game in one picture, as a player first sees them."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from priorlab.envs.engine.games import Games
from priorlab.envs.game.versions import looks, versions
from priorlab.scripts.checks import check_png
from priorlab.scripts.report.pictures import save_picture

SHEET = Path("docs/contact_sheet.png")
SCALE = 2  # pixels of the sheet per native pixel
GAP, CAPTION, DPI = 36, 56, 100
PAPER, INK = "#f6f3ee", "#2a2320"


def main(out: Path = SHEET, game: str = "princess", looks_only: bool = False, look_seed: int = 0) -> None:
    """Draw the first picture of every version of a game, with its name below.

    Args:
        out: the PNG file to write
        game: princess or key_door
        looks_only: leave out the versions that change the rules
        look_seed: picks the drawings of every version
    """
    check_png(out)
    names = looks(game) if looks_only else versions(game)
    games = Games(len(names), names, game=game, look_seed=look_seed)
    games.reset(seed=0)
    frames = [games.native_frame(lane) for lane in range(len(names))]
    print(save_picture(sheet(names, frames, (len(names) + 1) // 2), out, DPI, PAPER))


def sheet(names: list[str], frames: list[np.ndarray], columns: int) -> Figure:
    """Every picture enlarged by a whole factor, with its caption below; ``frames``: uint8 (side, side, 3) each."""
    side = SCALE * frames[0].shape[0]
    rows = -(-len(frames) // columns)
    width = GAP + columns * (side + GAP)
    height = GAP + rows * (side + CAPTION) + GAP // 2
    matplotlib.rcParams["font.family"] = "DejaVu Sans"
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    for i, (name, frame) in enumerate(zip(names, frames)):
        left = GAP + i % columns * (side + GAP)
        top = GAP + i // columns * (side + CAPTION)
        pixels = frame.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
        figure.figimage(pixels, left, height - top - side)
        figure.text(
            (left + side / 2) / width, 1 - (top + side + CAPTION * 0.4) / height, name.replace("_", " "),
            ha="center", va="center", fontsize=17, color=INK,
        )  # fmt: skip
    return figure
