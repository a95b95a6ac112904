"""The comparison: agents trained on every version, each in its own process, stopped and resumed at will."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from agents.settings import Settings
from envs.results import check_same, inputs_done, is_finished

ROOT = Path(__file__).resolve().parents[2]
INPUTS = {  # raw inputs of a run, by size of the study and agent
    "study": {"ppo": 90_000, "random": 90_000},
    "study-quick": {"ppo": 30_000, "random": 30_000},
}
SEEDS = {"study": 3, "study-quick": 1}
SECONDS = {"ppo": 4e-4, "random": 3e-5}  # an input, guessed until some were measured
START = 4.0  # seconds until a process plays its first input
POLL = 0.5  # seconds
LOG_LINES = 8
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(eq=False)
class Run:
    """One agent on one version from one seed, in its folder."""

    agent: str
    version: str
    seed: int
    inputs: int
    folder: Path
    done: int = field(init=False)  # raw inputs so far

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.look()

    @property
    def name(self) -> str:
        return f"{self.agent} · {self.version.replace('_', ' ')} · seed {self.seed}"

    @property
    def log(self) -> Path:
        return self.folder / "train.log"

    def look(self) -> None:
        """Finds out how far it is."""
        self.done = self.inputs if is_finished(self.folder) else min(self.inputs, inputs_done(self.folder))

    def settings(self) -> Settings:
        agent = "ppo" if self.agent == "ppo" else "random"
        return Settings(agent, self.version, self.seed, self.inputs, self.folder, evaluation_episodes=0, progress=False)

    def command(self) -> list[str]:
        words = [
            "--agent",
            self.agent,
            "--version",
            self.version,
            "--seed",
            str(self.seed),
            "--inputs",
            str(self.inputs),
        ]
        words += ["--out", str(self.folder), "--evaluation-episodes", "0", "--no-progress"]
        return [sys.executable, "-m", "scripts.train", *words]


def plan(folder: Path, size: str, versions: Sequence[str], seeds: int) -> list[Run]:
    """The runs of a study, each version's first seed before any second.

    Raises ValueError where a folder holds rows of a run with other settings: they are never mixed.
    """
    runs = [
        Run(agent, version, seed, INPUTS[size][agent], folder / version / agent / f"seed_{seed}")
        for seed in range(seeds)
        for agent in INPUTS[size]
        for version in versions
    ]
    for run in runs:
        config = run.folder / "config.json"
        if config.exists():
            check_same(json.loads(config.read_text(encoding="utf-8")), run.settings().config(), run.folder)
    return runs


class Clock:
    """Estimates the time left from what inputs have cost so far."""

    def __init__(self, workers: int):
        self.workers = workers
        self.inputs = dict.fromkeys(SECONDS, 0)
        self.seconds = dict.fromkeys(SECONDS, 0.0)

    def add(self, agent: str, inputs: int, seconds: float) -> None:
        self.inputs[agent] += inputs
        self.seconds[agent] += seconds

    def cost(self, agent: str) -> float:
        """Seconds an input, its share of the starts included."""
        enough = self.inputs[agent] * SECONDS[agent] > 2 * START
        return self.seconds[agent] / self.inputs[agent] if enough else SECONDS[agent]

    def left(self, runs: Sequence[Run]) -> float:
        waiting = [
            (run.inputs - run.done) * self.cost(run.agent) + START * (run.done == 0)
            for run in runs
            if run.done < run.inputs
        ]
        return max(sum(waiting) / self.workers, max(waiting, default=0.0))

    def share(self, runs: Sequence[Run]) -> float:
        """Of the work that is done, by cost, 0 to 1."""
        whole = sum(run.inputs * self.cost(run.agent) for run in runs)
        return sum(run.done * self.cost(run.agent) for run in runs) / whole if whole else 1.0


def train(
    runs: Sequence[Run], workers: int, console: Console, command: Callable[[Run], list[str]] = Run.command
) -> list[Run]:
    """Trains what is not finished, ``workers`` at a time, and returns the runs that failed; Ctrl-C ends all of them."""
    waiting = [run for run in runs if not is_finished(run.folder)]
    if len(waiting) < len(runs):
        console.print(f"{len(runs) - len(waiting)} of {len(runs)} runs are finished already.")
    clock, failed = Clock(workers), []
    active: dict[Run, subprocess.Popen] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %  {task.fields[note]}"),
    )
    with ExitStack() as stack:
        bars = stack.enter_context(Progress(*columns, console=console, transient=True))
        stack.callback(stop, active)  # before the bars go, whatever ended the work
        whole = bars.add_task("all runs", total=1.0, note="")
        lines = {}
        while waiting or active:
            while waiting and len(active) < workers:
                run = waiting.pop(0)
                active[run] = start(run, command(run))
                lines[run] = bars.add_task(run.name, total=run.inputs, note="")
            began = time.monotonic()
            time.sleep(POLL)
            for run, process in list(active.items()):
                before, ended = run.done, process.poll() is not None
                run.look()
                clock.add(run.agent, run.done - before, time.monotonic() - began)
                bars.update(lines[run], completed=run.done, note=f"{run.done:,} of {run.inputs:,} inputs")
                if ended:
                    del active[run]
                    bars.remove_task(lines.pop(run))
                    report_end(run, process.returncode, console, failed)
            left = clock.left([run for run in runs if run not in failed])
            bars.update(whole, completed=clock.share(runs), note=f"about {duration(left)} left")
    return failed


def start(run: Run, command: list[str]) -> subprocess.Popen:
    """The run's own process, on one thread, from the root of this code, its words going to the log."""
    run.folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **dict.fromkeys(THREADS, "1"), "PYTHONUNBUFFERED": "1"}
    with run.log.open("ab") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )


def report_end(run: Run, code: int, console: Console, failed: list[Run]) -> None:
    """A line for a run that finished; for one that failed, the last lines of its log too."""
    if code == 0 and is_finished(run.folder):
        console.print(f"finished  {run.name}  {run.inputs:,} inputs", highlight=False)
        return
    failed.append(run)
    console.print(f"[bold red]failed[/]    {run.name}, exit code {code}; the end of {run.log}:", highlight=False)
    for line in run.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]:
        console.print(f"  {line}", markup=False, highlight=False)


def stop(active: dict[Run, subprocess.Popen]) -> None:
    """Ends what still runs; each goes on from its last checkpoint when it is started again."""
    for process in active.values():
        process.terminate()
    for process in active.values():
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def duration(seconds: float) -> str:
    """As "3 min 20 s"."""
    minutes, rest = divmod(round(seconds / 5) * 5, 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{max(rest, 5)} s"
