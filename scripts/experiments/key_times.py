"""Compares when keys were pressed with their times in the log: real X key events at random moments of the steps.

xvfb-run -s "-screen 0 1280x960x24" python -m priorlab.scripts.experiments.key_times
"""

import random
import subprocess
import tempfile
import time
from pathlib import Path
from threading import Thread

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from scipy.stats import kstest

from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.events import read_events
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.window.game_loop import keys_for, run
from priorlab.human_study.window.window import Window

GAP, HOLD = (0.1, 0.3), (0.03, 0.1)  # seconds between two presses, and for which a key is held: (least, most)
BEGUN = 1.0  # seconds until the game is on the screen
QUANTILES = (0.5, 0.95, 1.0)


def main(presses: int = 60, game: str = "princess", seed: int = 0) -> None:
    """Press the left arrow key with xdotool, and print how much later the log has it.

    Args:
        presses: number of presses
        game: the game, as in `priorlab play`
        seed: seed of the moments
    """
    with tempfile.TemporaryDirectory() as folder:
        report(*measure(ChosenGame(game), presses, Path(folder), seed))


def measure(game: ChosenGame, presses: int, folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray, float, int]:
    """When keys were pressed and when by the log, in ``time.perf_counter``; when a step was due; steps per second."""
    sent, path, began = drive(game, presses, folder, random.Random(seed))
    events = read_events(path).events
    logged = np.array([began + event["t"] for event in events if event["event"] == "key" and event["what"] == "down"])
    due = next(event["due"] for event in events if event["event"] == "step")
    assert len(logged) == len(sent), f"{len(sent)} presses, and {len(logged)} in the log"
    return np.array(sent), logged, began + due, game.rate


def drive(game: ChosenGame, presses: int, folder: Path, chance: random.Random) -> tuple[list[float], Path, float]:
    """When the key was pressed, in ``time.perf_counter``; the log; and the start of its times."""
    course = game.open()
    course.step(0)
    with Window(course.picture.shape[:2], keys_for(course)) as window:
        recorder = Recorder.create(folder)
        sent: list[float] = []
        course = recorder.begin(game, round(course.rate * (presses * (GAP[1] + HOLD[1]) + 60)))
        hands = Thread(target=press, args=(presses, sent, chance, window), daemon=True)
        hands.start()
        run(recorder, course, window)
        recorder.end("over")
        recorder.finish()
    return sent, recorder.path, recorder.log.began


def press(presses: int, sent: list[float], chance: random.Random, window: Window) -> None:
    with subprocess.Popen(["xdotool", "-"], stdin=subprocess.PIPE, text=True, bufsize=1) as hands:
        assert hands.stdin
        time.sleep(BEGUN)
        for _ in range(presses):
            time.sleep(chance.uniform(*GAP))
            hands.stdin.write("keydown Left\n")
            sent.append(time.perf_counter())
            time.sleep(chance.uniform(*HOLD))
            hands.stdin.write("keyup Left\n")
        time.sleep(BEGUN)
    window.closed = True


def report(sent: np.ndarray, logged: np.ndarray, due: float, rate: int) -> None:
    """Prints the comparison; ``due``: when any one of the steps was due."""
    console = Console()
    table = Table(title=f"{len(sent)} presses at {rate} steps per second")
    for name in ("", "median", "95 %", "maximum"):
        table.add_column(name, justify="right")
    late = 1000 * np.quantile(logged - sent, QUANTILES)
    table.add_row("ms from the press to its time in the log", *(f"{value:.2f}" for value in late))
    console.print(table)
    for name, times in (("pressed", sent), ("logged", logged)):
        places = ((times - due) * rate) % 1
        tenths = np.histogram(places, 10, (0, 1))[0].tolist()
        console.print(
            f"{name}: at {places.min():.3f} to {places.max():.3f} of a step, by tenths {tenths}; "
            f"uniform with p = {kstest(places, 'uniform').pvalue:.2g} (Kolmogorov-Smirnov)"
        )


if __name__ == "__main__":
    tyro.cli(main)
