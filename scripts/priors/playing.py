"""Does what is missing of the experiment, in parallel: lives in the order of the plan, and what they need raised first.

A raising is one job of one process, so the others go on with the lives of players that are raised already.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from priorlab.agents.priors.settings import RaiseSettings
from priorlab.envs.base.files import read_json
from priorlab.envs.base.locks import held
from priorlab.envs.base.provenance import software
from priorlab.envs.base.workers import stop_at_once, worker_pool
from priorlab.envs.results.rows import check_same
from priorlab.scripts.priors.fixed import SHIPPED, Fixed, check_settings
from priorlab.scripts.priors.lived import SHOWN, Job, Lived, Raised, lived, one_thread, raised, raised_in
from priorlab.scripts.priors.plan import Chosen, Life, drawing_of, planned, seed_of
from priorlab.scripts.priors.raised import CONFIG, WEIGHTS, config_of
from priorlab.scripts.priors.sealed import (
    COLUMNS,
    PERCEPTION,
    RAISED,
    SOFTWARE,
    SealedTable,
    Table,
    lines_of,
    read_rows,
    text_of,
)
from priorlab.scripts.running.side_by_side import ALL, KILLED, deaf_to_interrupts, on_one_thread_each

SIGHT = tuple(COLUMNS[PERCEPTION])[:5]  # columns that name what was perceived: player to drawing


class Named(NamedTuple):
    """A raised player: the name of a raising, and its seed."""

    player: str
    seed: int

    def __str__(self) -> str:
        return f"{self.player}, seed {self.seed}"


@dataclass(frozen=True)
class Where:
    """The folder of rows, and that of raised players; the file of `full`, seed 0, whose hash was fixed; the commit
    that rows name."""

    rows: Path
    raised: Path
    shipped: Path
    commit: str

    def folder(self, named: Named) -> Path:
        return self.raised / named.player / f"seed_{named.seed}"


@dataclass
class Weights:
    """Weights of raised players, the files and their SHA-256, and those that are being raised, or could not be."""

    fixed: Fixed
    where: Where
    table: Table
    recorded: dict[Named, str] = field(default_factory=dict)
    ready: dict[Named, tuple[Path, str]] = field(default_factory=dict)
    out_of_reach: set[Named] = field(default_factory=set)

    def needed(self, life: Life) -> Named | None:
        """The raised player whose weights a life needs."""
        player = self.fixed.players[life.player]
        return Named(player.raising, life.seed) if player.learned else None

    def settings(self, named: Named) -> RaiseSettings:
        return self.fixed.players[named.player].raise_settings(named.seed, self.where.folder(named))

    def look_up(self, named: Named, again: bool = False) -> Path | None:
        """Notes what is raised already. ValueError for settings other than those fixed, or weights other than those
        recorded; with ``again`` such weights are put aside, as ``Work`` does with a player that it raised again, and
        their folder is returned."""
        if named.seed == 0 and self.fixed.players[named.player].kind == SHIPPED:
            pictures = self.settings(named).pictures
            self.add(named, Raised(pictures, math.nan, math.nan, self.fixed.weights), self.where.shipped)
        elif (self.where.folder(named) / WEIGHTS).exists():
            folder, settings = self.where.folder(named), self.settings(named)
            check_same(read_json(folder / CONFIG), config_of(settings), folder)
            found = raised_in(folder)
            if again and found.digest != self.recorded.get(named, found.digest):
                return self.put_aside(named, found)
            self.add(named, found, folder / WEIGHTS)
        return None

    def others(self, named: Named) -> list[Path]:
        """Folders of the other players that came out when a recorded one was raised again."""
        folder = self.where.folder(named)
        return list(folder.parent.glob(f"{folder.name}-*"))

    def put_aside(self, named: Named, found: Raised) -> Path:
        """Moves a player that differs from the recorded one to a folder of its own, and returns that folder.
        FileExistsError, one line, where that folder exists."""
        folder = self.where.folder(named)
        aside = folder.with_name(f"{folder.name}-{found.digest[:SHOWN]}")
        if aside.exists():
            raise FileExistsError(f"{folder} and {aside} hold the same player: expected one of them")
        return folder.rename(aside)

    def add(self, named: Named, found: Raised, path: Path) -> None:
        before = self.recorded.get(named)
        if before is None:
            numbers = ("" if math.isnan(each) else f"{each:.6g}" for each in (found.seconds, found.loss))
            self.table.append((*named, found.pictures, *numbers, found.digest))
            self.recorded[named] = found.digest
        elif before != found.digest:
            raise ValueError(
                f"{path}: its SHA-256 begins with {found.digest[:12]}, that of {named} in {self.where.rows / RAISED} "
                f"with {before[:12]}: it was raised on another machine; expected a copy of that machine's file, or a "
                "new --out"
            )
        self.ready[named] = path.resolve(), found.digest


def play(
    fixed: Fixed,
    where: Where,
    chosen: Chosen,
    console: Console,
    workers: int = 2,
    minutes: float = math.inf,
    again: bool = False,
    pool: Callable[[int], Executor] | None = None,
) -> list[str]:
    """Does what is chosen and missing, appending rows as lives end; starts no job after so many minutes. ``again``:
    raises recorded players whose files are missing once more.

    Returns a line for each job that failed. ValueError, before anything runs, for rows or weights that are not as
    recorded; ChildProcessError where one of the processes is killed.
    """
    check_settings(where.rows, fixed)
    where.rows.mkdir(parents=True, exist_ok=True)
    taken = f"{where.rows}: another process plays this experiment: expected one"
    with (
        held(where.rows / "lives.lock", taken),
        closing(SealedTable(where.rows, fixed.hash)) as lives,
        closing(Table(where.rows / RAISED)) as table,
    ):
        seen = {tuple(row[name] for name in SIGHT) for row in lives.rows}
        done = {life_of(row) for row in lives.rows}
        missing = [life for life in planned(fixed, chosen) if life not in done]
        weights = Weights(fixed, where, table, recorded_weights(where.rows / RAISED))
        check_raised(weights, lives.rows)
        record_software(where)
        for named in dict.fromkeys(filter(None, map(weights.needed, missing))):
            if aside := weights.look_up(named, again):
                console.print(f"{named}: not the recorded player; moved to {aside}", soft_wrap=True)
        begun = Table(where.rows / PERCEPTION, lambda line: tuple(line.split(",")[:5]) in seen)
        with closing(begun) as perception, (pool or processes)(workers) as executor:
            work = Work(weights, missing, lives, perception, seen, console, time.time() + 60 * minutes, again)
            work.run(executor, workers, len(done))
    return work.failed


def life_of(row: dict[str, str]) -> Life:
    """What names the life of a row."""
    return Life(row["player"], int(row["seed"]), row["place"], row["version"], int(row["life"]))


def check_raised(weights: Weights, rows: Iterable[dict[str, str]]) -> None:
    """Raises ValueError, one line, where sealed lives name other weights than the table of raised players, or it does
    not hold them."""
    for row in rows:
        if named := weights.needed(life_of(row)):
            recorded = weights.recorded.get(named, "")
            if not (recorded and recorded.startswith(row["weights"])):
                raise ValueError(
                    f"{weights.where.rows / RAISED}: {named} has the weights {recorded[:SHOWN] or '(no row)'}, and a "
                    f"sealed life {row['weights']}: expected the table as it was written"
                )


def record_software(where: Where) -> None:
    """Notes once what software a commit was run with."""
    with closing(Table(where.rows / SOFTWARE)) as table:
        row = where.commit[:SHOWN], "; ".join(f"{name} {version}" for name, version in software().items())
        if text_of(row) not in lines_of(where.rows / SOFTWARE):
            table.append(row)


def recorded_weights(path: Path) -> dict[Named, str]:
    """The SHA-256 of the weights of each raised player. ValueError, one line, for a damaged table."""
    rows = read_rows(path)
    return {Named(name, int(seed)): sha for name, seed, sha in zip(rows["player"], rows["seed"], rows["weights"])}


@dataclass
class Work:
    """Jobs on their way. ``missing``: lives that wait, in order; ``seen``: the first columns of the rows of perception;
    ``until``: when the last job starts, in seconds since the epoch; ``again``: recorded players are raised again."""

    weights: Weights
    missing: list[Life]
    lives: SealedTable
    perception: Table
    seen: set[tuple[str, ...]]
    console: Console
    until: float
    again: bool
    failed: list[str] = field(default_factory=list)
    running: dict[Future, Life | Named] = field(default_factory=dict)

    def run(self, pool: Executor, workers: int, done: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = TimeElapsedColumn(), TimeRemainingColumn()
        with Progress(*columns, *times, console=self.console, transient=True, speed_estimate_period=ALL) as bars:
            bar = bars.add_task("lives", total=len(self.missing))
            if done:
                self.console.print(f"{done:,} lives are already recorded.")
            try:
                self.fill(pool, workers)
                while self.running:
                    for future in wait(self.running, return_when=FIRST_COMPLETED).done:
                        name = self.running.pop(future)
                        self.record(name, future)
                        bars.advance(bar, isinstance(name, Life))
                    self.fill(pool, workers)
                if self.missing:
                    self.console.print(f"{len(self.missing):,} lives are left; the same command goes on with them.")
            except BrokenExecutor:
                stop_at_once(pool)
                raise ChildProcessError(KILLED) from None
            except BaseException:
                stop_at_once(pool)
                raise

    def fill(self, pool: Executor, workers: int) -> None:
        """Starts jobs until all processes are busy."""
        while len(self.running) < workers and time.time() < self.until and (name := self.next()):
            with on_one_thread_each(), deaf_to_interrupts():
                if isinstance(name, Life):
                    self.running[pool.submit(lived, self.job(name))] = name
                else:
                    self.console.print(f"raising {name}")
                    self.running[pool.submit(raised, self.weights.settings(name), self.until)] = name

    def next(self) -> Life | Named | None:
        """The first life that can be lived, or what must be raised for the first that can't be.

        What was raised before is not raised again unasked, as another kind of processor raises another player.
        """
        weights = self.weights
        for i, life in enumerate(self.missing):
            named = weights.needed(life)
            if named is None or named in weights.ready:
                return self.missing.pop(i)
            if named not in weights.out_of_reach:
                weights.out_of_reach.add(named)
                others = weights.others(named)
                if named not in weights.recorded or (self.again and not others):
                    return named
                path = weights.where.folder(named) / WEIGHTS
                ways = f"here it is another player, {others[0]}" if others else "or for --raise-again"
                self.console.print(f"{named}: raised before, elsewhere; its lives wait for a copy of {path} ({ways})")
        return None

    def job(self, life: Life) -> Job:
        fixed, named = self.weights.fixed, self.weights.needed(life)
        player = fixed.players[life.player]
        path, digest = self.weights.ready[named] if named else (None, "")
        drawing = drawing_of(fixed, life)
        seen = (life.player, str(life.seed), life.place, life.version, str(drawing)) in self.seen
        plays = player.player_settings() if player.plays else None
        seed, commit = seed_of(fixed, life), self.weights.where.commit
        return Job(life, player.kind, seed, drawing, fixed.limit, plays, path, digest, seen, commit)

    def record(self, name: Life | Named, future: Future) -> None:
        """Writes the rows of a job that ended: what was perceived first, so that a life that is recorded is whole."""
        try:
            result: Lived | Raised | None = future.result()
        except BrokenExecutor:  # a process was killed
            raise
        except Exception as error:  # whatever fails, the others go on
            self.fail(name, error)
            return
        if isinstance(result, Lived):
            place = tuple(map(str, result.perceived[0][:5])) if result.perceived else None
            if place and place not in self.seen:  # another process may have seen it at the same time
                self.perception.append(*result.perceived)
                self.seen.add(place)
            self.lives.seal(result.row)
        elif isinstance(name, Named) and result is not None:
            try:
                self.weights.add(name, result, self.weights.where.folder(name) / WEIGHTS)
                self.console.print(f"raised {name}, in {result.seconds:.0f} s of processor")
            except ValueError as error:  # raised again, it is another player
                self.fail(name, f"{error}; moved to {self.weights.put_aside(name, result)}")

    def fail(self, name: Life | Named, error: Exception | str) -> None:
        what = ", ".join(map(str, name)) if isinstance(name, Life) else str(name)
        self.failed.append(f"{what}: {' '.join(str(error).split()) or type(error).__name__}")
        self.console.print(f"failed  {self.failed[-1]}", soft_wrap=True)


def processes(workers: int) -> ProcessPoolExecutor:
    """Processes that compute on one thread each."""
    return worker_pool(workers, one_thread)


def summary(fixed: Fixed, lives: pd.DataFrame) -> list[tuple[str, int, int, int]]:
    """(player, lives recorded, planned, and won) of each player."""
    total = Counter(life.player for life in planned(fixed))
    recorded, won = Counter(lives["player"]), Counter(lives["player"][lives["solved"]])
    return [(name, recorded[name], total[name], won[name]) for name in fixed.players]
