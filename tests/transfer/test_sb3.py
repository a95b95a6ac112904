"""Methods in PPO and DQN of stable-baselines3, and in ours: learning, saving, target networks."""

import copy

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from priorlab.scripts.sequences.lessons import KeptPixelPolicy
from priorlab.transfer.keeping import METHODS, parse
from priorlab.transfer.networks.importance import importance_of
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.sb3 import learning
from priorlab.transfer.sb3.learning import begin_task, consolidate, learn_task, meet
from priorlab.transfer.sb3.policies import KeptCnnPolicy, KeptMlpPolicy, KeptQPolicy, logits
from tests.support.kept_models import PICTURES, cartpole, make_kept, observations_of, pictures

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = ["finetune", *(name for name in METHODS if name != "own-heads")]


def state(model):
    return {key: value.clone() for key, value in model.policy.state_dict().items()}


@pytest.mark.parametrize("kind", ["ppo", "dqn"])
@pytest.mark.parametrize("name", NAMES)
def test_a_kept_model_learns_two_tasks_and_is_loaded_with_what_it_kept(kind, name, tmp_path):
    model = make_kept(kind, name, cartpole())
    for task in range(2):
        learn_task(model, task, 64)
        consolidate(model.policy, observations_of(model))
    model.save(tmp_path / "model.zip")
    loaded = type(model).load(tmp_path / "model.zip", env=cartpole(), device="cpu")
    ours, theirs = state(model), state(loaded)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
    flags, others = ([each.requires_grad for each in one.policy.parameters()] for one in (model, loaded))
    assert flags == others
    observation = observations_of(model).numpy()
    assert np.array_equal(*(one.predict(observation, deterministic=True)[0] for one in (model, loaded)))


@pytest.mark.parametrize("kind", ["ppo", "dqn"])
@pytest.mark.parametrize("name", ["ewc", "progressive", "psp", "packing"])
def test_networks_for_pictures_are_kept_too(kind, name):
    model = make_kept(kind, name, pictures())
    learn_task(model, 0, 32)
    consolidate(model.policy, observations_of(model))
    begin_task(model.policy, 1)


def test_a_kept_network_without_a_method_learns_as_stable_baselines3s_own():
    ours = make_kept("ppo", "finetune", cartpole(), tasks=1)
    ours.learn(64)
    stock = PPO("MlpPolicy", cartpole(), n_steps=16, batch_size=16, n_epochs=2, seed=0, device="cpu")
    stock.learn(64)
    expected = stock.policy.state_dict()
    assert all(torch.equal(state(ours)[key], expected[key]) for key in expected)


def test_the_target_network_changes_tasks_with_the_online_one():
    model = make_kept("dqn", "psp", cartpole())
    learn_task(model, 0, 40)
    consolidate(model.policy, observations_of(model))
    begin_task(model.policy, 1)
    online, target = model.q_net.state_dict(), model.q_net_target.state_dict()
    assert all(torch.equal(online[key], target[key]) for key in online)
    assert int(model.q_net_target.kept.task) == 1


@pytest.mark.parametrize("name", ["scratch", "packing"])
def test_the_target_network_takes_over_draws_and_masks(name):
    """It lags behind, so its own draws, or masks by the size of its own weights, would differ."""
    model = make_kept("dqn", name, cartpole(), target_update_interval=1000)
    learn_task(model, 0, 64)
    online, target = (network.kept.state_dict() for network in (model.q_net, model.q_net_target))
    assert all(torch.equal(online[key], target[key]) for key in online)  # packing has pruned on the way
    consolidate(model.policy, observations_of(model))
    begin_task(model.policy, 1)
    online, target = model.q_net.state_dict(), model.q_net_target.state_dict()
    assert all(torch.equal(online[key], target[key]) for key in online)


@pytest.mark.parametrize("kind", ["ppo", "dqn"])
def test_a_task_begins_as_for_a_new_learner_of_these_weights(kind):
    """Optimizer, replay buffer and schedules: the learning rate falls to zero in each task."""
    model, new = (make_kept(kind, "finetune", cartpole(), learning_rate=lambda left: 1e-2 * left) for _ in range(2))
    learn_task(model, 0, 64)
    new.policy.load_state_dict(model.policy.state_dict())
    for each in (model, new):
        each.set_random_seed(7)
        learn_task(each, 1, 64)
    ours, theirs = state(model), state(new)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_optimizer_and_replay_buffer_are_carried_over_if_asked():
    updates, stored = {}, {}
    for keep in (False, True):
        model = make_kept("dqn", "finetune", cartpole())
        learn_task(model, 0, 64)
        learn_task(model, 1, 40, keep_optimizer=keep, keep_buffer=keep)
        updates[keep] = int(next(iter(model.policy.optimizer.state.values()))["step"])
        stored[keep] = model.replay_buffer.size()
    assert updates[True] > updates[False] > 0
    assert stored == {False: 20, True: 52}  # of each of two games


