"""Random network distillation: what looks unlike all that was seen pays.

Burda et al. 2018, *Exploration by Random Network Distillation*, arXiv 1810.12894. A network learns to give what another
one, random and fixed, gives for the same picture; where it is not yet good at that, the picture is new. Numbers are the
paper's (section 2.4 and its appendix) unless said otherwise; the convolutions are as large as those of our agents, as
theirs do not fit smaller pictures than 84x84.
"""

import copy
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from priorlab.agents.curiosity.bonus import reached
from priorlab.agents.curiosity.prediction import Predicting, tensor
from priorlab.agents.networks.convolution import Convolution
from priorlab.agents.networks.pixels import SMALLEST

CLIP = 5.0  # deviations, of the normalised pixels
OUTPUTS = 512  # of target and predictor, and units of the predictor's two further layers
FIRST_STEPS = 128  # of each game, which start the running scales and pay nothing; a rollout of the paper's
WHOLE_LANES = 32  # with more games, the predictor learns from a share of the steps, as many as of so many games


def target_network(channels: int, height: int, width: int) -> nn.Sequential:
    """float32 (n, C, H, W) to (n, OUTPUTS); weights orthogonal, of gain sqrt(2), as in the authors' code."""
    if min(height, width) < SMALLEST:
        raise ValueError(f"pictures of {width}x{height}: expected {SMALLEST} or more pixels a side")
    layers = nn.Sequential(
        Convolution(channels, 32, 6, 3, slope=1.0), nn.LeakyReLU(0.2),
        Convolution(32, 64, 3, 2, slope=1.0), nn.LeakyReLU(0.2),
        Convolution(64, 64, 3, 1, slope=1.0), nn.LeakyReLU(0.2),
        nn.Flatten(),
    )  # fmt: skip
    with torch.no_grad():
        flat = layers(torch.zeros(1, channels, height, width)).shape[1]
    return layers.extend([nn.Linear(flat, OUTPUTS)])


def predictor_network(channels: int, height: int, width: int) -> nn.Sequential:
    """The same with two more layers, so that it can become equal to the target."""
    further = [nn.ReLU(), nn.Linear(OUTPUTS, OUTPUTS), nn.ReLU(), nn.Linear(OUTPUTS, OUTPUTS)]
    return target_network(channels, height, width).extend(further)


def orthogonal(layer: nn.Module) -> None:
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.orthogonal_(layer.weight, 2**0.5)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)


class RND(Predicting):
    """Pays the mean squared error of the predictor on the newest frame, over the deviation of that error's return.

    frame: how many channels the newest one has; gamma: discount of the return. Pixels are normalised by their running
    mean and deviation, for both networks and nothing else. All of these scales start with each game's first
    ``FIRST_STEPS`` steps: in the paper a random agent's, here those of the learner itself, which begins as one; so
    they are counted.
    """

    def __init__(
        self,
        venv: VecEnv,
        *,
        frame: int = 1,
        gamma: float = 0.99,
        learning_rate: float = 1e-4,
        seed: int = 0,
        **settings: Any,
    ):
        shape = venv.observation_space.shape
        assert shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            target = target_network(frame, *shape[:2]).apply(orthogonal).requires_grad_(False)
            predictor = predictor_network(frame, *shape[:2]).apply(orthogonal)
        super().__init__(venv, predictor, learning_rate, seed=seed, **settings)
        self.target, self.frame, self.gamma = target, frame, gamma
        self.pixels, self.deviation = RunningMeanStd(shape=(*shape[:2], frame)), RunningMeanStd()
        self.returns = np.zeros(venv.num_envs)  # of the errors, over all episodes
        self.started = False

    def begin(self, observations: np.ndarray) -> None:
        """The return goes on over episodes, and over a reset."""

    @torch.no_grad()
    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        frames = reached(observations, dones, infos)[..., -self.frame :]
        self.seen.append((frames,))
        if not self.started:
            if len(self.seen) == FIRST_STEPS:
                self.start()
            return np.zeros(len(frames))
        bonus = self.scaled(self.errors(self.normal(frames)).numpy())
        if len(self.seen) == self.n_steps:
            self.take_in()
        return bonus

    def start(self) -> None:
        """The first steps of all games, at once."""
        steps = [frames for (frames,) in self.seen]
        self.take_in()
        for frames in steps:
            self.scaled(self.errors(self.normal(frames)).numpy())
        self.started = True

    def take_in(self) -> None:
        """Counts what was seen in the scale of pixels, and learns from it."""
        frames = np.concatenate([frames for (frames,) in self.seen])
        self.pixels.update(frames)
        with torch.enable_grad():
            self.learn(self.normal(frames))

    def normal(self, frames: np.ndarray) -> torch.Tensor:
        """float32 (n, C, S, S) in deviations, clipped, for uint8 (n, S, S, C)."""
        return tensor((frames - self.pixels.mean) / np.sqrt(self.pixels.var + 1e-8)).clamp(-CLIP, CLIP)

    def errors(self, pictures: torch.Tensor) -> torch.Tensor:
        """float32 (n,)"""
        return (self.network(pictures) - self.target(pictures)).square().mean(1)

    def scaled(self, errors: np.ndarray) -> np.ndarray:
        """Errors over the running deviation of their discounted return; called once a step."""
        self.returns = self.gamma * self.returns + errors
        self.deviation.update(self.returns)
        return errors / np.sqrt(self.deviation.var + 1e-8)

    def loss(self, *batch: torch.Tensor) -> torch.Tensor:
        """The mean error of a share of the batch, whose order is by chance."""
        (pictures,) = batch
        share = min(1.0, WHOLE_LANES / self.num_envs)
        return self.errors(pictures[: max(1, round(share * len(pictures)))]).mean()

    def memory(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("pixels", "deviation", "returns", "started")}
        return super().memory() | copy.deepcopy(own)

    def restore(self, memory: dict[str, Any]) -> None:
        super().restore(memory)
        for name in ("pixels", "deviation", "returns", "started"):
            setattr(self, name, memory[name])
