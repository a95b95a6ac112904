"""Random network distillation: pictures unlike those seen so far pay.

Burda et al. 2018, *Exploration by Random Network Distillation*, arXiv 1810.12894. A network learns to output what
another one, random and fixed, outputs for the same picture; where it does so badly, the picture is new. Numbers are the
paper's (section 2.4 and its appendix) unless stated otherwise; the convolutions are as large as those of our agents,
because the paper's do not fit pictures smaller than 84x84.
"""

import copy
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from priorlab.agents.curiosity.base import step_results
from priorlab.agents.curiosity.prediction import PredictionBonus, tensor
from priorlab.agents.networks.convolution import Convolution
from priorlab.agents.networks.pixels import SMALLEST

CLIP = 5.0  # standard deviations, of the normalised pixels
OUTPUTS = 512  # of target and predictor, and units of the predictor's two additional layers
FIRST_STEPS = 128  # of each game, which start the running scales and pay nothing; one rollout in the paper
LEARNED_GAMES = 32  # with more games, the predictor learns from a share of the steps: as many as this many games make


def target_network(channels: int, height: int, width: int) -> nn.Sequential:
    """float32 (n, C, H, W) to (n, OUTPUTS); weights orthogonal, of gain sqrt(2), as in the authors' code."""
    if min(height, width) < SMALLEST:
        raise ValueError(f"pictures of {width}x{height}: expected {SMALLEST} or more pixels per side")
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
    """The same with two more layers, so that it can match the target."""
    further = [nn.ReLU(), nn.Linear(OUTPUTS, OUTPUTS), nn.ReLU(), nn.Linear(OUTPUTS, OUTPUTS)]
    return target_network(channels, height, width).extend(further)


def orthogonal(layer: nn.Module) -> None:
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.orthogonal_(layer.weight, 2**0.5)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)


class RND(PredictionBonus):
    """Pays the predictor's mean squared error on the newest frame, over the standard deviation of that error's return.

    venv: any VecEnv of pictures, uint8 (n, S, S, C); frame: channels of the newest frame; gamma: discount of the
    return; learning_rate: of Adam; seed: of initial weights and minibatches; scale, reward_scale, n_steps, batch_size
    and n_epochs are those of ``PredictionBonus``. ValueError for pictures that are too small.

    Pixels are normalised by their running mean and standard deviation, for these two networks only. All of these scales
    start with the first ``FIRST_STEPS`` steps of each game: of a random agent in the paper, of the learner here, which
    begins as one; so these steps are counted.

    Burda et al. 2018 (arXiv 1810.12894), sections 2.2 to 2.4.
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
        self.returns = np.zeros(venv.num_envs)  # of the errors, across episodes
        self.started = False

    def on_reset(self, observations: np.ndarray) -> None:
        """The return continues across episodes and resets."""

    @torch.no_grad()
    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        frames = step_results(observations, dones, infos)[..., -self.frame :]
        self.seen.append((frames,))
        if not self.started:
            if len(self.seen) == FIRST_STEPS:
                self.start()
            return np.zeros(len(frames))
        bonus = self.scaled(self.errors(self.normalised(frames)).numpy())
        if len(self.seen) == self.n_steps:
            self.update()
        return bonus

    def start(self) -> None:
        """Starts the scales from the first steps of all games."""
        steps = [frames for (frames,) in self.seen]
        self.update()
        for frames in steps:
            self.scaled(self.errors(self.normalised(frames)).numpy())
        self.started = True

    def update(self) -> None:
        """Updates the scale of pixels with what was seen, and learns from it."""
        frames = np.concatenate([frames for (frames,) in self.seen])
        self.pixels.update(frames)
        with torch.enable_grad():
            self.learn(self.normalised(frames))

    def normalised(self, frames: np.ndarray) -> torch.Tensor:
        """float32 (n, C, S, S) in standard deviations, clipped, for uint8 (n, S, S, C)."""
        return tensor((frames - self.pixels.mean) / np.sqrt(self.pixels.var + 1e-8)).clamp(-CLIP, CLIP)

    def errors(self, pictures: torch.Tensor) -> torch.Tensor:
        """The predictor's mean squared errors, float32 (n,)."""
        return (self.network(pictures) - self.target(pictures)).square().mean(1)

    def scaled(self, errors: np.ndarray) -> np.ndarray:
        """Errors over the running standard deviation of their discounted return; call it once per step."""
        self.returns = self.gamma * self.returns + errors
        self.deviation.update(self.returns)
        return errors / np.sqrt(self.deviation.var + 1e-8)

    def loss(self, *batch: torch.Tensor) -> torch.Tensor:
        """The mean error of a share of the batch, whose order is random."""
        (pictures,) = batch
        share = min(1.0, LEARNED_GAMES / self.num_envs)
        return self.errors(pictures[: max(1, round(share * len(pictures)))]).mean()

    def state(self) -> dict[str, Any]:
        scales = {name: getattr(self, name) for name in ("pixels", "deviation", "returns", "started")}
        return super().state() | copy.deepcopy(scales)

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        for name in ("pixels", "deviation", "returns", "started"):
            setattr(self, name, state[name])
