"""`priorlab participate`: leads one participant through a session of a study, from consent to thanks."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import error_line


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
        study: the study's TOML file
        windowed: use a window instead of the full screen
        station: which of several machines without a shared folder this is, such as 3/12; each has its own places
        resume: resume the interrupted session of this log, even from another machine or an earlier day
        preview: show every page and every version, marked as a preview, and record nothing
        allow_slow_screen: start even if this screen is too slow for the game
        example: write an example study, its texts and a form for the ethics board into this new folder, then exit
    """
    from priorlab.human_study.study.study_file import write_example
    from priorlab.human_study.window.preview import preview_study
    from priorlab.human_study.window.take_part import take_part

    try:
        if example:
            path = write_example(example)
            print(f"wrote {path}, texts.toml and ethics.md: edit them, then run priorlab participate {path} --preview")
        elif study:
            settings = (study, windowed, station, resume, allow_slow_screen)
            print(preview_study(study, windowed) if preview else take_part(*settings))
        else:
            raise ValueError("expected a study's file; --example FOLDER writes one")
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab participate: {error_line(error)}") from None
