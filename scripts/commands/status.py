"""`priorlab status`: how far a study is, for the researcher's eyes only: it names the versions."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console, told
from priorlab.scripts.run import run


def main(study: Annotated[Path, tyro.conf.Positional]) -> None:
    """Show what became of the places of each version: not begun, under way, stopped, finished, won, withdrawn, ...

    Args:
        study: The study's file, TOML.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from priorlab.human_study.data.progress import RARE, STATES, progress
    from priorlab.human_study.study.assignment import arms, capacity
    from priorlab.human_study.study.study_file import Study

    try:
        loaded = Study.load(study, is_played=False)
        problems: list[str] = []
        found = progress(loaded, problems)
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab status: {told(error)}") from None
    table = Table(title=f"{loaded.name}: {capacity(loaded)} places", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("version" if loaded.design == "between" else "order", no_wrap=True)
    states = [state for state in STATES if state not in RARE or any(counts[state] for counts in found.values())]
    for state in states:
        table.add_column(state, justify="right", min_width=max(map(len, state.split())))
    for versions in dict.fromkeys([*map(", ".join, arms(loaded)), *found]):
        counts = found.get(versions, {})
        table.add_row(versions.replace(", ", "\n"), *(str(counts.get(state, 0)) for state in states))
    console = plain_console()
    console.width = max(console.width, console.measure(table, options=console.options.update(width=999)).maximum)
    console.print(table)
    for problem in problems:
        console.print(f"problem  {problem}", soft_wrap=True)


if __name__ == "__main__":
    run("status")
