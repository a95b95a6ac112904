"""Whether the machine has the memory that a run needs, checked before anything is written."""

import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import gymnasium
import numpy as np
import torch
from torch import nn

from priorlab.agents.curiosity.icm import Models
from priorlab.agents.curiosity.rnd import predictor_network, target_network
from priorlab.agents.device import device_of
from priorlab.agents.networks.pixels import PixelNetwork
from priorlab.agents.settings import Settings
from priorlab.envs.game.rules import INPUT_COUNT

GAME = 12_288  # bytes per game without its pictures, measured (docs/speed.md)
COPIES = 3  # of each game's pictures: the current ones, the last ones of an episode, the learner's
FLOAT = 4  # bytes


def check_memory(settings: Settings, stored: int) -> None:
    """ValueError where the run needs more memory than is free; ``stored`` is the memory of the steps that it stores.

    This estimates what grows with the settings: a machine with less can't carry the run, one with little more may not
    either.
    """
    picture = settings.screen_size**2 * settings.stack_size
    host = {"games": settings.num_games * (GAME + COPIES * picture), "stored steps": stored}
    network = {"network": network_bytes(settings)}
    if settings.curiosity in CURIOSITY_BYTES:
        host["curiosity's networks"] = CURIOSITY_BYTES[settings.curiosity](settings)
    if device_of(settings).type == "cuda" and settings.on_device:
        check_parts(host | network, torch.cuda.mem_get_info()[0], "on the GPU")
    elif device_of(settings).type == "cuda":
        check_parts(network, torch.cuda.mem_get_info()[0], "on the GPU")
        check_parts(host, free_bytes(), "in this machine")
    else:
        check_parts(host | network, free_bytes(), "in this machine")


def check_parts(parts: dict[str, int], free: float, where: str) -> None:
    needed = sum(parts.values())
    if needed > free:
        listed = ", ".join(f"{name} {gigabytes(size)}" for name, size in parts.items())
        raise ValueError(f"these settings need {gigabytes(needed)} ({listed}): expected at most the {gigabytes(free)} "
                         f"free {where}")  # fmt: skip


def gigabytes(count: float) -> str:
    return f"{count / 1e9:,.1f} GB"


def network_bytes(settings: Settings) -> int:
    """Memory of the network that acts, with its LSTM and dqn's target network if there are any."""
    shape = settings.stack_size, settings.screen_size, settings.screen_size
    with torch.device("meta"), torch.no_grad():  # which computes shapes alone
        network = PixelNetwork(gymnasium.spaces.Box(0, 255, shape, np.uint8), **settings.network_arguments())
        outputs = outputs_of(network.layers, *shape)
    weights, units = weights_of(network), settings.features
    target = weights if settings.agent == "dqn" else 0
    if settings.memory != "nothing":
        weights += 8 * units * (units + 1)  # four gates, from features and from hidden units, with their biases
        outputs += 6 * units  # the gates, the cell and the hidden units
    return learning_bytes(settings, weights, outputs) + FLOAT * target


def icm_bytes(settings: Settings) -> int:
    shape = settings.stack_size, settings.screen_size, settings.screen_size
    with torch.device("meta"), torch.no_grad():
        models = Models(*shape, INPUT_COUNT)
        size = models.features(torch.zeros(1, *shape)).shape[1]
        outputs = 2 * outputs_of(models.features, *shape)  # of the pictures before and after
        outputs += outputs_of(models.inverse_model, 2 * size) + outputs_of(models.forward_model, size + INPUT_COUNT)
    return learning_bytes(settings, weights_of(models), outputs)


def rnd_bytes(settings: Settings) -> int:
    """Memory of the predictor, and of the target, which does not learn."""
    shape = 1, settings.screen_size, settings.screen_size  # the newest frame
    with torch.device("meta"), torch.no_grad():
        predictor, target = predictor_network(*shape), target_network(*shape)
        outputs = outputs_of(predictor, *shape)
    return learning_bytes(settings, weights_of(predictor), outputs) + FLOAT * weights_of(target)


CURIOSITY_BYTES: dict[str, Callable[[Settings], int]] = {"icm": icm_bytes, "rnd": rnd_bytes}


def learning_bytes(settings: Settings, weights: int, outputs: int) -> int:
    """Weights, their gradients and Adam's two moments; the outputs of all layers for a batch, and their gradients."""
    return FLOAT * (4 * weights + 2 * outputs * max(settings.value("batch_size"), settings.num_games))


def weights_of(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def outputs_of(layers: Iterable[nn.Module], *shape: int) -> int:
    """How many numbers all of these layers together output for one input of this shape."""
    values, count = torch.zeros(1, *shape), 0
    for layer in layers:
        values = layer(values)
        count += values.numel()
    return count


def free_bytes() -> float:
    """Memory that the machine can give without swapping; infinite where the system does not report it."""
    table = Path("/proc/meminfo")  # sysconf's free memory excludes what the system's cache would give back
    if table.exists():
        lines = dict(line.split(":", 1) for line in table.read_text(encoding="ascii").splitlines())
        if "MemAvailable" in lines:
            return 1024 * int(lines["MemAvailable"].split()[0])
    names = ("SC_AVPHYS_PAGES", "SC_PAGE_SIZE")
    if not {*names} <= {*getattr(os, "sysconf_names", ())}:
        return math.inf
    return math.prod(os.sysconf(name) for name in names)
