"""PPO on pixels with curiosity: stable-baselines3's learner, put together."""

from functools import partial
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from agents import demonstrations
from agents.cloning import clone
from agents.imitation import SelfImitatingPPO
from agents.machine import device_of
from agents.networks import PixelPolicy
from agents.record import Record
from agents.recurrent import RecurrentPolicy, RecurrentPPO, RecurrentTwoReturnsPPO, RecurrentTwoValuesPolicy
from agents.run import HeldRate, logs, run
from agents.settings import Settings
from agents.two_returns import TwoReturnsPPO, TwoValuesPolicy

LEARNERS: dict[tuple[bool, bool], tuple[type[SelfImitatingPPO], type[PixelPolicy]]] = {  # has memory, two returns
    (False, False): (SelfImitatingPPO, PixelPolicy),
    (False, True): (TwoReturnsPPO, TwoValuesPolicy),
    (True, False): (RecurrentPPO, RecurrentPolicy),
    (True, True): (RecurrentTwoReturnsPPO, RecurrentTwoValuesPolicy),
}


def hyperparameters(settings: Settings) -> dict[str, Any]:
    """Those of stable-baselines3's PPO; the learning rate at first."""
    return {
        "learning_rate": settings.value("learning_rate"),
        "n_steps": settings.n_steps,
        "batch_size": settings.value("batch_size"),
        "n_epochs": settings.n_epochs,
        "gamma": settings.gamma,
        "gae_lambda": settings.gae_lambda,
        "ent_coef": settings.entropy,
        "clip_range": settings.clip_range,
        "seed": settings.seed,
        "device": device_of(settings),
    }


def make_model(settings: Settings, env: VecEnv) -> SelfImitatingPPO:
    """PPO, with memory or without; with rnd, the one that values the bonus apart."""
    apart, remembers = settings.curiosity == "rnd", settings.memory != "nothing"
    learner, policy = LEARNERS[remembers, apart]
    own: dict[str, Any] = hyperparameters(settings)
    own["learning_rate"] = HeldRate(own["learning_rate"], settings.learning_rate_hold, settings.inputs)
    own |= {"bonus_gamma": settings.bonus_gamma} if apart else {}
    own |= {"through_deaths": settings.memory == "play"} if remembers else {}
    return learner(
        policy,
        env,
        policy_kwargs={"features": settings.features, "bfloat16": settings.bfloat16},
        imitation_batches=settings.value("imitation_batches"),
        imitation_episodes=settings.value("imitation_episodes"),
        imitation_enough=settings.imitation_enough,
        discovery_enough=settings.discovery_enough,
        tensorboard_log=logs(settings),
        **own,
    )


def held_bytes(settings: Settings) -> int:
    """Of a rollout, whose pictures lie twice in memory while it is learned from."""
    pictures = 2 * settings.screen_size**2 * settings.stack_size
    return settings.n_steps * settings.num_games * (pictures + 6 * 4)  # six float32 beside them


def train_ppo(settings: Settings, callback: BaseCallback | None = None) -> tuple[SelfImitatingPPO, Record]:
    """Trains to ``settings.inputs``, from the folder's checkpoint where it holds one; writes rows and model.zip."""
    told, begin = {}, None
    if settings.demonstrations:
        shown = demonstrations.read(settings)
        told["demonstrations"] = shown.digest
        begin = partial(
            clone,
            shown=shown,
            epochs=settings.demonstration_epochs,
            held_out=settings.demonstrations_held_out,
            seed=settings.seed,
            folder=settings.folder,
        )
    return run(settings, make_model, callback, held_bytes=held_bytes(settings), told=told, begin=begin)
