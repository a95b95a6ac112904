"""`priorlab replay`: a recorded play again, in a window or as a video, and what it measures."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console, told
from priorlab.scripts.run import run


def main(
    path: Annotated[Path, tyro.conf.Positional], *, number: int = 0, video: Path | None = None, speed: float = 1.0
) -> None:
    """Show a recorded play.

    Args:
        path: The log of a session, <id>.session.jsonl, or a play, <id>.play.
        number: Which play of the session, from 0; -1: the last.
        video: Write this .mp4 file, or .mkv without loss, and open no window.
        speed: How many times faster than it was played.
    """
    from rich.table import Table

    from priorlab.envs.plays.sessions import find_play
    from priorlab.human_study.data.video import write_video
    from priorlab.human_study.window.game_loop import show_play
    from priorlab.human_study.window.window import NoDisplay

    console = plain_console()
    try:
        check_positive(speed=speed)
        play = find_play(path, number).play
        table = Table(title=path.name, show_header=False)
        for name, value in play.facts().items():
            table.add_row(name, value)
        console.print(table)
        if play.redrawn:
            console.print("This version is drawn otherwise today than the player saw it.", style="yellow")
        if video is None:
            show_play(play, speed)
        else:
            write_video(play, video, speed)
            console.print(f"wrote {video}", soft_wrap=True)
    except (NoDisplay, OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab replay: {told(error)}") from None


if __name__ == "__main__":
    run("replay")
