"""Models of stable-baselines3 whose policies are kept, on CartPole and on random pictures."""

import gymnasium
import numpy as np
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv

from priorlab.transfer.keeping import parse
from priorlab.transfer.sb3.learning import consolidate, kept_networks, learn_task
from priorlab.transfer.sb3.policies import KeptCnnPolicy, KeptMlpPolicy, KeptQCnnPolicy, KeptQPolicy

STRONG = "l2:strength=1e6"
PICTURES = gymnasium.spaces.Box(0, 255, (1, 36, 36), np.uint8)


class Pictures(gymnasium.Env):
    """Random pictures: there is nothing to learn, but everything is computed."""

    observation_space, action_space = PICTURES, gymnasium.spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), float(action == 1), self.np_random.random() < 0.1, False, {}


def cartpole():
    return make_vec_env("CartPole-v1", 2, seed=0)


def pictures():
    env = DummyVecEnv([Pictures, Pictures])
    env.seed(0)
    return env


def make_kept(kind, name, env, tasks=2, **settings):
    kwargs = {"methods": parse(name), "tasks": tasks, "keep_seed": 1}
    is_flat = len(env.observation_space.shape) == 1
    if kind == "ppo":
        policy = KeptMlpPolicy if is_flat else KeptCnnPolicy
        settings = {"n_steps": 16, "batch_size": 16, "n_epochs": 2} | settings
        return PPO(policy, env, **settings, seed=0, policy_kwargs=kwargs, device="cpu")
    policy = KeptQPolicy if is_flat else KeptQCnnPolicy
    settings = {"learning_starts": 8, "buffer_size": 200, "batch_size": 8, "target_update_interval": 20} | settings
    return DQN(policy, env, **settings, seed=0, policy_kwargs=kwargs, device="cpu")


def observations_of(model, n=6):
    """Observations as the networks of a model, or of a policy, take them."""
    space, generator = model.observation_space, np.random.default_rng(0)
    if len(space.shape) == 1:
        return torch.from_numpy(generator.normal(size=(n, *space.shape)).astype(np.float32))
    return torch.from_numpy(generator.integers(0, 255, (n, *space.shape), np.uint8))


def make_model(kind, policy, name="finetune", env=None, **settings):
    kwargs = {"methods": parse(name, heads=False), "tasks": 2, **settings.pop("policy_kwargs", {})}
    settings = {"n_steps": 16, "seed": 0, "device": "cpu", **settings}
    settings |= {"batch_size": 16} if issubclass(kind, PPO) else {}
    settings = {name: each for name, each in settings.items() if each is not None}
    return kind(policy, env or cartpole(), policy_kwargs=kwargs, **settings)


def movement(model):
    """How far each parameter moves in the second task, on average."""
    learn_task(model, 0, 64)
    consolidate(model.policy, observations_of(model))
    before = {name: each.detach().clone() for name, each in kept_networks(model.policy)[0].network.parameters().items()}
    learn_task(model, 1, 512)
    after = kept_networks(model.policy)[0].network.parameters()
    return {name: float((after[name].detach() - value).abs().mean()) for name, value in before.items()}
