"""Draws the twenty levels of the tower in one picture, as a player first sees them, names beneath."""

from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb

from priorlab.envs.engine.games import Games
from priorlab.envs.game.sequences import TOWER
from priorlab.scripts.checks import check_png
from priorlab.scripts.commands.contact_sheet import DPI, PAPER, sheet
from priorlab.scripts.report.pictures import save_picture
from priorlab.scripts.run import run

COLUMNS = 4


def main(out: Path = Path("docs/levels_sheet.png"), version: str = "original", look_seed: int = 0) -> None:
    """Write the sheet of levels.

    Args:
        out: The PNG file to write.
        version: Of the game: original, masked_semantics, ...
        look_seed: Which drawing of the version.
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
    """The frame, uint8 (n, n, 3), amid paper of side x side pixels."""
    framed = np.empty((side, side, 3), np.uint8)
    framed[:] = np.round(np.multiply(to_rgb(PAPER), 255))
    edge = (side - len(frame)) // 2
    framed[edge : edge + len(frame), edge : edge + len(frame)] = frame
    return framed


if __name__ == "__main__":
    run("level-sheet")
