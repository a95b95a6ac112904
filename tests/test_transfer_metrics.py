"""The measures of a sequence, on numbers whose answer is plain."""

import numpy as np
import pytest
import torch
from torch import nn

from transfer import metrics
from transfer.network import Network

MATRIX = np.array([[1.0, 0.2, 0.0], [0.6, 0.8, 0.1], [0.4, 0.5, 0.9]])


def test_what_is_kept_and_forgotten():
    assert metrics.average_performance(MATRIX) == pytest.approx(0.6)
    assert metrics.forgetting(MATRIX) == pytest.approx((0.6 + 0.3 + 0.0) / 3)
    assert metrics.backward_transfer(MATRIX) == pytest.approx((-0.6 - 0.3) / 2)
    assert np.isnan(metrics.backward_transfer(MATRIX[:1, :1]))


def test_forward_transfer_is_what_was_gained_of_what_could_be():
    shares = np.array([0.0, 0.5, 1.0])
    assert metrics.area(shares, np.array([0.0, 0.5, 1.0])) == pytest.approx(0.5)
    assert metrics.area(shares, np.array([0.0, 1.0, 1.0])) == pytest.approx(0.75)
    assert metrics.forward_transfer(np.array([0.75, 0.5]), np.array([0.5, 0.5])) == pytest.approx(0.25)


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
