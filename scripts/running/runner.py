"""Trains runs in parallel, each in a separate process; they can be stopped and resumed at any time."""

import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from priorlab import ROOT
from priorlab.agents.settings import Settings
from priorlab.envs.base.workers import start_follower
from priorlab.envs.results.rows import check_same, inputs_done, is_finished
from priorlab.scripts.running.side_by_side import ONE_THREAD

SECONDS = {  # per input, a guess until it is measured
    "ppo": 4e-4, "ppo-rnd": 1.3e-3, "ppo-icm": 2.2e-3, "dqn": 2.4e-3, "random": 3e-5,
}  # fmt: skip
OTHERS = 1e-3  # the same for all other methods
START = 4.0  # seconds until a process plays its first input
POLL = 0.5  # seconds
LOG_LINES = 8


@dataclass(eq=False)
class Run:
    """One training run in its folder. ``done``: raw inputs so far."""

    settings: Settings
    done: int = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.settings.folder.resolve()
        self.update()

    @property
    def name(self) -> str:
        settings = self.settings
        where = " ".join(filter(None, [settings.version.replace("_", " "), settings.level]))
        return f"{settings.method} · {where} · seed {settings.seed}"

    @property
    def method(self) -> str:
        return self.settings.method

    @property
    def inputs(self) -> int:
        return self.settings.inputs

    @property
    def log(self) -> Path:
        return self.folder / "train.log"

    def update(self) -> None:
        """Reads its progress from its folder."""
        self.done = self.inputs if is_finished(self.folder) else min(self.inputs, inputs_done(self.folder))

    def command(self) -> list[str]:
        """`priorlab train` with every setting that differs from its default."""
        words = []
        for setting in fields(Settings):
            value = self.folder if setting.name == "out" else getattr(self.settings, setting.name)
            if value == setting.default:
                continue
            name = setting.name.replace("_", "-")
            if isinstance(setting.default, bool):
                words.append(f"--{name}" if value else f"--no-{name}")
            else:
                words += [f"--{name}", str(value)]
        return [sys.executable, "-m", "priorlab", "train", *words]


def check_folders(runs: Sequence[Run]) -> None:
    """Raises ValueError if a folder holds rows of a run with other settings: they are never mixed."""
    for run in runs:
        config = run.folder / "config.json"
        if config.exists():
            check_same(json.loads(config.read_text(encoding="utf-8")), run.settings.config(), run.folder)


class Clock:
    """Estimates the remaining time from the cost of the inputs so far."""

    def __init__(self, workers: int):
        self.workers = workers
        self.inputs: Counter[str] = Counter()  # by method
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, method: str, inputs: int, seconds: float) -> None:
        self.inputs[method] += inputs
        self.seconds[method] += seconds

    def cost(self, method: str) -> float:
        """Seconds per input, starts included."""
        guess = SECONDS.get(method, OTHERS)
        enough = self.inputs[method] * guess > 2 * START
        return self.seconds[method] / self.inputs[method] if enough else guess

    def left(self, runs: Sequence[Run]) -> float:
        waiting = [
            (run.inputs - run.done) * self.cost(run.method) + START * (run.done == 0)
            for run in runs
            if run.done < run.inputs
        ]
        return max(sum(waiting) / self.workers, max(waiting, default=0.0))

    def share(self, runs: Sequence[Run]) -> float:
        """The share of the work that is done, by cost, from 0 to 1."""
        total = sum(run.inputs * self.cost(run.method) for run in runs)
        return sum(run.done * self.cost(run.method) for run in runs) / total if total else 1.0


def train(
    runs: Sequence[Run],
    workers: int,
    console: Console,
    command: Callable[[Run], list[str]] = Run.command,
    hours: float = float("inf"),
) -> list[Run]:
    """Trains the unfinished runs, ``workers`` at a time, and returns those that failed; Ctrl-C stops all of them.

    No run is started after this many ``hours``.
    """
    until = time.monotonic() + 3600 * hours
    waiting = [run for run in runs if not is_finished(run.folder)]
    if len(waiting) < len(runs):
        console.print(f"{len(runs) - len(waiting)} of {len(runs)} runs are already finished.")
    clock, failed = Clock(workers), []
    active: dict[Run, subprocess.Popen] = {}
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %  {task.fields[note]}"),
    )
    with ExitStack() as stack:
        bars = stack.enter_context(Progress(*columns, console=console, transient=True))
        stack.callback(stop, active)  # before the bars disappear, however the work ended
        total = bars.add_task("all runs", total=1.0, note="")
        lines = {}
        while active or (waiting and time.monotonic() < until):
            while waiting and len(active) < workers and time.monotonic() < until:
                run = waiting.pop(0)
                active[run] = start(run, command(run))
                lines[run] = bars.add_task(run.name, total=run.inputs, note="")
            began = time.monotonic()
            time.sleep(POLL)
            for run, process in list(active.items()):
                before, ended = run.done, process.poll() is not None
                run.update()
                clock.add(run.method, run.done - before, time.monotonic() - began)
                bars.update(lines[run], completed=run.done, note=f"{run.done:,} of {run.inputs:,} inputs")
                if ended:
                    active.pop(run).communicate()
                    bars.remove_task(lines.pop(run))
                    report_end(run, process.returncode, console, failed)
            left = clock.left([run for run in runs if run not in failed])
            bars.update(total, completed=clock.share(runs), note=f"about {duration(left)} left")
    if waiting:
        console.print(f"{len(waiting)} of {len(runs)} runs were not started: the {hours:g} hours are over.")
    return failed


def start(run: Run, command: list[str]) -> subprocess.Popen:
    """Starts the run's process, on one thread and in the root of this code; its output goes to the log."""
    run.folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **ONE_THREAD, "PYTHONUNBUFFERED": "1"}
    with run.log.open("ab") as log:
        return start_follower(command, environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def report_end(run: Run, code: int, console: Console, failed: list[Run]) -> None:
    """Prints a line for a finished run; for a failed one, also the last lines of its log."""
    if code == 0 and is_finished(run.folder):
        console.print(f"finished  {run.name}  {run.inputs:,} inputs", highlight=False)
        return
    failed.append(run)
    details = f"    {run.name}, exit code {code}; the end of {run.log}:"
    console.print(Text.assemble(("failed", "bold red"), details), soft_wrap=True)
    for line in run.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]:
        console.print(f"  {line}", markup=False, highlight=False)


def stop(active: dict[Run, subprocess.Popen]) -> None:
    """Ends all running processes; each run later resumes from its last checkpoint."""
    for process in active.values():
        process.terminate()
    for process in active.values():
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def duration(seconds: float) -> str:
    """A duration such as "3 min 20 s"."""
    minutes, rest = divmod(round(seconds / 5) * 5, 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{max(rest, 5)} s"
