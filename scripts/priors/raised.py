"""A folder of a raised player: its configuration, progress, weights and appraisal."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from priorlab.agents.priors import weights
from priorlab.agents.priors.appraisal import CONDITIONS, SHARES, Appraisal, appraise, held_out_levels
from priorlab.agents.priors.perception import Perception
from priorlab.agents.priors.raising import CHECKPOINT, Raising
from priorlab.agents.priors.raising import Progress as Row
from priorlab.agents.priors.roles import ROLES
from priorlab.agents.priors.settings import RaiseSettings
from priorlab.envs.base.files import read_json, write_whole
from priorlab.envs.base.locks import held
from priorlab.envs.base.provenance import git_commit, software
from priorlab.envs.results.rows import check_same
from priorlab.scripts.console import plain_console

CONFIG, PROGRESS, WEIGHTS, APPRAISAL = "config.json", "progress.csv", "perception.safetensors", "appraisal.csv"
RELIABILITY = "reliability.csv"
RELIABILITY_COLUMNS = ("condition", "share", "role", "probabilities", "mean", "true")


def raise_player(settings: RaiseSettings) -> None:
    """Raises the player of the settings in their folder, or what is missing of it, and prints a summary.

    ValueError, before anything is written, for a folder that holds another raising or a finished one.
    """
    folder = settings.folder
    unfinished = not (folder / WEIGHTS).exists() or (settings.appraisal_levels and not (folder / APPRAISAL).exists())
    if not unfinished:
        raise ValueError(f"{folder} holds a player that is raised: expected a new or an unfinished folder")
    with prepared(folder, config_of(settings)):
        if not (folder / WEIGHTS).exists():
            with progress_bar() as bar:
                task = bar.add_task(settings.method, total=settings.pictures, loss="")
                learn(settings, lambda row: bar.update(task, completed=row.pictures, loss=f"{row.loss:.3f} nats"))
        if settings.appraisal_levels:
            show(appraised(weights.load(folder / WEIGHTS)[0], settings))
    plain_console().print(f"The player: {(folder / WEIGHTS).resolve()}", soft_wrap=True)


def config_of(settings: RaiseSettings) -> dict[str, Any]:
    """What the configuration of a raised player says of its settings."""
    return {"method": settings.method, **settings.config()}


@contextmanager
def prepared(folder: Path, config: dict[str, Any], doing: str = "raises this player") -> Iterator[None]:
    """Within the block this process alone does that in the folder, which holds its configuration.

    ValueError for a folder with another configuration; ``Taken`` where another process does it.
    """
    refuse_others(folder, config)
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / "run.lock", f"{folder}: another process {doing}: expected one"):
        refuse_others(folder, config)  # again: another process may have begun and ended meanwhile
        if not (folder / CONFIG).exists():
            described = {**config, "software": software(), "git_commit": git_commit()}
            write_whole(folder / CONFIG, json.dumps(described, indent=2) + "\n")
        yield


def refuse_others(folder: Path, config: dict[str, Any]) -> None:
    """ValueError for a folder with another configuration."""
    if (folder / CONFIG).exists():
        check_same(read_json(folder / CONFIG), config, folder)


class OutOfTime(Exception):
    """Raised by a report of ``learn`` to stop there."""


def learn(settings: RaiseSettings, report: Callable[[Row], None]) -> None:
    """Writes the weights and the progress, and deletes the checkpoint.

    The same raising gives the same file of weights, byte for byte, on one machine; so what can differ, as its seconds,
    stands beside it. ``OutOfTime`` in a report leaves a checkpoint, from which the next call goes on.
    """
    folder = settings.folder
    raising = Raising(settings, folder)
    try:
        network = raising.run(report)
    except OutOfTime:
        raising.save(folder / CHECKPOINT)
        raise
    write_whole(folder / PROGRESS, table(Row._fields, raising.rows))
    weights.save(network, folder / WEIGHTS, {"settings": settings.config()})
    (folder / CHECKPOINT).unlink(missing_ok=True)


def appraised(network: Perception, settings: RaiseSettings) -> list[Appraisal]:
    """Measures the network on held-out levels, and writes the figures."""
    levels = held_out_levels(settings.appraisal_levels, settings.sizes)
    with progress_bar() as bar:
        task = bar.add_task("appraisal", total=len(CONDITIONS) * len(SHARES), loss="")
        rows = []
        for row in appraise(network, levels, settings.edition):
            rows.append(row)
            bar.advance(task)
    columns = [name for name in asdict(rows[0]) if name not in ("recall", "bins")]
    flat = [[*(getattr(row, name) for name in columns), *row.recall] for row in rows]
    write_whole(settings.folder / RELIABILITY, table(RELIABILITY_COLUMNS, reliability_rows(rows)))
    write_whole(settings.folder / APPRAISAL, table([*columns, *(f"recall_{role}" for role in ROLES)], flat))
    return rows


def reliability_rows(rows: Iterable[Appraisal]) -> Iterator[tuple[Any, ...]]:
    """A row for each bin of probabilities that holds some, by condition, share and role."""
    for row in rows:
        for role, bins in zip(ROLES, row.bins):
            yield from (
                (row.condition, row.share, role, int(count), *means) for count, *means in bins.tolist() if count
            )


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([f"{value:.6g}" if isinstance(value, float) else value for value in row])
    return text.getvalue()


def show(rows: Iterable[Appraisal]) -> None:
    """Prints the figures."""
    shown = Table(
        title="On held-out levels in held-out looks",
        caption="cells that were not revealed; alike: those with a revealed look-alike, in brackets if nothing were "
        "revealed; nll in nats per cell; error: of calibration",
        box=box.SIMPLE_HEAD,
    )
    for column in ("dials", "revealed", "nll", "alike", "accuracy", "error"):
        shown.add_column(column, justify="left" if column == "dials" else "right", no_wrap=True)
    for row in rows:
        alike = f"{row.alike_nll:.4f} ({row.alike_blind:.4f})" if row.share else ""
        shown.add_row(
            row.condition, f"{row.share:.0%}", f"{row.nll:.4f}", alike, f"{row.accuracy:.4f}", f"{row.error:.4f}"
        )
    plain_console().print(shown)


def progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"))
    return Progress(*columns, TextColumn("{task.fields[loss]}"), TimeElapsedColumn(), TimeRemainingColumn())
