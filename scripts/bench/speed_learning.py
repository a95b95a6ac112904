"""How fast does our PPO learn? Compared with stock stable-baselines3 at the same network, games, rollouts, epochs,
minibatches and threads.

Both learn in turns, so that other load on the machine slows both; the ratio is the median over turns. Stock plays
single environments in a DummyVecEnv, as its users do.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import gymnasium
import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

import priorlab  # noqa: F401  registers the games
from priorlab.agents.learners.make_ppo import hyperparameters, make_ppo
from priorlab.agents.runs.run_learner import make_env
from priorlab.agents.settings import Settings

PLAIN = Settings(curiosity="none", imitation_batches=0, reward_scale=1.0, progress=False)
CASES = {
    "the default": PLAIN,
    "64 games": replace(PLAIN, num_games=64, batch_size=512),
    "84x84, 4 frames": replace(PLAIN, screen_size=84, stack_size=4),
}


class StockNetwork(BaseFeaturesExtractor):
    """The layers of ``PixelNetwork``, from torch."""

    def __init__(self, observation_space: gymnasium.spaces.Box, features: int):
        super().__init__(observation_space, features)
        shape = observation_space.shape
        layers = nn.Sequential(
            nn.Conv2d(shape[0], 16, 6, 3), nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2), nn.ReLU(),
            nn.Conv2d(32, 32, 3, 1), nn.ReLU(),
            nn.Flatten(),
        )  # fmt: skip
        flat = layers(torch.zeros(1, *shape)).shape[1]
        self.layers = layers.extend([nn.Linear(flat, features), nn.ReLU()])

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.layers(observations)


def stock_games(settings: Settings) -> VecEnv:
    """Single environments in sequence, as users of stable-baselines3 make them."""
    return make_vec_env(
        "PriorLab/Princess-v0",
        settings.num_games,
        env_kwargs={
            "level": settings.level,
            "screen_size": settings.screen_size,
            "grayscale_obs": True,
            "stack_size": settings.stack_size,
            "frame_skip": settings.frame_skip,
        },
    )


def stock(settings: Settings, games: VecEnv) -> PPO:
    return PPO(
        "CnnPolicy",
        games,
        policy_kwargs={
            "features_extractor_class": StockNetwork,
            "features_extractor_kwargs": {"features": settings.features},
            "net_arch": [],
        },
        **hyperparameters(settings),
    )


@dataclass
class Timed:
    """A learner and its seconds per decision in each turn: in total, and in updates alone."""

    model: PPO
    whole: list[float] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    updating: float = 0.0

    def __post_init__(self) -> None:
        self.model.train = self.timed(self.model.train)

    def timed(self, train: Callable[[], None]) -> Callable[[], None]:
        def train_and_time() -> None:
            began = time.perf_counter()
            train()
            self.updating += time.perf_counter() - began

        return train_and_time

    def learn(self, decisions: int) -> None:
        self.updating, began = 0.0, time.perf_counter()
        self.model.learn(decisions, reset_num_timesteps=False)
        self.whole.append((time.perf_counter() - began) / decisions)
        self.updates.append(self.updating / decisions)


def compare(settings: Settings, turns: int) -> tuple[Timed, Timed]:
    """Our learner and stock's, after a warm-up turn."""
    torch.set_num_threads(settings.threads)
    both = Timed(make_ppo(settings, make_env(settings)[0])), Timed(stock(settings, stock_games(settings)))
    decisions = settings.n_steps * settings.num_games
    for turn in range(turns + 1):
        for learner in both:
            learner.learn(decisions * max(1, 1024 // decisions))
            if not turn:
                learner.whole, learner.updates = [], []
    return both


def main(turns: int = 10, threads: int = 1) -> None:
    """Print the decisions per second of both, and their ratios.

    Args:
        turns: turns of each that count
        threads: CPU cores for the network
    """
    table = Table("case", "ours, decisions/s", "stock's", "ratio", "lowest, highest", "ratio of updates", "of rollouts")
    for name, settings in CASES.items():
        ours, stocks = compare(replace(settings, threads=threads), turns)
        whole = np.array(stocks.whole) / ours.whole
        rollouts = (np.array(stocks.whole) - stocks.updates) / (np.array(ours.whole) - ours.updates)
        table.add_row(
            name,
            f"{1 / np.median(ours.whole):,.0f}",
            f"{1 / np.median(stocks.whole):,.0f}",
            f"{np.median(whole):.2f}",
            f"{whole.min():.2f}, {whole.max():.2f}",
            f"{np.median(np.array(stocks.updates) / ours.updates):.2f}",
            f"{np.median(rollouts):.2f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    tyro.cli(main)
