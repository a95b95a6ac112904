"""Flat-v0: a game as a vector of numbers, for scripts whose networks take nothing else."""

import gymnasium
import numpy as np

import priorlab  # noqa: F401  registers the games


class Floats(gymnasium.ObservationWrapper):
    """Tiles as float32 (T * T * 8,)."""

    def __init__(self, env: gymnasium.Env):
        super().__init__(env)
        self.observation_space = gymnasium.spaces.Box(0, 255, (env.observation_space.shape[0],), np.float32)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return observation.astype(np.float32)


def make(**settings: object) -> gymnasium.Env:
    env = gymnasium.make("PriorLab/Princess-MaskedObjects-v0", obs="tiles", **settings)
    return Floats(gymnasium.wrappers.FlattenObservation(env))


gymnasium.register("Flat-v0", entry_point=make)
