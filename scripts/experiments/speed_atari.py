"""How fast masked Atari games are, beside ale_py's own unmasked ones in the same run."""

import os
from collections.abc import Callable, Iterator

import gymnasium
import numpy as np

from envs.atari_looks import MASKS
from envs.atari_vector import AtariVectorEnv
from scripts.experiments.measure import Figure, step_rate

TURNS = 5  # of masked and unmasked against each other; the median of their ratios counts
GAME, PEER_ID = "montezuma_revenge", "ALE/MontezumaRevenge-v5"
GAMES = 16
SINGLE, VECTOR = 0.8, 0.7  # least share of the unmasked speed


def unmasked_batch(threads: int) -> Callable[[np.ndarray], object]:
    from ale_py.vector_env import AtariVectorEnv as Unmasked

    batch = Unmasked(GAME, GAMES, num_threads=threads, stack_num=1, frameskip=4, grayscale=True)
    batch.reset(seed=0)
    return batch.step


def masked_batch(mask: str, threads: int) -> Callable[[np.ndarray], object]:
    batch = AtariVectorEnv(GAMES, GAME, mask=mask, grayscale_obs=True, num_threads=threads)
    batch.reset(seed=0)
    return batch.step


def unmasked_single() -> Callable[[np.ndarray], object]:
    import ale_py

    gymnasium.register_envs(ale_py)
    raw = gymnasium.make(PEER_ID, frameskip=1, repeat_action_probability=0.0)
    return one_by_one(gymnasium.wrappers.AtariPreprocessing(raw, noop_max=0, frame_skip=4, screen_size=84))


def masked_single(mask: str) -> Callable[[np.ndarray], object]:
    return one_by_one(gymnasium.make("PriorLab/Atari-v0", game=GAME, mask=mask, grayscale_obs=True))


def one_by_one(env: gymnasium.Env) -> Callable[[np.ndarray], object]:
    env.reset(seed=0)

    def step(actions: np.ndarray) -> None:
        _, _, terminated, truncated, _ = env.step(actions[0])
        if terminated or truncated:
            env.reset()

    return step
