"""The network of an apprentice, and its file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.type_aliases import Schedule
from torch import nn

from priorlab.agents.apprentice.settings import ApprenticeSettings, Remembered
from priorlab.agents.fields import Range, check
from priorlab.agents.learners.recurrent import RecurrentPolicy
from priorlab.agents.priors.weights import arrays_of, take_arrays
from priorlab.agents.tensor_files import Arrays, read_tensors, write_tensors
from priorlab.envs.game.rules import INPUT_COUNT

KIND, EDITION = "priorlab apprentice", 1
SHARED = ("pi_features_extractor.", "vf_features_extractor.")  # further names of ``features_extractor``


@dataclass(frozen=True)
class Shape:
    """What an apprentice is: its pictures, its pace, its size and its memory, as in ``ApprenticeSettings``.

    Raises ValueError, one line, for a value out of range.
    """

    screen_size: Annotated[int, Range(24)] = 84
    frame_skip: Annotated[int, Range(1)] = 4
    features: Annotated[int, Range(1)] = 256
    memory: Remembered = "play"

    def __post_init__(self) -> None:
        check(self)


class ApprenticePolicy(RecurrentPolicy):
    """A ``RecurrentPolicy`` that begins with something to learn from: pictures of one level differ by a few pixels, so
    without a normalised input and a remembering LSTM its outputs hardly differ, and neither do its gradients."""

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.norm = nn.LayerNorm(self.features_dim)
        with torch.no_grad():
            self.lstm.bias_hh.view(4, -1)[1] = 1.0  # of the forget gate: at first it remembers
        weight, _ = self.action_net.parameters()
        nn.init.orthogonal_(weight, 1.0)
        self.make_optimizer(lr_schedule)

    def features_of(self, observations: torch.Tensor) -> torch.Tensor:
        return self.norm(self.features_extractor(observations))


def shape_of(settings: ApprenticeSettings) -> Shape:
    return Shape(settings.screen_size, settings.frame_skip, settings.features, settings.memory)


def new_network(shape: Shape, seed: int = 0) -> RecurrentPolicy:
    """The network with weights drawn by the seed, on the CPU."""
    side = shape.screen_size
    seen = gymnasium.spaces.Box(0, 255, (3, side, side), np.uint8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        actions: Any = gymnasium.spaces.Discrete(INPUT_COUNT)
        return ApprenticePolicy(seen, actions, lambda _: 0.0, features=shape.features)


def save_network(network: RecurrentPolicy, shape: Shape, path: Path, about: Mapping[str, Any]) -> None:
    """Writes a new file, the same bytes for the same contents; FileExistsError if it exists. ``about``: plain data on
    where the weights come from."""
    texts = {"shape": asdict(shape), "about": dict(about)}
    write_tensors(path, KIND, EDITION, arrays_of(tensors_of(network)), texts)


def tensors_of(network: RecurrentPolicy) -> dict[str, torch.Tensor]:
    """The weights, each once: stable-baselines3 names those that actor and critic share three times."""
    return {name: each for name, each in network.state_dict().items() if not name.startswith(SHARED)}


def load_network(path: Path | str) -> tuple[RecurrentPolicy, Shape, dict[str, Any]]:
    """(the network, on the CPU; its shape; what was written about it).

    ValueError, one line that names the file, for anything but a file of ``save_network``; OSError for one that can't be
    read.
    """

    def make(texts: dict[str, Any], arrays: Arrays) -> tuple[RecurrentPolicy, Shape, dict[str, Any]]:
        shape = Shape(**texts["shape"])
        network = new_network(shape)
        take_arrays(network, arrays, tensors_of(network))
        return network, shape, texts.get("about", {})

    return read_tensors(Path(path), KIND, EDITION, "priorlab apprentice", make)
