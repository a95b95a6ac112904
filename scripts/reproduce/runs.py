"""The runs of `priorlab reproduce`: their order, and the rows that are kept.

Runs train in ``OUT/runs/<game>/<version>/<method>/seed_<n>/``, which git ignores; the rows of finished runs are kept in
``OUT/<game>/`` (``priorlab.envs.results.archive``), which belongs in the repository.
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
from priorlab.scripts.checks import check_counts
from priorlab.scripts.reproduce.page import write_reproduction
from priorlab.scripts.reproduce.readme import Part
from priorlab.scripts.running.budgets import BUDGETS
from priorlab.scripts.running.runner import Run, check_folders

AGENTS: dict[str, dict[str, Any]] = {  # what differs from the defaults; no agent gets more than players see
    "icm": {"curiosity": "icm"},
    "counts": {"curiosity": "counts"},
    "rnd": {"curiosity": "rnd"},
    "dqn": {"agent": "dqn"},
    "random": {"agent": "random"},
}
ON_DEVICE: dict[str, dict[str, Any]] = {  # the budgets with thousands of games on a GPU
    "princess": {"inputs": 10_000_000, "num_games": 1024},
    "key_door": {"inputs": 100_000_000, "num_games": 1024, "max_inputs": 6000},
}
ON_DEVICE_AGENTS = ("icm", "counts", "random")
SEEDS, QUICK_SEEDS = 10, 1
QUICK_VERSIONS, QUICK_INPUTS = ("original", "masked_similarity"), 25_000


@dataclass(frozen=True)
class Request:
    """The command's settings. Raises ValueError, in one line, for values that don't exist."""

    game: str = "princess"
    """princess or key_door"""
    agents: tuple[str, ...] = ()
    """agents to train: icm, counts, rnd, dqn, random (default: all; on_device: icm counts random)"""
    versions: tuple[str, ...] = ()
    """versions of the game (default: all that change only the look; quick: original masked_similarity)"""
    seeds: int | None = None
    """runs of each agent on each version (default: 10; quick: 1)"""
    inputs: int | None = None
    """raw inputs per run (default: 100,000 in Princess, 1 million in Key and Door; quick: 25,000; on_device:
    10 million and 100 million)"""
    quick: bool = False
    """run a small version in a separate folder, as a demonstration"""
    on_device: bool = False
    """train for millions of inputs on a GPU, where all 1,024 games of a learner stay"""
    out: Path | None = None
    """folder for rows and report (default: results/reproduce; quick: runs/reproduce-quick; on_device:
    results/reproduce-on-device)"""
    merge: tuple[Path, ...] = ()
    """add the rows of these folders, written on other machines"""
    workers: int = 2
    """runs trained in parallel, one CPU core each"""
    hours: float = float("inf")
    """start no further run after this many hours"""
    report_only: bool = False
    """train nothing; only report existing rows"""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("game", self.game, BUDGETS),
            *(("agent", name, AGENTS) for name in self.agents),
        ):
            if name not in known:
                raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}")
        check_counts(seeds=self.seeds, inputs=self.inputs, workers=self.workers)
        for agent in self.agents if self.on_device else ():
            if agent not in ON_DEVICE_AGENTS:
                raise ValueError(f"with on_device, agents must be among {', '.join(ON_DEVICE_AGENTS)}, got {agent}")
        if self.quick and self.on_device:
            raise ValueError("quick and on_device exclude each other: so many games need more inputs")
        if self.hours < 0:
            raise ValueError(f"hours must be at least 0, got {self.hours:g}")

    @property
    def folder(self) -> Path:
        name = "reproduce-on-device" if self.on_device else "reproduce"
        return self.out or (Path("runs") / "reproduce-quick" if self.quick else Path("results") / name)

    def plan(self) -> list[Run]:
        """All runs, one seed after another; each seed goes over all versions and agents.

        Raises ValueError if a folder holds a run with other settings, and for an unknown version.
        """
        versions = [find_version(self.game, name).name for name in self.versions]
        versions = versions or list(QUICK_VERSIONS if self.quick else looks(self.game))
        shared: dict[str, Any] = {**(ON_DEVICE if self.on_device else BUDGETS)[self.game], "game": self.game}
        if self.inputs or self.quick:
            shared["inputs"] = self.inputs or QUICK_INPUTS
        runs = []
        for seed in range(self.seeds or (QUICK_SEEDS if self.quick else SEEDS)):
            for version in versions:
                for agent in self.agents or (ON_DEVICE_AGENTS if self.on_device else AGENTS):
                    settings = {**shared, **AGENTS[agent], "version": version, "seed": seed}
                    settings |= {"on_device": True} if self.on_device and agent != "random" else {}
                    folder = self.folder / "runs" / self.game / version / Settings(**settings).method / f"seed_{seed}"
                    runs.append(Run(Settings(**settings, out=folder, evaluation_episodes=0, progress=False)))
        check_folders(runs)
        return runs


def keep(out: Path, game: str, others: Sequence[Path] = ()) -> tuple[Archive, list[str]]:
    """Adds the rows of newly finished runs, and of other machines' folders, to those of a game in ``out``.

    Returns all rows, and one line per run that was left out. Raises ValueError if a run's settings differ from those
    of the rows.
    """
    problems: list[str] = []
    kept = before = with_new_defaults(Archive.read(out / game), game)
    if (out / "runs" / game).is_dir():
        results = load(out / "runs" / game)
        problems += results.problems
        finished = with_new_defaults(Archive.of(results, but=kept.keys()), game)
        kept = kept.joined(finished, out / "runs" / game, problems)
    for other in others:
        if not (other / game / "runs.csv").exists():
            raise ValueError(f"{other}: no {game}/runs.csv: expected a folder that `priorlab reproduce` wrote")
        kept = kept.joined(with_new_defaults(Archive.read(other / game), game), other / game, problems)
    if kept is not before:
        kept.write(out / game)
    return kept, problems


def with_new_defaults(rows: Archive, game: str) -> Archive:
    """The rows with every setting that is newer than they are at its default."""
    defaults = {setting.name: setting.default for setting in fields(Settings)}
    settings = dict(rows.settings)
    for changed in AGENTS.values():
        now = Settings(**{**BUDGETS[game], **changed, "game": game})
        recorded = settings.get(now.method)
        if recorded is not None:
            new = {name: value for name, value in settings_of(now.config()).items() if name not in recorded}
            added = {name: value for name, value in new.items() if name in defaults and value == defaults[name]}
            settings[now.method] = {**added, **recorded}
    return replace(rows, settings=settings)


def missing(runs: Sequence[Run], kept: Archive, where: Path) -> list[Run]:
    """The runs without rows so far; ValueError if rows of the same method have other settings."""
    for run in runs:
        kept.check(run.method, run.settings.config(), where)
    have = kept.keys()
    return [run for run in runs if (run.settings.version, run.method, run.settings.seed) not in have]


def report(out: Path, problems: Sequence[str] = (), quick: bool = False) -> Path:
    """Writes the report on all games with rows in ``out``."""
    return write_reproduction(out, parts_of(out), problems, quick)


def parts_of(out: Path) -> list[Part]:
    """What the report shows of each game with rows in ``out``."""
    parts = []
    for game in BUDGETS:
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
    """The command that trains the runs of a section."""
    methods = {run.method for run in section.runs}
    agents = [name for name, changed in AGENTS.items() if Settings(**changed).method in methods]
    words = ["priorlab reproduce --game", section.game]
    words += ["--agents", *agents] if len(agents) < len(AGENTS) else []
    words += ["--versions", *section.versions] if list(section.versions) != looks(section.game) else []
    many = ON_DEVICE[section.game]["num_games"]
    words += ["--on-device"] if any(run.settings["num_games"] == many for run in section.runs) else []
    words += ["--seeds", str(1 + max(int(run.seed) for run in section.runs))]
    return " ".join([*words, "--inputs", str(max(run.settings["inputs"] for run in section.runs))])
