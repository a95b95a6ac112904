"""`priorlab bench`: measures the speed of the games, next to a peer's in the same run."""

from typing import Literal

from rich.table import Table

from priorlab.scripts.bench.rates import Figure
from priorlab.scripts.bench.speed import speed_figures
from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console


def main(seconds: float = 3.0, device: Literal["cpu", "cuda"] = "cpu") -> None:
    """Measure how fast the games are under uniform random inputs.

    Args:
        seconds: Time spent on each figure.
        device: cpu measures all games and a peer; cuda measures batches on an NVIDIA GPU and the same on the CPU.
    """
    if device == "cuda":
        from priorlab.scripts.bench.speed_card import card_figures as figures  # imports what only a GPU needs
    else:
        figures = speed_figures
    check_positive(seconds=seconds)
    console, measured = plain_console(), []
    with console.status("measuring"):
        for figure in figures(seconds):
            measured.append(figure)
            console.print(f"{figure.name}: {value_text(figure)}")
    console.print(table_of(measured))


def table_of(figures: list[Figure]) -> Table:
    """On a narrow screen, names wrap and numbers don't."""
    table = Table("figure")
    for name in ("measured", "target", "reached"):
        table.add_column(name, no_wrap=True)
    for figure in figures:
        target = reached = ""
        if figure.target is not None:
            target = f"{'≤' if figure.most else '≥'} {readable(figure.target)}"
            reached = "yes" if (figure.value <= figure.target) == figure.most else "no"
        table.add_row(figure.name, value_text(figure), target, reached)
    return table


def value_text(figure: Figure) -> str:
    return f"{readable(figure.value)} {figure.unit}"


def readable(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
