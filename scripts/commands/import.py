"""`priorlab import`: makes the logs of a study's sessions in browsers."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import error_line, plain_console


def main(
    study: Annotated[Path, tyro.conf.Positional],
    files: Annotated[list[Path], tyro.conf.Positional] = [],  # noqa: B006
    most: int = 1000,
) -> None:
    """Write the log of every session that a browser recorded, or continue it. The exit code is 1 if one can't be.

    `priorlab serve` does it by itself. Files may hold any parts of any sessions, in any order, also twice.

    Args:
        study: the study's TOML file
        files: what DataPipe or another host keeps, what JATOS exports, what participants or jsPsych saved; or folders
        most: how many new sessions of one build are taken at once; if there are more, none of them is
    """
    from rich.progress import track

    from priorlab.human_study.data.chunks import chunk_files
    from priorlab.human_study.data.imported import import_study
    from priorlab.human_study.hosting.gathering import gather
    from priorlab.human_study.study.study_file import Study

    console = plain_console()
    try:
        loaded = Study.load(study)
        gathered = list(gather(loaded, files, most)) if files else []
        count = len(chunk_files(loaded.folder))
        done = list(track(import_study(loaded), "importing", count, console=console, transient=True))
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab import: {error_line(error)}") from None
    for line in [each.note or each.problem for each in gathered] + [each.problem for each in done]:
        if line:
            console.print(line, soft_wrap=True)
    if files:
        sessions = {each.id for each in gathered if each.id}
        console.print(f"{len(sessions)} sessions in the files; {sum(each.new for each in gathered)} chunks were new")
    wrong = sum(bool(each.problem) for each in [*gathered, *done])
    grown, ended = sum(each.has_news for each in done), sum(each.is_finished for each in done)
    console.print(f"{count} sessions, {ended} finished; {grown} logs are new or longer; {wrong} problems")
    if wrong:
        raise SystemExit(1)
