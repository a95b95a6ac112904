"""One run of any learner: logged, saved in checkpoints, resumed, and stopped when it diverges."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.curiosity.base import Curiosity, find_curiosity
from priorlab.agents.curiosity.make_curiosity import make_curiosity
from priorlab.agents.device import device_of
from priorlab.agents.runs import checkpoint
from priorlab.agents.runs.checkpoint import Model
from priorlab.agents.runs.required_memory import check_memory
from priorlab.agents.runs.run_log import RunLog
from priorlab.agents.runs.saved_model import MODEL
from priorlab.agents.settings import Settings
from priorlab.envs.base.files import writing
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from priorlab.envs.results.rows import RunWriter

CHECKPOINT_SECONDS = 45.0  # after these, the next pause between rollouts writes a checkpoint: a stop costs little more


@dataclass(frozen=True)
class HeldRate:
    """A learning rate that is held, then decays as 1 / decisions: large steps undo a policy that always wins.

    ``total`` is the number of decisions that stable-baselines3 counts down to.
    """

    rate: float
    hold: int
    total: int

    def __call__(self, progress_remaining: float) -> float:
        decisions = (1 - progress_remaining) * self.total
        return self.rate * min(1.0, self.hold / max(decisions, 1.0))


def make_env(settings: Settings) -> tuple[VecEnv, PriorLabVecEnv]:
    """The games with the curiosity of the settings around them, and the games themselves."""
    device = device_of(settings).type if settings.on_device else "cpu"
    games = PriorLabVecEnv(**settings.game_arguments(), device=device)
    return make_curiosity(games, settings), games


def run_learner(
    settings: Settings,
    make_model: Callable[[Settings, VecEnv], Model],
    callback: BaseCallback | None = None,
    *,
    stored_bytes: int = 0,
    extra_config: Mapping[str, Any] | None = None,
    begin: Callable[[Model], object] | None = None,
    before_rollout: Callable[[Model, RunLog], object] | None = None,
) -> tuple[Model, RunLog]:
    """Trains to ``settings.inputs``, from the folder's checkpoint if there is one; writes rows and model.zip.

    stored_bytes: memory of the steps that the learner stores; extra_config: entries of config.json beyond the settings;
    begin: called once with the new model, before the first input of a run that is not resumed; before_rollout: called
    before each rollout, in the state that a checkpoint saves: it must not draw the learner's random numbers.

    Raises ValueError before anything is written for a run that the machine can't carry, and FloatingPointError for one
    that diverges.
    """
    torch.set_num_threads(settings.threads)
    check_memory(settings, stored_bytes)
    folder = settings.folder
    env, games = make_env(settings)
    curiosity = find_curiosity(env)
    saved = checkpoint.read(folder)
    model = make_model(settings, env)
    config = settings.config() | dict(extra_config or {})
    writer = RunWriter(folder, config, saved["record"]["inputs"] if saved else 0)
    log = RunLog(games.games, writer)
    if saved:
        model = checkpoint.restore(saved, type(model), device_of(settings), env, games, curiosity, log)
        model.tensorboard_log = tensorboard_folder(settings)
    elif begin:
        begin(model)
    with closing(writer), progress_bar() if settings.progress else nullcontext() as bar:
        follow = RunCallback(settings, games, curiosity, log, bar, before_rollout)
        remaining = settings.inputs - model.num_timesteps  # there are fewer decisions than inputs: the callback ends it
        callbacks = follow if callback is None else CallbackList([follow, callback])
        model.learn(remaining, callbacks, tb_log_name=folder.name, reset_num_timesteps=saved is None)
        follow.check()
        with writing(folder / MODEL) as file:
            model.save(file)
        log.finish()
    (folder / checkpoint.NAME).unlink(missing_ok=True)
    return model, log


class RunCallback(BaseCallback):
    """Keeps the log, writes checkpoints, shows progress, and ends the training after ``settings.inputs``.

    Where a weight, a loss or a bonus is no longer finite, it raises FloatingPointError, and the last checkpoint stays.
    """

    def __init__(
        self,
        settings: Settings,
        games: PriorLabVecEnv,
        curiosity: Curiosity | None,
        log: RunLog,
        bar: Progress | None,
        before_rollout: Callable[[Any, RunLog], object] | None = None,
    ):
        super().__init__()
        self.settings, self.env, self.curiosity, self.log, self.bar = settings, games, curiosity, log, bar
        self.before_rollout = before_rollout
        self.task = bar.add_task(settings.version, total=settings.inputs) if bar else None
        self.saved_at, self.saved_when = log.inputs, time.monotonic()

    def _on_training_start(self) -> None:
        if not self.log.inputs:
            self.log.begin()

    def _on_rollout_start(self) -> None:
        """Called between an update and the next rollout."""
        self.check()
        if self.before_rollout:
            self.before_rollout(self.model, self.log)
        inputs, seconds = self.log.inputs - self.saved_at, time.monotonic() - self.saved_when
        if inputs >= self.settings.value("checkpoint_every") or seconds >= CHECKPOINT_SECONDS:
            self.save()

    def _on_step(self) -> bool:
        self.log.step()
        return self.log.inputs < self.settings.inputs

    def _on_rollout_end(self) -> None:
        log = self.log
        win_rate = sum(log.wins) / max(len(log.wins), 1)
        self.logger.record("rollout/inputs", log.inputs)
        self.logger.record("rollout/win_rate", win_rate)
        for name, value in self.curiosity.statistics().items() if self.curiosity else ():
            self.logger.record(f"curiosity/{name}", value)
        if self.bar and self.task is not None:
            text = f"{log.episodes} episodes, {win_rate:.0%} of the last {len(log.wins)} won"
            self.bar.update(self.task, completed=log.inputs, description=text)

    def save(self) -> None:
        checkpoint.save(self.settings.folder, self.model, self.env, self.curiosity, self.log)  # type: ignore[arg-type]
        self.saved_at, self.saved_when = self.log.inputs, time.monotonic()

    def check(self) -> None:
        """FloatingPointError where something that learns, or its loss, is not a finite number."""
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
            saved = f"{path} holds the run as it was after {self.saved_at:,}, and the same command resumes from there"
            raise FloatingPointError(
                f"{' and '.join(broken)} became infinite or NaN, after {self.log.inputs:,} inputs; "
                + (saved if path.exists() else "no checkpoint had been written yet")
            )


@torch.no_grad()
def norm(parameters: Iterable[torch.Tensor]) -> float:
    """Of all parameters together: finite only if each number is."""
    return float(torch.nn.utils.get_total_norm(list(parameters)))


def tensorboard_folder(settings: Settings) -> str | None:
    return str(settings.tensorboard) if settings.tensorboard else None


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("inputs"), TimeRemainingColumn()
    )
