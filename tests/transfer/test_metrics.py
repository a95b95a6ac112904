"""The measures of a sequence, on numbers with an obvious answer."""

import numpy as np
import pytest
import torch
from torch import nn

from priorlab.transfer import metrics
from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.network import Network

MATRIX = np.array([[1.0, 0.2, 0.0], [0.6, 0.8, 0.1], [0.4, 0.5, 0.9]])


def test_what_is_kept_and_forgotten():
    assert metrics.average_performance(MATRIX) == pytest.approx(0.6)
    assert metrics.forgetting(MATRIX) == pytest.approx((0.6 + 0.3 + 0.0) / 3)
    assert metrics.backward_transfer(MATRIX) == pytest.approx((-0.6 - 0.3) / 2)
    assert np.isnan(metrics.backward_transfer(MATRIX[:1, :1]))


def test_forward_transfer_is_what_was_gained_of_what_could_be():
    shares = np.array([0.0, 0.5, 1.0])
    assert metrics.area_under_curve(shares, np.array([0.0, 0.5, 1.0])) == pytest.approx(0.5)
    assert metrics.area_under_curve(shares, np.array([0.0, 1.0, 1.0])) == pytest.approx(0.75)
    gains = metrics.relative_gains(np.array([0.75, 0.5, 1.0]), np.array([0.5, 0.5, 1.0]))
    assert gains[:2] == pytest.approx([0.5, 0.0]) and np.isnan(gains[2])  # the last one leaves nothing to gain


def test_dead_units_are_dormant_and_copies_add_no_rank():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    network, inputs = Network(module), torch.randn(200, 6)
    with torch.no_grad():
        module[0].weight[:2] = 0
        module[0].bias[:2] = -1
        assert metrics.dormant_units(network, inputs) == pytest.approx(2 / 8)
        module[0].weight[:] = module[0].weight[5]
        module[0].bias[:] = module[0].bias[5]
    assert metrics.effective_rank(network, inputs) == pytest.approx(1.0, abs=1e-3)


def test_what_two_heads_are_given_counts_once():
    class Dueling(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 4)
            self.advantage, self.value = nn.Linear(4, 3), nn.Linear(4, 1)

        def forward(self, inputs):
            features = self.second(self.first(inputs).relu()).relu()
            return self.value(features) + self.advantage(features)

    torch.manual_seed(0)
    network = Network(Dueling(), heads=("advantage", "value"))
    with torch.no_grad():
        network.module.second.weight.zero_()
        network.module.second.bias.copy_(torch.tensor([-1.0, -1.0, -1.0, 1.0]))
        network.module.first.bias.fill_(9.0)
    assert metrics.dormant_units(network, torch.randn(50, 6)) == pytest.approx(3 / 12)


@pytest.mark.parametrize("method", ["progressive", "random-column"])
def test_of_columns_only_the_tasks_own_counts(method):
    """Its layers start as those of a separate network, with the same dormant units and rank; adapters add little
    at first, and their width does not matter."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 3))
    network, inputs = Network(module, example=torch.zeros(1, 6)), torch.randn(300, 6)
    plain = metrics.effective_rank(network, inputs)
    kept = keep(network, parse(f"{method}:width=2"), 3)
    for task in range(3):
        with kept.playing(task):
            assert metrics.effective_rank(network, inputs) == pytest.approx(plain, rel=0.3)
            shapes = [each.shape for each in metrics.layer_inputs(network, inputs).values()]
            assert shapes == [(300, 40), (300, 30)]
