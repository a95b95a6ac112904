"""`priorlab import`: makes the logs of a study's sessions in browsers."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import error_line, plain_console


def main(study: Annotated[Path, tyro.conf.Positional], files: Annotated[list[Path], tyro.conf.Positional] = []) -> None:  # noqa: B006
    """Write the log of every session that a browser recorded, or continue it. The exit code is 1 if one can't be.

    `priorlab serve` does it by itself.

    Args:
        study: the study's TOML file
        files: CODE.chunks.jsonl files that participants saved because the server could not be reached
    """
    from rich.progress import track

    from priorlab.human_study.data.chunks import chunk_files
    from priorlab.human_study.data.imported import add_saved, import_study
    from priorlab.human_study.study.study_file import Study

    console = plain_console()
    try:
        loaded = Study.load(study)
        for path in files:
            console.print(f"{path}: {add_saved(loaded, path)} chunks were new", soft_wrap=True)
        count = len(chunk_files(loaded.folder))
        done = list(track(import_study(loaded), "importing", count, console=console, transient=True))
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab import: {error_line(error)}") from None
    for each in done:
        if each.problem:
            console.print(each.problem, soft_wrap=True)
    wrong, grown = sum(bool(each.problem) for each in done), sum(each.has_news for each in done)
    ended = sum(each.is_finished for each in done)
    console.print(f"{count} sessions, {ended} finished; {grown} logs are new or longer; {wrong} can't be imported")
    if wrong:
        raise SystemExit(1)
