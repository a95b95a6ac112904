"""Atari's games as tasks of a sequence: learned by PPO, tested by their scores.

Each task is a game of ale_py, masked or not, on the gray, stacked pictures of Mnih et al. 2015 at half their size. A
task that is stopped during training starts from scratch.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from stable_baselines3.common.callbacks import BaseCallback

from priorlab.agents.learners.ppo import PlainPPO
from priorlab.agents.runs.saved_model import MODEL, load_model
from priorlab.envs.atari.atari_sb3 import AtariVecEnv
from priorlab.envs.base.files import write_whole
from priorlab.envs.game.sequences import Task
from priorlab.envs.results.rows import RunWriter, is_finished
from priorlab.scripts.sequences.lessons import KeptPixelPolicy, Lesson
from priorlab.transfer.sb3.learning import AdvanceCallback

ID = "PriorLab/Atari-v0"
SCORES = {  # of random play and of people: Mnih et al. 2015, extended data table 2; Pong: lowest and highest score
    "pong": (-21.0, 21.0), "breakout": (1.7, 31.8), "space_invaders": (148.0, 1652.0), "ms_pacman": (307.3, 15693.0),
    "montezuma_revenge": (0.0, 4367.0),
}  # fmt: skip
GAME = {"frame_skip": 4, "screen_size": 42, "stack_size": 4, "grayscale_obs": True, "noop_max": 30}
PPO = {  # Schulman et al. 2017, but half the minibatch and a constant rate of 1e-3, which learn Pong faster
    "n_steps": 128, "batch_size": 128, "n_epochs": 4, "gamma": 0.99, "gae_lambda": 0.95, "clip_range": 0.1,
    "ent_coef": 0.01, "learning_rate": 1e-3,
}  # fmt: skip
NUM_GAMES = 16
LEARNER = {"num_games": NUM_GAMES, **GAME, **PPO}
TRAINING_INPUTS = 4_000_000  # raw frames of training per task
TESTED = 1_000_003  # is added to the seed of tests, so that their random starts differ from those of training


def check(agent: str, tasks: Iterable[Task]) -> None:
    """ValueError for another agent than PPO, and for a game without known scores."""
    if agent != "ppo":
        raise ValueError(f"agent must be ppo for Atari, got {agent}")
    for task in tasks:
        if task.settings.get("game") not in SCORES:
            known = ", ".join(SCORES)
            raise ValueError(f"game must be one with known scores, {known}, got {task.settings.get('game')}")


@dataclass(frozen=True)
class AtariLesson(Lesson):
    """A task that is a game of ale_py; ``tasks``: all tasks of the run."""

    tasks: Sequence[Task]

    @property
    def inputs(self) -> int:
        return self.run.settings["inputs"]

    @property
    def lanes(self) -> int:
        return NUM_GAMES

    @property
    def frame_skip(self) -> int:
        return GAME["frame_skip"]

    def games(self, task: int, number: int, seed: int) -> AtariVecEnv:
        env = AtariVecEnv(number, **GAME | self.tasks[task].settings)
        env.seed(seed)
        return env

    def train(self) -> Any:
        if is_finished(self.folder):
            return load_model(PlainPPO, self.folder)
        seed = self.run.seed
        env = self.games(self.number, NUM_GAMES, seed)
        model = PlainPPO(KeptPixelPolicy, env, policy_kwargs=self.run.policy_kwargs, seed=seed, **PPO)
        task = {"mask": "none", **self.tasks[self.number].settings}
        front = {"game": f"atari/{task['game']}", "version": task["mask"], "player": "agent", "privileged": False}
        config = front | {"level": "", "seed": seed, "inputs": self.inputs_left, **LEARNER, **self.config()}
        writer = RunWriter(self.folder, config, resume_at=0)
        self.start(model)
        scores, decisions = Scores(writer), self.inputs_left // GAME["frame_skip"]
        model.learn(decisions, callback=[AdvanceCallback(decisions), scores])
        write_whole(self.folder / "scores.json", json.dumps(scores.scores))
        model.save(self.folder / MODEL)
        writer.finish()
        return model

    def practice(self) -> pd.DataFrame:
        scores = json.loads((self.folder / "scores.json").read_text(encoding="utf-8"))
        rows = [(inputs, self.share(score, self.number)) for inputs, score in scores]
        return pd.DataFrame(rows, columns=["inputs", "performance"])

    def share(self, score: float, task: int) -> float:
        """A score on the scale of SCORES, from 0 at the lower to 1 at the higher one, clipped."""
        low, high = SCORES[self.tasks[task].settings["game"]]
        return min(1.0, max(0.0, (score - low) / (high - low)))

    def test(self, model: Any, task: int) -> float:
        """Mean over the first episodes of many games, with sampled actions."""
        env = self.games(task, self.run.settings["episodes"], self.run.seed + TESTED)
        observations, scores = env.reset(), np.full(env.num_envs, np.nan)
        while np.isnan(scores).any():
            observations, _, dones, infos = env.step(model.predict(observations)[0])
            for lane in np.flatnonzero(dones & np.isnan(scores)):
                scores[lane] = infos[lane]["episode"]["r"]
        return float(np.mean([self.share(score, task) for score in scores.tolist()]))

    def sample(self, model: Any, decisions: int) -> tuple[np.ndarray, np.ndarray]:
        env = self.games(self.number, NUM_GAMES, self.run.seed)
        pictures, taken, observations = [], [], env.reset()
        for _ in range(decisions):
            actions = model.predict(observations)[0]
            pictures.append(observations)
            taken.append(actions)
            observations = env.step(actions)[0]
        return np.concatenate(pictures), np.concatenate(taken)


class Scores(BaseCallback):
    """Collects (inputs so far, score) of every episode, and writes its row."""

    def __init__(self, writer: RunWriter):
        super().__init__()
        self.writer, self.scores = writer, []

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                inputs = GAME["frame_skip"] * self.num_timesteps
                self.scores.append((inputs, info["episode"]["r"]))
                outcome = "limit" if info["TimeLimit.truncated"] else "death"
                self.writer.episode(inputs, info["inputs"], outcome)
        return True
