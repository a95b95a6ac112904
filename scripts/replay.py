"""`priorlab replay`: a recorded play again, in a window or as a video, and what it measures."""

from pathlib import Path
from typing import Annotated

import tyro


def main(path: Annotated[Path, tyro.conf.Positional], *, video: Path | None = None, speed: float = 1.0) -> None:
    """Show a recorded play.

    Args:
        path: A recording, <id>.play.
        video: Write this .mp4 file, or .mkv without loss, and open no window.
        speed: How many times faster than it was played.
    """
    from rich.console import Console
    from rich.table import Table

    from envs.play import Play
    from human_study.video import write_video
    from human_study.window import NoDisplay, show

    console = Console()
    try:
        if speed <= 0:
            raise ValueError(f"speed is {speed:g}: expected more than 0")
        play = Play.load(path)
        found = play.measure()
        table = Table(title=path.name, show_header=False)
        for name, value in (
            ("player", f"{play.player} {play.player_id}"),
            ("game", f"{play.level.game}, level {play.level.name}"),
            ("version", f"{play.version}, look seed {play.look_seed}"),
            ("ended", play.ended + (" (the recording was cut short)" if play.unfinished else "")),
            ("inputs", f"{found.inputs:,}"),
            ("minutes", f"{found.minutes:.2f} at {play.inputs_per_second} inputs a second"),
            ("deaths", f"{found.total_deaths:,}"),
            ("unique states", f"{found.total_unique_states:,}"),
        ):
            table.add_row(name, value)
        console.print(table)
        if play.redrawn:
            console.print("This version is drawn otherwise today than the player saw it.", style="yellow")
        if video is None:
            show(play, speed)
        else:
            write_video(play, video, speed)
            console.print(f"wrote {video}")
    except (NoDisplay, OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab replay: {error}") from None


if __name__ == "__main__":
    tyro.cli(main)
