"""`priorlab status`: shows the progress of a study. For the researcher only: it names the versions."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import error_line, plain_console


def main(study: Annotated[Path, tyro.conf.Positional]) -> None:
    """Count the places of each version by their state: not begun, under way, stopped, finished, won, withdrawn, ...

    Args:
        study: the study's TOML file
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from priorlab.human_study.data.progress import RARE, STATES, progress
    from priorlab.human_study.study.assignment import arms, capacity
    from priorlab.human_study.study.study_file import Study

    try:
        loaded = Study.load(study, is_played=False)
        problems: list[str] = []
        counts_by_arm = progress(loaded, problems)
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab status: {error_line(error)}") from None
    table = Table(title=f"{loaded.name}: {capacity(loaded)} places", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("version" if loaded.design == "between" else "order", no_wrap=True)
    states = [state for state in STATES if state not in RARE or any(each[state] for each in counts_by_arm.values())]
    for state in states:
        table.add_column(state, justify="right", min_width=max(map(len, state.split())))
    for versions in dict.fromkeys([*map(", ".join, arms(loaded)), *counts_by_arm]):
        counts = counts_by_arm.get(versions, {})
        table.add_row(versions.replace(", ", "\n"), *(str(counts.get(state, 0)) for state in states))
    console = plain_console()
    console.width = max(console.width, console.measure(table, options=console.options.update(width=999)).maximum)
    console.print(table)
    for problem in problems:
        console.print(f"problem  {problem}", soft_wrap=True)
