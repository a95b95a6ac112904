"""All of torch's optimizers, and a kept network next to a copy whose penalties are written out."""

import inspect

import torch
from torch import nn

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.network import Network

OPTIMIZERS = {
    name: kind
    for name, kind in vars(torch.optim).items()
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer
}
DENSE = [name for name in OPTIMIZERS if name != "SparseAdam"]
SETTINGS = {"LBFGS": {"max_iter": 4}, "SGD": {"momentum": 0.9, "weight_decay": 0.01}}
STRENGTH = 30.0
X = torch.randn(24, 5, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
Y = torch.randint(3, (2, 24), generator=torch.Generator().manual_seed(8))


def module(bias=True):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 6, bias), nn.Tanh(), nn.Linear(6, 3, bias)).double()


def supports(name, setting):
    return setting in inspect.signature(OPTIMIZERS[name]).parameters


def make_optimizer(name, parameters, **settings):
    return OPTIMIZERS[name](parameters, **{"lr": 0.01, **SETTINGS.get(name, {}), **settings})


def loss(one, task=1):
    return nn.functional.cross_entropy(one(X), Y[task])


def closure_of(one, optimizer, extra=lambda: 0.0, way="plain", task=1):
    """A closure that computes the gradients of the loss plus ``extra``, and returns it."""

    def closure():
        optimizer.zero_grad(set_to_none=way != "kept gradients")
        if way == "accumulated":
            (loss(one) / 2).backward()
            value = loss(one, 0) / 2 + extra()
        else:
            value = (-1 if way.endswith("maximize") else 1) * (loss(one, task) + extra())
        value.backward()
        return value

    return closure


class Pair:
    """A kept network with the penalties of two tasks, and a copy for which these are written out."""

    def __init__(self, bias=True):
        self.ours, self.theirs = module(bias), module(bias)
        self.kept = keep(Network(self.ours), parse(f"ewc:strength={STRENGTH}", heads=False), 3)
        self.kept.learn(2)
        generator, self.tasks = torch.Generator().manual_seed(3), []
        for weight in self.theirs.parameters():
            drawn = torch.rand(2, 2, *weight.shape, generator=generator, dtype=torch.float64)
            self.tasks.append([(importance.round(decimals=1), weight.detach() + place) for importance, place in drawn])
        for (_, weight, pull), tasks in zip(self.kept.methods[0].parts().values(), self.tasks, strict=True):
            weight.copy_(sum(importance for importance, _ in tasks))
            pull.copy_(sum(importance * place for importance, place in tasks))

    def both(self, optimizers):
        """Of both networks, the optimizer and what it must minimise in addition to the loss."""
        return zip((self.ours, self.theirs), optimizers, (lambda: 0.0, self.penalty), strict=True)

    def penalty(self):
        """Less its minimum."""
        value = 0.0
        for weight, tasks in zip(self.theirs.parameters(), self.tasks, strict=True):
            total = sum(importance for importance, _ in tasks)
            least = sum(importance * place for importance, place in tasks) / total.clamp_min(1e-9)
            for importance, place in tasks:
                value = value + (importance * ((weight - place).square() - (least - place).square())).sum()
        return STRENGTH / 2 * value

    def same(self, tolerance=1e-9):
        moved = 0.0
        for one, other in zip(self.ours.parameters(), self.theirs.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
            moved += float(one.grad.abs().sum())
        assert moved > 0
