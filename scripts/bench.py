"""`priorlab bench`: the games' speed, beside a peer's in the same run."""

import tyro
from rich.console import Console
from rich.table import Table

from scripts.experiments.speed import speed_figures


def main(seconds: float = 3.0) -> None:
    """Measure how fast the games are under uniform random inputs.

    Args:
        seconds: How long each figure is measured.
    """
    console = Console()
    table = Table("figure", "measured", "wanted", "holds")
    for title in ("measured", "wanted"):
        next(column for column in table.columns if column.header == title).justify = "right"
    with console.status("measuring"):
        for figure in speed_figures(seconds):
            shown = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.2f}"
            wanted, holds = "", ""
            if figure.target is not None:
                wanted = f"{'at most' if figure.most else 'at least'} {figure.target:,g}"
                holds = "yes" if (figure.value <= figure.target) == figure.most else "no"
            table.add_row(figure.name, f"{shown} {figure.unit}", wanted, holds)
            console.log(f"{figure.name}: {shown} {figure.unit}")
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
