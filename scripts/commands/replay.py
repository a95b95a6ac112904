"""`priorlab replay`: shows a recorded play in a window or writes it as a video, and prints what it measured."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import error_line, plain_console


def main(
    path: Annotated[Path, tyro.conf.Positional], *, number: int = 0, video: Path | None = None, speed: float = 1.0
) -> None:
    """Show a recorded play and print what it measured.

    Args:
        path: the log of a session, <id>.session.jsonl, or one play, <id>.play
        number: which play of the session, counted from 0; -1 is the last
        video: write this .mp4 file, or a lossless .mkv, instead of opening a window
        speed: playback speed relative to the play
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
            console.print("This version is drawn differently today: the player saw another picture.", style="yellow")
        if video is None:
            show_play(play, speed)
        else:
            write_video(play, video, speed)
            console.print(f"wrote {video}", soft_wrap=True)
    except (NoDisplay, OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab replay: {error_line(error)}") from None
