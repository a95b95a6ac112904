"""`priorlab random-sheet`: draws random levels in random looks, at one corner of the dials after another."""

from itertools import product
from pathlib import Path

from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.checks import check_png
from priorlab.scripts.commands.contact_sheet import DPI, PAPER, sheet
from priorlab.scripts.commands.dials_sheet import caption, first_frame
from priorlab.scripts.commands.level_sheet import on_paper
from priorlab.scripts.report.pictures import save_picture

COLUMNS = 6


def main(out: Path = Path("docs/random.png"), levels: int = 24, split: str = "held_out", size: str = "small") -> None:
    """Draw random levels in random looks, at one corner of the dials after another.

    Args:
        out: the PNG file to write
        levels: number of levels to take from the split's bank
        split: training or held_out: which levels and which pictures
        size: small, or large: which of the split's banks
    """
    check_png(out)
    corners = [Dials(*corner) for corner in product((1, 0), repeat=4)]
    chosen = [(level, corners[k % len(corners)]) for k, level in enumerate(Bank.read(split, size).levels(levels))]
    frames = [first_frame(level, dials, k, split) for k, (level, dials) in enumerate(chosen)]
    side = max(len(frame) for frame in frames)
    names = [caption(dials) for _, dials in chosen]
    figure = sheet(names, [on_paper(frame, side) for frame in frames], COLUMNS)
    print(save_picture(figure, out, DPI, PAPER))
