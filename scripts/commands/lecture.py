"""`priorlab lecture`: runs a short experiment for each claim of the lecture and writes a small site."""

from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console
from priorlab.scripts.lecture.page import write_site
from priorlab.scripts.lecture.runs import Request, measure_missing, read
from priorlab.scripts.running.side_by_side import resumable


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Measure what `--out` does not hold yet, keep the rows there, and write index.html and one page per claim.

    You can stop the command at any time; started again, it resumes.
    """
    console, problem = plain_console(), None
    if not request.report_only:
        try:
            with resumable():
                measure_missing(request, console)
        except ValueError as error:
            problem = error  # the other rows are kept, and their pages written
    recorded = read(request.folder)
    if problem is None or len(recorded.rows):
        path = write_site(request.folder, recorded)
        console.print(f"The pages: {path.resolve()}", soft_wrap=True)
    if problem:
        raise problem
