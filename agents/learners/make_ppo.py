"""PPO from settings: which learner and policy they ask for, with which arguments, and its training run."""

from functools import partial
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.device import device_of
from priorlab.agents.imitation.cloning import clone
from priorlab.agents.imitation.demonstrations import read_demonstrations
from priorlab.agents.learners.on_device import OnDevicePPO
from priorlab.agents.learners.recurrent import (
    RecurrentPolicy,
    RecurrentPPO,
    RecurrentTwoReturnsPPO,
    RecurrentTwoValuesPolicy,
)
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.learners.two_returns import TwoReturnsPPO, TwoValuesPolicy
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.agents.runs.run_learner import HeldRate, run_learner, tensorboard_folder
from priorlab.agents.runs.run_log import RunLog
from priorlab.agents.settings import Settings

LEARNERS: dict[tuple[bool, bool], tuple[type[SelfImitatingPPO], type[PixelPolicy]]] = {  # (memory, two returns)
    (False, False): (SelfImitatingPPO, PixelPolicy),
    (False, True): (TwoReturnsPPO, TwoValuesPolicy),
    (True, False): (RecurrentPPO, RecurrentPolicy),
    (True, True): (RecurrentTwoReturnsPPO, RecurrentTwoValuesPolicy),
}


def learner_and_policy(settings: Settings) -> tuple[type[SelfImitatingPPO | OnDevicePPO], type[PixelPolicy]]:
    """The classes that these settings ask for."""
    if settings.on_device:
        return OnDevicePPO, PixelPolicy
    return LEARNERS[settings.memory != "nothing", settings.curiosity == "rnd"]


def hyperparameters(settings: Settings) -> dict[str, Any]:
    """The arguments of stable-baselines3's PPO, with the initial learning rate."""
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


def make_ppo(
    settings: Settings, env: VecEnv, policy_class: type[PixelPolicy] | None = None, **policy_kwargs: Any
) -> SelfImitatingPPO | OnDevicePPO:
    """The PPO that the settings ask for: plain with self-imitation; with memory; with two returns for rnd; on a device.

    env: as ``make_env`` returns it; policy_class: another policy on the same kind of network; policy_kwargs: further
    arguments of the policy.
    """
    learner, policy = learner_and_policy(settings)
    rate = HeldRate(settings.value("learning_rate"), settings.value("learning_rate_hold"), settings.inputs)
    arguments: dict[str, Any] = {**hyperparameters(settings), "learning_rate": rate}
    if not settings.on_device:
        arguments |= {
            "imitation_batches": settings.value("imitation_batches"),
            "imitation_episodes": settings.value("imitation_episodes"),
            "imitation_enough": settings.imitation_enough,
            "discovery_enough": settings.discovery_enough,
        }
    if settings.curiosity == "rnd":
        arguments["bonus_gamma"] = settings.bonus_gamma
    if settings.memory != "nothing":
        arguments["through_deaths"] = settings.memory == "play"
    return learner(
        policy_class or policy,
        env,
        policy_kwargs=settings.network_arguments() | policy_kwargs,
        tensorboard_log=tensorboard_folder(settings),
        **arguments,
    )


def rollout_bytes(settings: Settings) -> int:
    """Memory of a rollout, whose pictures are stored twice during an update; on a device each frame is stored once."""
    frame, stack = settings.screen_size**2, settings.stack_size
    pictures = frame if settings.on_device else 2 * frame * stack
    pictures += 4 * frame * stack if settings.on_device and settings.curiosity == "icm" else 0  # two, stored and joined
    return settings.rollout * (pictures + 6 * 4)  # and six float32


def train_ppo(
    settings: Settings, callback: BaseCallback | None = None
) -> tuple[SelfImitatingPPO | OnDevicePPO, RunLog]:
    """Trains PPO to ``settings.inputs``, from the folder's checkpoint if there is one; writes rows and model.zip.

    callback: of stable-baselines3, called after every step. Returns the trained model and what was counted on the way.
    Raises ValueError before anything is written for a run that the machine can't carry, and FloatingPointError for one
    that diverges.
    """
    config, begin = {}, None
    if settings.demonstrations:
        demonstrations = read_demonstrations(settings)
        config["demonstrations"] = demonstrations.digest
        begin = partial(
            clone,
            demonstrations=demonstrations,
            epochs=settings.demonstration_epochs,
            held_out=settings.demonstrations_held_out,
            seed=settings.seed,
            folder=settings.folder,
        )
    return run_learner(
        settings, make_ppo, callback, stored_bytes=rollout_bytes(settings), extra_config=config, begin=begin
    )
