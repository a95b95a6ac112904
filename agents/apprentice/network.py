"""The network of an apprentice, and its file: safetensors, which holds numbers and text and runs no code when read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed
from stable_baselines3.common.type_aliases import Schedule
from torch import nn

from priorlab.agents.apprentice.settings import ApprenticeSettings, Remembered
from priorlab.agents.fields import Range, check
from priorlab.agents.learners.recurrent import RecurrentPolicy
from priorlab.agents.priors.weights import check as check_tensors
from priorlab.agents.priors.weights import in_order
from priorlab.envs.base.files import read_bytes, writing_new
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
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors_of(network).items()}
    texts = {"kind": KIND, "edition": EDITION, "shape": asdict(shape), "about": dict(about)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_new(path) as file:
        file.write(in_order(packed(tensors, {name: json.dumps(text) for name, text in texts.items()})))


def tensors_of(network: RecurrentPolicy) -> dict[str, torch.Tensor]:
    """The weights, each once: stable-baselines3 names those that actor and critic share three times."""
    return {name: each for name, each in network.state_dict().items() if not name.startswith(SHARED)}


def load_network(path: Path | str) -> tuple[RecurrentPolicy, Shape, dict[str, Any]]:
    """(the network, on the CPU; its shape; what was written about it).

    ValueError, one line that names the file, for anything but a file of ``save_network``; OSError for one that can't be
    read.
    """
    path = Path(path)
    read_bytes(path, 1)  # a folder or a pipe is refused here
    try:
        with safe_open(path, "pt") as file:
            texts = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
        if texts.get("kind") != KIND or texts.get("edition") != EDITION:
            raise ValueError(f"expected the weights of a {KIND}, edition {EDITION}")
        shape = Shape(**texts["shape"])
        network = new_network(shape)
        check_tensors(tensors, tensors_of(network))
        network.load_state_dict(tensors, strict=False)
    except (SafetensorError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: damaged, or not a safetensors file ({' '.join(str(error).split())})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return network, shape, texts.get("about", {})
