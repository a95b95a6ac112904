"""`priorlab solve`: the shortest solution of levels, and how large they are."""

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
from priorlab.scripts.run import run

CAPTION = "inputs of a shortest solution; states and positions that can be reached"


def main(
    levels: Annotated[tuple[str, ...], tyro.conf.Positional] = (), *, version: str = "original", frame_skip: int = 1
) -> None:
    """Search levels for their shortest solutions; ends with 1 where there is none.

    Args:
        levels: Names of levels, or files; all of ours where none is named.
        version: By the rules of which version of their games.
        frame_skip: How often each input is repeated.
    """
    check_counts(frame_skip=frame_skip)
    table = Table(box=box.SIMPLE_HEAD, caption=CAPTION)
    for heading in ("level", "inputs", "states", "positions", "seconds"):
        table.add_column(heading, justify="left" if heading == "level" else "right")
    chosen, unsolved = [Level.read(name) for name in levels or level_names()], []
    with Live(table, console=plain_console()) as screen:  # rows appear as they are found
        for level in chosen:
            began = perf_counter()
            found = Solver(level, find_rules(find_version(level.game, version).rules), frame_skip).run()
            seconds = perf_counter() - began
            if found.inputs is None:
                unsolved.append(level.name)
            length = Text("no solution", "red") if found.inputs is None else f"{len(found.inputs):,}"
            table.add_row(level.name, length, f"{found.states:,}", f"{found.positions:,}", f"{seconds:.1f}")
            screen.refresh()
    if unsolved:
        raise SystemExit(f"priorlab solve: no solution: {', '.join(unsolved)}")


if __name__ == "__main__":
    run("solve")
