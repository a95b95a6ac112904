"""`priorlab atari-sheet`: five Atari games under every mask, each at one moment of play, in one picture."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from priorlab.envs.atari.games import Atari
from priorlab.envs.atari.masks import MASKS
from priorlab.scripts.checks import check_png
from priorlab.scripts.report.pictures import save_picture

MOMENTS = {"montezuma_revenge": 10, "ms_pacman": 90, "breakout": 150, "space_invaders": 100, "seaquest": 70}  # steps
GAP, CAPTION, LABEL, DPI = 14, 34, 150, 100
PAPER, INK = "#f6f3ee", "#2a2320"


def main(out: Path = Path("docs/atari_sheet.png"), mask_seed: int = 0) -> None:
    """Draw five Atari games under every mask.

    Args:
        out: the PNG file to write
        mask_seed: picks the drawings of every mask
    """
    check_png(out)
    rows = [[frame_of(game, steps, mask, mask_seed) for mask in MASKS] for game, steps in MOMENTS.items()]
    print(save_picture(sheet(rows), out, DPI, PAPER))


def frame_of(game: str, steps: int, mask: str, mask_seed: int) -> np.ndarray:
    """The picture of the game after ``steps`` random inputs, always the same; uint8 (210, 160, 3)."""
    games = Atari(1, game, mask=mask, mask_seed=mask_seed, autoreset=False)
    games.reset()
    for action in np.random.default_rng(1).integers(len(games.actions), size=(steps, 1)):
        games.step(action)
    return games.native_frame()


def sheet(rows: list[list[np.ndarray]]) -> Figure:
    """One row per game and one column per mask, at ALE's size; frames: uint8 (210, 160, 3)."""
    high, side = rows[0][0].shape[:2]
    width, height = LABEL + len(MASKS) * (side + GAP), CAPTION + len(rows) * (high + GAP)
    matplotlib.rcParams["font.family"] = "DejaVu Sans"
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    style = {"va": "center", "fontsize": 13, "color": INK}
    for i, (game, frames) in enumerate(zip(MOMENTS, rows)):
        top = CAPTION + i * (high + GAP)
        figure.text((LABEL - GAP) / width, 1 - (top + high / 2) / height, game.replace("_", "\n"), ha="right", **style)
        for k, frame in enumerate(frames):
            figure.figimage(frame, LABEL + k * (side + GAP), height - top - high)
    for k, mask in enumerate(MASKS):
        middle = LABEL + k * (side + GAP) + side / 2
        figure.text(middle / width, 1 - CAPTION / 2 / height, mask, ha="center", **style)
    return figure
