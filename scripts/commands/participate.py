"""`priorlab participate`: one participant's session of a study, from consent to thanks."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import told
from priorlab.scripts.run import run


def main(
    study: Annotated[Path | None, tyro.conf.Positional] = None,
    *,
    windowed: bool = False,
    station: str = "1/1",
    resume: Path | None = None,
    preview: bool = False,
    allow_slow_screen: bool = False,
    example: Path | None = None,
) -> None:
    """Lead one participant through a study.

    Args:
        study: The study's file, TOML.
        windowed: In a window, not full screen.
        station: This machine of how many that share no folder, such as 3/12; each has its own places.
        resume: The log of an interrupted session to go on with, also one begun on another machine or days ago.
        preview: Show every page and every version, marked as a preview; nothing is kept.
        allow_slow_screen: Start the session even if this screen is too slow for the game.
        example: Write an example of a study, its texts and a form for the ethics board into this new folder, and stop.
    """
    from priorlab.human_study.study.study_file import write_example
    from priorlab.human_study.window.preview import preview_study
    from priorlab.human_study.window.session import take_part

    try:
        if example:
            path = write_example(example)
            print(f"wrote {path}, texts.toml and ethics.md: edit them, then run priorlab participate {path} --preview")
        elif study:
            settings = (study, windowed, station, resume, allow_slow_screen)
            print(preview_study(study, windowed) if preview else take_part(*settings))
        else:
            raise ValueError("expected a study's file, or --example FOLDER to get one")
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab participate: {told(error)}") from None


if __name__ == "__main__":
    run("participate")
