"""How punctual is a play in the window? When steps were taken and shown, compared with when they were due.

Opens a real window on the current display while another core is busy, presses keys in it, and then reads the log.
"""

import multiprocessing
import random
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from priorlab.envs.base.workers import leave_with_parent
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.sessions import read_session

PUNCTUAL = 0.005  # seconds
QUANTILES = (0.5, 0.9, 0.99, 0.999, 1.0)
HOLD = (0.05, 0.6)  # seconds for which a key is held: (least, most)


def main(minutes: float = 10.0, game: str = "princess", busy: int = 1, seed: int = 0) -> None:
    """Play for some minutes, and print how late steps were taken and shown.

    Args:
        minutes: duration of the session
        game: the game, as in `priorlab play`
        busy: number of processes that keep a core busy
        seed: seed of the keys
    """
    context = multiprocessing.get_context("spawn")
    load = [context.Process(target=burn, daemon=True) for _ in range(busy)]
    for process in load:
        process.start()
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = drive(ChosenGame(game), minutes, Path(folder), seed)
        finally:
            for process in load:
                process.terminate()
        report(path, busy)


def drive(game: ChosenGame, minutes: float, folder: Path, seed: int) -> Path:
    """The log of a play to its limit or its win, with random keys."""
    from priorlab.human_study.window.game_loop import play

    over = Event()
    hands = Thread(target=press_keys, args=(over, random.Random(seed)), daemon=True)
    hands.start()
    try:
        return play(game, minutes, folder)[0]
    finally:
        over.set()


def press_keys(over: Event, chance: random.Random) -> None:
    """Presses keys through the window's event queue: only the way from the keyboard to it is missing."""
    import pygame

    keys = (
        (pygame.K_LEFT, pygame.KSCAN_LEFT), (pygame.K_RIGHT, pygame.KSCAN_RIGHT), (pygame.K_UP, pygame.KSCAN_UP),
        (pygame.K_DOWN, pygame.KSCAN_DOWN), (pygame.K_SPACE, pygame.KSCAN_SPACE),
    )  # fmt: skip
    while not over.wait(chance.uniform(*HOLD)):
        key, scancode = chance.choice(keys)
        for kind in (pygame.KEYDOWN, pygame.KEYUP):
            if pygame.display.get_init():
                pygame.event.post(pygame.event.Event(kind, key=key, scancode=scancode))
            time.sleep(chance.uniform(*HOLD))


def burn() -> None:
    leave_with_parent()
    while True:
        pass


def report(path: Path, busy: int) -> None:
    (recorded,) = read_session(path)
    console = Console()
    due, done, shown = recorded.times.T
    step = 1 / recorded.play.inputs_per_second
    table = Table(title=f"{len(due):,} steps of {1000 * step:.1f} ms, {busy} busy processes")
    table.add_column("ms after due")
    for quantile in QUANTILES:
        table.add_column(f"{100 * quantile:g} %" if quantile < 1 else "maximum", justify="right")
    table.add_column("within 5 ms", justify="right")
    table.add_column("within one step", justify="right")
    for name, at in (("taken", done), ("shown", shown)):
        late = at - due
        shares = [f"{100 * float(np.mean(late <= limit)):.3f} %" for limit in (PUNCTUAL, step)]
        table.add_row(name, *[f"{1000 * float(np.quantile(late, q)):.2f}" for q in QUANTILES], *shares)
    console.print(table)
    about = recorded.about
    console.print(
        f"{about['late']} steps late by more than half a step or after a gap, {about['missed']} missed; "
        f"{about['display_driver']}, window {about['window']}, paused {about['paused_seconds']:.1f} s"
    )


if __name__ == "__main__":
    tyro.cli(main)
