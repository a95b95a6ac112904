"""`priorlab bench`: measures the speed of the games and of a peer in the same run."""

from typing import Literal

from rich.table import Table

from priorlab.scripts.bench.rates import Measurement
from priorlab.scripts.bench.speed import measure_games
from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console


def main(seconds: float = 3.0, device: Literal["cpu", "cuda"] = "cpu") -> None:
    """Measure how fast the games are under uniform random inputs.

    Args:
        seconds: time spent on each measurement
        device: cpu measures all games and a peer; cuda measures the same batches on an NVIDIA GPU and on the CPU
    """
    if device == "cuda":
        from priorlab.scripts.bench.speed_card import measure_gpu as measure  # imports what only a GPU needs
    else:
        measure = measure_games
    check_positive(seconds=seconds)
    console, measured = plain_console(), []
    with console.status("measuring"):
        for measurement in measure(seconds):
            measured.append(measurement)
            console.print(f"{measurement.name}: {value_text(measurement)}")
    console.print(table_of(measured))


def table_of(measurements: list[Measurement]) -> Table:
    """On a narrow screen, names wrap and numbers don't."""
    table = Table("measurement")
    for name in ("measured", "target", "reached"):
        table.add_column(name, no_wrap=True)
    for each in measurements:
        target = reached = ""
        if each.target is not None:
            target = f"{'≤' if each.most else '≥'} {readable(each.target)}"
            reached = "yes" if (each.value <= each.target) == each.most else "no"
        table.add_row(each.name, value_text(each), target, reached)
    return table


def value_text(each: Measurement) -> str:
    return f"{readable(each.value)} {each.unit}"


def readable(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
