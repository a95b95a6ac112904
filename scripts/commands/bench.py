"""`priorlab bench`: the games' speed, beside a peer's in the same run."""

from typing import Literal

from rich.table import Table

from priorlab.scripts.bench.rates import Figure
from priorlab.scripts.bench.speed import speed_figures
from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console
from priorlab.scripts.run import run


def main(seconds: float = 3.0, device: Literal["cpu", "cuda"] = "cpu") -> None:
    """Measure how fast the games are under uniform random inputs.

    Args:
        seconds: How long each figure is measured.
        device: cpu: all of the games, beside a peer; cuda: batches on an NVIDIA card, beside the same on the CPU.
    """
    if device == "cuda":
        from priorlab.scripts.bench.speed_card import card_figures as figures  # imports what only a card needs
    else:
        figures = speed_figures
    check_positive(seconds=seconds)
    console, found = plain_console(), []
    with console.status("measuring"):
        for figure in figures(seconds):
            found.append(figure)
            console.print(f"{figure.name}: {measured(figure)}")
    console.print(table_of(found))


def table_of(figures: list[Figure]) -> Table:
    """Names are folded where the screen is narrow, numbers never."""
    table = Table("figure")
    for name in ("measured", "wanted", "holds"):
        table.add_column(name, no_wrap=True)
    for figure in figures:
        wanted = holds = ""
        if figure.target is not None:
            wanted = f"{'≤' if figure.most else '≥'} {readable(figure.target)}"
            holds = "yes" if (figure.value <= figure.target) == figure.most else "no"
        table.add_row(figure.name, measured(figure), wanted, holds)
    return table


def measured(figure: Figure) -> str:
    return f"{readable(figure.value)} {figure.unit}"


def readable(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    run("bench")
