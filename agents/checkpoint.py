"""Checkpoints: one file, written whole or not at all, with everything that makes a run go on as if never stopped."""

import io
import random
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from agents.bonus import Curiosity
from agents.record import Record
from envs.games import Games, Saved

NAME = "checkpoint.pt"


class Learner(Protocol):
    """A learner of stable-baselines3 that tells what else it must remember."""

    num_timesteps: int
    device: torch.device
    tensorboard_log: str | None

    def learn(self, total_timesteps: int, callback: Any, *, tb_log_name: str, reset_num_timesteps: bool) -> Any: ...

    def save(self, path: str | Path | io.BytesIO) -> None: ...

    @classmethod
    def load(cls, path: io.BytesIO, env: VecEnv, device: torch.device, *, force_reset: bool) -> Self: ...

    def memory(self) -> dict[str, Any]:
        """Attributes that a saved model leaves out and a resumed run needs."""
        ...


Model = TypeVar("Model", bound=Learner)


def save(folder: Path, model: Learner, games: Games, curiosity: Curiosity | None, record: Record) -> None:
    """Call it between an update and the next rollout."""
    record.flush()
    weights = io.BytesIO()
    model.save(weights)
    contents = {
        "model": weights.getvalue(),
        "memory": model.memory(),
        "games": games.save()._asdict(),
        "curiosity": curiosity and curiosity.memory(),
        "record": record.state(),
        "random": (torch.get_rng_state(), np.random.get_state(), random.getstate()),  # noqa: NPY002, as SB3 draws from it
        "cards": torch.cuda.get_rng_state_all(),
        "device": model.device.type,
    }
    draft = folder / f"{NAME}.draft"
    torch.save(contents, draft, pickle_protocol=5)  # the older one writes large arrays slowly, and half as large again
    draft.replace(folder / NAME)


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
    games: Games,
    curiosity: Curiosity | None,
    record: Record,
) -> Model:
    """The model, of that kind, as it was; games, curiosity and record are put back in place.

    ValueError where the run was on another kind of device: random numbers go on only on their own.
    """
    was = contents.get("device", device.type)
    if was != device.type:
        raise ValueError(f"the checkpoint is of a run on {was}: expected device {was}, not {device.type}")
    model = kind.load(io.BytesIO(contents["model"]), env, device, force_reset=False)
    for name, value in contents["memory"].items():
        setattr(model, name, value)
    games.restore(Saved(**contents["games"]))
    if curiosity:
        curiosity.restore(contents["curiosity"])
    record.restore(contents["record"])
    ours, numpys, pythons = contents["random"]
    torch.set_rng_state(ours)
    torch.cuda.set_rng_state_all(contents["cards"])
    np.random.set_state(numpys)  # noqa: NPY002
    random.setstate(pythons)
    return model
