"""One method's run over a sequence of games: an agent learns one after another, and plays all of them after each.

Each task is a run of ``agents.run`` by a learner of its own, with an optimizer, memories and a curiosity that begin
anew; the network comes from the task before. It leaves ``runs/<task>/<method>/seed_<n>/``: rows as
``envs.results`` has them, ``model.zip`` when it is trained, ``kept.pt`` when it is consolidated, and ``learned.json``
when it has been tested. Stopped at any time, it goes on from the last of them, or from its checkpoint.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pandas as pd
import torch

from agents import dqn, ppo
from agents.evaluate import evaluate
from agents.imitation import SelfImitatingPPO
from agents.networks import PixelPolicy, PixelQPolicy
from agents.run import run
from agents.settings import Settings
from envs.files import write_whole
from envs.games import Games
from envs.results import is_finished
from envs.sequences import Task, find_sequence
from envs.versions import games, id_of
from scripts.experiments.reproduction import GAMES
from scripts.experiments.sweep import found_in
from transfer.method import all_kept
from transfer.methods import parse
from transfer.metrics import dormant_units, effective_rank
from transfer.sb3 import KeptActor, KeptQ, advance, begin, consolidate
from transfer.supervised import POINTS

METHODS = (
    "finetune", "separate", "ewc:strength=10", "online-ewc:strength=10", "progressive", "random-column", "psp",
    "packing",
)  # fmt: skip
QUICK_METHODS, QUICK_SEEDS = ("finetune", "separate", "ewc:strength=10", "psp"), 1
DEFAULTS = {"tasks": None, "inputs": None, "agent": "ppo", "episodes": 50}
QUICK = {"tasks": 2, "inputs": 20_000, "episodes": 20}
SIZES = {"levels": {"tasks": 6, "inputs": 60_000}}  # where an agent that learns one alone learns each of them
SAMPLES, LANES, DECISIONS = 1024, 8, 512  # on which a task is consolidated: drawn from so many games' decisions
LOOKED_AT = 256  # of them, to tell what is dormant


class KeptPixelPolicy(KeptActor, PixelPolicy):
    """The actor and critic of our PPO."""


class KeptPixelQPolicy(KeptQ, PixelQPolicy):
    """The values of our DQN."""


@dataclass(frozen=True)
class Learner:
    """What learns, and how it is tested: played as it was trained, or, where that gives the same play each time, after
    up to ``random_start`` random inputs."""

    model: Any
    policy: Any
    parts: Any  # the module that puts it together
    deterministic: bool
    random_start: int


LEARNERS = {
    "ppo": Learner(SelfImitatingPPO, KeptPixelPolicy, ppo, deterministic=False, random_start=0),
    "dqn": Learner(dqn.DoubleDQN, KeptPixelQPolicy, dqn, deterministic=True, random_start=30),
}


def tasks_of(sequence: str, number: int | None) -> dict[str, Task]:
    """The first ``number`` tasks of a named sequence, all where that is None, by names that tell them apart.

    ValueError for a sequence there is not, that is shorter, or that these agents don't learn.
    """
    tasks = find_sequence(sequence).tasks
    if number is not None and number > len(tasks):
        raise ValueError(f"tasks is {number}: expected at most {len(tasks)}, as {sequence} has no more")
    known = {f"PriorLab/{id_of(game)}-v0" for game in games()}
    for task in tasks:
        if task.id not in known:
            raise ValueError(f"sequence {sequence}: {task.id}: expected tasks of {' and '.join(sorted(known))} alone")
    told = [{"id": task.id.removeprefix("PriorLab/"), **task.settings} for task in tasks]
    varied = [name for name in dict.fromkeys(name for each in told for name in each) if differs(told, name)]
    names = ["-".join(str(each[name]) for name in varied if name in each) for each in told]
    return dict(list(zip(names, tasks))[:number])


def differs(told: Sequence[Mapping[str, Any]], name: str) -> bool:
    return len({str(each.get(name)) for each in told}) > 1


def settings_of(task: Task, agent: str, seed: int, inputs: int | None, out: Path | None = None) -> Settings:
    """Those of the learner of one task; inputs: where they are not what an agent gets in that game."""
    game = next(game for game in games() if task.id == f"PriorLab/{id_of(game)}-v0")
    own = {"game": game, **GAMES[game], **task.settings, "agent": agent, "seed": seed, "out": out}
    own |= {"inputs": inputs} if inputs else {}
    return Settings(**own, evaluation_episodes=0, progress=False)


def settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """All that tells a run but its method and seed, with the settings of the learners that all tasks share."""
    tasks = tasks_of(told["sequence"], told["tasks"])
    configs = [settings_of(task, told["agent"], 0, told["inputs"]).config() for task in tasks.values()]
    apart = ("method", "player", "privileged", "seed", "device", "bfloat16", "threads")
    learner = {name: value for name, value in configs[0].items() if name not in apart and not differs(configs, name)}
    return {**told, "tasks": len(tasks), "names": list(tasks), "learner": learner}


def check_method(method: str, settings: Mapping[str, Any]) -> None:
    """ValueError for one that can't be learned."""
    pictures = gymnasium.spaces.Box(0, 255, (2, 42, 42), np.uint8)
    kept = {"methods": parse(method, settings["heads"]), "tasks": settings["tasks"], "relu_within": False}
    LEARNERS[settings["agent"]].policy(pictures, gymnasium.spaces.Discrete(6), lambda _: 1e-3, **kept)


