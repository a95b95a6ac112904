"""A folder of what was learned to act by: its configuration, progress, the network, and lives on held-out levels."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rich import box
from rich.table import Table

from priorlab.agents.priors.acting import save_acting
from priorlab.agents.priors.learning_to_act import CHECKPOINT, Learning, Progress
from priorlab.agents.priors.lives import live, on_rules
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.practice import KINDS
from priorlab.agents.priors.samples import World as Looks
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import ActSettings
from priorlab.agents.priors.weights import learned
from priorlab.envs.base.files import write_whole
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.console import plain_console
from priorlab.scripts.priors.raised import prepared, progress_bar, table

ACTING, PROGRESS, LIVES = "acting.safetensors", "progress.csv", "lives.csv"
APART, FIRST = 20, 3  # held-out levels 3, 23, 43, ... are for choices


class Lived(NamedTuple):
    """A life on a held-out level of that bank, on those rules, in a random look."""

    size: str
    rules: str
    number: int
    inputs: int
    solved: bool
    deaths: int


def learn_and_live(settings: ActSettings) -> None:
    """Learns to act as the settings say, or what is missing of it, and prints how players fare that act by it.

    ValueError, before anything is written, for a folder that holds other acting or a finished one.
    """
    folder, config = settings.folder, settings.config()
    if (folder / LIVES).exists():
        raise ValueError(f"{folder} holds acting that is learned: expected a new folder")
    with prepared(folder, config, "learns to act"):
        if not (folder / ACTING).exists():
            learn(settings)
        rows = []
        with progress_bar() as bar:
            task = bar.add_task("lives", total=len(KINDS) * settings.held_out_levels, loss="")
            for row in lives(settings):
                rows.append(row)
                bar.advance(task)
        write_whole(folder / LIVES, table(Lived._fields, rows))
    show(rows)
    plain_console().print(f"The network: {(folder / ACTING).resolve()}", soft_wrap=True)


def learn(settings: ActSettings) -> None:
    """Writes the network and the progress, and deletes the checkpoint."""
    folder = settings.folder
    learning = Learning(settings, learned(), folder)
    with progress_bar() as bar:
        task = bar.add_task("decisions", total=settings.decisions, loss="")

        def report(row: Progress) -> None:
            bar.update(task, completed=row.decisions, loss=f"{row.went:.1f} cells ahead per 100 inputs")

        network = learning.run(report)
    write_whole(folder / PROGRESS, table(Progress._fields, learning.rows))
    save_acting(network, folder / ACTING, {"settings": settings.config()})
    (folder / CHECKPOINT).unlink(missing_ok=True)


def lives(settings: ActSettings) -> Iterator[Lived]:
    """A life on each held-out level, by pictures, with the perception that comes with the package."""
    player, perceive = PlayerSettings(acting=settings.folder / ACTING), learned()
    for k, (size, rules) in enumerate(KINDS):
        bank, looks = Bank.read("held_out", size), Looks("held_out")
        for i in range(settings.held_out_levels):
            number = (FIRST + APART * i) % len(bank)
            scenery = Scenery(
                on_rules(bank[number].level, rules),
                looks=looks.dials(np.random.default_rng([k, number])),
                look_seed=number,
            )
            life = live(scenery, perceive, player, seed=number, limit=settings.held_out_limit)
            yield Lived(size, rules, number, len(life.inputs), life.solved, life.deaths)


def show(rows: Sequence[Lived]) -> None:
    """Prints the figures."""
    shown = Table(title="Lives on held-out levels, in random looks", box=box.SIMPLE_HEAD)
    for column in ("levels", "rules", "lives", "solved", "mean inputs", "deaths"):
        shown.add_column(column, justify="left" if column in ("levels", "rules") else "right", no_wrap=True)
    for kind in KINDS:
        own = [row for row in rows if (row.size, row.rules) == kind]
        inputs, deaths = (sum(getattr(row, name) for row in own) / len(own) for name in ("inputs", "deaths"))
        solved = sum(row.solved for row in own)
        shown.add_row(*kind, f"{len(own)}", f"{solved}", f"{inputs:,.0f}", f"{deaths:.1f}")
    plain_console().print(shown)
