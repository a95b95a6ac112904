"""`priorlab level-sheet`: draws the twenty levels of the tower in one picture, as a player first sees them."""

from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb

from priorlab.envs.engine.games import Games
from priorlab.envs.game.sequences import TOWER
from priorlab.scripts.checks import check_png
from priorlab.scripts.commands.contact_sheet import DPI, PAPER, sheet
from priorlab.scripts.report.pictures import save_picture

COLUMNS = 4


def main(out: Path = Path("docs/levels_sheet.png"), version: str = "original", look_seed: int = 0) -> None:
    """Draw the twenty levels of the tower, with their names below.

    Args:
        out: the PNG file to write
        version: version of the game, such as original or masked_semantics
        look_seed: picks the drawings of the version
    """
    check_png(out)
    frames = []
    for level in TOWER:
        games = Games(1, version, level=level, look_seed=look_seed)
        games.reset(seed=0)
        frames.append(games.native_frame(0))
    side = max(len(frame) for frame in frames)
    names = [name.removeprefix("tower_") for name in TOWER]
    figure = sheet(names, [on_paper(frame, side) for frame in frames], COLUMNS)
    print(save_picture(figure, out, DPI, PAPER))


def on_paper(frame: np.ndarray, side: int) -> np.ndarray:
    """The frame, uint8 (n, n, 3), centred on side x side pixels of paper."""
    framed = np.empty((side, side, 3), np.uint8)
    framed[:] = np.round(np.multiply(to_rgb(PAPER), 255))
    edge = (side - len(frame)) // 2
    framed[edge : edge + len(frame), edge : edge + len(frame)] = frame
    return framed
