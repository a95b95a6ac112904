"""`priorlab participate`: one participant's session of a study, from consent to thanks."""

from pathlib import Path
from typing import Annotated

import tyro

from scripts.console import told
from scripts.run import run


def main(
    study: Annotated[Path | None, tyro.conf.Positional] = None,
    *,
    windowed: bool = False,
    station: str = "1/1",
    resume: Path | None = None,
    preview: bool = False,
    example: Path | None = None,
) -> None:
    """Lead one participant through a study.

    Args:
        study: The study's file, TOML.
        windowed: In a window, not full screen.
        station: This machine of how many that share no folder, such as 3/12; each has its own places.
        resume: The log of an interrupted session to go on with, also one begun on another machine or days ago.
        preview: Show every page and every version, marked as a preview; nothing is kept.
        example: Write an example of a study, its texts and a form for the ethics board into this new folder, and stop.
    """
    from human_study.study import write_example

    try:
        if example:
            print(f"wrote {write_example(example)}: edit it, then run priorlab participate on it")
        elif study:
            print(show_preview(study, windowed) if preview else take_part(study, windowed, station, resume))
        else:
            raise ValueError("expected a study's file, or --example FOLDER to get one")
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab participate: {told(error)}") from None


def take_part(path: Path, windowed: bool, station: str, resume: Path | None) -> str:
    from human_study.assign import Station
    from human_study.protocol import Session
    from human_study.ready import first_game, load
    from human_study.window import Window, require_display

    place = Station.read(station)
    study, texts = load(path, resume)
    require_display()
    course = first_game(study)
    with Window(course.picture.shape[:2], gamepad=study.gamepad, fullscreen=not windowed) as window:
        return Session(study, texts, window, place).run(resume)


def show_preview(path: Path, windowed: bool) -> str:
    from human_study.preview import preview_study

    return preview_study(path, windowed)


if __name__ == "__main__":
    run("participate")
