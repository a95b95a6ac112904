"""The network of the pixel agents, as a feature extractor and policies for stable-baselines3."""

from functools import cache
from typing import Any

import gymnasium
import torch
from stable_baselines3.common.policies import ActorCriticCnnPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import nn

from priorlab.agents.networks.convolution import Convolution

SMALLEST = 24  # pixels per side that the three convolutions need
CONVOLUTIONS: dict[str, list[tuple[int, int, int, int]]] = {  # of each network: channels, side, stride, padding
    "small": [(16, 6, 3, 0), (32, 3, 2, 0), (32, 3, 1, 0)],  # each with ReLU
    "study": 4 * [(32, 3, 2, 1)],  # each with ELU: Pathak et al. 2017, arXiv 1705.05363, section 3
}


class PixelNetwork(BaseFeaturesExtractor):
    """Convolutions and a dense layer, as a features extractor of stable-baselines3.

    Maps pictures, uint8 (n, C, S, S), to float32 (n, features). network: "small", 150,000 parameters on two grayscale
    frames of 42x42, or "study", the four convolutions of the study's agent (Pathak et al. 2017, arXiv 1705.05363,
    section 3). bfloat16: whether it runs in bfloat16; None for on a GPU that supports it. The weights stay float32, so
    a model saved on one machine runs on any other. relu_within: whether ReLU is part of the convolutions, which is
    faster, or a separate layer, for methods that add to the output of a convolution. ValueError for pictures that are
    too small.
    """

    def __init__(
        self,
        observation_space: gymnasium.spaces.Box,
        features: int = 256,
        bfloat16: bool | None = None,
        network: str = "small",
        relu_within: bool = True,
    ):
        super().__init__(observation_space, features)
        channels, *sides = observation_space.shape
        if network == "small" and min(sides) < SMALLEST:
            raise ValueError(f"pictures of {sides[1]}x{sides[0]}: expected {SMALLEST} or more pixels per side")
        self.in_bfloat16 = bfloat16
        layers = nn.Sequential()  # the names are those under which weights are saved
        convolutions, relu = CONVOLUTIONS[network], network == "small"
        slope = 0.0 if relu and relu_within else 1.0
        for k, (outs, side, stride, padding) in enumerate(convolutions):
            layers.add_module(str(2 * k), Convolution(channels, outs, side, stride, padding, slope))
            if slope:
                layers.add_module(str(2 * k + 1), nn.ReLU() if relu else nn.ELU())
            channels = outs
        after = 2 * len(convolutions)
        layers.add_module(str(after), nn.Flatten())
        with torch.no_grad():
            flat = layers(torch.zeros(1, *observation_space.shape)).shape[1]
        layers.add_module(str(after + 1), nn.Linear(flat, features))
        layers.add_module(str(after + 2), nn.ReLU())
        self.layers = layers

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        device = observations.device.type
        low = gains_from_bfloat16(device) if self.in_bfloat16 is None else self.in_bfloat16
        # stable-baselines3 passes floats where it needs values alone
        pictures = observations if observations.dtype == torch.uint8 else observations / 255
        if not low:
            return self.layers(pictures)
        with torch.autocast(device, torch.bfloat16):
            return self.layers(pictures).float()


@cache
def gains_from_bfloat16(device: str) -> bool:
    """Whether bfloat16 is faster there: on GPUs that multiply it in hardware. On CPUs that do so the compiled float32
    convolutions are as fast, and all CPUs then compute the same."""
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


class OnPixels:
    """Put before a policy of stable-baselines3: linear layers on a ``PixelNetwork``, whose arguments it takes."""

    def __init__(
        self,
        *args: Any,
        features: int = 256,
        bfloat16: bool | None = None,
        network: str = "small",
        relu_within: bool = True,
        **kwargs: Any,
    ):
        settings = {"features": features, "bfloat16": bfloat16, "network": network, "relu_within": relu_within}
        defaults = {
            "features_extractor_class": PixelNetwork,
            "features_extractor_kwargs": settings,
            "net_arch": [],
            "normalize_images": False,  # the network does, in its own precision
            "optimizer_kwargs": {"eps": 1e-5, "fused": True},
        }
        super().__init__(*args, **{**defaults, **kwargs})


class PixelPolicy(OnPixels, ActorCriticCnnPolicy):
    """Actor and critic, one linear layer each on a shared ``PixelNetwork``: a policy class for PPO and A2C.

    Takes the arguments of ``PixelNetwork`` and of stable-baselines3's ``ActorCriticCnnPolicy``, as ``policy_kwargs``.
    Observations are uint8 (n, C, S, S), actions discrete.
    """

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)  # its orthogonal initialisation needs contiguous memory
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  missing from torch's stubs

    def make_optimizer(self, lr_schedule: Schedule) -> None:
        """Replaces the optimizer, for a policy whose parameters have changed."""
        settings = {"lr": lr_schedule(1), **self.optimizer_kwargs}
        self.optimizer = self.optimizer_class(self.parameters(), **settings)

    # These methods compute what stable-baselines3's do, without distribution objects, which take a third of a rollout.

    def heads(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Log probabilities of all actions, float32 (n, actions), and values, float32 (n, 1)."""
        features = self.features_extractor(observations)
        return self.action_net(features).log_softmax(dim=1), self.value_net(features)

    def forward(
        self, obs: torch.Tensor, deterministic: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return choose_actions(*self.heads(obs), deterministic)

    def evaluate_actions(  # pyright: ignore[reportIncompatibleMethodOverride]  dictionaries are not pictures
        self, obs: torch.Tensor, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return score_actions(*self.heads(obs), actions)


def choose_actions(
    logs: torch.Tensor, values: torch.Tensor, deterministic: bool = False
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Actions int64 (n,), the most probable ones or sampled; the values; the actions' log probabilities, (n,)."""
    actions = logs.argmax(dim=1, keepdim=True) if deterministic else logs.exp().multinomial(1)
    return actions.squeeze(1), values, logs.gather(1, actions).squeeze(1)


def score_actions(
    logs: torch.Tensor, values: torch.Tensor, actions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The values; these actions' log probabilities, (n,); entropies, (n,)."""
    return values, logs.gather(1, actions[:, None]).squeeze(1), -(logs.exp() * logs).sum(dim=1)


class PixelQNetwork(QNetwork):
    """Action values, float32 (n, actions), from a ``PixelNetwork``: the state's value plus each action's advantage over
    their mean (dueling heads, Wang et al. 2016, arXiv 1511.06581, equation 9)."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.value = nn.Linear(self.features_dim, 1)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        features = self.features_extractor(obs)
        advantages = self.q_net(features)
        return self.value(features) + advantages - advantages.mean(dim=1, keepdim=True)


class PixelQPolicy(OnPixels, DQNPolicy):
    """A ``PixelQNetwork`` and its target network: a policy class for DQN, with the arguments of ``PixelNetwork``."""

    def make_q_net(self) -> QNetwork:
        arguments = self._update_features_extractor(self.net_args, features_extractor=None)
        network = PixelQNetwork(**arguments)
        return network.to(self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
