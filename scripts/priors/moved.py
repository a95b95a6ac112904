"""A folder of a learned movement: its configuration, the movement, and how accurate it is."""

import json
from collections.abc import Sequence

from rich import box
from rich.table import Table

from priorlab.agents.priors.movement import load_movement, save_movement
from priorlab.agents.priors.moving import CHECKPOINT, Score, learn_movement, scored
from priorlab.agents.priors.settings import MovementSettings
from priorlab.envs.base.files import read_json, write_whole
from priorlab.envs.base.locks import held
from priorlab.envs.base.provenance import git_commit, software
from priorlab.envs.results.rows import check_same
from priorlab.scripts.console import plain_console
from priorlab.scripts.priors.raised import CONFIG, progress_bar, table

MOVEMENT, ACCURACY = "movement.safetensors", "accuracy.csv"


def learn_and_score(settings: MovementSettings) -> None:
    """Learns the movement of the settings in their folder, or what is missing of it, and prints how accurate it is.

    ValueError, before anything is written, for a folder that holds another movement or a finished one.
    """
    folder, config = settings.folder, settings.config()
    if (folder / ACCURACY).exists():
        raise ValueError(f"{folder} holds a movement that is learned: expected a new folder")
    if (folder / CONFIG).exists():
        check_same(read_json(folder / CONFIG), config, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / "run.lock", f"{folder}: another process learns this movement: expected one"):
        if not (folder / CONFIG).exists():
            described = {**config, "software": software(), "git_commit": git_commit()}
            write_whole(folder / CONFIG, json.dumps(described, indent=2) + "\n")
        if not (folder / MOVEMENT).exists():
            with progress_bar() as bar:
                task = bar.add_task("free play", total=settings.levels, loss="")
                movement = learn_movement(settings, folder, lambda levels: bar.update(task, completed=levels))
            save_movement(movement, folder / MOVEMENT, {"settings": config})
            (folder / CHECKPOINT).unlink(missing_ok=True)
        rows = scored(load_movement(folder / MOVEMENT), settings.held_out_levels)
        write_whole(folder / ACCURACY, table(Score._fields, rows))
    show(rows)
    plain_console().print(f"The movement: {(folder / MOVEMENT).resolve()}", soft_wrap=True)


def show(rows: Sequence[Score]) -> None:
    """Prints the figures."""
    shown = Table(title="What comes of an input on held-out levels, told right", box=box.SIMPLE_HEAD)
    for column in ("levels", "event", "inputs", "right"):
        shown.add_column(column, justify="right" if column in ("inputs", "right") else "left", no_wrap=True)
    for row in rows:
        shown.add_row(row.levels, row.event, f"{row.inputs:,}", f"{row.accuracy:.4%}")
    plain_console().print(shown)
