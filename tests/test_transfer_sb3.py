"""Methods in stable-baselines3's own PPO and DQN, and in ours: learning, saving, target networks."""

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv

from transfer.methods import METHODS, parse
from transfer.sb3 import KeptCnnPolicy, KeptMlpPolicy, KeptQCnnPolicy, KeptQPolicy, begin, consolidate, learn_task

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = ["finetune", *(name for name in METHODS if name != "own-heads")]
PICTURES = gymnasium.spaces.Box(0, 255, (1, 36, 36), np.uint8)


class Pictures(gymnasium.Env):
    """Random pictures: nothing to be learned, but everything to be computed."""

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


def make(kind, name, env, tasks=2):
    kwargs = {"methods": parse(name), "tasks": tasks, "keep_seed": 1}
    is_flat = len(env.observation_space.shape) == 1
    if kind == "ppo":
        policy = KeptMlpPolicy if is_flat else KeptCnnPolicy
        return PPO(policy, env, n_steps=16, batch_size=16, n_epochs=2, seed=0, policy_kwargs=kwargs, device="cpu")
    policy = KeptQPolicy if is_flat else KeptQCnnPolicy
    settings = {"learning_starts": 8, "buffer_size": 200, "batch_size": 8, "target_update_interval": 20}
    return DQN(policy, env, **settings, seed=0, policy_kwargs=kwargs, device="cpu")


def seen(model, n=6):
    """Observations as the model's networks take them."""
    space, generator = model.observation_space, np.random.default_rng(0)
    if len(space.shape) == 1:
        return torch.from_numpy(generator.normal(size=(n, *space.shape)).astype(np.float32))
    return torch.from_numpy(generator.integers(0, 255, (n, *space.shape), np.uint8))


def state(model):
    return {key: value.clone() for key, value in model.policy.state_dict().items()}


@pytest.mark.parametrize("kind", ["ppo", "dqn"])
@pytest.mark.parametrize("name", NAMES)
def test_a_kept_model_learns_two_tasks_and_is_loaded_with_what_it_kept(kind, name, tmp_path):
    model = make(kind, name, cartpole())
    for task in range(2):
        learn_task(model, task, 64)
        consolidate(model.policy, seen(model))
    model.save(tmp_path / "model.zip")
    loaded = type(model).load(tmp_path / "model.zip", env=cartpole(), device="cpu")
    ours, theirs = state(model), state(loaded)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
    flags, others = ([each.requires_grad for each in one.policy.parameters()] for one in (model, loaded))
    assert flags == others
    observation = seen(model).numpy()
    assert np.array_equal(*(one.predict(observation, deterministic=True)[0] for one in (model, loaded)))


@pytest.mark.parametrize("kind", ["ppo", "dqn"])
@pytest.mark.parametrize("name", ["ewc", "progressive", "psp", "packing"])
def test_networks_for_pictures_are_kept_too(kind, name):
    model = make(kind, name, pictures())
    learn_task(model, 0, 32)
    consolidate(model.policy, seen(model))
    begin(model.policy, 1)


def test_a_kept_network_without_a_method_learns_as_stable_baselines3s_own():
    ours = make("ppo", "finetune", cartpole(), tasks=1)
    ours.learn(64)
    stock = PPO("MlpPolicy", cartpole(), n_steps=16, batch_size=16, n_epochs=2, seed=0, device="cpu")
    stock.learn(64)
    expected = stock.policy.state_dict()
    assert all(torch.equal(state(ours)[key], expected[key]) for key in expected)


def test_the_target_network_changes_tasks_with_the_online_one():
    model = make("dqn", "psp", cartpole())
    learn_task(model, 0, 40)
    consolidate(model.policy, seen(model))
    begin(model.policy, 1)
    online, target = model.q_net.state_dict(), model.q_net_target.state_dict()
    assert all(torch.equal(online[key], target[key]) for key in online)
    assert int(model.q_net_target.kept.task) == 1


def test_a_penalty_acts_within_ppo_and_is_not_clipped():
    """With a strong penalty, clipped gradients and all, the weights hardly move; without they do."""
    moved = {}
    for strength in (0.0, 1e5):
        model = make("ppo", "l2", cartpole())
        for each in model.policy.kept.methods:
            if hasattr(each, "strength"):
                each.strength = strength
        consolidate(model.policy, seen(model))
        before = model.policy.mlp_extractor.policy_net[0].weight.detach().clone()
        learn_task(model, 1, 256)
        after = model.policy.mlp_extractor.policy_net[0].weight.detach()
        moved[strength] = float((after - before).abs().mean())
    assert moved[1e5] < 0.5 * moved[0.0]