class Saving(BaseCallback):
    """Saves the model before its second rollout, and holds what the file does not."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def _on_step(self):
        return True

    def _on_rollout_start(self):
        if self.num_timesteps == 32:
            self.model.save(self.path)
            numpy_state = np.random.get_state()  # noqa: NPY002  stable-baselines3 draws from it
            self.held = copy.deepcopy(self.training_env), torch.get_rng_state(), numpy_state


@pytest.mark.parametrize("name", ["packing", "psp+ewc"])
def test_a_task_goes_on_from_a_saved_model_as_if_it_had_not_been_stopped(name, tmp_path):
    model, saving = (
        make_kept("ppo", name, cartpole(), learning_rate=lambda left: 1e-2 * left),
        Saving(tmp_path / "midway"),
    )
    for task in range(2):
        learn_task(model, task, 96, callback=saving)
        consolidate(model.policy, observations_of(model))
    env, torch_state, numpy_state = saving.held
    loaded = PPO.load(tmp_path / "midway", env=env, device="cpu", force_reset=False)
    torch.set_rng_state(torch_state)
    np.random.set_state(numpy_state)  # noqa: NPY002
    learn_task(loaded, 1, 96, resume=True)
    learn_task(loaded, 1, 96, resume=True)  # all is done
    consolidate(loaded.policy, observations_of(loaded))
    ours, theirs = state(model), state(loaded)
    assert loaded.num_timesteps == 96 and all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_task_that_was_not_being_learned_is_not_gone_on_with():
    model = make_kept("dqn", "psp", cartpole())
    with pytest.raises(ValueError, match="resume is True: expected a model that was saved while it learned"):
        learn_task(model, 0, 40, resume=True)
    learn_task(model, 0, 20)
    with pytest.raises(ValueError, match="task is 1: expected 0, which the model was learning"):
        learn_task(model, 1, 40, resume=True)
    learn_task(model, 0, 40, resume=True)
    assert model.num_timesteps == 40 and model.replay_buffer.size() == 20
    with pytest.raises(ValueError, match="steps is 0: expected 1 or more"):
        learn_task(model, 1, 0)


def test_before_the_last_rollout_all_counts_as_done(monkeypatch):
    shares = []
    monkeypatch.setattr(learning, "advance", lambda _, share: shares.append(share))
    learn_task(make_kept("ppo", "packing", cartpole()), 0, 64)
    learn_task(make_kept("ppo", "packing", cartpole()), 0, 100)
    assert shares == [0.0, 1.0, 0.0, 0.32, 0.64, 1.0]


def kept_pixels(name, bfloat16):
    torch.manual_seed(0)
    kwargs = {"methods": parse(name), "tasks": 2, "relu_within": False, "bfloat16": bfloat16}
    return KeptPixelPolicy(PICTURES, gymnasium.spaces.Discrete(3), lambda _: 1e-3, **kwargs)


@pytest.mark.parametrize("name", [*NAMES, "means:start=aligned"])
def test_a_network_that_runs_in_bfloat16_is_kept(name):
    """As on GPUs: layers compute in a lower precision, while what is kept of them stays float32."""
    said = []
    for low in (False, True):
        policy = kept_pixels(name, low)
        pictures = observations_of(policy)
        begin_task(policy, 0)
        policy.optimizer.zero_grad()
        policy.evaluate_actions(pictures, torch.zeros(6, dtype=torch.int64))[1].sum().backward()
        policy.optimizer.step()
        consolidate(policy, pictures)
        meet(policy, 1, pictures)
        begin_task(policy, 1)
        with torch.no_grad():
            said.append(policy.heads(pictures)[0])
        floats = [value.dtype for value in policy.state_dict().values() if value.is_floating_point()]
        assert set(floats) == {torch.float32}
    torch.testing.assert_close(*said, atol=0.03, rtol=0)


def test_importance_is_that_of_float32_when_the_network_runs_in_bfloat16():
    found = []
    for low in (False, True):
        policy = kept_pixels("ewc", low)
        names = [name for name, _ in policy.kept.network.module.named_parameters()]
        found.append(importance_of(policy.kept.network, names, Samples(observations_of(policy))))
    for name, exact in found[0].items():
        assert (found[1][name] - exact).norm() <= 0.1 * exact.norm(), name  # none for the critic


class OwnExtractor(BaseFeaturesExtractor):
    def __init__(self, space):
        super().__init__(space, 8)
        self.layers = nn.Sequential(nn.Conv2d(space.shape[0], 2, 8, 8), nn.ReLU(), nn.Flatten(), nn.Linear(32, 8))

    def forward(self, observations):
        assert observations.dtype == torch.float32
        return self.layers(observations)


def test_an_extractor_of_ones_own_gets_what_stable_baselines3_gives_it():
    kwargs = {"methods": parse("ewc"), "tasks": 2, "features_extractor_class": OwnExtractor}
    policy = KeptCnnPolicy(PICTURES, gymnasium.spaces.Discrete(3), lambda _: 1e-3, **kwargs)
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (6, *PICTURES.shape), np.uint8))
    torch.testing.assert_close(
        logits(policy, pictures).log_softmax(1), policy.get_distribution(pictures).distribution.logits
    )
    consolidate(policy, pictures)
    ours = KeptPixelPolicy(PICTURES, gymnasium.spaces.Discrete(3), lambda _: 1e-3, methods=parse("ewc"), tasks=2)
    assert ours.prepared(pictures) is pictures  # its network takes bytes


def test_a_policy_that_is_not_kept_is_refused():
    model = PPO("MlpPolicy", "CartPole-v1", device="cpu")
    with pytest.raises(ValueError, match="policy is ActorCriticPolicy: expected one that is kept"):
        learn_task(model, 0, 10)
    with pytest.raises(ValueError, match="methods is 'psp': expected specs"):
        PPO(KeptMlpPolicy, "CartPole-v1", policy_kwargs={"methods": "psp"}, device="cpu")


def test_spaces_that_are_not_known_are_refused():
    pictures, actions = PICTURES, gymnasium.spaces.Discrete(3)
    with pytest.raises(ValueError, match=r"action_space is Box\(.*\): expected Discrete"):
        PPO(KeptMlpPolicy, "Pendulum-v1", device="cpu")
    for kind in (KeptMlpPolicy, KeptQPolicy):
        with pytest.raises(ValueError, match="observation_space is a Dict: expected a space of one array"):
            kind(gymnasium.spaces.Dict({"seen": pictures}), actions, lambda _: 1e-3)


def test_what_was_kept_travels_without_code(tmp_path):
    model, other = (make_kept("ppo", "psp+ewc", cartpole()) for _ in range(2))
    learn_task(model, 0, 32)
    consolidate(model.policy, observations_of(model))
    model.policy.kept.save(tmp_path / "kept.pt")
    other.policy.kept.load(tmp_path / "kept.pt")
    assert all(torch.equal(value, state(other)[key]) for key, value in state(model).items())


def test_a_penalty_acts_within_ppo_and_is_not_clipped():
    """With a strong penalty, also with clipped gradients, the weights hardly move; without one they do."""
    movement = {}
    for strength in (0.0, 1e5):
        model = make_kept("ppo", "l2", cartpole())
        for each in model.policy.kept.methods:
            if hasattr(each, "strength"):
                each.strength = strength
        consolidate(model.policy, observations_of(model))
        before = model.policy.mlp_extractor.policy_net[0].weight.detach().clone()
        learn_task(model, 1, 256)
        after = model.policy.mlp_extractor.policy_net[0].weight.detach()
        movement[strength] = float((after - before).abs().mean())
    assert movement[1e5] < 0.5 * movement[0.0]


def test_a_policy_that_shares_no_extractor_is_loaded_as_it_was(tmp_path):
    """stable-baselines3 does not save ``share_features_extractor``."""
    kwargs = {"methods": parse("progressive"), "tasks": 2, "share_features_extractor": False}
    policy = PPO(KeptCnnPolicy, pictures(), n_steps=16, batch_size=16, policy_kwargs=kwargs, device="cpu").policy
    policy.save(tmp_path / "policy.pt")
    loaded, observations = KeptCnnPolicy.load(tmp_path / "policy.pt"), torch.zeros(1, *PICTURES.shape)
    assert not loaded.share_features_extractor
    assert torch.equal(logits(policy, observations), logits(loaded, observations))
    assert torch.equal(policy.predict_values(observations), loaded.predict_values(observations))
