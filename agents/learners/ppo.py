"""PPO on pixels with curiosity: stable-baselines3's learner, put together."""

from functools import partial
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.device import device_of
from priorlab.agents.imitation import demonstrations
from priorlab.agents.imitation.cloning import clone
from priorlab.agents.learners.ondevice import OnDevicePPO
from priorlab.agents.learners.recurrent import (
    RecurrentPolicy,
    RecurrentPPO,
    RecurrentTwoReturnsPPO,
    RecurrentTwoValuesPolicy,
)
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.learners.two_returns import TwoReturnsPPO, TwoValuesPolicy
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.agents.runs.record import Record
from priorlab.agents.runs.run import HeldRate, logs, run
from priorlab.agents.settings import Settings

LEARNERS: dict[tuple[bool, bool], tuple[type[SelfImitatingPPO], type[PixelPolicy]]] = {  # has memory, two returns
    (False, False): (SelfImitatingPPO, PixelPolicy),
    (False, True): (TwoReturnsPPO, TwoValuesPolicy),
    (True, False): (RecurrentPPO, RecurrentPolicy),
    (True, True): (RecurrentTwoReturnsPPO, RecurrentTwoValuesPolicy),
}


def kind_of(settings: Settings) -> tuple[bool, bool]:
    """Which of ``LEARNERS``."""
    return settings.memory != "nothing", settings.curiosity == "rnd"


def learner_of(settings: Settings) -> type[SelfImitatingPPO | OnDevicePPO]:
    """The class of the model that these settings make."""
    return OnDevicePPO if settings.on_device else LEARNERS[kind_of(settings)][0]


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


def make_model(
    settings: Settings, env: VecEnv, kind: type[PixelPolicy] | None = None, **of_policy: Any
) -> SelfImitatingPPO | OnDevicePPO:
    """PPO, with memory or without; with rnd, the one that values the bonus apart; or the one that stays on a device.

    kind: another policy, of the same kind of network; of_policy: more of its arguments.
    """
    if settings.on_device:
        return make_on_device(settings, env)
    remembers, apart = kind_of(settings)
    learner, policy = LEARNERS[remembers, apart]
    own = hyperparameters(settings) | {"learning_rate": held_rate(settings)}
    own |= {"bonus_gamma": settings.bonus_gamma} if apart else {}
    own |= {"through_deaths": settings.memory == "play"} if remembers else {}
    return learner(
        kind or policy,
        env,
        policy_kwargs=settings.of_network() | of_policy,
        imitation_batches=settings.value("imitation_batches"),
        imitation_episodes=settings.value("imitation_episodes"),
        imitation_enough=settings.imitation_enough,
        discovery_enough=settings.discovery_enough,
        tensorboard_log=logs(settings),
        **own,
    )


def make_on_device(settings: Settings, env: VecEnv) -> OnDevicePPO:
    return OnDevicePPO(
        PixelPolicy,
        env,
        policy_kwargs=settings.of_network(),
        tensorboard_log=logs(settings),
        **hyperparameters(settings) | {"learning_rate": held_rate(settings)},
    )


def held_rate(settings: Settings) -> HeldRate:
    return HeldRate(settings.value("learning_rate"), settings.value("learning_rate_hold"), settings.inputs)


def held_bytes(settings: Settings) -> int:
    """Of a rollout, whose pictures lie twice in memory while it is learned from; on a device each frame lies once."""
    frame, stack = settings.screen_size**2, settings.stack_size
    pictures = frame if settings.on_device else 2 * frame * stack
    pictures += 4 * frame * stack if settings.on_device and settings.curiosity == "icm" else 0  # two, kept and joined
    return settings.rollout * (pictures + 6 * 4)  # six float32 beside them


def train_ppo(
    settings: Settings, callback: BaseCallback | None = None
) -> tuple[SelfImitatingPPO | OnDevicePPO, Record]:
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
