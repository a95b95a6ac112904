"""`priorlab verify`: whether recorded sessions and plays are whole, replay to what was recorded, and name nobody."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console, told
from priorlab.scripts.run import run


def main(paths: Annotated[list[Path], tyro.conf.Positional]) -> None:
    """Check every log and play, and name what is wrong and where; exit code 1 if anything is.

    Args:
        paths: Folders of sessions and plays, or single files.
    """
    from rich.progress import track
    from rich.table import Table
    from rich.text import Text

    from priorlab.envs.base.files import shown
    from priorlab.human_study.data.verify import files_of, verify

    console = plain_console()
    try:
        total = len(files_of(paths))
        found = list(track(verify(paths), "checking", total, console=console, transient=True))
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab verify: {told(error)}") from None
    table = Table("file", "plays", "inputs", "found")
    for each in found:
        table.add_row(
            shown(each.path.name),
            str(each.plays),
            f"{each.inputs:,}",
            Text("wrong", style="red") if each.problems else "; ".join(each.notes) or "whole",
        )
    console.print(table)
    wrong = [each for each in found if each.problems]
    for each in wrong:
        for problem in each.problems:
            console.print(f"{shown(each.path)}: {problem}", soft_wrap=True)
    plays, inputs = sum(each.plays for each in found), sum(each.inputs for each in found)
    console.print(f"{total} files, {plays} plays, {inputs:,} inputs; {len(wrong)} files with something wrong")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    run("verify")
