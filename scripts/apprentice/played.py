"""What an apprentice plays at the end, and its rows."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich import box
from rich.table import Table

from priorlab.agents.apprentice.drawing import Drawn, draw
from priorlab.agents.apprentice.network import load_network
from priorlab.agents.apprentice.playing import Outcome, play_lives
from priorlab.agents.apprentice.settings import ApprenticeSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.weights import digest
from priorlab.envs.base.files import to_disk, whole_lines, write_whole
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version, games, versions
from priorlab.scripts.console import plain_console

PLAYS = "plays.csv"
SIZES = ("small", "large")
SHOWN = 16  # hexadecimal digits of the hash of the weights in a row
PLAY = 102  # sets the draws of these lives apart


class Life(NamedTuple):
    """A life at the end: ``where`` is the bank, or game and version; ``life`` its number there."""

    weights: str
    seed: int
    limit: int
    where: str
    life: int


class Planned(NamedTuple):
    """A life, its place, and the generator that goes on to draw its actions. ``level``: its number in the bank, empty
    in the study's games; ``dials``: of a random look, of a version's nothing."""

    life: Life
    scenery: Scenery
    level: str
    dials: tuple[str, ...]
    draws: np.random.Generator


COLUMNS = (*Life._fields, "level", "look_seed", *Drawn._fields[3:], *Outcome._fields)


def play_sets(settings: ApprenticeSettings, weights: Path, device: torch.device) -> None:
    """Plays the lives that are missing in plays.csv, set by set, and prints a summary of all.

    The rows of a set get to the disk together, so a set that was stopped is played again.
    """
    path, header = settings.folder / PLAYS, ",".join(COLUMNS)
    first, *lines = whole_lines(path).splitlines() or [header]
    if first != header:
        raise ValueError(f"{path}: its first line is {first[:80]!r}: expected {header!r}")
    write_whole(path, "".join(f"{line}\n" for line in [header, *lines]))
    done = {tuple(line.split(",")[: len(Life._fields)]): line for line in lines}
    network, shape, _ = load_network(weights)
    network.to(device)
    shown: list[str] = []
    for plan in planned_sets(settings, digest(weights)[:SHOWN]):
        missing = [each for each in plan if tuple(map(str, each.life)) not in done]
        if missing:
            places, draws = [each.scenery for each in missing], [each.draws for each in missing]
            outcomes = play_lives(network, shape, places, draws, settings.play_limit)
            rows = [row_of(each, outcome) for each, outcome in zip(missing, outcomes)]
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write("".join(f"{row}\n" for row in rows))
                to_disk(file)
            done |= {tuple(row.split(",")[: len(Life._fields)]): row for row in rows}
        shown += [done[tuple(map(str, each.life))] for each in plan]
    show(shown, settings)


def planned_sets(settings: ApprenticeSettings, weights: str) -> Iterator[list[Planned]]:
    """The lives of each set: levels of the banks, and the study's games where it does not play for development."""
    development = settings.on == "development"
    for size in settings.sizes:
        lives = [
            Life(weights, settings.seed, settings.play_limit, f"{settings.on}-{size}", life)
            for life in range(settings.plays)
        ]
        yield [in_a_bank(life, SIZES.index(size), development) for life in lives]
    for number, game in enumerate(() if development else games(), start=len(SIZES)):
        yield [
            in_a_version(
                Life(weights, settings.seed, settings.play_limit, f"{game} {version}", life), (number, kind),
                Scenery(Level.read(find_version(game, version).level), version, look_seed=life),
            )
            for kind, version in enumerate(versions(game))
            for life in range(settings.study_plays)
        ]  # fmt: skip


def in_a_bank(life: Life, number: int, development: bool) -> Planned:
    """``number``: of the bank's size."""
    draws = np.random.default_rng([life.seed, PLAY, number, life.life])
    drawn = draw(draws, "held_out", (SIZES[number],), development)
    return Planned(life, drawn.scenery(), str(drawn.number), tuple(f"{dial:.6g}" for dial in drawn[3:]), draws)


def in_a_version(life: Life, numbers: Sequence[int], scenery: Scenery) -> Planned:
    draws = np.random.default_rng([life.seed, PLAY, *numbers, life.life])
    return Planned(life, scenery, "", ("",) * len(Drawn._fields[3:]), draws)


def row_of(planned: Planned, outcome: Outcome) -> str:
    """As a line of CSV; no value holds a comma."""
    ended = outcome.inputs, int(outcome.solved), outcome.deaths, outcome.unique_states
    return ",".join(map(str, (*planned.life, planned.level, planned.scenery.look_seed, *planned.dials, *ended)))


def show(rows: Sequence[str], settings: ApprenticeSettings) -> None:
    """Prints, for each set and version, how many lives were won, the median of inputs and the mean of deaths."""
    by_place = defaultdict(list)
    for row in rows:
        values = dict(zip(COLUMNS, row.split(",")))
        by_place[values["where"]].append([int(values[name]) for name in ("solved", "inputs", "deaths")])
    caption = f"until the win, or {settings.play_limit:,} inputs; actions are sampled"
    shown = Table(title="Zero-shot lives", caption=caption, box=box.SIMPLE_HEAD)
    for column in ("where", "lives", "won", "median inputs", "mean deaths"):
        shown.add_column(column, justify="left" if column == "where" else "right", no_wrap=True)
    for where, lives in by_place.items():
        solved, inputs, deaths = np.array(lives).T
        words = f"{len(lives)}", f"{solved.mean():.0%}", f"{np.median(inputs):,.0f}", f"{deaths.mean():.1f}"
        shown.add_row(where, *words)
    plain_console().print(shown)
