"""One method's run over a sequence of games: an agent learns one after another, and plays all of them after each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pandas as pd

from priorlab.agents.evaluate import evaluate
from priorlab.agents.learners import dqn, ppo
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.runs.run import run
from priorlab.agents.settings import Settings
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.sequences import Sequence as TaskSequence
from priorlab.envs.game.sequences import Task, sequence_in
from priorlab.envs.game.versions import games, id_of
from priorlab.envs.results.rows import is_finished
from priorlab.scripts.experiments.sweep import found_in
from priorlab.scripts.reproduce.runs import GAMES
from priorlab.scripts.sequences import atari, lessons
from priorlab.scripts.sequences.lessons import KeptPixelPolicy, KeptPixelQPolicy, Lesson
from priorlab.transfer.keeping import meets_tasks, parse
from priorlab.transfer.sb3.learning import advance

METHODS = (
    "finetune", "separate", "ewc:strength=10", "online-ewc:strength=10", "progressive", "random-column", "psp",
    "packing", "means", "psp+means", "online-ewc:strength=1+means", "means:start=aligned",
    "online-ewc:strength=1+means:start=aligned",
)  # fmt: skip
QUICK_METHODS, QUICK_SEEDS = ("finetune", "separate", "ewc:strength=10", "psp"), 1
DEFAULTS = {"tasks": None, "inputs": None, "agent": "ppo", "episodes": 50}
QUICK = {"tasks": 2, "inputs": 20_000, "episodes": 20}
SIZES = {  # where an agent that learns one alone learns each of them
    "levels": {"tasks": 4, "inputs": 60_000},
    "atari_masks": {"tasks": 2, "episodes": 10},
    "atari_games": {"episodes": 10},
}
LANES = 8  # games that are played for what a task is consolidated on


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
OURS = {f"PriorLab/{id_of(game)}-v0": game for game in games()}


def tasks_of(sequence: TaskSequence, number: int | None) -> dict[str, Task]:
    """The first ``number`` tasks of a sequence, all where that is None, by names that tell them apart and that folders
    can have.

    ValueError for a sequence that is shorter, or that these agents don't learn.
    """
    tasks = sequence.tasks
    if number is not None and number > len(tasks):
        raise ValueError(f"tasks is {number}: expected at most {len(tasks)}, as {sequence.name} has no more")
    for task in tasks:
        if task.id not in OURS and any(each.id != atari.ID for each in tasks):
            raise ValueError(
                f"sequence {sequence.name}: {task.id}: expected tasks of {' and '.join(OURS)}, or of Atari alone"
            )
    told = [{"id": task.id.removeprefix("PriorLab/"), **task.settings} for task in tasks]
    varied = [name for name in dict.fromkeys(name for each in told for name in each) if differs(told, name)]
    named: dict[str, Task] = {}
    for each, task in zip(told, tasks):
        name = "-".join(label(each[name]) for name in varied if name in each) or task.id.removeprefix("PriorLab/")
        again = sum(known == name or known.startswith(f"{name} again") for known in named)
        named[f"{name} again{f' {again}' if again > 1 else ''}" if again else name] = task
    return dict(list(named.items())[:number])


def label(value: object) -> str:
    """A setting's value as a part of a folder's name: of a level's text the level's name."""
    text = Level.read(value).name if isinstance(value, str) and "\n" in value else str(value)
    return re.sub(r"[^\w.,' \[\]-]+", "_", text)


def differs(told: Sequence[Mapping[str, Any]], name: str) -> bool:
    return len({str(each.get(name)) for each in told}) > 1


def settings_of(task: Task, agent: str, seed: int, inputs: int | None, out: Path | None = None) -> Settings:
    """Those of the learner of one task; inputs: where they are not what an agent gets in that game."""
    game = OURS[task.id]
    known = [field.name for field in fields(Settings)]
    for name in task.settings:
        if name not in known:
            raise ValueError(f"a task of {task.id} has a setting {name}: expected settings that `priorlab train` has, "
                             "as that learns it")  # fmt: skip
    own = {"game": game, **GAMES[game], **task.settings, "agent": agent, "seed": seed, "out": out}
    own |= {"inputs": inputs} if inputs else {}
    return Settings(**own, evaluation_episodes=0, progress=False)


def settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """All that tells a run but its method and seed, with the settings of the learners that all tasks share."""
    tasks = tasks_of(sequence_in(told), told["tasks"])
    own = {**told, "tasks": len(tasks), "names": list(tasks)}
    if next(iter(tasks.values())).id == atari.ID:
        atari.check(told["agent"], tasks.values())
        return own | {"inputs": told["inputs"] or atari.INPUTS, "learner": atari.LEARNER}
    configs = [settings_of(task, told["agent"], 0, told["inputs"]).config() for task in tasks.values()]
    apart = ("method", "player", "privileged", "seed", "device", "bfloat16", "threads")
    learner = {name: value for name, value in configs[0].items() if name not in apart and not differs(configs, name)}
    return own | {"learner": learner}


def check_method(method: str, settings: Mapping[str, Any]) -> None:
    """ValueError for one that can't be learned."""
    pictures = gymnasium.spaces.Box(0, 255, (2, 42, 42), np.uint8)
    kept = {"methods": parse(method, settings["heads"]), "tasks": settings["tasks"], "relu_within": False}
    spent = lessons.MET * settings["learner"]["frame_skip"] if meets_tasks(kept["methods"]) else 0
    if settings["inputs"] is not None and settings["inputs"] <= spent:
        raise ValueError(f"inputs is {settings['inputs']}: expected more than {spent}, which {method} spends on "
                         "meeting a task")  # fmt: skip
    LEARNERS[settings["agent"]].policy(pictures, gymnasium.spaces.Discrete(6), lambda _: 1e-3, **kept)


