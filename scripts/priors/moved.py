"""A folder of a learned movement: its configuration, the movement, and how accurate it is."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from priorlab.agents.priors.movement import load_movement, save_movement
from priorlab.agents.priors.moving import CHECKPOINT, Score, learn_movement, scored
from priorlab.agents.priors.settings import MovementSettings
from priorlab.envs.base.files import write_whole
from priorlab.scripts.console import plain_console
from priorlab.scripts.priors.raised import prepared, progress_bar, table

MOVEMENT, ACCURACY = "movement.safetensors", "accuracy.csv"


def learn_and_score(settings: MovementSettings) -> None:
    """Learns the movement of the settings in their folder, or what is missing of it, and prints how accurate it is.

    ValueError, before anything is written, for a folder that holds another movement or a finished one.
    """
    folder, config = settings.folder, settings.config()
    if (folder / ACCURACY).exists():
        raise ValueError(f"{folder} holds a movement that is learned: expected a new folder")
    with prepared(folder, config, "learns this movement"):
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
    shown = Table(title="Correct predictions on held-out levels", box=box.SIMPLE_HEAD)
    for column in ("levels", "event", "inputs", "right"):
        shown.add_column(column, justify="right" if column in ("inputs", "right") else "left", no_wrap=True)
    for row in rows:
        shown.add_row(row.levels, row.event, f"{row.inputs:,}", f"{row.accuracy:.4%}")
    plain_console().print(shown)
