"""Optimizers to which the methods of a network are not attached, and that would step it without them."""

import copy

import pytest
import torch

from tests.transfer.test_transfer_steps import Pair, loss, made, module

pytestmark = pytest.mark.usefixtures("one_thread")


class Holding(torch.optim.SGD):
    """Steps by an optimizer that lies in it, as those do that look ahead or spread over processes."""

    def step(self, closure=None):
        return self.inner.step(closure)


def test_an_optimizer_that_is_not_attached_is_refused_where_methods_must_act():
    pair = Pair()
    pair.kept.attach(made("SGD", pair.ours.parameters()))
    copied, optimizer = copy.deepcopy((pair.ours, pair.kept.attached.optimizers[0]))
    before = [parameter.detach().clone() for parameter in pair.ours.parameters()]
    for one, other in ((copied, optimizer), (pair.ours, made("Adam", pair.ours.parameters()))):
        loss(one).backward()
        with pytest.raises(ValueError, match=r"steps parameter '0.weight' of a network whose methods are not attached"):
            other.step()
        assert all(torch.equal(*each) for each in zip(before, one.parameters(), strict=True))
    outer = Holding(pair.ours.parameters(), lr=0.1)
    outer.inner = made("SGD", pair.ours.parameters())
    for attached in (outer, outer.inner):
        pair.kept.attach(attached)
        outer.step()
    made("SGD", module().parameters()).step()  # of another network