def learn(method: str, seed: int, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run: its points, and of each task what it took, how much of the network is dormant, and its features' rank.

    ``folder`` holds all runs of the sequence; what is finished there is not learned again.
    """
    tasks = tasks_of(sequence_in(settings), settings["tasks"])
    of_run = Path(method.replace(":", "_")) / f"seed_{seed}"
    folders = [folder / "runs" / f"{number}_{name}" / of_run for number, name in enumerate(tasks)]
    kind = GameLesson if all(task.id in OURS for task in tasks.values()) else atari.AtariLesson
    found = [
        kind(number, folders, method, seed, settings, list(tasks.values())).learned() for number in range(len(tasks))
    ]
    return {
        "points": [point for each in found for point in each["points"]],
        "learned": [each["learned"] for each in found],
        "bytes": found[-1]["bytes"],
    }


@dataclass(frozen=True)
class GameLesson(Lesson):
    """A task of our own games, which ``priorlab.agents.runs.run`` trains; it goes on from a checkpoint."""

    tasks: Sequence[Task]

    @property
    def learner(self) -> Learner:
        return LEARNERS[self.about["agent"]]

    def settings(self, number: int) -> Settings:
        told = self.about["agent"], self.seed, self.about["inputs"]
        return settings_of(self.tasks[number], *told, self.folders[number])

    def inputs(self) -> int:
        return self.settings(self.number).inputs

    @property
    def lanes(self) -> int:
        return LANES

    @property
    def frame_skip(self) -> int:
        return self.settings(self.number).frame_skip

    def trained(self) -> Any:
        settings, parts = self.settings(self.number), self.learner.parts
        settings = replace(settings, inputs=self.left)
        if is_finished(self.folder):
            return self.learner.model.load(self.folder / "model.zip", device=settings.device)
        return run(
            settings,
            lambda settings, env: parts.make_model(settings, env, self.learner.policy, **self.of_policy),
            held_bytes=parts.held_bytes(settings),
            told=self.config(),
            begin=self.begin,
            during=lambda model, record: advance(model.policy, min(1.0, record.inputs / settings.inputs)),
        )[0]

    def practised(self) -> pd.DataFrame:
        episodes: Any = pd.read_csv(self.folder / "episodes.csv")
        return episodes.assign(performance=(episodes["outcome"] == "win").astype(float))

    def told(self) -> dict[str, Any]:
        found = (self.met + inputs for inputs in found_in(self.folder))
        first_win, mastered = (None if np.isnan(inputs) else int(inputs) for inputs in found)
        return {"first_win": first_win, "mastered": mastered}

    def test(self, model: Any, task: int) -> float:
        """Share of episodes that it wins."""
        arguments: dict[str, Any] = self.settings(task).of_games() | {"num_games": self.about["episodes"]}
        arguments |= {"random_start": self.learner.random_start}
        return evaluate(model, arguments, self.learner.deterministic, self.seed).win_rate

    def play(self, model: Any, decisions: int) -> tuple[np.ndarray, np.ndarray]:
        arguments: dict[str, Any] = self.settings(self.number).of_games() | {"num_games": LANES}
        arguments |= {"random_start": self.learner.random_start}
        batch, seen, taken = Games(**arguments), [], []
        observations = batch.reset(self.seed)
        for _ in range(decisions):
            actions = model.predict(observations, deterministic=self.learner.deterministic)[0]
            seen.append(np.array(observations))
            taken.append(actions)
            observations = batch.step(actions)[0]
        batch.close()
        return np.concatenate(seen), np.concatenate(taken)
