"""Learning from few examples: against brute force, finite differences, and toys whose answer is known."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from priorlab.transfer.digits import read_digits
from priorlab.transfer.fewshot.episodes import draw_episode, episode_accuracies
from priorlab.transfer.fewshot.lowshot import Hallucinator, analogies, by_regression
from priorlab.transfer.fewshot.maml import MAML, TaskBatch, distance_moved
from priorlab.transfer.fewshot.neighbours import by_means, by_neighbours, nearest
from priorlab.transfer.fewshot.siamese import Siamese, pairs, train_siamese

pytestmark = pytest.mark.usefixtures("one_thread")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from(["euclidean", "cosine"]))
def test_neighbours_are_those_of_brute_force(seed, k, metric):
    generator = np.random.default_rng(seed)
    shown, asked = generator.normal(size=(9, 3)), generator.normal(size=(5, 3))
    labels = generator.integers(3, size=9)
    found = nearest(torch.tensor(asked), torch.tensor(shown), torch.tensor(labels), k, metric)
    for query, answer in zip(asked, found.tolist()):

        def far(k, query=query):
            other = shown[k]
            if metric == "euclidean":
                return math.dist(query, other)
            return -float(query @ other) / (np.linalg.norm(query) * np.linalg.norm(other))

        order = sorted(range(9), key=far)[:k]
        votes = Counter(int(labels[each]) for each in order)
        most = max(votes.values())
        assert answer == next(int(labels[each]) for each in order if votes[int(labels[each])] == most)


def test_many_neighbours_far_from_nothing_are_told_apart():
    """Where distances from products of float32 would be lost."""
    generator = np.random.default_rng(0)
    shown, asked = (1000 + generator.normal(size=(count, 3)).astype(np.float32) for count in (60, 40))
    expected = ((asked[:, None].astype(float) - shown[None].astype(float)) ** 2).sum(2).argmin(1)
    assert nearest(torch.tensor(asked), torch.tensor(shown), torch.arange(60)).tolist() == expected.tolist()


def test_episodes_show_and_ask_different_examples_of_the_same_classes():
    inputs, labels = torch.arange(60), torch.arange(60) % 6
    episode = draw_episode(inputs, labels, 4, 3, 5, torch.Generator().manual_seed(1))
    support, query = episode.support.tolist(), episode.query.tolist()
    assert len(set(support)) == 12 and len(set(query)) == 20 and not {*support} & {*query}
    for examples, names in ((support, episode.support_labels), (query, episode.query_labels)):
        of_class = {(name, example % 6) for example, name in zip(examples, names.tolist())}
        assert len(of_class) == 4  # one class a name
    with pytest.raises(ValueError, match="ways is 7: expected 1 to 6"):
        draw_episode(inputs, labels, 7, 1, 1, torch.Generator())
    with pytest.raises(ValueError, match="has 10 examples: expected 11 or more"):
        draw_episode(inputs, labels, 2, 1, 10, torch.Generator())


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)).double()


def tasks(t=3):
    generator = torch.Generator().manual_seed(4)
    parts = [torch.randn(t, n, width, generator=generator, dtype=torch.float64) for n, width in ((4, 2), (4, 1)) * 2]
    return TaskBatch(*parts)


@pytest.mark.parametrize("steps", [1, 3])
def test_mamls_gradient_is_that_of_finite_differences(steps):
    maml, given_tasks = MAML(small(), nn.functional.mse_loss, 0.1, steps), tasks()
    maml.adapted_losses(maml.parameters, given_tasks).mean().backward()
    for parameter in maml.module.parameters():
        for place in range(parameter.numel()):
            found = []
            for change in (1e-5, -1e-5):
                with torch.no_grad():
                    parameter.view(-1)[place] += change
                    found.append(float(maml.adapted_losses(maml.parameters, given_tasks).mean()))
                    parameter.view(-1)[place] -= change
            slope = (found[0] - found[1]) / 2e-5
            assert float(parameter.grad.view(-1)[place]) == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_the_first_order_takes_the_slope_where_it_has_come_to():
    maml, given_tasks = MAML(small(), nn.functional.mse_loss, 0.1, 2, first_order=True), tasks(1)
    maml.adapted_losses(maml.parameters, given_tasks).mean().backward()
    adapted = maml.adapt(maml.parameters, given_tasks.inputs[0], given_tasks.targets[0])
    there = {name: value.detach().requires_grad_() for name, value in adapted.items()}
    maml.loss_of(there, given_tasks.query_inputs[0], given_tasks.query_targets[0]).backward()
    for name, parameter in maml.module.named_parameters():
        torch.testing.assert_close(parameter.grad, there[name].grad)
    exact = MAML(maml.module, nn.functional.mse_loss, 0.1, 2)
    maml.module.zero_grad()
    exact.adapted_losses(exact.parameters, given_tasks).mean().backward()
    assert not torch.allclose(next(maml.module.parameters()).grad, next(iter(there.values())).grad)


def test_maml_learns_to_adapt_and_its_steps_are_those_of_gradient_descent():
    generator = torch.Generator().manual_seed(0)

    def lines():
        """y = a x, with a slope of each task's own: nothing but adapting can tell it."""
        slopes = torch.randn(16, 1, 1, generator=generator, dtype=torch.float64)
        x, asked = torch.randn(2, 16, 5, 2, generator=generator, dtype=torch.float64)
        return TaskBatch(x, x[..., :1] * slopes, asked, asked[..., :1] * slopes)

    maml = MAML(small(), nn.functional.mse_loss, 0.1, 1)
    losses = maml.learn(lines, 150, 1e-2)
    assert np.mean(losses[-20:]) < 0.6 * np.mean(losses[:20])
    one = lines()
    before = maml.parameters
    adapted = maml.adapt(before, one.inputs[0], one.targets[0])
    after = {name: value.detach() for name, value in adapted.items()}
    plain = torch.optim.SGD(maml.module.parameters(), 0.1)
    held = {name: value.detach().clone() for name, value in before.items()}
    plain.zero_grad()
    nn.functional.mse_loss(maml.module(one.inputs[0]), one.targets[0]).backward()
    plain.step()
    for name, value in maml.module.named_parameters():
        torch.testing.assert_close(after[name], value.detach())
    assert distance_moved(held, after) == pytest.approx(
        math.sqrt(sum(float((after[name] - held[name]).square().sum()) for name in held))
    )


