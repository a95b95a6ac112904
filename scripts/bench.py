"""`priorlab bench`: the games' speed, beside a peer's in the same run."""

from typing import Literal

from rich.table import Table

from scripts.checks import check_positive
from scripts.console import plain_console
from scripts.experiments.speed import speed_figures
from scripts.run import run


def main(seconds: float = 3.0, device: Literal["cpu", "cuda"] = "cpu") -> None:
    """Measure how fast the games are under uniform random inputs.

    Args:
        seconds: How long each figure is measured.
        device: cpu: all of the games, beside a peer; cuda: batches on an NVIDIA card, beside the same on the CPU.
    """
    if device == "cuda":
        from scripts.experiments.speed_card import card_figures as figures  # imports what only a card needs
    else:
        figures = speed_figures
    check_positive(seconds=seconds)
    console = plain_console()
    table = Table("figure", "measured", "wanted", "holds")
    with console.status("measuring"):
        for figure in figures(seconds):
            measured, wanted, holds = f"{readable(figure.value)} {figure.unit}", "", ""
            if figure.target is not None:
                wanted = f"{'at most' if figure.most else 'at least'} {readable(figure.target)}"
                holds = "yes" if (figure.value <= figure.target) == figure.most else "no"
            table.add_row(figure.name, measured, wanted, holds)
            console.log(f"{figure.name}: {measured}")
    console.print(table)


def readable(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    run("bench")
