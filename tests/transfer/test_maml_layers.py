"""MAML with layers that draw, remember, or are frozen: adapted correctly, or rejected before anything is learned."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from priorlab.transfer.fewshot.maml import MAML, TaskBatch

pytestmark = pytest.mark.usefixtures("one_thread")


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.memory, self.last = nn.LSTM(2, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, inputs):
        return self.last(self.memory(inputs.reshape(-1, 3, 2))[0][:, -1])


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.each, self.last = nn.MultiheadAttention(2, 1, batch_first=True), nn.Linear(6, 1)

    def forward(self, inputs):
        parts = inputs.reshape(-1, 3, 2)
        return self.last(self.each(parts, parts, parts, need_weights=False)[0].flatten(1))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.last = nn.Linear(6, 6), nn.Linear(6, 1)
        self.other = self.one

    def forward(self, inputs):
        return self.last(self.other(self.one(inputs).tanh()))


class Counting(nn.Linear):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, inputs):
        self.seen += 1
        return super().forward(inputs)


def around(layer, width=6):
    return nn.Sequential(layer, nn.Tanh(), nn.Linear(width, 1))


def made(module, **settings):
    return MAML(module, nn.functional.mse_loss, 0.1, 2, **settings)


def tasks(dtype=torch.float32, t=3):
    generator = torch.Generator().manual_seed(1)
    parts = [torch.randn(t, n, width, generator=generator, dtype=dtype) for n, width in ((5, 6), (5, 1)) * 2]
    return TaskBatch(*parts)


def one_by_one(module, given, rate=0.1, steps=2):
    """By plain loops of autograd, without functional calls."""
    found = []
    start = [each.detach().clone() for each in module.parameters()]
    for inputs, targets, asked, answers in zip(
        given.inputs, given.targets, given.query_inputs, given.query_targets, strict=True
    ):
        for _ in range(steps):
            module.zero_grad()
            nn.functional.mse_loss(module(inputs), targets).backward()
            with torch.no_grad():
                for each in module.parameters():
                    if each.grad is not None:
                        each -= rate * each.grad
        found.append(nn.functional.mse_loss(module(asked), answers).detach())
        with torch.no_grad():
            for each, value in zip(module.parameters(), start, strict=True):
                each.copy_(value)
    module.zero_grad()
    return torch.stack(found)


LAYERS = {
    "dropout in eval mode": lambda: around(nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5))).eval(),
    "batch norm in eval mode": lambda: around(nn.BatchNorm1d(6)).eval(),
    "batch norm without statistics": lambda: around(nn.BatchNorm1d(6, track_running_stats=False)),
    "spectral norm in eval mode": lambda: around(spectral_norm(nn.Linear(6, 6))).eval(),
    "LSTM": Recurrent,
    "attention": Attending,
    "a shared layer": Shared,
}


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # of torch, which takes one task after another
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_adapt_as_by_plain_gradient_descent(name, dtype):
    torch.manual_seed(0)
    module, given = LAYERS[name]().to(dtype), tasks(dtype)
    before, buffers = [id(each) for each in module.parameters()], {**module.state_dict()}
    maml = made(module)
    found = maml.adapted_losses(maml.parameters, given)
    assert found.dtype == dtype
    torch.testing.assert_close(found.detach(), one_by_one(module, given), rtol=1e-4, atol=1e-5)
    assert maml.learn(lambda: given, 2)[1] != found.mean()
    assert [id(each) for each in module.parameters()] == before
    assert all(torch.equal(each, buffers[key]) for key, each in module.named_buffers())


def test_dropout_draws_for_each_task_and_step():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 64), nn.Dropout(0.5), nn.Linear(64, 1))
    maml, one = made(module), tasks(t=1)
    given = TaskBatch(
        *(part.repeat(400, 1, 1) for part in (one.inputs, one.targets, one.query_inputs, one.query_targets))
    )
    torch.manual_seed(1)
    found = maml.adapted_losses(maml.parameters, given).detach()
    torch.manual_seed(1)
    assert torch.equal(found, maml.adapted_losses(maml.parameters, given).detach()) and len(found.unique()) > 390
    plain = torch.stack([one_by_one(module, one)[0] for _ in range(400)])
    error = (found.var() / 400 + plain.var() / 400).sqrt()
    assert (found.mean() - plain.mean()).abs() < 4 * error
    assert maml.learn(lambda: tasks(), 3)


def converged() -> nn.Module:
    """Spectral norm whose vectors change only once its weight does."""
    layer = spectral_norm(nn.Linear(6, 6))
    for _ in range(2000):
        layer(torch.zeros(1, 6))
    return layer


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.BatchNorm1d(6), "layer '0', a BatchNorm1d, changes its running_mean as it runs, in which tasks would mix"),
        (Counting(6, 6), "layer '0', a Counting, changes its seen as it runs"),
        (spectral_norm(nn.Linear(6, 6)), "a _SpectralNorm, changes its _u as it runs"),
        (converged(), "a _SpectralNorm, changes its _u as it runs"),
    ],
)
def test_a_layer_in_which_tasks_would_mix_is_refused(layer, words):
    module = around(layer)
    maml, before = made(module), {key: each.clone() for key, each in module.state_dict().items()}
    given = tasks()
    for refused in (
        lambda: maml.learn(lambda: given, 1),
        lambda: maml.adapted_losses(maml.parameters, given),
        lambda: maml.adapt(maml.parameters, given.inputs[0], given.targets[0]),
    ):
        with pytest.raises(ValueError, match=words):
            refused()
    assert all(torch.equal(each, before[key]) for key, each in module.state_dict().items())


@pytest.mark.parametrize("first_order", [False, True])
def test_what_is_frozen_does_not_adapt(first_order):
    torch.manual_seed(0)
    module, given = around(nn.Linear(6, 6)).requires_grad_(False), tasks()
    maml = made(module, first_order=first_order)
    with pytest.raises(ValueError, match="all parameters are frozen: expected some that adapt"):
        maml.adapt(maml.parameters, given.inputs[0], given.targets[0])
    module[2].requires_grad_(True)
    adapted = maml.adapt(maml.parameters, given.inputs[0], given.targets[0])
    assert list(adapted) == list(maml.parameters)
    assert adapted["0.weight"] is module[0].weight and not torch.equal(adapted["2.weight"], module[2].weight)
    found = maml.adapted_losses(maml.parameters, given).detach()
    torch.testing.assert_close(found, one_by_one(module, given), rtol=1e-4, atol=1e-5)
    before = module[0].weight.clone()
    maml.learn(lambda: given, 3)
    assert torch.equal(module[0].weight, before)
