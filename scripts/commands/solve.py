"""`priorlab solve`: finds the shortest solution of levels, and counts their states."""

from time import perf_counter
from typing import Annotated

import tyro
from rich import box
from rich.live import Live
from rich.table import Table
from rich.text import Text

from priorlab.envs.game.level import Level, level_names
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules, find_version
from priorlab.scripts.checks import check_counts
from priorlab.scripts.console import plain_console

CAPTION = "inputs of a shortest solution; reachable states and positions"


def main(
    levels: Annotated[tuple[str, ...], tyro.conf.Positional] = (), *, version: str = "original", frame_skip: int = 1
) -> None:
    """Find the shortest solutions of levels. The exit code is 1 if a level has none.

    Args:
        levels: names or files of levels (default: all levels of Priorlab)
        version: the version whose rules apply
        frame_skip: repetitions of each input
    """
    check_counts(frame_skip=frame_skip)
    table = Table(box=box.SIMPLE_HEAD, caption=CAPTION)
    for heading in ("level", "inputs", "states", "positions", "seconds"):
        table.add_column(heading, justify="left" if heading == "level" else "right")
    chosen, unsolved = [Level.read(name) for name in levels or level_names()], []
    with Live(table, console=plain_console()) as screen:  # rows appear one by one
        for level in chosen:
            began = perf_counter()
            solution = Solver(level, find_rules(find_version(level.game, version).rules), frame_skip).run()
            seconds = perf_counter() - began
            if solution.inputs is None:
                unsolved.append(level.name)
            length = Text("no solution", "red") if solution.inputs is None else f"{len(solution.inputs):,}"
            table.add_row(level.name, length, f"{solution.states:,}", f"{solution.positions:,}", f"{seconds:.1f}")
            screen.refresh()
    if unsolved:
        raise SystemExit(f"priorlab solve: no solution: {', '.join(unsolved)}")
