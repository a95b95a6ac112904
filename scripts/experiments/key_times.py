"""When keys were pressed, against when the log says so: real key events of X at random moments of the steps.

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

GAP, HOLD = (0.1, 0.3), (0.03, 0.1)  # seconds between two presses, and that a key is held, at least and at most
BEGUN = 1.0  # seconds until the game is on the screen
QUANTILES = (0.5, 0.95, 1.0)


def main(presses: int = 60, game: str = "princess", seed: int = 0) -> None:
    """Presses the left arrow key so often (xdotool) and prints how much later the log says that it went down.

    Args:
        presses: how often
        game: which game, as in `priorlab play`
        seed: of the moments
    """
    with tempfile.TemporaryDirectory() as folder:
        report(*measure(ChosenGame(game), presses, Path(folder), seed))


def measure(game: ChosenGame, presses: int, folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray, float, int]:
    """(when keys were pressed; when they were by the log, both by ``time.perf_counter``; when a step was due; steps a
    second)."""
    sent, path, began = drive(game, presses, folder, random.Random(seed))
    events = read_events(path).events
    logged = np.array([began + event["t"] for event in events if event["event"] == "key" and event["what"] == "down"])
    due = next(event["due"] for event in events if event["event"] == "step")
    assert len(logged) == len(sent), f"{len(sent)} presses, and {len(logged)} in the log"
    return np.array(sent), logged, began + due, game.rate


def drive(game: ChosenGame, presses: int, folder: Path, chance: random.Random) -> tuple[list[float], Path, float]:
    """(when the key was pressed, by ``time.perf_counter``; the log; when its times began)."""
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
    """``due`` is when any one of the steps was due."""
    console = Console()
    table = Table(title=f"{len(sent)} presses at {rate} steps a second")
    for name in ("", "median", "95 %", "most"):
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
