"""Pruning: what is removed stays removed, and tickets return to their initial values."""

import gymnasium
import pytest
import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from priorlab.transfer.networks.network import Network
from priorlab.transfer.pruning import WeightMask, shrink_and_learn

pytestmark = pytest.mark.usefixtures("one_thread")


def small():
    torch.manual_seed(0)
    return Network(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)))


def test_the_smallest_weights_of_all_layers_go():
    network = small()
    weights = [network.module[0].weight, network.module[3].weight]
    before = torch.cat([weight.detach().abs().flatten() for weight in weights])
    mask = WeightMask(network)
    mask.shrink(0.5)
    mask.shrink(0.5)
    assert mask.left == pytest.approx(0.25, abs=0.002)
    after = torch.cat([weight.detach().flatten() for weight in weights])
    assert before[after != 0].min() >= before[after == 0].max()


def test_a_layer_that_begins_small_goes_first():
    """Layers are pruned together, so stable-baselines3's action_net, of gain .01, goes first if it has not learned."""
    boxes = gymnasium.spaces.Box(-1, 1, (6,))
    policy = ActorCriticPolicy(boxes, gymnasium.spaces.Discrete(3), lambda _: 1e-3)
    mask = WeightMask(Network(policy, ("action_net", "value_net")))
    mask.shrink(0.2)
    left = {name: int((leaf.weight != 0).sum()) for name, leaf in policy.named_modules() if isinstance(leaf, nn.Linear)}
    assert left.pop("action_net") == 0 and all(left.values())


def test_what_was_removed_stays_zero_under_momentum():
    network = small()
    mask, optimizer = WeightMask(network), torch.optim.Adam(network.module.parameters(), 1e-2)
    mask.attach(optimizer)
    for number in range(6):
        network.module(torch.randn(8, 1, 8, 8)).square().sum().backward()
        optimizer.step()
        if number == 2:
            mask.shrink(0.7)
    assert all(bool((weight[~kept] == 0).all()) for weight, kept in zip(mask.weights, mask.masks))
    with pytest.raises(ValueError, match="optimizer is an LBFGS: expected one that evaluates the loss once per step"):
        mask.attach(torch.optim.LBFGS(network.module.parameters()))


def test_tickets_go_back_to_their_start_and_their_controls_do_not():
    seen = {}
    for restart in ("none", "start", "random"):
        network, begun = small(), []

        def learn(mask, network=network, begun=begun):
            begun.append(network.module[3].weight.detach().clone())
            network.module[3].weight.data += 1.0
            mask.apply()

        shares = [each.left for each in shrink_and_learn(network, learn, lambda: 0.0, 2, 0.5, restart)]
        assert shares == pytest.approx([1.0, 0.5, 0.25], abs=0.002)
        left = begun[2] != 0
        seen[restart] = torch.equal(begun[2][left], begun[0][left])
        assert restart != "none" or torch.allclose(begun[2][left], begun[0][left] + 2.0)
    assert seen == {"none": False, "start": True, "random": False}


def test_a_control_learns_where_the_ticket_does_from_other_weights_and_changes_nothing_of_it():
    begun = {}
    for control in (False, True):
        network = small()

        def learn(mask, network=network, control=control):
            begun.setdefault(control, []).append(network.module[3].weight.detach().clone())
            network.module[3].weight.data += torch.linspace(-1, 1, network.module[3].weight.numel()).reshape_as(
                network.module[3].weight
            )
            mask.apply()

        found = shrink_and_learn(network, learn, lambda: 0.5, 3, 0.5, control=control)
        assert [each.control for each in found] == 4 * [0.5 if control else None]
    for ticket, alone, its_control in zip(begun[True][::2], begun[False], begun[True][1::2]):
        assert torch.equal(ticket, alone)
        assert torch.equal(ticket != 0, its_control != 0) and not torch.equal(ticket, its_control)


def test_what_is_too_small_to_be_shrunk_is_said():
    mask = WeightMask(Network(nn.Sequential(nn.Linear(2, 2))))
    mask.shrink(0.5)
    with pytest.raises(ValueError, match=r"share is 0\.1: expected one that removes any of 2 weights"):
        mask.shrink(0.1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"restart": "where"}, "restart is 'where'"), ({"rounds": -1}, "rounds is -1"), ({"share": 1.0}, "share is 1")],
)
def test_what_cannot_be_pruned_is_said(settings, words):
    with pytest.raises(ValueError, match=words):
        shrink_and_learn(small(), lambda _: None, lambda: 0.0, **{"rounds": 1, **settings})
    with pytest.raises(ValueError, match="a LayerNorm, can't be pruned"):
        WeightMask(Network(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), nn.Linear(2, 2))))
