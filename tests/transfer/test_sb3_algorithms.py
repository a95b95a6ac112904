"""Algorithms and policies of stable-baselines3 and of users: methods act in each step, or learning does not begin."""

import copy

import gymnasium
import pytest
import torch
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, StopTrainingOnMaxEpisodes
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.dqn.policies import DQNPolicy
from torch import nn

from priorlab.transfer.sb3.learning import begin_task, consolidate, learn_task
from priorlab.transfer.sb3.policies import KeptActor, KeptMlpPolicy, KeptQ, KeptQPolicy
from tests.support.kept_models import (
    PICTURES,
    STRONG,
    cartpole,
    make_kept,
    make_model,
    movement,
    observations_of,
    pictures,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a2c_is_held():
    optimizer = {"optimizer_class": torch.optim.SGD}
    settings = {"learning_rate": 0.01, "n_steps": 5, "policy_kwargs": optimizer}
    free, held = (
        movement(make_model(A2C, KeptMlpPolicy, name, **settings)) for name in ("finetune", "l2:strength=100")
    )
    assert sum(held.values()) < 0.2 * sum(free.values())


class Remade(ActorCriticPolicy):
    """A policy that gets more layers and its optimizer last, as those with a memory do."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.more = nn.Linear(4, 4)
        self.features_extractor = nn.Sequential(self.features_extractor, self.more)
        self.pi_features_extractor = self.vf_features_extractor = self.features_extractor
        self.optimizer = torch.optim.Adam(self.parameters(), lr=3e-3)


class KeptRemade(KeptActor, Remade):
    pass


class RemadeAfterwards(KeptMlpPolicy):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=3e-3)


class Grown(KeptMlpPolicy):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.more = nn.Linear(4, 4)


def test_a_policy_that_makes_its_optimizer_later_is_held_or_refused():
    free, held = (movement(make_model(PPO, KeptRemade, name, n_epochs=2)) for name in ("finetune", STRONG))
    assert "features_extractor.1.weight" in free and all(held[name] < 0.2 * free[name] for name in free)
    model = make_model(PPO, RemadeAfterwards, STRONG)
    with pytest.raises(ValueError, match=r"policy.optimizer was made after the methods were attached to one"):
        learn_task(model, 0, 64)
    model.policy.kept.attach(model.policy.optimizer)
    learn_task(model, 0, 16)
    with pytest.raises(ValueError, match=r"parameter 'more.bias' is \(4,\): expected missing, as when the network was"):
        learn_task(make_model(PPO, Grown, STRONG), 0, 64)


def test_another_optimizer_is_refused_until_methods_are_attached_to_it():
    model = make_model(PPO, KeptMlpPolicy, STRONG)
    learn_task(model, 0, 16)
    model.policy.optimizer = torch.optim.SGD(model.policy.parameters(), 0.1)
    for refused in (lambda: learn_task(model, 1, 16), lambda: learn_task(model, 0, 32, resume=True)):
        with pytest.raises(ValueError, match=r"policy.optimizer was made after"):
            refused()
    model.policy.optimizer = torch.optim.SGD(model.policy.action_net.parameters(), 0.1)
    with pytest.raises(ValueError, match=r"parameter '.*' is in none of the optimizers"):
        model.policy.kept.attach(model.policy.optimizer)
    lbfgs = {"optimizer_class": torch.optim.LBFGS, "optimizer_kwargs": {}}
    with pytest.raises(ValueError, match=r"policy.optimizer is an LBFGS: expected one that stable-baselines3 can step"):
        learn_task(make_model(PPO, KeptMlpPolicy, policy_kwargs=lbfgs), 0, 16)
    model.policy = copy.deepcopy(make_model(PPO, KeptMlpPolicy, STRONG).policy)
    with pytest.raises(ValueError, match=r"policy.optimizer was made after"):
        begin_task(model.policy, 0)


def test_a_model_that_was_loaded_is_held(tmp_path):
    model = make_model(PPO, KeptMlpPolicy, STRONG)
    learn_task(model, 0, 64)
    consolidate(model.policy, observations_of(model))
    model.save(tmp_path / "model.zip")
    loaded = PPO.load(tmp_path / "model.zip", env=cartpole(), device="cpu")
    loaded.set_parameters(tmp_path / "model.zip")
    before = loaded.policy.action_net.weight.detach().clone()
    learn_task(loaded, 1, 64)
    penalty = loaded.policy.kept.methods[0]
    penalty.strength, held = 0.0, float((loaded.policy.action_net.weight.detach() - before).abs().mean())
    learn_task(loaded, 1, 64)
    assert held < 0.5 * float((loaded.policy.action_net.weight.detach() - before).abs().mean())


def test_consolidating_leaves_the_parameters_that_the_optimizer_steps():
    """Also if a part of the policy has several names, as its features extractor does."""
    model = make_kept("ppo", "ewc", pictures())
    before = {name: id(each) for name, each in model.policy.named_parameters()}
    consolidate(model.policy, observations_of(model))
    assert {name: id(each) for name, each in model.policy.named_parameters()} == before


class ByHand(PPO):
    def train(self):
        for parameter in self.policy.parameters():
            parameter.data = parameter.data + 0.01


class HalfByHand(PPO):
    def train(self):
        for parameter in self.policy.action_net.parameters():
            parameter.data = parameter.data + 0.01
        super().train()


class Logged(PPO):
    def train(self):
        super().train()
        self.logger.record("train/more", 1)


@pytest.mark.parametrize("kind", [ByHand, HalfByHand])
def test_a_learner_that_moves_weights_by_hand_is_refused(kind):
    model = make_model(kind, KeptMlpPolicy)
    before = {name: each.clone() for name, each in model.policy.state_dict().items()}
    with pytest.raises(ValueError, match=f"model is a {kind.__name__}, which moves weights outside policy.optimizer's"):
        learn_task(model, 0, 32)
    assert all(torch.equal(each, before[name]) for name, each in model.policy.state_dict().items())
    with pytest.raises(ValueError, match="which moves weights outside"):
        learn_task(make_model(kind, KeptMlpPolicy), 0, 96)  # of several rollouts


@pytest.mark.parametrize("name", ["ewc", "packing", "scratch"])
def test_a_learner_with_a_way_of_its_own_to_train_learns_as_ever(name):
    ours, theirs = (make_kept("ppo", name, cartpole()) for _ in range(2))
    ours.__class__ = Logged
    for model in (ours, theirs):
        model.set_random_seed(7)
        learn_task(model, 0, 96)
    for one, other in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(one, other)


class Counting(BaseCallback):
    steps = 0

    def _on_step(self):
        self.steps += 1
        return True


def test_callbacks_are_those_that_stable_baselines3_takes():
    counted, seen_locals = [Counting(), Counting(), Counting()], []

    def function(variables, everything):
        seen_locals.append("rewards" in variables)
        return True

    model = make_model(PPO, KeptMlpPolicy)
    for callback in (None, counted[0], [counted[1], function], CallbackList([counted[2]]), function, []):
        learn_task(model, 0, 32, callback=callback, log_interval=1, tb_log_name="some")
    assert [each.steps for each in counted] == [16, 16, 16] and seen_locals == [True] * 32
    learn_task(model, 0, 64, callback=StopTrainingOnMaxEpisodes(1))
    assert model.num_timesteps < 64
    learn_task(model, 0, 64, callback=lambda variables, everything: False)
    assert model.num_timesteps == 2


def test_settings_that_learn_does_not_take_are_refused_before_a_task_begins():
    model = make_model(PPO, KeptMlpPolicy, "scratch")
    before = {name: each.clone() for name, each in model.policy.state_dict().items()}
    for name in ("reset_num_timesteps", "total_timesteps", "hope"):
        with pytest.raises(ValueError, match=f"learn_task has no setting '{name}': expected callback, log_interval"):
            learn_task(model, 0, 16, **{name: 1})
    with pytest.raises(ValueError, match="callback is 3: expected a BaseCallback, a function or a list of these"):
        learn_task(model, 0, 16, callback=3)
    assert all(torch.equal(each, before[name]) for name, each in model.policy.state_dict().items())


def test_policies_of_other_kinds_are_refused():
    class Wrong(KeptActor, DQNPolicy):
        pass

    class Other(KeptQ, ActorCriticPolicy):
        pass

    actions = gymnasium.spaces.Discrete(3)
    with pytest.raises(ValueError, match="policy Wrong has no action_net: expected an actor and a critic"):
        Wrong(PICTURES, actions, lambda _: 1e-3)
    with pytest.raises(ValueError, match="policy Other is not one of DQN's: expected a DQNPolicy"):
        Other(PICTURES, actions, lambda _: 1e-3)


class Doubled(ActorCriticPolicy):
    """Its actions depend on more than its last layer's output."""

    def _get_action_dist_from_latent(self, latent_pi):
        return self.action_dist.proba_distribution(action_logits=2 * self.action_net(latent_pi))


class KeptDoubled(KeptActor, Doubled):
    pass


def test_a_policy_that_acts_by_other_outputs_is_refused_where_these_count():
    for name in ("ewc", "online-ewc", "means", "progressive"):
        with pytest.raises(
            ValueError, match="policy KeptDoubled acts by more than its actor's output for one observation"
        ):
            make_model(PPO, KeptDoubled, name)
    make_model(PPO, KeptDoubled, "l2")


class Grouped(ActorCriticPolicy):
    def _build(self, lr_schedule):
        super()._build(lr_schedule)
        last = {id(each) for each in self.value_net.parameters()}
        groups = [[each for each in self.parameters() if (id(each) in last) == is_last] for is_last in (False, True)]
        self.optimizer = torch.optim.Adam([{"params": groups[0]}, {"params": groups[1], "lr": 1e-2}], 1e-3)


class KeptGrouped(KeptActor, Grouped):
    pass


def test_an_optimizer_with_groups_of_its_own_stays_or_is_refused():
    assert len(make_model(PPO, KeptGrouped, "l2").policy.optimizer.param_groups) == 2
    with pytest.raises(
        ValueError, match=r"policy.optimizer has 2 groups of parameters: expected one, to which progressive"
    ):
        make_model(PPO, KeptGrouped, "progressive")


class Remembering(ActorCriticPolicy):
    """Gets a memory last."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.memory = nn.LSTM(4, 4)


class KeptRemembering(KeptActor, Remembering):
    pass


@pytest.mark.parametrize("name", ["psp", "packing", "progressive", "random-column", "means"])
def test_a_layer_that_a_method_cannot_keep_is_refused_in_a_policy_too(name):
    with pytest.raises(ValueError, match="layer 'memory', a LSTM, can't be"):
        make_model(PPO, KeptRemembering, name)


class Normed(BaseFeaturesExtractor):
    def __init__(self, space):
        super().__init__(space, 4)
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))

    def forward(self, observations):
        return self.layers(observations)


@pytest.mark.parametrize("name", ["l2", "ewc", "scratch", "psp", "packing", "progressive", "means"])
def test_running_statistics_are_refused_in_a_policy_too(name):
    for policy, kind in ((KeptMlpPolicy, PPO), (KeptQPolicy, DQN)):
        settings = {"n_steps": None, "policy_kwargs": {"features_extractor_class": Normed}}
        with pytest.raises(ValueError, match="a BatchNorm1d, keeps running statistics"):
            make_model(kind, policy, name, **settings | ({"n_steps": 16} if kind is PPO else {}))


def test_what_a_user_froze_in_a_policy_stays_frozen():
    model = make_model(PPO, KeptMlpPolicy, "ewc")
    weight = model.policy.mlp_extractor.policy_net[0].weight.requires_grad_(False)
    before = weight.clone()
    for task in range(2):
        learn_task(model, task, 64)
        consolidate(model.policy, observations_of(model))
    assert torch.equal(weight, before) and not weight.requires_grad
    model = make_model(PPO, KeptMlpPolicy, "packing")
    model.policy.mlp_extractor.policy_net[0].weight.requires_grad_(False)
    with pytest.raises(ValueError, match="weight' is frozen and can't be packed"):
        learn_task(model, 0, 64)
