"""One run of a learner, whichever it is: followed, kept in checkpoints, resumed, and stopped when it diverges."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.curiosity.bonus import Curiosity, curiosity_of
from priorlab.agents.curiosity.kinds import curious
from priorlab.agents.device import device_of
from priorlab.agents.runs import checkpoint
from priorlab.agents.runs.checkpoint import Model
from priorlab.agents.runs.memory import check_memory
from priorlab.agents.runs.record import Record
from priorlab.agents.settings import Settings
from priorlab.envs.base.files import writing
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from priorlab.envs.results.rows import RunWriter

MODEL = "model.zip"
CHECKPOINT_SECONDS = 45.0  # after which the next pause between rollouts writes a checkpoint: a stop costs little more


@dataclass(frozen=True)
class HeldRate:
    """A learning rate that is held, then falls as 1 / decisions: a policy that always wins is undone by large steps.

    ``total`` is the number of decisions that stable-baselines3 counts down to.
    """

    rate: float
    hold: int
    total: int

    def __call__(self, progress_remaining: float) -> float:
        decisions = (1 - progress_remaining) * self.total
        return self.rate * min(1.0, self.hold / max(decisions, 1.0))


def make_env(settings: Settings) -> tuple[VecEnv, PriorLabVecEnv]:
    """The batch of games with curiosity around it, and the batch itself."""
    games = PriorLabVecEnv(**settings.of_games(), device=device_of(settings).type if settings.on_device else "cpu")
    return curious(games, settings), games


def run(
    settings: Settings,
    make_model: Callable[[Settings, VecEnv], Model],
    callback: BaseCallback | None = None,
    *,
    held_bytes: int = 0,
    told: Mapping[str, Any] | None = None,
    begin: Callable[[Model], object] | None = None,
    during: Callable[[Model, Record], object] | None = None,
) -> tuple[Model, Record]:
    """Trains to ``settings.inputs``, from the folder's checkpoint where it holds one; writes rows and model.zip.

    held_bytes: of the steps that the learner keeps in memory; told: what stands in config.json beside the settings;
    begin: called once with the new model, before the first input of a run that is not resumed; during: called before
    each rollout, and so in the state that a checkpoint keeps: it must draw no random number of the learner's.

    Raises ValueError before anything is written for what can't be run, FloatingPointError for what diverged.
    """
    torch.set_num_threads(settings.threads)
    check_memory(settings, held_bytes)
    folder = settings.folder
    env, games = make_env(settings)
    curiosity = curiosity_of(env)
    held = checkpoint.read(folder)
    model = make_model(settings, env)
    writer = RunWriter(folder, settings.config() | dict(told or {}), held["record"]["inputs"] if held else 0)
    record = Record(games.games, writer)
    if held:
        model = checkpoint.restore(held, type(model), device_of(settings), env, games, curiosity, record)
        model.tensorboard_log = logs(settings)
    elif begin:
        begin(model)
    with closing(writer), progress_bar() if settings.progress else nullcontext() as bar:
        follow = Follow(settings, games, curiosity, record, bar, during)
        left = settings.inputs - model.num_timesteps  # there are fewer decisions than inputs: the callback ends it
        together = follow if callback is None else CallbackList([follow, callback])
        model.learn(left, together, tb_log_name=folder.name, reset_num_timesteps=held is None)
        follow.check()
        save_model(model, folder)
        record.finish()
    (folder / checkpoint.NAME).unlink(missing_ok=True)
    return model, record


class Follow(BaseCallback):
    """Keeps the record, writes checkpoints, shows progress, and ends the training at its number of inputs, or when
    what was learned is no longer finite: then the last checkpoint stays."""

    def __init__(
        self,
        settings: Settings,
        games: PriorLabVecEnv,
        curiosity: Curiosity | None,
        record: Record,
        bar: Progress | None,
        during: Callable[[Any, Record], object] | None = None,
    ):
        super().__init__()
        self.settings, self.env, self.curiosity, self.record, self.bar = settings, games, curiosity, record, bar
        self.during = during
        self.task = bar.add_task(settings.version, total=settings.inputs) if bar else None
        self.saved_at, self.saved_when = record.inputs, time.monotonic()

    def _on_training_start(self) -> None:
        if not self.record.inputs:
            self.record.begin()

    def _on_rollout_start(self) -> None:
        """Between an update and the next rollout."""
        self.check()
        if self.during:
            self.during(self.model, self.record)
        inputs, seconds = self.record.inputs - self.saved_at, time.monotonic() - self.saved_when
        if inputs >= self.settings.value("checkpoint_every") or seconds >= CHECKPOINT_SECONDS:
            self.save()

    def _on_step(self) -> bool:
        self.record.step()
        return self.record.inputs < self.settings.inputs

    def _on_rollout_end(self) -> None:
        record = self.record
        won = sum(record.wins) / max(len(record.wins), 1)
        self.logger.record("rollout/inputs", record.inputs)
        self.logger.record("rollout/win_rate", won)
        for name, value in self.curiosity.told().items() if self.curiosity else ():
            self.logger.record(f"curiosity/{name}", value)
        if self.bar and self.task is not None:
            text = f"{record.episodes} episodes, {won:.0%} of the last {len(record.wins)} won"
            self.bar.update(self.task, completed=record.inputs, description=text)

    def save(self) -> None:
        checkpoint.save(self.settings.folder, self.model, self.env, self.curiosity, self.record)  # type: ignore[arg-type]
        self.saved_at, self.saved_when = self.record.inputs, time.monotonic()

    def check(self) -> None:
        """FloatingPointError where something that learns, or its loss, is no longer a finite number."""
        sizes = {
            "the network": norm(self.model.policy.parameters()),
            "the loss": self.logger.name_to_value.get("train/loss", 0.0),
        }
        if self.curiosity:
            sizes["curiosity's network"] = norm(self.curiosity.parameters())
            sizes["the bonus"] = float(self.curiosity.bonus.sum())
        broken = [name for name, size in sizes.items() if not math.isfinite(size)]
        if broken:
            path = self.settings.folder / checkpoint.NAME
            kept = f"{path} holds the run as it was after {self.saved_at:,}, and the same command goes on from there"
            raise FloatingPointError(
                f"{' and '.join(broken)} became infinite or no number, after {self.record.inputs:,} inputs; "
                + (kept if path.exists() else "no checkpoint had been written yet")
            )


@torch.no_grad()
def norm(parameters: Iterable[torch.Tensor]) -> float:
    """Of all of these together: finite only if each number is."""
    return float(torch.nn.utils.get_total_norm(list(parameters)))


def save_model(model: checkpoint.Learner, folder: Path) -> None:
    with writing(folder / MODEL) as file:
        model.save(file)


def logs(settings: Settings) -> str | None:
    return str(settings.tensorboard) if settings.tensorboard else None


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("inputs"), TimeRemainingColumn()
    )
