"""One method's run over a sequence of games: an agent learns them in turn, and is tested on all after each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pandas as pd

from priorlab.agents.evaluation import evaluate
from priorlab.agents.learners.dqn import DoubleDQN
from priorlab.agents.learners.make_dqn import make_dqn, replay_bytes
from priorlab.agents.learners.make_ppo import make_ppo, rollout_bytes
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.runs.run_learner import run_learner
from priorlab.agents.runs.saved_model import load_model
from priorlab.agents.settings import Settings
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.sequences import Sequence as TaskSequence
from priorlab.envs.game.sequences import Task, sequence_in
from priorlab.envs.game.versions import games, id_of
from priorlab.envs.results.rows import is_finished
from priorlab.scripts.analysis.statistics import milestones
from priorlab.scripts.running.budgets import BUDGETS
from priorlab.scripts.sequences import atari, lessons
from priorlab.scripts.sequences.lessons import KeptPixelPolicy, KeptPixelQPolicy, Lesson, SequenceRun
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
SIZES = {  # with which an agent that learns one task alone learns each of them
    "levels": {"tasks": 4, "inputs": 60_000},
    "atari_masks": {"tasks": 2, "episodes": 10},
    "atari_games": {"episodes": 10},
}
LANES = 8  # games played for the samples on which a task is consolidated


@dataclass(frozen=True)
class Agent:
    """An agent that can learn a sequence, and how it is tested.

    A deterministic agent would repeat one episode, so it starts after up to ``random_start`` random inputs.
    """

    model: Any
    policy: Any
    make: Any
    stored_bytes: Any  # of the steps that it stores, by its settings
    deterministic: bool
    random_start: int


AGENTS = {
    "ppo": Agent(SelfImitatingPPO, KeptPixelPolicy, make_ppo, rollout_bytes, deterministic=False, random_start=0),
    "dqn": Agent(DoubleDQN, KeptPixelQPolicy, make_dqn, replay_bytes, deterministic=True, random_start=30),
}
OURS = {f"PriorLab/{id_of(game)}-v0": game for game in games()}


def tasks_of(sequence: TaskSequence, number: int | None) -> dict[str, Task]:
    """The first ``number`` tasks of a sequence (None: all), by names that are unique and fit for folders.

    ValueError for a shorter sequence, or for tasks that these agents can't learn.
    """
    tasks = sequence.tasks
    if number is not None and number > len(tasks):
        raise ValueError(f"tasks must be at most {len(tasks)}, the length of {sequence.name}, got {number}")
    for task in tasks:
        if task.id not in OURS and any(each.id != atari.ID for each in tasks):
            raise ValueError(
                f"sequence {sequence.name}: {task.id}: expected tasks of {' and '.join(OURS)}, or of Atari alone"
            )
    rows = [{"id": task.id.removeprefix("PriorLab/"), **task.settings} for task in tasks]
    varied = [name for name in dict.fromkeys(name for row in rows for name in row) if differs(rows, name)]
    named: dict[str, Task] = {}
    for row, task in zip(rows, tasks):
        name = "-".join(label(row[name]) for name in varied if name in row) or task.id.removeprefix("PriorLab/")
        again = sum(known == name or known.startswith(f"{name} again") for known in named)
        named[f"{name} again{f' {again}' if again > 1 else ''}" if again else name] = task
    return dict(list(named.items())[:number])


def label(value: object) -> str:
    """A setting's value as part of a folder's name; the text of a level becomes its name."""
    text = Level.read(value).name if isinstance(value, str) and "\n" in value else str(value)
    return re.sub(r"[^\w.,' \[\]-]+", "_", text)


def differs(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    return len({str(row.get(name)) for row in rows}) > 1


def learner_settings(task: Task, agent: str, seed: int, inputs: int | None, out: Path | None = None) -> Settings:
    """The settings with which an agent learns one task; ``inputs`` replaces the game's budget."""
    game = OURS[task.id]
    known = [field.name for field in fields(Settings)]
    for name in task.settings:
        if name not in known:
            raise ValueError(f"a task of {task.id} has the setting {name}: expected settings of `priorlab train`")
    chosen = {"game": game, **BUDGETS[game], **task.settings, "agent": agent, "seed": seed, "out": out}
    chosen |= {"inputs": inputs} if inputs else {}
    return Settings(**chosen, evaluation_episodes=0, progress=False)


