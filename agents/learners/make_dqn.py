"""DQN from settings: its arguments, and its training run."""

from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.device import device_of
from priorlab.agents.learners.dqn import DoubleDQN
from priorlab.agents.learners.replay import FrameReplay
from priorlab.agents.networks.pixels import PixelQPolicy
from priorlab.agents.runs.run_learner import HeldRate, run_learner, tensorboard_folder
from priorlab.agents.runs.run_log import RunLog
from priorlab.agents.settings import Settings


def make_dqn(
    settings: Settings, env: VecEnv, policy_class: type[PixelQPolicy] | None = None, **policy_kwargs: Any
) -> DoubleDQN:
    """The ``DoubleDQN`` that the settings ask for; it makes two updates after each decision of all games.

    env: as ``make_env`` returns it; policy_class: another policy on the same kind of network; policy_kwargs: further
    arguments of the policy.
    """
    return DoubleDQN(
        policy_class or PixelQPolicy,
        env,
        learning_rate=HeldRate(settings.value("learning_rate"), settings.value("learning_rate_hold"), settings.inputs),
        buffer_size=settings.replay_size,
        learning_starts=500,  # decisions, all random, because a network can't learn from a handful of them
        batch_size=settings.value("batch_size"),
        gamma=settings.gamma,
        train_freq=1,
        gradient_steps=2,
        target_update_interval=200,
        replay_buffer_class=FrameReplay,
        replay_buffer_kwargs={
            "stack": settings.stack_size,
            "n_steps": settings.return_steps,
            "gamma": settings.gamma,
            "seed": settings.seed,
        },
        policy_kwargs=settings.network_arguments() | policy_kwargs,
        margin=settings.margin,
        discovery_margin=settings.discovery_margin,
        trajectories=settings.value("imitation_episodes"),
        tensorboard_log=tensorboard_folder(settings),
        seed=settings.seed,
        device=device_of(settings),
    )


def replay_bytes(settings: Settings) -> int:
    """Memory of the replay memory: one frame per step, the frames' numbers, actions and rewards."""
    return settings.replay_size * (settings.screen_size**2 + 8 * (settings.stack_size + 1) + 50)


def train_dqn(settings: Settings, callback: BaseCallback | None = None) -> tuple[DoubleDQN, RunLog]:
    """Trains DQN to ``settings.inputs``, from the folder's checkpoint if there is one; writes rows and model.zip.

    callback: of stable-baselines3, called after every step. Returns the trained model and what was counted on the way.
    Raises ValueError before anything is written for a run that the machine can't carry, and FloatingPointError for one
    that diverges.
    """
    return run_learner(settings, make_dqn, callback, stored_bytes=replay_bytes(settings))
