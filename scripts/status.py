"""`priorlab status`: how far a study is, for the researcher's eyes only: it names the versions."""

from pathlib import Path
from typing import Annotated

import tyro

from scripts.console import plain_console, told
from scripts.run import run


def main(study: Annotated[Path, tyro.conf.Positional]) -> None:
    """Show how many places of each version are taken, finished, won, stopped, unfinished and withdrawn.

    Args:
        study: The study's file, TOML.
    """
    from rich.table import Table

    from human_study.assign import arms, capacity
    from human_study.study import Study
    from human_study.withdraw import STATES, overview

    try:
        loaded = Study.load(study)
        problems: list[str] = []
        found = overview(loaded, problems)
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab status: {told(error)}") from None
    table = Table(title=f"{loaded.name}: {capacity(loaded)} places")
    table.add_column("version" if loaded.design == "between" else "order")
    for state in STATES:
        table.add_column(state, justify="right")
    for versions in arms(loaded):
        counts = found.get(", ".join(versions), {})
        table.add_row("\n".join(versions), *(str(counts.get(state, 0)) for state in STATES))
    console = plain_console()
    console.print(table)
    for problem in problems:
        console.print(f"can't be read  {problem}", soft_wrap=True)


if __name__ == "__main__":
    run("status")
