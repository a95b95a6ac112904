"""Atari's games as tasks of a sequence: learned by PPO, tested by their scores.

Masked or not, each task is a game of ale_py on the gray, stacked pictures of Mnih et al. 2015, at half their size. A
task that is stopped while it is learned begins anew.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from stable_baselines3.common.callbacks import BaseCallback

from priorlab.agents.learners.rollouts import RolloutPPO
from priorlab.envs.atari.atari_sb3 import AtariVecEnv
from priorlab.envs.base.files import write_whole
from priorlab.envs.game.sequences import Task
from priorlab.envs.results.rows import RunWriter, is_finished
from priorlab.scripts.sequences.lessons import KeptPixelPolicy, Lesson
from priorlab.transfer.sb3.learning import AdvanceCallback

ID = "PriorLab/Atari-v0"
SCORES = {  # of random play and of people: Mnih et al. 2015, extended data table 2; of Pong, the least and the most
    "pong": (-21.0, 21.0), "breakout": (1.7, 31.8), "space_invaders": (148.0, 1652.0), "ms_pacman": (307.3, 15693.0),
    "montezuma_revenge": (0.0, 4367.0),
}  # fmt: skip
GAME = {"frame_skip": 4, "screen_size": 42, "stack_size": 4, "grayscale_obs": True, "noop_max": 30}
PPO = {  # Schulman et al. 2017, but with half its minibatch and a constant rate of 1e-3, which learn Pong sooner
    "n_steps": 128, "batch_size": 128, "n_epochs": 4, "gamma": 0.99, "gae_lambda": 0.95, "clip_range": 0.1,
    "ent_coef": 0.01, "learning_rate": 1e-3,
}  # fmt: skip
NUM_GAMES = 16
LEARNER = {"num_games": NUM_GAMES, **GAME, **PPO}
INPUTS = 4_000_000  # raw frames for which a task is learned
TESTED = 1_000_003  # is added to the seed of tests, whose random starts are then not those of learning


def check(agent: str, tasks: Iterable[Task]) -> None:
    """ValueError for what these games are not learned with, and for a game whose scores are not known."""
    if agent != "ppo":
        raise ValueError(f"agent is {agent}: expected ppo for Atari")
    for task in tasks:
        if task.settings.get("game") not in SCORES:
            raise ValueError(
                f"game {task.settings.get('game')}: expected one of {', '.join(SCORES)}, with known scores"
            )


@dataclass(frozen=True)
class AtariLesson(Lesson):
    """A task that is a game of ale_py."""

    tasks: Sequence[Task]

    def inputs(self) -> int:
        return self.about["inputs"]

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

    def trained(self) -> Any:
        if is_finished(self.folder):
            return RolloutPPO.load(self.folder / "model.zip")
        env = self.games(self.number, NUM_GAMES, self.seed)
        model = RolloutPPO(KeptPixelPolicy, env, policy_kwargs=self.of_policy, seed=self.seed, **PPO)
        own = {"mask": "none", **self.tasks[self.number].settings}
        front = {
            "game": f"atari/{own['game']}",
            "version": own["mask"],
            "player": "agent",
            "privileged": False,
            "level": "",
        }
        config = front | {"seed": self.seed, "inputs": self.left, **LEARNER, **self.config()}
        writer = RunWriter(self.folder, config, resume_at=0)
        self.begin(model)
        scores, decisions = Scores(writer), self.left // GAME["frame_skip"]
        model.learn(decisions, callback=[AdvanceCallback(decisions), scores])
        write_whole(self.folder / "scores.json", json.dumps(scores.found))
        model.save(self.folder / "model.zip")
        writer.finish()
        return model

    def practised(self) -> pd.DataFrame:
        scores = json.loads((self.folder / "scores.json").read_text(encoding="utf-8"))
        rows = [(inputs, self.share(score, self.number)) for inputs, score in scores]
        return pd.DataFrame(rows, columns=["inputs", "performance"])

    def share(self, score: float, task: int) -> float:
        """A score as a part of the way from the lowest to the highest of SCORES, 0 to 1."""
        low, high = SCORES[self.tasks[task].settings["game"]]
        return min(1.0, max(0.0, (score - low) / (high - low)))

    def test(self, model: Any, task: int) -> float:
        """Mean over episodes, the first in each of many games, played by sampled actions."""
        env = self.games(task, self.about["episodes"], self.seed + TESTED)
        observations, scores = env.reset(), np.full(env.num_envs, np.nan)
        while np.isnan(scores).any():
            observations, _, dones, infos = env.step(model.predict(observations)[0])
            for lane in np.flatnonzero(dones & np.isnan(scores)):
                scores[lane] = infos[lane]["episode"]["r"]
        return float(np.mean([self.share(score, task) for score in scores.tolist()]))

    def play(self, model: Any, decisions: int) -> tuple[np.ndarray, np.ndarray]:
        env, seen, taken = self.games(self.number, NUM_GAMES, self.seed), [], []
        observations = env.reset()
        for _ in range(decisions):
            actions = model.predict(observations)[0]
            seen.append(observations)
            taken.append(actions)
            observations = env.step(actions)[0]
        return np.concatenate(seen), np.concatenate(taken)


class Scores(BaseCallback):
    """Keeps (inputs so far, score) of each episode, and its row."""

    def __init__(self, writer: RunWriter):
        super().__init__()
        self.writer, self.found = writer, []

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                inputs = GAME["frame_skip"] * self.num_timesteps
                self.found.append((inputs, info["episode"]["r"]))
                outcome = "limit" if info["TimeLimit.truncated"] else "death"
                self.writer.episode(inputs, info["inputs"], outcome)
        return True
