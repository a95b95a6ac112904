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

SMALLEST = 22  # pixels a side that the three convolutions need
CONVOLUTIONS: dict[str, list[tuple[int, int, int, int]]] = {  # of each network: channels, side, stride, padding
    "small": [(16, 6, 3, 0), (32, 3, 2, 0), (32, 3, 1, 0)],  # each with ReLU
    "study": 4 * [(32, 3, 2, 1)],  # each with ELU: Pathak et al. 2017, arXiv 1705.05363, section 3
}


class PixelNetwork(BaseFeaturesExtractor):
    """Convolutions and a dense layer: small has 150,000 parameters on 2 gray frames of 42x42; study is the study's.

    Takes uint8 (n, C, S, S), gives float32 (n, features). Runs in bfloat16 on a card that has it (None) or where told
    (True, False); the weights stay float32, so a model saved on one machine runs on any other. ReLU lies within the
    convolutions, which is faster, or in layers of its own, for methods that add to what a convolution gives.
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
            raise ValueError(f"pictures of {sides[1]}x{sides[0]}: expected {SMALLEST} or more pixels a side")
        self.asked = bfloat16
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
        low = gains_from_bfloat16(device) if self.asked is None else self.asked
        # stable-baselines3 makes floats of them where only values are asked for
        pictures = observations if observations.dtype == torch.uint8 else observations / 255
        if not low:
            return self.layers(pictures)
        with torch.autocast(device, torch.bfloat16):
            return self.layers(pictures).float()


@cache
def gains_from_bfloat16(device: str) -> bool:
    """Whether it is faster there: on cards that multiply it in hardware. On processors that do so the compiled float32
    convolutions are as fast, and all processors then compute alike."""
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


class OnPixels:
    """Before a policy of stable-baselines3: it becomes linear layers on a ``PixelNetwork``, whose settings it takes."""

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
        own = {
            "features_extractor_class": PixelNetwork,
            "features_extractor_kwargs": settings,
            "net_arch": [],
            "normalize_images": False,  # the network does, at the precision it runs in
            "optimizer_kwargs": {"eps": 1e-5, "fused": True},
        }
        super().__init__(*args, **{**own, **kwargs})


class PixelPolicy(OnPixels, ActorCriticCnnPolicy):
    """Actor and critic, one linear layer each on a ``PixelNetwork`` that they share; a policy class for PPO and A2C."""

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)  # its orthogonal start wants plain memory
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  torch's stubs leave it out

    def optimize(self, lr_schedule: Schedule) -> None:
        """Makes the optimizer anew, for a policy that has got other parameters since."""
        settings = {"lr": lr_schedule(1), **self.optimizer_kwargs}
        self.optimizer = self.optimizer_class(self.parameters(), **settings)

    # What follows equals stable-baselines3's own, without its distribution objects: a third of a rollout's time.

    def heads(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logarithms of the actions' probabilities, float32 (n, actions), and values, float32 (n, 1)."""
        features = self.features_extractor(observations)
        return self.action_net(features).log_softmax(dim=1), self.value_net(features)

    def forward(
        self, obs: torch.Tensor, deterministic: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return chosen(*self.heads(obs), deterministic)

    def evaluate_actions(  # pyright: ignore[reportIncompatibleMethodOverride]  dictionaries are no pictures
        self, obs: torch.Tensor, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return judged(*self.heads(obs), actions)


def chosen(
    logs: torch.Tensor, values: torch.Tensor, deterministic: bool = False
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Actions int64 (n,), the most probable or drawn; the values; logarithms of these actions' probabilities, (n,)."""
    actions = logs.argmax(dim=1, keepdim=True) if deterministic else logs.exp().multinomial(1)
    return actions.squeeze(1), values, logs.gather(1, actions).squeeze(1)


def judged(
    logs: torch.Tensor, values: torch.Tensor, actions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The values; logarithms of these actions' probabilities, (n,); entropies (n,)."""
    return values, logs.gather(1, actions[:, None]).squeeze(1), -(logs.exp() * logs).sum(dim=1)


class PixelQNetwork(QNetwork):
    """Values of actions, float32 (n, actions), from a ``PixelNetwork``: the state's, and each action's advantage over
    their mean (dueling heads, Wang et al. 2016, arXiv 1511.06581, equation 9)."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.value = nn.Linear(self.features_dim, 1)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        features = self.features_extractor(obs)
        advantages = self.q_net(features)
        return self.value(features) + advantages - advantages.mean(dim=1, keepdim=True)


class PixelQPolicy(OnPixels, DQNPolicy):
    """A ``PixelQNetwork`` and its target; a policy class for DQN."""

    def make_q_net(self) -> QNetwork:
        arguments = self._update_features_extractor(self.net_args, features_extractor=None)
        network = PixelQNetwork(**arguments)
        return network.to(self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