def learn(method: str, seed: int, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run: its points, and of each task what it took, how much of the network is dormant, and its features' rank.

    ``folder`` holds all runs of the sequence; what is finished there is not learned again.
    """
    tasks = tasks_of(settings["sequence"], settings["tasks"])
    of_run = Path(method.replace(":", "_")) / f"seed_{seed}"
    all_settings = [
        settings_of(task, settings["agent"], seed, settings["inputs"], folder / "runs" / f"{number}_{name}" / of_run)
        for number, (name, task) in enumerate(tasks.items())
    ]
    found = [Lesson(number, all_settings, method, settings).learned() for number in range(len(tasks))]
    return {
        "points": [point for each in found for point in each["points"]],
        "learned": [each["learned"] for each in found],
        "bytes": found[-1]["bytes"],
    }


@dataclass(frozen=True)
class Lesson:
    """One task of a run: the ``number``-th of those with these settings."""

    number: int
    all_settings: Sequence[Settings]
    method: str
    about: Mapping[str, Any]

    @property
    def settings(self) -> Settings:
        return self.all_settings[self.number]

    @property
    def folder(self) -> Path:
        return self.settings.folder

    @property
    def learner(self) -> Learner:
        return LEARNERS[self.settings.agent]

    def learned(self) -> dict[str, Any]:
        """What came of it, learned now where it has not been."""
        done = self.folder / "learned.json"
        if not done.exists():
            write_whole(done, json.dumps(self.consolidated(self.trained())))
        return json.loads(done.read_text(encoding="utf-8"))

    def trained(self) -> Any:
        """The model that has learned the task."""
        if is_finished(self.folder):
            return self.learner.model.load(self.folder / "model.zip", device=self.settings.device)
        told = {name: self.about[name] for name in ("sequence", "heads", "keep_optimizer", "episodes")}
        return run(
            self.settings,
            self.make,
            held_bytes=self.learner.parts.held_bytes(self.settings),
            told={**told, "method": self.method, "task": self.number, "tasks": len(self.all_settings)},
            begin=self.begin,
            during=lambda model, record: advance(model.policy, min(1.0, record.inputs / self.settings.inputs)),
        )[0]

    def make(self, settings: Settings, env: Any) -> Any:
        """A new model, kept by the method."""
        kept = {"methods": parse(self.method, self.about["heads"]), "tasks": len(self.all_settings)}
        kept |= {"keep_seed": settings.seed, "relu_within": False}  # columns add to what convolutions give
        return self.learner.parts.make_model(settings, env, self.learner.policy, **kept)

    def begin(self, model: Any) -> None:
        """Before the first input: the network goes on from the task before, and is tested; at first on all tasks."""
        if self.number:
            before = self.all_settings[self.number - 1].folder
            all_kept(model.policy)[0].load(before / "kept.pt")
            if self.about["keep_optimizer"]:
                held = torch.load(before / "optimizer.pt", map_location="cpu", weights_only=True)
                model.policy.optimizer.load_state_dict(held)
        begin(model.policy, self.number)
        tasks = [self.number] if self.number else range(len(self.all_settings))
        points = [(self.number, 0.0, task, self.test(model, task)) for task in tasks]
        write_whole(self.folder / "before.json", json.dumps(points))

    def consolidated(self, model: Any) -> dict[str, Any]:
        """Keeps what was learned, and tests it and all other tasks."""
        seen, taken = self.play(model)
        consolidate(model.policy, seen, taken)
        kept = all_kept(model.policy)[0]
        kept.save(self.folder / "kept.pt")
        if self.about["keep_optimizer"]:
            torch.save(model.policy.optimizer.state_dict(), self.folder / "optimizer.pt")
        before = json.loads((self.folder / "before.json").read_text(encoding="utf-8"))
        after = [(self.number, 1.0, task, self.test(model, task)) for task in range(len(self.all_settings))]
        first_win, mastered = (None if np.isnan(inputs) else int(inputs) for inputs in found_in(self.folder))
        learned = {
            "dormant": dormant_units(kept.network, seen[:LOOKED_AT]),
            "rank": effective_rank(kept.network, seen[:LOOKED_AT]),
            "first_win": first_win,
            "mastered": mastered,
        }
        return {"points": [*before, *self.practised(before), *after], "learned": learned, "bytes": kept.bytes()}

    def practised(self, before: Sequence[Sequence[Any]]) -> list[tuple[int, float, int, float]]:
        """How well it played while it learned: of each tenth of the inputs, in whose middle it is put, the share of
        episodes that were won; where none ended, that of the tenth before it."""
        episodes: Any = pd.read_csv(self.folder / "episodes.csv")
        tenth = (POINTS * (episodes["inputs"] - 1) // self.settings.inputs).clip(upper=POINTS - 1)
        won = (episodes["outcome"] == "win").groupby(tenth).mean().reindex(range(POINTS)).ffill()
        won = won.fillna(next(value for _, _, task, value in before if task == self.number))
        return [(self.number, (k + 0.5) / POINTS, self.number, value) for k, value in enumerate(won.tolist())]

    def play(self, model: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Observations uint8 (SAMPLES, C, S, S) of the task as it is played now, and the actions int64 (SAMPLES,)."""
        arguments: dict[str, Any] = self.settings.of_games() | {"num_games": LANES}
        arguments |= {"random_start": self.learner.random_start}
        batch = Games(**arguments)
        observations, seen, taken = batch.reset(self.settings.seed), [], []
        with drawing_from(self.settings.seed):
            for _ in range(DECISIONS):
                actions = model.predict(observations, deterministic=self.learner.deterministic)[0]
                seen.append(np.array(observations))
                taken.append(actions)
                observations = batch.step(actions)[0]
        batch.close()
        rows = np.random.default_rng(self.settings.seed).permutation(LANES * DECISIONS)[:SAMPLES]
        pictures = np.concatenate(seen)[rows].transpose(0, 3, 1, 2)  # (n, S, S, C) -> (n, C, S, S)
        device = model.policy.device
        return torch.tensor(pictures, device=device), torch.tensor(np.concatenate(taken)[rows], device=device)

    def test(self, model: Any, task: int) -> float:
        """Share of episodes of a task that it wins, played with that task's weights."""
        settings = self.all_settings[task]
        arguments = settings.of_games() | {"num_games": self.about["episodes"]}
        arguments |= {"random_start": self.learner.random_start}
        with drawing_from(settings.seed), all_kept(model.policy)[0].playing(task):
            return evaluate(model, arguments, self.learner.deterministic, settings.seed).win_rate


@contextmanager
def drawing_from(seed: int) -> Iterator[None]:
    """torch draws from this seed within, and goes on as before after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
