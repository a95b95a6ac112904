"""One task of a sequence of games: an agent learns it, the method consolidates it, and all tasks are tested.

The network comes from the task before; the optimizer, the memories and the curiosity start from scratch. A lesson
leaves these files in ``runs/<task>/<method>/seed_<n>/``: the rows that ``envs/results/rows.py`` describes;
``before.json``, how well tasks were done before the first input; ``model.zip`` after training; ``kept.pt`` after
consolidation; and ``learned.json`` after the tests. A lesson that was stopped resumes from the last of them.
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
from priorlab.transfer.keeping import meets_tasks
from priorlab.transfer.kept import find_kept
from priorlab.transfer.metrics import dormant_units, effective_rank, sensitivity_to_others
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.sb3.learning import begin_task, consolidate, meet
from priorlab.transfer.sb3.policies import KeptActor, KeptQ
from priorlab.transfer.supervised import POINTS

SAMPLES, DECISIONS = 1024, 512  # a task is consolidated on so many samples of so many decisions in each game
MET = 1024  # decisions, over all games, with which the network meets a new task; their inputs count
INSPECTED = 256  # samples on which dormant units and the like are measured


class KeptPixelPolicy(KeptActor, PixelPolicy):
    """The actor and critic of our PPO."""

    def prepared(self, observations: torch.Tensor) -> torch.Tensor:
        """Passes bytes on: the network takes them."""
        return observations


class KeptPixelQPolicy(KeptQ, PixelQPolicy):
    """The Q network of our DQN."""


@dataclass(frozen=True)
class SequenceRun:
    """One method's run over a sequence: what all its lessons share.

    ``settings`` are those of the sequence, which runs of all methods and seeds share; ``folders`` has one per task.
    """

    method: str
    specs: Sequence[Mapping[str, Any]]
    seed: int
    settings: Mapping[str, Any]
    folders: Sequence[Path]

    @property
    def policy_kwargs(self) -> dict[str, Any]:
        """The arguments with which a policy is kept by the method."""
        kept = {"methods": self.specs, "tasks": len(self.folders), "keep_seed": self.seed}
        return kept | {"relu_within": False}  # columns add to the output of convolutions

    @property
    def meets_tasks(self) -> bool:
        """Whether the method meets each new task before it learns."""
        return meets_tasks(self.specs)


@dataclass(frozen=True)
class Lesson(ABC):
    """Task ``number`` of a run."""

    run: SequenceRun
    number: int

    @abstractmethod
    def train(self) -> Any:
        """Returns a model that has learned the task; resumes where it was stopped."""

    @abstractmethod
    def practice(self) -> pd.DataFrame:
        """One row per episode of training: inputs at its end, and performance in it, from 0 to 1."""

    @abstractmethod
    def test(self, model: Any, task: int) -> float:
        """How well the model does a task, from 0 to 1, with the weights that are in place."""

    @abstractmethod
    def sample(self, model: Any, decisions: int) -> tuple[np.ndarray, np.ndarray]:
        """Plays the task, ``decisions`` in each of ``lanes`` games.

        Returns the observations, uint8 (n, S, S, C), and the actions taken there, int64 (n,).
        """

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Raw inputs that the task may take."""

    @property
    @abstractmethod
    def lanes(self) -> int:
        """Games that ``sample`` plays at once."""

    @property
    @abstractmethod
    def frame_skip(self) -> int:
        """Raw inputs per decision."""

    @property
    def inputs_met(self) -> int:
        """Raw inputs, of all, that are spent on meeting the task before the learner starts."""
        return MET * self.frame_skip if self.number and self.run.meets_tasks else 0

    @property
    def inputs_left(self) -> int:
        """Raw inputs that remain for the learner."""
        return self.inputs - self.inputs_met

    @property
    def folder(self) -> Path:
        return self.run.folders[self.number]

    def milestones(self) -> dict[str, Any]:
        """Further entries of ``learned.json``."""
        return {}

    def config(self) -> dict[str, Any]:
        """Entries of ``config.json`` that identify the run, in addition to the learner's settings."""
        shared = {name: self.run.settings[name] for name in ("sequence", "heads", "keep_optimizer", "episodes")}
        return shared | {"method": self.run.method, "task": self.number, "tasks": len(self.run.folders)}

    def result(self) -> dict[str, Any]:
        """The content of ``learned.json``; learns the task if that file is missing."""
        path = self.folder / "learned.json"
        if not path.exists():
            write_whole(path, json.dumps({"settings": self.run.settings, **self.finish(self.train())}))
        result = json.loads(path.read_text(encoding="utf-8"))
        check_same(result["settings"], self.run.settings, self.folder)
        return result

    def start(self, model: Any) -> None:
        """Before the first input: loads the network of the task before, and tests it; the first lesson tests all
        tasks."""
        if self.number:
            before = self.run.folders[self.number - 1]
            find_kept(model.policy)[0].load(before / "kept.pt")
            if self.run.settings["keep_optimizer"] and not find_kept(model.policy)[0].starts_fresh:
                state = torch.load(before / "optimizer.pt", map_location="cpu", weights_only=True)
                model.policy.optimizer.load_state_dict(state)
        if self.inputs_met:
            with torch_seed(self.run.seed), find_kept(model.policy)[0].playing(self.number):
                observations, _ = self.sample(model, MET // self.lanes)
            meet(model.policy, self.number, as_pictures(observations).to(model.policy.device))
        begin_task(model.policy, self.number)
        tasks = [self.number] if self.number else range(len(self.run.folders))
        points = [(self.number, 0.0, task, self.performance(model, task)) for task in tasks]
        write_whole(self.folder / "before.json", json.dumps(points))

    def finish(self, model: Any) -> dict[str, Any]:
        """Consolidates what the model learned, then tests it on all tasks."""
        with torch_seed(self.run.seed):
            observations, actions = self.sample(model, DECISIONS)
        rows = np.random.default_rng(self.run.seed).permutation(len(actions))[:SAMPLES]
        samples = as_pictures(observations[rows]), torch.tensor(actions[rows])
        pictures, taken = (part.to(model.policy.device) for part in samples)
        consolidate(model.policy, pictures, taken)
        kept = find_kept(model.policy)[0]
        kept.save(self.folder / "kept.pt")
        if self.run.settings["keep_optimizer"]:
            with writing(self.folder / "optimizer.pt") as file:
                torch.save(model.policy.optimizer.state_dict(), file)
        before = json.loads((self.folder / "before.json").read_text(encoding="utf-8"))
        after = [(self.number, 1.0, task, self.performance(model, task)) for task in range(len(self.run.folders))]
        inspected = pictures[:INSPECTED]
        learned = {
            "dormant": dormant_units(kept.network, inspected),
            "rank": effective_rank(kept.network, inspected),
            "others": sensitivity_to_others(kept, Samples(inspected)),
            **self.milestones(),
        }
        at_first = next(value for _, _, task, value in before if task == self.number)
        points = [*before, *self.learning_curve(at_first), *after]
        return {"points": points, "learned": learned, "bytes": kept.bytes()}

    def performance(self, model: Any, task: int) -> float:
        """How well the model does a task with that task's weights; random numbers come from the run's seed."""
        with torch_seed(self.run.seed), find_kept(model.policy)[0].playing(task):
            return self.test(model, task)

    def learning_curve(self, at_first: float) -> list[tuple[int, float, int, float]]:
        """The mean performance of the episodes that ended in each tenth of the inputs, as points in its middle.

        A tenth in which no episode ended repeats the one before, and the first one ``at_first``.
        """
        episodes: Any = self.practice()
        tenth = (POINTS * (self.inputs_met + episodes["inputs"] - 1) // self.inputs).clip(upper=POINTS - 1)
        means = episodes["performance"].groupby(tenth).mean().reindex(range(POINTS)).ffill().fillna(at_first)
        return [(self.number, (k + 0.5) / POINTS, self.number, value) for k, value in enumerate(means.tolist())]


def as_pictures(observations: np.ndarray) -> torch.Tensor:
    """Observations (n, S, S, C) as networks take them: uint8 (n, C, S, S)."""
    return torch.tensor(observations.transpose(0, 3, 1, 2))


@contextmanager
def torch_seed(seed: int) -> Iterator[None]:
    """Seeds torch within the block, and restores its state after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
