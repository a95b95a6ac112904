"""Algorithms of sb3-contrib, if it is installed: held in each step, or rejected before they learn."""

from importlib import import_module

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from priorlab.transfer.sb3.learning import learn_task
from priorlab.transfer.sb3.policies import KeptActor, KeptMlpPolicy, KeptQ
from tests.support.kept_models import STRONG, cartpole, make_model, movement, observations_of

contrib = pytest.importorskip("sb3_contrib")
pytestmark = pytest.mark.usefixtures("one_thread")


def kept(name, mixin=KeptActor):
    """A kept policy of sb3-contrib."""
    place, _, kind = name.rpartition(".")
    return type("Mine", (mixin, getattr(import_module(f"sb3_contrib.{place}.policies"), kind)), {})


RECURRENT, MASKABLE = "common.recurrent.RecurrentActorCriticPolicy", "common.maskable.MaskableActorCriticPolicy"


class Masked(gymnasium.Env):
    """One of its two actions is always masked."""

    observation_space = gymnasium.spaces.Box(-1, 1, (4,))
    action_space = gymnasium.spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        assert action != 2
        return self.observation_space.sample(), float(action), self.np_random.random() < 0.1, False, {}

    def action_masks(self):
        return np.array([True, True, False])


def masked():
    env = DummyVecEnv([Masked, Masked])
    env.seed(0)
    return env


@pytest.mark.parametrize(
    ("learner", "policy", "env"), [("RecurrentPPO", RECURRENT, cartpole), ("MaskablePPO", MASKABLE, masked)]
)
def test_learners_that_step_by_their_optimizer_are_held(learner, policy, env):
    settings = {"batch_size": 16, "n_epochs": 2}
    models = [
        make_model(getattr(contrib, learner), kept(policy), name, env(), **settings) for name in ("finetune", STRONG)
    ]
    free, held = (movement(model) for model in models)
    assert all(held[name] < 0.3 * free[name] for name in free)
    assert learner != "RecurrentPPO" or "lstm_actor.weight_ih_l0" in free


@pytest.mark.parametrize(
    ("learner", "policy", "name", "words"),
    [
        ("RecurrentPPO", RECURRENT, "ewc", "policy Mine acts by more than its actor's output for one observation"),
        ("RecurrentPPO", RECURRENT, "psp", "layer 'lstm_actor', a LSTM, can't be superposed"),
        ("RecurrentPPO", RECURRENT, "packing", "layer 'lstm_actor', a LSTM, can't be packed"),
        ("RecurrentPPO", RECURRENT, "progressive", "policy Mine acts by more"),
        ("RecurrentPPO", RECURRENT, "means", "policy Mine acts by more"),
        ("MaskablePPO", MASKABLE, "ewc", "policy Mine masks actions, which importances ignore"),
        ("MaskablePPO", MASKABLE, "online-ewc", "policy Mine masks actions"),
        ("ARS", "ars.ARSPolicy", "l2", "policy Mine has no value_net: expected an actor and a critic"),
        ("QRDQN", "qrdqn.QRDQNPolicy", "l2", "policy Mine has no action_net"),
    ],
)
def test_what_a_method_cannot_keep_of_a_policy_is_refused(learner, policy, name, words):
    settings = {"n_steps": None} if learner in ("ARS", "QRDQN") else {}
    with pytest.raises(ValueError, match=words):
        make_model(getattr(contrib, learner), kept(policy), name, masked() if "Mask" in learner else None, **settings)


def test_networks_of_quantiles_are_refused():
    with pytest.raises(ValueError, match="policy Mine is not one of DQN's: expected a DQNPolicy"):
        make_model(contrib.QRDQN, kept("qrdqn.QRDQNPolicy", KeptQ), "l2", n_steps=None)


@pytest.mark.parametrize("name", ["finetune", "l2", "scratch"])
def test_a_learner_that_steps_its_actor_by_hand_is_refused(name):
    model = make_model(contrib.TRPO, KeptMlpPolicy, name, batch_size=16)
    with pytest.raises(ValueError, match=r"model is a TRPO, which moves weights outside policy.optimizer's steps"):
        learn_task(model, 0, 32)


def test_a_memory_that_is_blank_gives_what_the_policy_does_in_a_game_that_has_just_begun():
    model = make_model(contrib.RecurrentPPO, kept(RECURRENT), "l2")
    network, observations = model.policy.kept.network, observations_of(model)
    network.run(observations)
    logits = network.outputs(network.module, observations)
    actions, _ = model.policy.predict(observations.numpy(), deterministic=True)
    assert logits.shape == (6, 2) and np.array_equal(logits.argmax(1).numpy(), actions)
