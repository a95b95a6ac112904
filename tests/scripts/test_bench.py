"""The table of `priorlab bench` reads on a narrow screen."""

from io import StringIO

from rich.console import Console

from priorlab.scripts.bench.rates import Figure
from priorlab.scripts.commands.bench import table_of


def test_numbers_are_whole_at_80_columns():
    figures = [
        Figure("16384 games, 84x84 gray, 1 thread, and a name that goes on", 124_885_000, "steps/s", 100_000_000),
        Figure("    share of the engine", 0.7712, "", 0.8),
        Figure("memory a game beside its observation", 11.44, "KiB", 32, most=True),
    ]
    out = StringIO()
    Console(file=out, width=80).print(table_of(figures))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in out.getvalue()
    for whole in ("124,885,000 steps/s", "≥ 100,000,000", "0.771", "≥ 0.8", "11.4 KiB", "≤ 32", "yes", "no"):
        assert any(whole in line for line in lines)
