"""The table of the probe of looks: what each version's look hides, and whether its claims hold."""

from rich import box
from rich.progress import track
from rich.table import Table
from rich.text import Text

from priorlab.envs.game.versions import looks
from priorlab.scripts.console import plain_console
from priorlab.scripts.probe.probe_looks import LEVELS, QUESTIONS, claims, probe

WIDTH = 100  # columns that the table needs


def show_looks(seeds: int, only: tuple[str, ...]) -> int:
    """Prints the table and returns the number of claims that fail."""
    table = Table(
        title=f"AUC on tiles (in context), {len(LEVELS)} levels, {seeds} + {seeds} look seeds",
        caption="structure: platform or ladder against free space; objects: against the tiles next to them; "
        "strictly: against all tiles around them",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("version", no_wrap=True)
    for question in QUESTIONS:
        table.add_column(question, justify="right", no_wrap=True)
    table.add_column("claims", no_wrap=True)
    failed = 0
    for version in track(only or tuple(looks()), "measuring", transient=True):
        figures = probe(version, seeds)
        verdicts = claims(version, figures, seeds)
        failed += sum(not holds for _, holds in verdicts)
        cells = [f"{figures[q].tile:.2f} ({figures[q].context:.2f})" for q in QUESTIONS]
        lines = [
            Text(f"{claim}: {'holds' if holds else 'FAILS'}", "green" if holds else "red") for claim, holds in verdicts
        ]
        table.add_row(version, *cells, Text("\n").join(lines))
    console = plain_console()
    console.print(table, width=max(console.width, WIDTH), crop=False)
    return failed
