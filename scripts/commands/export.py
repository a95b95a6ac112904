"""`priorlab export`: what was recorded as tables for R and pandas, as Minari datasets, and as videos."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro

from priorlab.scripts.checks import check_counts, check_some
from priorlab.scripts.console import plain_console, print_left_out, told


def main(
    folder: Annotated[Path, tyro.conf.Positional], out: Path, *,
    formats: tuple[Literal["csv", "minari", "videos"], ...] = ("csv",),
    players: tuple[Literal["person", "simulated", "agent"], ...] = ("person",),
    name: str = "priorlab", screen_size: int = 84, grayscale: bool = False, stack_size: int = 1, lossless: bool = False,
) -> None:  # fmt: skip
    """Export every play under a folder: participants, steps, events, wordings, and what their columns mean.

    Args:
        folder: Where sessions and plays were recorded; every folder in it is looked through.
        out: A new folder for the export.
        formats: csv, minari (datasets for offline reinforcement learning), videos; one or several.
        players: Whose plays; column player tells them apart.
        name: What the Minari datasets are named by: NAME/GAME-VERSION-v0.
        screen_size: Pixels a side of the observations in Minari datasets.
        grayscale: Whether these are gray.
        stack_size: How many pictures an observation holds.
        lossless: Whether videos keep every pixel's colour: .mkv in FFV1 instead of .mp4.
    """
    from rich.progress import track

    from priorlab.envs.plays.sessions import find_plays
    from priorlab.human_study.data import datasets, export, video

    check_some(formats=formats, players=players)
    check_counts(screen_size=screen_size, stack_size=stack_size)
    console = plain_console()
    try:
        export.check_new(out)
        found, problems = find_plays(folder) if folder.exists() else ([], [f"{folder}: no such folder"])
        print_left_out(console, problems)
        chosen = [each for each in found if each.play.player in players]
        if not chosen and not (folder.exists() and "person" in players and export.sessions_without_play(folder, ())):
            raise ValueError(f"{folder}: expected plays by {' or '.join(players)}; found {len(found) or 'no'} others")
        with export.new_folder(out) as draft:
            if "csv" in formats:
                shown = partial(track, description="tables", console=console)
                print_left_out(console, export.write_tables(chosen, folder, draft, shown))
            if "minari" in formats:
                seen = {"screen_size": screen_size, "grayscale_obs": grayscale, "stack_size": stack_size}
                ids = datasets.write_datasets(chosen, draft / "minari", name, seen)
                console.print("datasets " + ", ".join(ids), soft_wrap=True)
            if "videos" in formats:
                video.write_videos(track(chosen, "videos", console=console), draft / "videos", lossless)
    except (OSError, RuntimeError) as error:  # the disk is full, a package is missing, ...
        raise SystemExit(f"priorlab export: {told(error)}") from None
    console.print(f"exported {len(chosen)} play{'s' * (len(chosen) != 1)} to {out}", soft_wrap=True)
