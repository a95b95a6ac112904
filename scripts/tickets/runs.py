"""How far a trained agent's network can shrink: what `priorlab tickets` trains, and the rows that it keeps.

A network, of one seed and one way to start again, is trained once for each share of its weights that is left, by a
learner that begins anew, and so is a lottery ticket's control. When it is finished, its rows are added to
``OUT/rows.csv``: restart, seed, left (share of the weights, 0 to 1), performance (share of episodes that are won);
``OUT/settings.json`` tells what all runs share.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console

from priorlab.agents.evaluate import evaluate
from priorlab.agents.learners import ppo
from priorlab.agents.runs.run import make_env, run
from priorlab.agents.settings import Settings
from priorlab.envs.base.files import read_json, write_whole
from priorlab.envs.base.locks import held
from priorlab.envs.base.tables import kinds, read_table
from priorlab.envs.results.rows import check_same
from priorlab.scripts.running.side_by_side import side_by_side
from priorlab.transfer.networks.network import Network
from priorlab.transfer.pruning import PruningRound, WeightMask, shrink_and_learn

RESTARTS = ("start", "none")  # and "random", the control of "start", which is trained with it
COLUMNS = ("restart", "seed", "left", "performance")
HEADS = ("action_net", "value_net")
MOST = 12  # rounds: about one weight in 4,000 is left


@dataclass(frozen=True)
class Request:
    """What is wanted. Raises ValueError, in one line, for what there is not."""

    version: str = "original"
    """of Princess"""
    level: str | None = None
    """a level's name instead of the version's own"""
    seeds: int | None = None
    """networks of each kind (default: 5; quick: 1)"""
    rounds: int | None = None
    """how often half of the weights that are left are removed (default: 8; quick: 2)"""
    inputs: int | None = None
    """raw inputs of each training (default: 80,000; quick: 15,000)"""
    episodes: int = 50
    """of each test"""
    quick: bool = False
    """a small one, in a folder of its own, to see what it is like"""
    out: Path | None = None
    """folder of rows and report (default: results/tickets; quick: runs/tickets-quick)"""
    workers: int = 2
    """networks side by side, a processor core each"""
    report_only: bool = False
    """train nothing; report what there is"""

    def __post_init__(self) -> None:
        for name in ("seeds", "rounds", "inputs", "episodes", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}: expected 1 or more")
        if (self.rounds or 0) > MOST:
            raise ValueError(f"rounds is {self.rounds}: expected at most {MOST}, after which few weights are left")
        self.learner(0).config()  # ValueError for a version or a level there is not

    @property
    def folder(self) -> Path:
        return self.out or Path("runs/tickets-quick" if self.quick else "results/tickets")

    def learner(self, seed: int) -> Settings:
        inputs = self.inputs or (15_000 if self.quick else 80_000)
        return Settings(
            version=self.version, level=self.level, seed=seed, inputs=inputs, evaluation_episodes=0, progress=False
        )

    def settings(self) -> dict[str, Any]:
        """What all runs share; rows of others are never mixed with theirs."""
        apart = ("seed", "device", "bfloat16", "threads")
        learner = {name: value for name, value in self.learner(0).config().items() if name not in apart}
        return {"rounds": self.rounds or (2 if self.quick else 8), "episodes": self.episodes, "learner": learner}

    def networks(self) -> list[tuple[str, int]]:
        """(restart, seed), seed by seed."""
        return [(restart, seed) for seed in range(self.seeds or (1 if self.quick else 5)) for restart in RESTARTS]


def shrink(restart: Any, settings: Settings, rounds: int, episodes: int) -> list[PruningRound]:
    """What each training of one network came to; of a lottery ticket with its control."""
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    first = ppo.make_model(settings, make_env(settings)[0]).policy
    trained: list[Any] = []

    def learn(mask: WeightMask) -> None:
        def begin(model: Any) -> None:
            model.policy.load_state_dict(first.state_dict())
            its_own = WeightMask(Network(model.policy, HEADS))
            its_own.masks = mask.masks
            its_own.attach(model.policy.optimizer)

        with tempfile.TemporaryDirectory() as folder:
            trained[:] = run(replace(settings, out=Path(folder)), ppo.make_model, begin=begin)
        first.load_state_dict(trained[0].policy.state_dict())

    def test() -> float:
        games = settings.of_games() | {"num_games": episodes}
        return evaluate(trained[0], games, seed=settings.seed).win_rate

    return shrink_and_learn(
        Network(first, HEADS), learn, test, rounds, 0.5, restart, control=restart == "start", seed=settings.seed
    )


def shrink_missing(request: Request, console: Console | None = None) -> None:
    """Trains the networks that have no rows yet; each one's rows are written when it is finished."""
    folder = request.folder
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / "rows.lock", f"{folder}: another process adds rows here: expected one"):
        add_missing(request, console)


def add_missing(request: Request, console: Console | None) -> None:
    folder, settings = request.folder, request.settings()
    rows, before = read(folder)
    if before:
        check_same(before, settings, folder)
    have = set(zip(rows["restart"], rows["seed"]))
    waiting = [network for network in request.networks() if network not in have]
    write_whole(folder / "settings.json", json.dumps(settings, indent=2) + "\n")
    jobs = [(restart, request.learner(seed), settings["rounds"], request.episodes) for restart, seed in waiting]
    for (restart, learner, *_), points in side_by_side(shrink, jobs, request.workers, "all networks", console):
        told = [(restart, each.left, each.performance) for each in points]
        told += [("random", each.left, each.control) for each in points if each.control is not None]
        new = pd.DataFrame([[kind, learner.seed, *each] for kind, *each in told], columns=list(COLUMNS))
        rows = pd.concat([rows, new], ignore_index=True) if len(rows) else new
        ordered = rows.sort_values(["restart", "seed", "left"], ascending=[True, True, False])
        write_whole(folder / "rows.csv", ordered.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows that are kept in the folder, and what they share; nothing where there are none."""
    if not (folder / "rows.csv").exists():
        return pd.DataFrame(columns=list(COLUMNS)), {}
    rows = read_table(folder / "rows.csv", kinds(COLUMNS, seed=int, left=float, performance=float))
    return rows, read_json(folder / "settings.json")
