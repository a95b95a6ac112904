"""Checkpoints: one file, written completely or not at all, from which a run continues as if never stopped."""

import io
import random
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.curiosity.base import Curiosity
from priorlab.agents.runs.run_log import RunLog
from priorlab.agents.runs.saved_model import unpickling
from priorlab.envs.base.files import writing
from priorlab.envs.engine.engine import Saved
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv

NAME = "checkpoint.pt"


class Resumable(Protocol):
    """A learner of stable-baselines3 that knows what a resumed run needs beyond a saved model."""

    num_timesteps: int
    device: torch.device
    tensorboard_log: str | None

    def learn(self, total_timesteps: int, callback: Any, *, tb_log_name: str, reset_num_timesteps: bool) -> Any: ...

    def save(self, path: io.BufferedIOBase) -> None: ...

    @classmethod
    def load(cls, path: io.BytesIO, env: VecEnv, device: torch.device, *, force_reset: bool) -> Self: ...

    def unsaved(self) -> dict[str, Any]:
        """Attributes that a saved model leaves out and a resumed run needs."""
        ...


Model = TypeVar("Model", bound=Resumable)


def save(folder: Path, model: Resumable, batch: PriorLabVecEnv, curiosity: Curiosity | None, log: RunLog) -> None:
    """Writes a checkpoint; call it between an update and the next rollout.

    The rows reach the disk first, so that a checkpoint is never newer than they are.
    """
    log.flush()
    weights = io.BytesIO()
    model.save(weights)
    contents = {
        "model": weights.getvalue(),
        "memory": model.unsaved(),
        "games": batch.games.save()._asdict(),
        "steps": batch.steps,
        "curiosity": curiosity and curiosity.state(),
        "record": log.state(),
        "random": (torch.get_rng_state(), np.random.get_state(), random.getstate()),  # noqa: NPY002, as SB3 draws from it
        "cards": torch.cuda.get_rng_state_all(),
        "device": model.device.type,
    }
    with writing(folder / NAME) as file:
        torch.save(contents, file, pickle_protocol=5)  # older protocols write large arrays slowly, half as large again


def read(folder: Path) -> dict[str, Any] | None:
    """The contents of the folder's checkpoint, None if there is none. It is a pickle: load only your own.

    ValueError for a damaged file.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        return torch.load(path, weights_only=False, map_location="cpu")
    except Exception as error:
        raise ValueError(f"{path}: {error}; expected a checkpoint; delete it to start the run again") from None


def restore(
    contents: dict[str, Any],
    kind: type[Model],
    device: torch.device,
    env: VecEnv,
    batch: PriorLabVecEnv,
    curiosity: Curiosity | None,
    log: RunLog,
) -> Model:
    """The model, of that class, as it was; restores the batch of games, the curiosity and the log in place.

    ValueError for a run on another kind of device, whose random numbers can't be continued.
    """
    was = contents.get("device", device.type)
    if was != device.type:
        raise ValueError(f"the checkpoint is of a run on {was}: expected device {was}, not {device.type}")
    with unpickling("the checkpoint"):
        model = kind.load(io.BytesIO(contents["model"]), env, device, force_reset=False)
    for name, value in contents["memory"].items():
        setattr(model, name, value)
    batch.games.restore(Saved(**contents["games"]))
    batch.steps[:] = contents.get("steps", 0)  # absent from older checkpoints
    if curiosity:
        curiosity.restore(contents["curiosity"])
    log.restore(contents["record"])
    torch_state, numpy_state, python_state = contents["random"]
    torch.set_rng_state(torch_state)
    torch.cuda.set_rng_state_all(contents["cards"])
    np.random.set_state(numpy_state)  # noqa: NPY002
    random.setstate(python_state)
    return model
