"""`priorlab verify`: checks that recorded sessions and plays are complete, replay exactly and name nobody."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import error_line, plain_console


def main(paths: Annotated[list[Path], tyro.conf.Positional]) -> None:
    """Check every log and play, and report where each problem is. The exit code is 1 if there are any.

    Args:
        paths: folders of sessions and plays, or single files
    """
    from rich.progress import track
    from rich.table import Table
    from rich.text import Text

    from priorlab.envs.base.files import shown
    from priorlab.human_study.data.verify import files_of, verify

    console = plain_console()
    try:
        total = len(files_of(paths))
        checked = list(track(verify(paths), "checking", total, console=console, transient=True))
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab verify: {error_line(error)}") from None
    table = Table("file", "plays", "inputs", "result")
    for each in checked:
        table.add_row(
            shown(each.path.name),
            str(each.plays),
            f"{each.inputs:,}",
            Text("wrong", style="red") if each.problems else "; ".join(each.notes) or "intact",
        )
    console.print(table)
    wrong = [each for each in checked if each.problems]
    for each in wrong:
        for problem in each.problems:
            console.print(f"{shown(each.path)}: {problem}", soft_wrap=True)
    plays, inputs = sum(each.plays for each in checked), sum(each.inputs for each in checked)
    console.print(f"{total} files, {plays} plays, {inputs:,} inputs; {len(wrong)} files with problems")
    if wrong:
        raise SystemExit(1)
