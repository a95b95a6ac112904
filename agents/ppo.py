"""PPO on pixels with curiosity: stable-baselines3's learner, put together, followed and resumed."""

from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.vec_env import VecEnv

from agents import checkpoint, demonstrations
from agents.bonus import Curiosity, curiosity_of
from agents.cloning import clone
from agents.curiosity import curious
from agents.imitation import SelfImitatingPPO
from agents.networks import PixelPolicy
from agents.record import Record
from agents.settings import Settings
from agents.two_returns import TwoReturnsPPO, TwoValuesPolicy
from envs.results import RunWriter
from envs.sb3 import PriorLabVecEnv


def make_env(settings: Settings) -> tuple[VecEnv, PriorLabVecEnv]:
    """The batch of games with curiosity around it, and the batch itself."""
    games = PriorLabVecEnv(**settings.of_games())
    return curious(games, settings), games


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


def make_model(settings: Settings, env: VecEnv) -> SelfImitatingPPO:
    """PPO; with rnd, the one that values the bonus apart."""
    apart = settings.curiosity == "rnd"
    learner, policy = (TwoReturnsPPO, TwoValuesPolicy) if apart else (SelfImitatingPPO, PixelPolicy)
    return learner(
        policy,
        env,
        learning_rate=HeldRate(settings.learning_rate, settings.learning_rate_hold, settings.inputs),
        n_steps=settings.n_steps,
        batch_size=settings.batch_size,
        n_epochs=settings.n_epochs,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        clip_range=settings.clip_range,
        policy_kwargs={"features": settings.features, "bfloat16": settings.bfloat16},
        imitation_batches=settings.imitation_batches,
        imitation_episodes=settings.imitation_episodes,
        imitation_enough=settings.imitation_enough,
        discovery_enough=settings.discovery_enough,
        tensorboard_log=logs(settings),
        seed=settings.seed,
        device="cpu",
        **({"bonus_gamma": settings.bonus_gamma} if apart else {}),
    )


def logs(settings: Settings) -> str | None:
    return str(settings.tensorboard) if settings.tensorboard else None


class Follow(BaseCallback):
    """Keeps the record, writes checkpoints, shows progress, and ends the training at its number of inputs."""

    def __init__(
        self,
        settings: Settings,
        games: PriorLabVecEnv,
        curiosity: Curiosity | None,
        record: Record,
        bar: Progress | None,
    ):
        super().__init__()
        self.settings, self.env, self.curiosity, self.record, self.bar = settings, games, curiosity, record, bar
        self.task = bar.add_task(settings.version, total=settings.inputs) if bar else None
        self.saved_at = record.inputs

    def _on_training_start(self) -> None:
        if not self.record.inputs:
            self.record.begin()

    def _on_rollout_start(self) -> None:
        if self.record.inputs - self.saved_at >= self.settings.checkpoint_every:
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
        assert isinstance(self.model, SelfImitatingPPO)
        checkpoint.save(self.settings.folder, self.model, self.env.games, self.curiosity, self.record)
        self.saved_at = self.record.inputs


def train_ppo(settings: Settings, callback: BaseCallback | None = None) -> tuple[SelfImitatingPPO, Record]:
    """Trains to ``settings.inputs``, from the folder's checkpoint where it holds one; writes rows and model.zip."""
    torch.set_num_threads(settings.threads)
    folder = settings.folder
    env, games = make_env(settings)
    curiosity = curiosity_of(env)
    held = checkpoint.read(folder)
    model = make_model(settings, env)
    shown = demonstrations.read(settings) if settings.demonstrations else None
    config = settings.config() | ({"demonstrations": shown.digest} if shown else {})
    writer = RunWriter(folder, config, resume_at=held["record"]["inputs"] if held else 0)
    record = Record(games.games, writer)
    if held:
        model = checkpoint.restore(held, type(model), env, games.games, curiosity, record)
        model.tensorboard_log = logs(settings)
    elif shown:
        clone(model, shown, settings.demonstration_epochs, settings.demonstrations_held_out, settings.seed, folder)
    with closing(writer), progress_bar() if settings.progress else nullcontext() as bar:
        follow = Follow(settings, games, curiosity, record, bar)
        left = settings.inputs - model.num_timesteps  # there are fewer decisions than inputs: the callback ends it
        together = follow if callback is None else CallbackList([follow, callback])
        model.learn(left, together, tb_log_name=folder.name, reset_num_timesteps=held is None)
        save_model(model, folder)
        record.finish()
    (folder / checkpoint.NAME).unlink(missing_ok=True)
    return model, record


def save_model(model: SelfImitatingPPO, folder: Path) -> None:
    draft = folder / "model.draft.zip"
    model.save(draft)
    draft.replace(folder / "model.zip")


def progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("inputs"), TimeRemainingColumn()
    )
