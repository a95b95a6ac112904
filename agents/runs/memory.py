"""What a run asks of the machine, told before anything is written: a device that is there, and memory that is free."""

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

GAME = 12_288  # bytes a game beside its pictures, measured (docs/speed.md)
COPIES = 3  # of each game's pictures: its own, the last ones of an episode, the learner's
FLOAT = 4  # bytes


def check_memory(settings: Settings, held: int) -> None:
    """ValueError where the run needs more memory than is free; ``held`` are the bytes of the steps that it keeps.

    An estimate, of what grows with the settings: a machine with less than this can't carry the run, one with little
    more may not.
    """
    picture = settings.screen_size**2 * settings.stack_size
    host = {"games": settings.num_games * (GAME + COPIES * picture), "kept steps": held}
    network = {"network": network_bytes(settings)}
    if settings.curiosity in CURIOUS:
        host["curiosity's networks"] = CURIOUS[settings.curiosity](settings)
    if device_of(settings).type == "cuda" and settings.on_device:
        check_parts(host | network, torch.cuda.mem_get_info()[0], "on the card")
    elif device_of(settings).type == "cuda":
        check_parts(network, torch.cuda.mem_get_info()[0], "on the card")
        check_parts(host, free_bytes(), "in this machine")
    else:
        check_parts(host | network, free_bytes(), "in this machine")


def check_parts(parts: dict[str, int], free: float, where: str) -> None:
    needed = sum(parts.values())
    if needed > free:
        told = ", ".join(f"{name} {gigabytes(size)}" for name, size in parts.items())
        raise ValueError(f"these settings need {gigabytes(needed)} ({told}): expected at most the {gigabytes(free)} "
                         f"free {where}")  # fmt: skip


def gigabytes(count: float) -> str:
    return f"{count / 1e9:,.1f} GB"


def network_bytes(settings: Settings) -> int:
    """Of the network that acts, of the LSTM behind it, and of dqn's target."""
    shape = settings.stack_size, settings.screen_size, settings.screen_size
    with torch.device("meta"), torch.no_grad():  # its sizes alone
        network = PixelNetwork(gymnasium.spaces.Box(0, 255, shape, np.uint8), **settings.of_network())
        given = given_by(network.layers, *shape)
    weights, units = weights_of(network), settings.features
    target = weights if settings.agent == "dqn" else 0
    if settings.memory != "nothing":
        weights += 8 * units * (units + 1)  # of four gates, from features and from what is shown, with their biases
        given += 6 * units  # the gates, what is remembered and what is shown
    return learning_bytes(settings, weights, given) + FLOAT * target


def icm_bytes(settings: Settings) -> int:
    shape = settings.stack_size, settings.screen_size, settings.screen_size
    with torch.device("meta"), torch.no_grad():
        models = Models(*shape, INPUT_COUNT)
        size = models.features(torch.zeros(1, *shape)).shape[1]
        given = 2 * given_by(models.features, *shape)  # of the pictures before and after
        given += given_by(models.inverse, 2 * size) + given_by(models.ahead, size + INPUT_COUNT)
    return learning_bytes(settings, weights_of(models), given)


def rnd_bytes(settings: Settings) -> int:
    """Of the predictor, and of the target, which does not learn."""
    shape = 1, settings.screen_size, settings.screen_size  # the newest frame
    with torch.device("meta"), torch.no_grad():
        predictor, target = predictor_network(*shape), target_network(*shape)
        given = given_by(predictor, *shape)
    return learning_bytes(settings, weights_of(predictor), given) + FLOAT * weights_of(target)


CURIOUS: dict[str, Callable[[Settings], int]] = {"icm": icm_bytes, "rnd": rnd_bytes}


def learning_bytes(settings: Settings, weights: int, given: int) -> int:
    """Weights, their gradients and Adam's two moments; what a batch's layers give, and the gradients of that."""
    return FLOAT * (4 * weights + 2 * given * max(settings.value("batch_size"), settings.num_games))


def weights_of(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def given_by(layers: Iterable[nn.Module], *shape: int) -> int:
    """Numbers that all of these layers together make of one input of this shape."""
    outputs, given = torch.zeros(1, *shape), 0
    for layer in layers:
        outputs = layer(outputs)
        given += outputs.numel()
    return given


def free_bytes() -> float:
    """Of the machine's memory, what it can give without swapping; infinite where the system doesn't tell."""
    table = Path("/proc/meminfo")  # what sysconf calls free leaves out what the system's cache would give back
    if table.exists():
        lines = dict(line.split(":", 1) for line in table.read_text(encoding="ascii").splitlines())
        if "MemAvailable" in lines:
            return 1024 * int(lines["MemAvailable"].split()[0])
    names = ("SC_AVPHYS_PAGES", "SC_PAGE_SIZE")
    if not {*names} <= {*getattr(os, "sysconf_names", ())}:
        return math.inf
    return math.prod(os.sysconf(name) for name in names)
