"""What other processes play; apart from the tests, whose imports would take each of them seconds."""

import copy

import gymnasium
import numpy as np


def played(env, steps, seed):
    """An environment's results for random actions and its own samples, comparable as bytes."""
    draw, told = np.random.default_rng(seed), []
    for _ in range(steps):
        action = env.action_space.sample() if draw.integers(2) else env.action_space.sample() * 0 + 2
        found = env.step(action)
        told.append(found)
        if not isinstance(env, gymnasium.vector.VectorEnv) and (found[2] or found[3]):
            told.append(env.reset())
        if env.render_mode == "rgb_array":
            told.append(env.render())
    told.append([env.observation_space.sample(), env.np_random.integers(1000), env.reset(seed=int(seed))])
    return copy.deepcopy(told)


def play_there(env, answers):
    """Runs in another process."""
    try:
        answers.put(played(env, 25, 3))
    except RuntimeError as error:
        answers.put(str(error))
