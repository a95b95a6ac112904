"""`priorlab dials-sheet`: draws one level at every corner of the dials of random looks."""

from itertools import product
from pathlib import Path

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.paint_dials import paint_dials
from priorlab.envs.looks.painting import corner
from priorlab.scripts.checks import check_png
from priorlab.scripts.commands.contact_sheet import PAPER, sheet
from priorlab.scripts.probe.probe_dials import KEEP
from priorlab.scripts.probe.probe_places import picture
from priorlab.scripts.report.pictures import save_picture

COLUMNS = 4
DPI = 100


def main(
    out: Path = Path("docs/dials.png"), look_seed: int = 0, split: str = "training", level: str | None = None
) -> None:
    """Draw one level at every corner of the dials, and below each picture name the dials at 0.

    Semantics and objects change between rows, affordance and similarity within a row.

    Args:
        out: the PNG file to write
        look_seed: picks the look
        split: training or held_out: which of the two sets of pictures to draw from
        level: a level's name, file or text (default: one with every kind of object)
    """
    check_png(out)
    corners = [Dials(*corner) for corner in product((1, 0), repeat=4)]
    read = Level.read(level or KEEP)
    frames = [first_frame(read, dials, look_seed, split) for dials in corners]
    names = [caption(dials) for dials in corners]
    print(save_picture(sheet(names, frames, COLUMNS), out, DPI, PAPER))


def caption(dials: Dials) -> str:
    masked = [dial for dial, value in dials.values().items() if not value]
    return {0: "all four", 4: "none"}.get(len(masked), f"without {', '.join(masked)}")


def first_frame(level: Level, dials: Dials, look_seed: int, split: str) -> np.ndarray:
    """The level in that look with the player at the start; uint8 (side, side, 3)."""
    scene = paint_dials(level, dials, look_seed, split)
    frame, (left, top) = picture(level, scene), corner(*level.start)
    frame[top : top + TILE, left : left + TILE][scene.player.opaque] = scene.player.rgb[scene.player.opaque]
    return frame
