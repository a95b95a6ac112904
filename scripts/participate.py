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
    example: Path | None = None,
) -> None:
    """Lead one participant through a study.

    Args:
        study: The study's file, TOML.
        windowed: In a window, not full screen.
        station: This machine of how many that share no folder, such as 3/12; each has its own places.
        example: Write an example of a study and its texts into this new folder, to be edited, and stop.
    """
    from human_study.study import write_example

    try:
        if example:
            print(f"wrote {write_example(example)}: edit it, then run priorlab participate on it")
        elif study:
            print(take_part(study, windowed, station))
        else:
            raise ValueError("expected a study's file, or --example FOLDER to get one")
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab participate: {told(error)}") from None


def take_part(path: Path, windowed: bool, station: str) -> str:
    from human_study.assign import Station
    from human_study.protocol import Session, load
    from human_study.window import Window, require_display

    place = Station.read(station)
    study, texts = load(path)
    require_display()
    course = study.settings(study.versions[0]).open()
    course.step(0)  # compiles what must not be compiled while a participant waits
    shape = course.picture.shape[0], course.picture.shape[1]
    with Window(shape, gamepad=study.gamepad, fullscreen=not windowed) as window:
        return Session(study, texts, window, place).run()


if __name__ == "__main__":
    run("participate")
