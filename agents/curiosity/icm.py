"""The intrinsic curiosity module: what a forward model predicts badly pays, in features of what actions change.

Pathak et al. 2017, *Curiosity-driven Exploration by Self-supervised Prediction*, arXiv 1705.05363. An inverse model
predicts the action between two successive pictures from their features; so the features learn what actions influence
and ignore the rest. A forward model predicts the next features from the last ones and the action; the bonus is half its
squared error, times eta. Both losses train the features, as in the authors' code.
"""

from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv
from torch import nn
from torch.nn import functional

from priorlab.agents.curiosity.base import step_results
from priorlab.agents.curiosity.prediction import PredictionBonus
from priorlab.agents.networks.convolution import Convolution

ETA = 0.01  # of the bonus eta / 2 * ||error||^2: PREDICTION_BETA in the authors' code, which the study used
FORWARD_WEIGHT = 0.2  # of the forward model's loss; the inverse model's has the rest (the paper's beta, section 3)
CHANNELS = 32  # of each of four convolutions, 3x3, stride 2, with ELU (section 3; 288 features of 42x42 pixels)
UNITS = 256  # of the one hidden layer of either model (section 3)


class Models(nn.Module):
    """Features of pictures with ``channels`` channels and ``height`` x ``width`` pixels, and both models on them."""

    def __init__(self, channels: int, height: int, width: int, actions: int):
        super().__init__()
        self.actions = actions
        layers: list[nn.Module] = []
        for before in (channels, CHANNELS, CHANNELS, CHANNELS):
            layers += [Convolution(before, CHANNELS, 3, 2, 1, slope=1.0), nn.ELU()]
            height, width = (height + 1) // 2, (width + 1) // 2
        self.features = nn.Sequential(*layers, nn.Flatten())
        size = CHANNELS * height * width
        self.inverse_model = nn.Sequential(nn.Linear(2 * size, UNITS), nn.ReLU(), nn.Linear(UNITS, actions))
        self.forward_model = nn.Sequential(nn.Linear(size + actions, UNITS), nn.ReLU(), nn.Linear(UNITS, size))

    def forward(
        self, before: torch.Tensor, actions: torch.Tensor, after: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Half the squared error of the predicted features, and the action's negative log-likelihood, float32 (n,).

        before, after: uint8 (n, C, H, W); actions: int64 (n,).
        """
        first, second = self.features(torch.cat([before, after])).chunk(2)
        taken = functional.one_hot(actions, self.actions).float()
        error = (self.forward_model(torch.cat([first, taken], 1)) - second).square().sum(1) / 2
        return error, functional.cross_entropy(
            self.inverse_model(torch.cat([first, second], 1)), actions, reduction="none"
        )


class ICM(PredictionBonus):
    """Pays ``ETA`` times half the squared error of the forward model, in features of complete observations.

    venv: any VecEnv of pictures, uint8 (n, S, S, C), with discrete actions; learning_rate: of Adam; seed: of initial
    weights and minibatches; device: of the models; scale, reward_scale, n_steps, batch_size and n_epochs are those of
    ``PredictionBonus``. It can stay on a device.

    Pathak et al. 2017 (arXiv 1705.05363), section 2.
    """

    def __init__(
        self,
        venv: VecEnv,
        *,
        learning_rate: float = 1e-3,
        seed: int = 0,
        device: torch.device | str = "cpu",
        **settings: Any,
    ):
        shape = venv.observation_space.shape
        assert shape and isinstance(venv.action_space, gymnasium.spaces.Discrete)
        height, width, channels = shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            models = Models(channels, height, width, int(venv.action_space.n)).to(device)
        super().__init__(venv, models, learning_rate, seed=seed, **settings)
        self.before = torch.zeros((venv.num_envs, channels, height, width), dtype=torch.uint8, device=device)

    def on_reset(self, observations: np.ndarray) -> None:
        self.before = self.pictures(observations)

    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        actions = torch.as_tensor(self.actions.astype(np.int64), device=self.device)
        after = self.pictures(step_results(observations, dones, infos))
        return self.unscaled(actions, after, self.pictures(observations)).cpu().numpy()

    def pay_on_device(
        self, actions: torch.Tensor, observations: torch.Tensor, ended: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        now, after = observations.clone(), observations.clone()
        after[ended] = last
        bonus = self.scale * self.unscaled(actions, after.movedim(3, 1), now.movedim(3, 1))
        self.bonus = bonus  # pyright: ignore[reportAttributeAccessIssue]  a tensor on the device
        return bonus

    @torch.no_grad()
    def unscaled(self, actions: torch.Tensor, after: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
        """The unscaled bonus, float32 (N,).

        after: what the steps led to; now: what the games show; uint8 (N, C, H, W) each, which differ where an episode
        ended. Both are stored without a copy.
        """
        step = self.before, actions, after
        self.seen.append(step)
        bonus = ETA * self.network(*step)[0]
        if len(self.seen) == self.n_steps:
            with torch.enable_grad():
                self.learn(*(torch.cat(parts) for parts in zip(*self.seen)))
        self.before = now
        return bonus

    def pictures(self, observations: np.ndarray) -> torch.Tensor:
        """uint8 (n, H, W, C) -> (n, C, H, W), a copy."""
        return torch.tensor(observations, device=self.device).movedim(3, 1)

    def loss(self, *batch: torch.Tensor) -> torch.Tensor:
        error, surprise = self.network(*batch)
        return FORWARD_WEIGHT * error.mean() + (1 - FORWARD_WEIGHT) * surprise.mean()

    def state(self) -> dict[str, Any]:
        return super().state() | {"before": self.before}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.before = state["before"].to(self.device)
