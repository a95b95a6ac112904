"""One task of a method's run over games, whichever they are: learned by a learner of its own, kept, and tested.

The network comes from the task before; an optimizer, memories and a curiosity begin anew. A lesson leaves
``runs/<task>/<method>/seed_<n>/``: rows as ``envs/results/rows.py`` has them, ``before.json``, how well tasks were done
at first, ``model.zip`` when it is trained, ``kept.pt`` when it is consolidated, and ``learned.json`` when it has been
tested. Stopped at any time, it goes on from the last of them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from priorlab.agents.networks.pixels import PixelPolicy, PixelQPolicy
from priorlab.envs.base.files import write_whole, writing
from priorlab.envs.results.rows import check_same
from priorlab.transfer.keeping import meets_tasks, parse
from priorlab.transfer.kept import find_kept
from priorlab.transfer.metrics import dormant_units, effective_rank, sensitivity_to_others
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.sb3.learning import begin_task, consolidate, meet
from priorlab.transfer.sb3.policies import KeptActor, KeptQ
from priorlab.transfer.supervised import POINTS

SAMPLES, DECISIONS = 1024, 512  # of a game's decisions, so many on which a task is consolidated
MET = 1024  # decisions, of all games together, of a new task that is met before it is learned; these inputs count
LOOKED_AT = 256  # of those, to tell what is dormant


class KeptPixelPolicy(KeptActor, PixelPolicy):
    """The actor and critic of our PPO."""

    def prepared(self, observations: torch.Tensor) -> torch.Tensor:
        """As they are: the network takes bytes."""
        return observations


class KeptPixelQPolicy(KeptQ, PixelQPolicy):
    """The values of our DQN."""


@dataclass(frozen=True)
class Lesson(ABC):
    """The ``number``-th task of a run; folders: of all its tasks; about: the settings that all runs share."""

    number: int
    folders: Sequence[Path]
    method: str
    seed: int
    about: Mapping[str, Any]

    @abstractmethod
    def trained(self) -> Any:
        """The model that has learned the task; goes on from where it was stopped."""

    @abstractmethod
    def practised(self) -> pd.DataFrame:
        """One row an episode of its learning: inputs, when it ended, and performance in it, from 0 to 1."""

    @abstractmethod
    def test(self, model: Any, task: int) -> float:
        """How well it does a task, from 0 to 1, with whatever weights are in place."""

    @abstractmethod
    def play(self, model: Any, decisions: int) -> tuple[np.ndarray, np.ndarray]:
        """Observations uint8 (n, S, S, C) of the task as it is played now, and the actions int64 (n,) taken there, of
        so many decisions in each of ``lanes`` games."""

    @abstractmethod
    def inputs(self) -> int:
        """Raw inputs that there are for it."""

    @property
    @abstractmethod
    def lanes(self) -> int:
        """Games that are played at once for samples of it."""

    @property
    @abstractmethod
    def frame_skip(self) -> int:
        """Raw inputs a decision."""

    @property
    def met(self) -> int:
        """Raw inputs of those that are spent on meeting it, before the learner begins."""
        return MET * self.frame_skip if self.number and meets_tasks(self.of_policy["methods"]) else 0

    @property
    def left(self) -> int:
        """Raw inputs that are left for the learner."""
        return self.inputs() - self.met

    def told(self) -> dict[str, Any]:
        """What else ``learned.json`` tells of it."""
        return {}

    @property
    def folder(self) -> Path:
        return self.folders[self.number]

    @property
    def of_policy(self) -> dict[str, Any]:
        """The arguments of its policy that have it kept by the method."""
        kept = {"methods": parse(self.method, self.about["heads"]), "tasks": len(self.folders), "keep_seed": self.seed}
        return kept | {"relu_within": False}  # columns add to what convolutions give

    def config(self) -> dict[str, Any]:
        """What tells its rows from those of other runs, beside what the learner is told."""
        told = {name: self.about[name] for name in ("sequence", "heads", "keep_optimizer", "episodes")}
        return told | {"method": self.method, "task": self.number, "tasks": len(self.folders)}

    def learned(self) -> dict[str, Any]:
        """What came of it, learned now where it has not been."""
        done = self.folder / "learned.json"
        if not done.exists():
            write_whole(done, json.dumps({"settings": self.about, **self.consolidated(self.trained())}))
        found = json.loads(done.read_text(encoding="utf-8"))
        check_same(found["settings"], self.about, self.folder)
        return found

    def begin(self, model: Any) -> None:
        """Before the first input: the network goes on from the task before, and is tested; at first on all tasks."""
        if self.number:
            before = self.folders[self.number - 1]
            find_kept(model.policy)[0].load(before / "kept.pt")
            if self.about["keep_optimizer"] and not find_kept(model.policy)[0].starts_fresh:
                held = torch.load(before / "optimizer.pt", map_location="cpu", weights_only=True)
                model.policy.optimizer.load_state_dict(held)
        if self.met:
            with drawing_from(self.seed), find_kept(model.policy)[0].playing(self.number):
                observations, _ = self.play(model, MET // self.lanes)
            meet(model.policy, self.number, as_pictures(observations).to(model.policy.device))
        begin_task(model.policy, self.number)
        tasks = [self.number] if self.number else range(len(self.folders))
        points = [(self.number, 0.0, task, self.performance(model, task)) for task in tasks]
        write_whole(self.folder / "before.json", json.dumps(points))

    def consolidated(self, model: Any) -> dict[str, Any]:
        """Keeps what was learned, and tests it and all other tasks."""
        with drawing_from(self.seed):
            observations, actions = self.play(model, DECISIONS)
        rows = np.random.default_rng(self.seed).permutation(len(actions))[:SAMPLES]
        both = as_pictures(observations[rows]), torch.tensor(actions[rows])
        seen, taken = (part.to(model.policy.device) for part in both)
        consolidate(model.policy, seen, taken)
        kept = find_kept(model.policy)[0]
        kept.save(self.folder / "kept.pt")
        if self.about["keep_optimizer"]:
            with writing(self.folder / "optimizer.pt") as file:
                torch.save(model.policy.optimizer.state_dict(), file)
        before = json.loads((self.folder / "before.json").read_text(encoding="utf-8"))
        after = [(self.number, 1.0, task, self.performance(model, task)) for task in range(len(self.folders))]
        learned = {
            "dormant": dormant_units(kept.network, seen[:LOOKED_AT]),
            "rank": effective_rank(kept.network, seen[:LOOKED_AT]),
            "others": sensitivity_to_others(kept, Samples(seen[:LOOKED_AT])),
            **self.told(),
        }
        own = next(value for _, _, task, value in before if task == self.number)
        return {"points": [*before, *self.on_the_way(own), *after], "learned": learned, "bytes": kept.bytes()}

    def performance(self, model: Any, task: int) -> float:
        """How well a task is done with its weights, by draws of the run's seed."""
        with drawing_from(self.seed), find_kept(model.policy)[0].playing(task):
            return self.test(model, task)

    def on_the_way(self, before: float) -> list[tuple[int, float, int, float]]:
        """How well it played while it learned: of each tenth of the inputs, in whose middle it is put, the mean over
        episodes; where none ended, that of the tenth before it, at first ``before``."""
        episodes: Any = self.practised()
        tenth = (POINTS * (self.met + episodes["inputs"] - 1) // self.inputs()).clip(upper=POINTS - 1)
        means = episodes["performance"].groupby(tenth).mean().reindex(range(POINTS)).ffill().fillna(before)
        return [(self.number, (k + 0.5) / POINTS, self.number, value) for k, value in enumerate(means.tolist())]


def as_pictures(observations: np.ndarray) -> torch.Tensor:
    """uint8 (n, C, S, S), as networks take them, of (n, S, S, C)."""
    return torch.tensor(observations.transpose(0, 3, 1, 2))


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """torch draws from this seed within, and goes on as before after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
