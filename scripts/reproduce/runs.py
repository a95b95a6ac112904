"""What `priorlab reproduce` trains, in which order, and the rows that it keeps.

Runs train in ``OUT/runs/<game>/<version>/<method>/seed_<n>/``, which git ignores; the rows of those that are finished
are kept in ``OUT/<game>/`` (``priorlab.envs.results.archive``), which belongs into the repository.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from priorlab.agents.settings import Settings
from priorlab.envs.game.versions import find_version, looks
from priorlab.envs.game.versions import versions as versions_of
from priorlab.envs.results.archive import Archive, settings_of
from priorlab.envs.results.load import load
from priorlab.scripts.analysis.bounds import bounds_of
from priorlab.scripts.analysis.efficiency import learners_of
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.analysis.statistics import played
from priorlab.scripts.reproduce.page import write_reproduction
from priorlab.scripts.reproduce.readme import Part
from priorlab.scripts.running.runner import Run, check_folders

AGENTS: dict[str, dict[str, Any]] = {  # what differs from the defaults; none is told more than players see
    "icm": {"curiosity": "icm"},
    "counts": {"curiosity": "counts"},
    "rnd": {"curiosity": "rnd"},
    "dqn": {"agent": "dqn"},
    "random": {"agent": "random"},
}
GAMES: dict[str, dict[str, Any]] = {  # and by game; inputs are the budget of a run
    "princess": {"inputs": 100_000},
    "key_door": {"inputs": 1_000_000, "max_inputs": 6000},
}
ON_DEVICE: dict[str, dict[str, Any]] = {  # the same with thousands of games on a card
    "princess": {"inputs": 10_000_000, "num_games": 1024},
    "key_door": {"inputs": 100_000_000, "num_games": 1024, "max_inputs": 6000},
}
STAYING = ("icm", "counts", "random")  # agents that can do that
SEEDS, QUICK_SEEDS = 10, 1
QUICK_VERSIONS, QUICK_INPUTS = ("original", "masked_similarity"), 25_000


@dataclass(frozen=True)
class Request:
    """What is wanted. Raises ValueError, in one line, for what there is not."""

    game: str = "princess"
    """princess or key_door"""
    agents: tuple[str, ...] = ()
    """icm, counts, rnd, dqn, random (default: all; on_device: icm counts random)"""
    versions: tuple[str, ...] = ()
    """versions of the game (default: all that differ in looks alone; quick: original masked_similarity)"""
    seeds: int | None = None
    """runs of each agent on each version (default: 10; quick: 1)"""
    inputs: int | None = None
    """raw inputs of a run (default: 100,000 in Princess, 1,000,000 in Key and Door; quick: 25,000; on_device:
    10,000,000 and 100,000,000)"""
    quick: bool = False
    """a small one, in a folder of its own, to see what it is like"""
    on_device: bool = False
    """millions of inputs, on a card: learners' 1,024 games side by side, which never leave it"""
    out: Path | None = None
    """folder of rows and report (default: results/reproduce; quick: runs/reproduce-quick; on_device:
    results/reproduce-on-device)"""
    merge: tuple[Path, ...] = ()
    """such folders from other machines, whose rows are added"""
    workers: int = 2
    """runs trained side by side, a processor core each"""
    hours: float = float("inf")
    """after so many no more runs are started"""
    report_only: bool = False
    """train nothing; report what there is"""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("game", self.game, GAMES),
            *(("agent", name, AGENTS) for name in self.agents),
        ):
            if name not in known:
                raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}")
        for name in ("seeds", "inputs", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}: expected 1 or more")
        for agent in self.agents if self.on_device else ():
            if agent not in STAYING:
                raise ValueError(f"agent {agent}: expected one of {', '.join(STAYING)} with on_device")
        if self.quick and self.on_device:
            raise ValueError("quick and on_device: expected one of them, as so many games need more inputs")
        if self.hours < 0:
            raise ValueError(f"hours is {self.hours:g}: expected 0 or more")

    @property
    def folder(self) -> Path:
        name = "reproduce-on-device" if self.on_device else "reproduce"
        return self.out or (Path("runs") / "reproduce-quick" if self.quick else Path("results") / name)

    def plan(self) -> list[Run]:
        """All runs, seed by seed over all versions and agents.

        Raises ValueError where a folder holds a run with other settings, and for an unknown version.
        """
        versions = [find_version(self.game, name).name for name in self.versions]
        versions = versions or list(QUICK_VERSIONS if self.quick else looks(self.game))
        told: dict[str, Any] = {**(ON_DEVICE if self.on_device else GAMES)[self.game], "game": self.game}
        if self.inputs or self.quick:
            told["inputs"] = self.inputs or QUICK_INPUTS
        runs = []
        for seed in range(self.seeds or (QUICK_SEEDS if self.quick else SEEDS)):
            for version in versions:
                for agent in self.agents or (STAYING if self.on_device else AGENTS):
                    settings = {**told, **AGENTS[agent], "version": version, "seed": seed}
                    settings |= {"on_device": True} if self.on_device and agent != "random" else {}
                    folder = self.folder / "runs" / self.game / version / Settings(**settings).method / f"seed_{seed}"
                    runs.append(Run(Settings(**settings, out=folder, evaluation_episodes=0, progress=False)))
        check_folders(runs)
        return runs


