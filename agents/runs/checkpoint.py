"""Checkpoints: one file, written whole or not at all, with everything that makes a run go on as if never stopped."""

import io
import random
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.curiosity.bonus import Curiosity
from priorlab.agents.runs.record import Record
from priorlab.envs.base.files import writing
from priorlab.envs.engine.engine import Saved
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv

NAME = "checkpoint.pt"


class Learner(Protocol):
    """A learner of stable-baselines3 that tells what else it must remember."""

    num_timesteps: int
    device: torch.device
    tensorboard_log: str | None

    def learn(self, total_timesteps: int, callback: Any, *, tb_log_name: str, reset_num_timesteps: bool) -> Any: ...

    def save(self, path: io.BufferedIOBase) -> None: ...

    @classmethod
    def load(cls, path: io.BytesIO, env: VecEnv, device: torch.device, *, force_reset: bool) -> Self: ...

    def memory(self) -> dict[str, Any]:
        """Attributes that a saved model leaves out and a resumed run needs."""
        ...


Model = TypeVar("Model", bound=Learner)


def save(folder: Path, model: Learner, batch: PriorLabVecEnv, curiosity: Curiosity | None, record: Record) -> None:
    """Call it between an update and the next rollout.

    The rows are on disk before the checkpoint takes its place, so that it is never newer than they are.
    """
    record.flush()
    weights = io.BytesIO()
    model.save(weights)
    contents = {
        "model": weights.getvalue(),
        "memory": model.memory(),
        "games": batch.games.save()._asdict(),
        "steps": batch.steps,
        "curiosity": curiosity and curiosity.memory(),
        "record": record.state(),
        "random": (torch.get_rng_state(), np.random.get_state(), random.getstate()),  # noqa: NPY002, as SB3 draws from it
        "cards": torch.cuda.get_rng_state_all(),
        "device": model.device.type,
    }
    with writing(folder / NAME) as file:
        torch.save(
            contents, file, pickle_protocol=5
        )  # the older one writes large arrays slowly, and half as large again


def read(folder: Path) -> dict[str, Any] | None:
    """What the folder's checkpoint holds, None where there is none. It is a pickle: load only your own."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        return torch.load(path, weights_only=False, map_location="cpu")
    except Exception as error:
        raise ValueError(f"{path}: {error}; expected a checkpoint; delete it to begin anew") from None


def restore(
    contents: dict[str, Any],
    kind: type[Model],
    device: torch.device,
    env: VecEnv,
    batch: PriorLabVecEnv,
    curiosity: Curiosity | None,
    record: Record,
) -> Model:
    """The model, of that kind, as it was; the batch of games, curiosity and record are put back in place.

    ValueError where the run was on another kind of device: random numbers go on only on their own.
    """
    was = contents.get("device", device.type)
    if was != device.type:
        raise ValueError(f"the checkpoint is of a run on {was}: expected device {was}, not {device.type}")
    model = kind.load(io.BytesIO(contents["model"]), env, device, force_reset=False)
    for name, value in contents["memory"].items():
        setattr(model, name, value)
    batch.games.restore(Saved(**contents["games"]))
    batch.steps[:] = contents.get("steps", 0)  # which older checkpoints leave out
    if curiosity:
        curiosity.restore(contents["curiosity"])
    record.restore(contents["record"])
    ours, numpys, pythons = contents["random"]
    torch.set_rng_state(ours)
    torch.cuda.set_rng_state_all(contents["cards"])
    np.random.set_state(numpys)  # noqa: NPY002
    random.setstate(pythons)
    return model
