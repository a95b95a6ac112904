"""`priorlab lecture`: each claim of the lecture as an experiment of minutes, and a small site of the answers."""

from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console
from priorlab.scripts.lecture.page import write_site
from priorlab.scripts.lecture.runs import Request, measure_missing, read
from priorlab.scripts.run import run
from priorlab.scripts.running.side_by_side import stopped_in_a_line


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Measures what is missing in `--out`, keeps the rows there, and writes index.html and a page for each claim.

    Stopped at any time, the same command goes on with what is not measured yet.
    """
    console, problem = plain_console(), None
    if not request.report_only:
        try:
            with stopped_in_a_line():
                measure_missing(request, console)
        except ValueError as error:
            problem = error  # the others are kept, and shown
    kept = read(request.folder)
    if problem is None or len(kept.rows):
        path = write_site(request.folder, kept)
        console.print(f"The pages: {path.resolve()}", soft_wrap=True)
    if problem:
        raise problem


if __name__ == "__main__":
    run("lecture")
