"""How far a trained agent's network can shrink: the runs of `priorlab tickets`, and the rows that are kept.

A network of one seed and one way to restart is trained once for each remaining share of its weights, by a learner that
starts from scratch; so is the control of a lottery ticket. When a network is finished, its rows are added to
``OUT/rows.csv``: restart, seed, left (share of the weights, 0 to 1), performance (share of episodes won).
``OUT/settings.json`` holds the settings that all runs share.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console

from priorlab.agents.evaluation import evaluate
from priorlab.agents.learners.make_ppo import make_ppo
from priorlab.agents.runs.run_learner import make_env, run_learner
from priorlab.agents.settings import Settings
from priorlab.envs.base.files import read_json, write_whole
from priorlab.envs.base.locks import held
from priorlab.envs.base.tables import kinds, read_table
from priorlab.envs.results.rows import check_same
from priorlab.scripts.checks import check_counts
from priorlab.scripts.running.side_by_side import side_by_side
from priorlab.transfer.networks.network import Network
from priorlab.transfer.pruning import PruningRound, WeightMask, shrink_and_learn

RESTARTS = ("start", "none")  # and "random", the control that is trained with "start"
COLUMNS = ("restart", "seed", "left", "performance")
HEADS = ("action_net", "value_net")
MOST = 12  # rounds, after which about one weight in 4,000 is left


@dataclass(frozen=True)
class Request:
    """The command's settings. Raises ValueError, in one line, for values that don't exist."""

    version: str = "original"
    """version of Princess"""
    level: str | None = None
    """name of a level (default: the version's)"""
    seeds: int | None = None
    """networks of each kind (default: 5; quick: 1)"""
    rounds: int | None = None
    """how many times half of the remaining weights are removed (default: 8; quick: 2)"""
    inputs: int | None = None
    """raw inputs per training (default: 80,000; quick: 15,000)"""
    episodes: int = 50
    """episodes per test"""
    quick: bool = False
    """run a small version in a separate folder, as a demonstration"""
    out: Path | None = None
    """folder for rows and report (default: results/tickets; quick: runs/tickets-quick)"""
    workers: int = 2
    """networks in parallel, one CPU core each"""
    report_only: bool = False
    """train nothing; only report existing rows"""

    def __post_init__(self) -> None:
        names = ("seeds", "rounds", "inputs", "episodes", "workers")
        check_counts(**{name: getattr(self, name) for name in names})
        if (self.rounds or 0) > MOST:
            raise ValueError(f"rounds must be at most {MOST}, after which few weights are left, got {self.rounds}")
        self.learner(0).config()  # ValueError for an unknown version or level

    @property
    def folder(self) -> Path:
        return self.out or Path("runs/tickets-quick" if self.quick else "results/tickets")

    def learner(self, seed: int) -> Settings:
        inputs = self.inputs or (15_000 if self.quick else 80_000)
        return Settings(
            version=self.version, level=self.level, seed=seed, inputs=inputs, evaluation_episodes=0, progress=False
        )

    def settings(self) -> dict[str, Any]:
        """The settings that all runs share; rows with other settings are never mixed with theirs."""
        apart = ("seed", "device", "bfloat16", "threads")
        learner = {name: value for name, value in self.learner(0).config().items() if name not in apart}
        return {"rounds": self.rounds or (2 if self.quick else 8), "episodes": self.episodes, "learner": learner}

    def networks(self) -> list[tuple[str, int]]:
        """(restart, seed), one seed after another."""
        return [(restart, seed) for seed in range(self.seeds or (1 if self.quick else 5)) for restart in RESTARTS]


def shrink(restart: Any, settings: Settings, rounds: int, episodes: int) -> list[PruningRound]:
    """The result of each training of one network; for a lottery ticket, with its control."""
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    first = make_ppo(settings, make_env(settings)[0]).policy
    trained: list[Any] = []

    def learn(mask: WeightMask) -> None:
        def begin(model: Any) -> None:
            model.policy.load_state_dict(first.state_dict())
            copy = WeightMask(Network(model.policy, HEADS))
            copy.masks = mask.masks
            copy.attach(model.policy.optimizer)

        with tempfile.TemporaryDirectory() as folder:
            trained[:] = run_learner(replace(settings, out=Path(folder)), make_ppo, begin=begin)
        first.load_state_dict(trained[0].policy.state_dict())

    def test() -> float:
        games = settings.game_arguments() | {"num_games": episodes}
        return evaluate(trained[0], games, seed=settings.seed).win_rate

    return shrink_and_learn(
        Network(first, HEADS), learn, test, rounds, 0.5, restart, control=restart == "start", seed=settings.seed
    )


def shrink_missing(request: Request, console: Console | None = None) -> None:
    """Trains the networks that have no rows yet, and writes the rows of each when it is finished.

    OSError if another process adds rows to the same folder.
    """
    folder = request.folder
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / "rows.lock", f"{folder}: another process is adding rows here"):
        add_missing(request, console)


def add_missing(request: Request, console: Console | None) -> None:
    folder, settings = request.folder, request.settings()
    rows, before = read(folder)
    if before:
        check_same(before, settings, folder)
    finished = set(zip(rows["restart"], rows["seed"]))
    waiting = [network for network in request.networks() if network not in finished]
    write_whole(folder / "settings.json", json.dumps(settings, indent=2) + "\n")
    jobs = [(restart, request.learner(seed), settings["rounds"], request.episodes) for restart, seed in waiting]
    for (restart, learner, *_), points in side_by_side(shrink, jobs, request.workers, "all networks", console):
        results = [(restart, each.left, each.performance) for each in points]
        results += [("random", each.left, each.control) for each in points if each.control is not None]
        new = pd.DataFrame([[kind, learner.seed, *each] for kind, *each in results], columns=list(COLUMNS))
        rows = pd.concat([rows, new], ignore_index=True) if len(rows) else new
        ordered = rows.sort_values(["restart", "seed", "left"], ascending=[True, True, False])
        write_whole(folder / "rows.csv", ordered.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows in the folder and the settings that they share; both are empty if there are none."""
    if not (folder / "rows.csv").exists():
        return pd.DataFrame(columns=list(COLUMNS)), {}
    rows = read_table(folder / "rows.csv", kinds(COLUMNS, seed=int, left=float, performance=float))
    return rows, read_json(folder / "settings.json")