def settings(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a run except its method and seed, with those settings of the learner that all tasks share."""
    tasks = tasks_of(sequence_in(chosen), chosen["tasks"])
    complete = {**chosen, "tasks": len(tasks), "names": list(tasks)}
    if is_atari(tasks):
        atari.check(chosen["agent"], tasks.values())
        return complete | {"inputs": chosen["inputs"] or atari.TRAINING_INPUTS, "learner": atari.LEARNER}
    configs = [learner_settings(task, chosen["agent"], 0, chosen["inputs"]).config() for task in tasks.values()]
    apart = ("method", "player", "privileged", "seed", "device", "bfloat16", "threads")
    learner = {name: value for name, value in configs[0].items() if name not in apart and not differs(configs, name)}
    return complete | {"learner": learner}


def is_atari(tasks: Mapping[str, Task]) -> bool:
    return all(task.id == atari.ID for task in tasks.values())


def check_method(method: str, specs: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    """ValueError for a method that can't learn the sequence; ``specs``: the method, parsed."""
    pictures = gymnasium.spaces.Box(0, 255, (2, 42, 42), np.uint8)
    kept = {"methods": specs, "tasks": settings["tasks"], "relu_within": False}
    inputs, spent = settings["inputs"], lessons.MET * settings["learner"]["frame_skip"] if meets_tasks(specs) else 0
    if inputs is not None and inputs <= spent:
        raise ValueError(f"inputs must be more than {spent}, which {method} spends on meeting a task, got {inputs}")
    AGENTS[settings["agent"]].policy(pictures, gymnasium.spaces.Discrete(6), lambda _: 1e-3, **kept)


def learn(method: str, seed: int, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run: its points, and for each task what it took, the share of dormant units and the rank of the features.

    ``folder`` holds all runs of the sequence; finished lessons there are not repeated.
    """
    named = tasks_of(sequence_in(settings), settings["tasks"])
    tasks, of_run = list(named.values()), Path(method.replace(":", "_")) / f"seed_{seed}"
    folders = [folder / "runs" / f"{number}_{name}" / of_run for number, name in enumerate(named)]
    course = SequenceRun(method, parse(method, settings["heads"]), seed, settings, folders)
    if is_atari(named):
        results = [atari.AtariLesson(course, number, tasks).result() for number in range(len(tasks))]
    else:
        chosen = settings["agent"], seed, settings["inputs"]
        learners = [learner_settings(task, *chosen, out) for task, out in zip(tasks, folders)]
        results = [GameLesson(course, number, learners).result() for number in range(len(tasks))]
    return {
        "points": [point for result in results for point in result["points"]],
        "learned": [result["learned"] for result in results],
        "bytes": results[-1]["bytes"],
    }


@dataclass(frozen=True)
class GameLesson(Lesson):
    """A task of our games, which ``priorlab.agents.runs.run_learner`` trains; it resumes from a checkpoint.

    ``learners``: the learner's settings for each task of the run.
    """

    learners: Sequence[Settings]

    @property
    def agent(self) -> Agent:
        return AGENTS[self.learner.agent]

    @property
    def learner(self) -> Settings:
        return self.learners[self.number]

    @property
    def inputs(self) -> int:
        return self.learner.inputs

    @property
    def lanes(self) -> int:
        return LANES

    @property
    def frame_skip(self) -> int:
        return self.learner.frame_skip

    def train(self) -> Any:
        agent, settings = self.agent, replace(self.learner, inputs=self.inputs_left)
        if is_finished(self.folder):
            return load_model(agent.model, self.folder, device=settings.device)
        return run_learner(
            settings,
            lambda settings, env: agent.make(settings, env, agent.policy, **self.run.policy_kwargs),
            stored_bytes=agent.stored_bytes(settings),
            extra_config=self.config(),
            begin=self.start,
            before_rollout=lambda model, log: advance(model.policy, min(1.0, log.inputs / settings.inputs)),
        )[0]

    def practice(self) -> pd.DataFrame:
        episodes: Any = pd.read_csv(self.folder / "episodes.csv")
        return episodes.assign(performance=(episodes["outcome"] == "win").astype(float))

    def milestones(self) -> dict[str, Any]:
        """Raw inputs of the task to the first win and to mastery; None where the agent never got there."""
        reached = (self.inputs_met + inputs for inputs in milestones(self.folder))
        first_win, mastered = (None if np.isnan(inputs) else int(inputs) for inputs in reached)
        return {"first_win": first_win, "mastered": mastered}

    def games(self, task: int, number: int) -> dict[str, Any]:
        """The arguments for ``number`` games of a task, as tests and samples play them."""
        arguments = {"num_games": number, "random_start": self.agent.random_start}
        return self.learners[task].game_arguments() | arguments

    def test(self, model: Any, task: int) -> float:
        """Share of episodes won."""
        arguments = self.games(task, self.run.settings["episodes"])
        return evaluate(model, arguments, self.agent.deterministic, self.run.seed).win_rate

    def sample(self, model: Any, decisions: int) -> tuple[np.ndarray, np.ndarray]:
        games, pictures, taken = Games(**self.games(self.number, LANES)), [], []
        observations = games.reset(self.run.seed)
        for _ in range(decisions):
            actions = model.predict(observations, deterministic=self.agent.deterministic)[0]
            pictures.append(np.array(observations))
            taken.append(actions)
            observations = games.step(actions)[0]
        games.close()
        return np.concatenate(pictures), np.concatenate(taken)