def keep(out: Path, game: str, others: Sequence[Path] = ()) -> tuple[Archive, list[str]]:
    """The rows in ``out`` of a game, with those added, and written, of runs that have finished since and of other
    machines' folders; and a line on each run that was left out.

    Raises ValueError where a run has other settings than those that are kept.
    """
    problems: list[str] = []
    kept = before = newly_told(Archive.read(out / game), game)
    if (out / "runs" / game).is_dir():
        results = load(out / "runs" / game)
        problems += results.problems
        finished = newly_told(Archive.of(results, but=kept.keys()), game)
        kept = kept.joined(finished, out / "runs" / game, problems)
    for other in others:
        if not (other / game / "runs.csv").exists():
            raise ValueError(f"{other}: no {game}/runs.csv: expected a folder that `priorlab reproduce` wrote")
        kept = kept.joined(newly_told(Archive.read(other / game), game), other / game, problems)
    if kept is not before:
        kept.write(out / game)
    return kept, problems


def newly_told(rows: Archive, game: str) -> Archive:
    """The rows, where a setting that is younger than they are is taken to have been its default."""
    defaults = {setting.name: setting.default for setting in fields(Settings)}
    settings = dict(rows.settings)
    for told in AGENTS.values():
        now = Settings(**{**GAMES[game], **told, "game": game})
        own = settings.get(now.method)
        if own is not None:
            new = {name: value for name, value in settings_of(now.config()).items() if name not in own}
            more = {name: value for name, value in new.items() if name in defaults and value == defaults[name]}
            settings[now.method] = {**more, **own}
    return replace(rows, settings=settings)


def missing(runs: Sequence[Run], kept: Archive, where: Path) -> list[Run]:
    """The runs whose rows are not kept yet; ValueError where rows of the same method are of other settings."""
    for run in runs:
        kept.check(run.method, run.settings.config(), where)
    have = kept.keys()
    return [run for run in runs if (run.settings.version, run.method, run.settings.seed) not in have]


def report(out: Path, problems: Sequence[str] = (), quick: bool = False) -> Path:
    """Writes the report of all games whose rows are kept in ``out``."""
    return write_reproduction(out, parts_of(out), problems, quick)


def parts_of(out: Path) -> list[Part]:
    """What the report says of each game whose rows are kept in ``out``."""
    parts = []
    for game in GAMES:
        kept = Archive.read(out / game)
        runs = tuple(played(kept.results(out / game)))
        if runs:
            here = {run.version for run in runs}
            names = tuple(name for name in versions_of(game) if name in here)
            section = Section(game, runs[0].level, names, runs)
            bounds = bounds_of(runs, out / game / "bounds.json")
            parts.append(Part(section, learners_of(section), bounds, command_of(section)))
    return parts


def command_of(section: Section) -> str:
    """Which asks for the runs that are shown."""
    methods = {run.method for run in section.runs}
    agents = [name for name, told in AGENTS.items() if Settings(**told).method in methods]
    words = ["priorlab reproduce --game", section.game]
    words += ["--agents", *agents] if len(agents) < len(AGENTS) else []
    words += ["--versions", *section.versions] if list(section.versions) != looks(section.game) else []
    many = ON_DEVICE[section.game]["num_games"]
    words += ["--on-device"] if any(run.settings["num_games"] == many for run in section.runs) else []
    words += ["--seeds", str(1 + max(int(run.seed) for run in section.runs))]
    return " ".join([*words, "--inputs", str(max(run.settings["inputs"] for run in section.runs))])
