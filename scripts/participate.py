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
    allow_slow_screen: bool = False,
    example: Path | None = None,
) -> None:
    """Lead one participant through a study.

    Args:
        study: The study's file, TOML.
        windowed: In a window, not full screen.
        station: This machine of how many that share no folder, such as 3/12; each has its own places.
        allow_slow_screen: Start the session even if this screen is too slow for the game.
        example: Write an example of a study and its texts into this new folder, to be edited, and stop.
    """
    from human_study.study import write_example

    try:
        if example:
            print(f"wrote {write_example(example)}: edit it, then run priorlab participate on it")
        elif study:
            print(take_part(study, windowed, station, allow_slow_screen))
        else:
            raise ValueError("expected a study's file, or --example FOLDER to get one")
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab participate: {told(error)}") from None


def take_part(path: Path, windowed: bool, station: str, allow_slow_screen: bool = False) -> str:
    from human_study.assign import Station
    from human_study.protocol import Session, load
    from human_study.screen_check import check_screen
    from human_study.window import Window, require_display

    place = Station.read(station)
    study, texts = load(path)
    require_display()
    course = study.settings(study.versions[0]).open()
    course.step(0)  # compiles what must not be compiled while a participant waits
    with Window(course.picture.shape[:2], gamepad=study.gamepad, fullscreen=not windowed) as window:
        check_screen(window, course, way_on="" if allow_slow_screen else "--allow-slow-screen")
        return Session(study, texts, window, place).run()


if __name__ == "__main__":
    run("participate")