def test_pairs_are_half_of_one_class_and_never_of_one_example():
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 2])
    one, other, same = pairs(labels, 200, torch.Generator().manual_seed(0))
    assert float(same.mean()) == 0.5 and not (one == other).any()
    assert torch.equal(labels[one] == labels[other], same.bool())
    with pytest.raises(ValueError, match="expected 2 or more of both"):
        pairs(torch.tensor([0, 0, 1]), 4, torch.Generator())


def toy(classes, seed):
    """Classes that differ in their first two numbers alone; the other six are noise, three times as large."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.tensor([[math.cos(k), math.sin(k)] for k in np.linspace(0, 2 * np.pi, 12, endpoint=False)])
    labels = torch.tensor(classes).repeat_interleave(30)
    inputs = 3 * torch.randn(len(labels), 8, generator=generator)
    inputs[:, :2] = 2 * centres[labels] + 0.1 * torch.randn(len(labels), 2, generator=generator)
    return inputs, labels


def test_a_siamese_network_separates_classes_that_it_has_not_seen():
    torch.manual_seed(0)
    siamese = Siamese(nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16)), 16)
    held_out = toy([1, 4, 7, 10], 1)
    before = episode_accuracies(siamese.classify, *held_out, 4, 1, episodes=30).mean()
    losses = train_siamese(siamese, *toy([0, 2, 3, 5, 6, 8, 9, 11], 0), 400)
    after = episode_accuracies(siamese.classify, *held_out, 4, 1, episodes=30).mean()
    pixels = episode_accuracies(by_neighbours(lambda each: each), *held_out, 4, 1, episodes=30).mean()
    assert losses[-1] < 0.3 < losses[0]
    assert after > 0.9 and after > pixels + 0.3 and after > before


def test_more_examples_help_means_and_features_decide():
    inputs, labels = toy([0, 3, 6, 9], 2)
    one, five = (
        episode_accuracies(by_means(lambda each: each), inputs, labels, 4, shots, episodes=40).mean()
        for shots in (1, 5)
    )
    right = episode_accuracies(by_means(lambda each: each[:, :2]), inputs, labels, 4, 1, episodes=40).mean()
    assert 0.25 < one < five < right and right > 0.99


def test_made_up_examples_follow_the_differences_of_known_classes():
    """The examples of each class differ along one direction: one of them and a known difference give the others."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(16).repeat_interleave(20)
    centres = 2 * torch.randn(16, 6, generator=generator)
    along = torch.tensor([0.0, 0, 0, 0, 0, 1])
    features = centres[labels] + (6 * torch.rand(320, 1, generator=generator) - 3) * along
    known = analogies(features, labels)
    change, expected = known.b_changed - known.b, known.a_changed - known.a
    assert float(nn.functional.cosine_similarity(change, expected).mean()) > 0.9
    torch.manual_seed(0)
    made_up = Hallucinator(6)
    made_up.learn(known, lambda made: -torch.cdist(made, centres), 1000)
    seed = centres[:1] + 0 * along
    new = made_up.imagine(seed, 100, generator)
    spread = (new - new.mean(0)).square().mean(0)
    assert spread[5] > 4 * spread[:5].max()


def test_digits_are_told_apart_by_few_examples():
    inputs, labels = read_digits().inputs, read_digits().labels
    for answer in (by_neighbours(lambda each: each), by_regression(lambda each: each)):
        found = episode_accuracies(answer, inputs, labels, 5, 5, episodes=10)
        assert found.shape == (10,) and found.mean() > 0.7
