"""`priorlab export`: writes recorded plays as tables for R and pandas, a BIDS dataset, Minari datasets or videos."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro

from priorlab.scripts.checks import check_counts, check_not_empty
from priorlab.scripts.console import error_line, plain_console, print_left_out


def main(
    folder: Annotated[Path, tyro.conf.Positional], out: Path, *,
    formats: tuple[Literal["csv", "bids", "minari", "videos"], ...] = ("csv",),
    players: tuple[Literal["person", "simulated", "agent"], ...] = ("person",),
    name: str = "priorlab", screen_size: int = 84, grayscale: bool = False, stack_size: int = 1, lossless: bool = False,
) -> None:  # fmt: skip
    """Export every play under a folder, with participants, steps, events, wordings and a description of every column.

    Args:
        folder: folder of recorded sessions and plays; the command searches its subfolders too
        out: a new folder for the export
        formats: one or more of csv, bids (events with onset and duration), minari (for offline learning) and videos
        players: whose plays to export; see the column player
        name: prefix of the Minari datasets: NAME/GAME-VERSION-v0
        screen_size: side of the observations in Minari datasets, in pixels
        grayscale: store these observations in gray
        stack_size: pictures per observation
        lossless: keep every pixel's colour in videos: .mkv with FFV1 instead of .mp4
    """
    from rich.progress import track

    from priorlab.human_study.data import bids, datasets, export, video

    check_not_empty(formats=formats, players=players)
    check_counts(screen_size=screen_size, stack_size=stack_size)
    console = plain_console()
    try:
        export.check_new(out)
        chosen, problems = export.plays_by(players, folder)
        print_left_out(console, problems)
        export.check_any(chosen, players, folder)
        with export.new_folder(out) as draft:
            if "csv" in formats:
                progress = partial(track, description="tables", console=console)
                print_left_out(console, export.write_tables(chosen, folder, draft, progress))
            if "bids" in formats:
                bids.write_bids(chosen, draft / "bids")
            if "minari" in formats:
                observed = {"screen_size": screen_size, "grayscale_obs": grayscale, "stack_size": stack_size}
                ids = datasets.write_datasets(chosen, draft / "minari", name, observed)
                console.print("datasets " + ", ".join(ids), soft_wrap=True)
            if "videos" in formats:
                video.write_videos(track(chosen, "videos", console=console), draft / "videos", lossless)
    except (OSError, RuntimeError) as error:  # the disk is full, a package is missing, ...
        raise SystemExit(f"priorlab export: {error_line(error)}") from None
    console.print(f"exported {len(chosen)} play{'s' * (len(chosen) != 1)} to {out}", soft_wrap=True)
