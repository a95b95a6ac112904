"""`priorlab lecture`: each claim of the lecture as an experiment of minutes, and a small site of the answers."""

from typing import Annotated

import tyro
from rich.console import Console

from scripts.experiments.lecture.runs import Request, measure_missing, read
from scripts.experiments.side_by_side import stopped_in_a_line
from scripts.report.lecture import write_site


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Measures what is missing in `--out`, keeps the rows there, and writes index.html and a page for each claim.

    Stopped at any time, the same command goes on with what is not measured yet.
    """
    console = Console()
    if not request.report_only:
        with stopped_in_a_line():
            measure_missing(request, console)
    path = write_site(request.folder, read(request.folder), quick=request.quick)
    console.print(f"The pages: {path.resolve()}", soft_wrap=True, highlight=False)


if __name__ == "__main__":
    tyro.cli(main)
