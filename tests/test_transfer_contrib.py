"""Learners of sb3-contrib, where that is installed: held in each step, or refused before they learn."""

import gymnasium
import numpy as np
import pytest
from stable_baselines3 import SAC

from tests.test_transfer_learners import STRONG, cartpole, made, moved
from transfer.sb3 import KeptActor, KeptMlpPolicy, KeptQ, KeptQPolicy, learn_task

contrib = pytest.importorskip("sb3_contrib")
pytestmark = pytest.mark.usefixtures("one_thread")


def kept(name, mixin=KeptActor):
    """A policy of sb3-contrib's, by the names of its package and class, that is kept."""
    place, kind = name.split(".")
    policy = vars(__import__(f"sb3_contrib.{place}.policies", fromlist=[kind]))[kind]
    return type("Mine", (mixin, policy), {})


@pytest.mark.parametrize(
    ("learner", "policy"),
    [
        ("RecurrentPPO", "common.recurrent.RecurrentActorCriticPolicy"),
        ("MaskablePPO", "common.maskable.MaskableActorCriticPolicy"),
    ],
)
def test_learners_that_step_by_their_optimizer_are_held(learner, policy):
    policy = kept(*[policy.rpartition(".")[0].replace(".", "/") + "." + policy.rpartition(".")[2]]) if False else policy
    place, _, kind = policy.rpartition(".")
    module = __import__(f"sb3_contrib.{place}.policies", fromlist=[kind])
    mine = type("Mine", (KeptActor, getattr(module, kind)), {})
    env = Masked() if learner == "MaskablePPO" else None
    free, held = (
        moved(made(getattr(contrib, learner), mine, name, env, batch_size=16, n_epochs=2))
        for name in ("finetune", STRONG)
    )
    assert all(held[name] < 0.2 * free[name] for name in free)
    assert learner != "RecurrentPPO" or "lstm_actor.weight_ih_l0" in free
