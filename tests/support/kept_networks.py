"""A small network of dense and convolutional layers that is kept, and three tasks for it."""

import torch
from torch import nn

from priorlab.transfer.keeping import METHODS, keep, parse
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples

TASKS = 3
SHAPE = (1, 8, 8)
NAMES = ["finetune", *(name for name in METHODS if name != "own-heads"), "psp+ewc"]


def network(seed=0, likelihood="categorical"):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 12), nn.ReLU(), nn.Linear(12, 4)
    )
    return Network(module, example=torch.zeros(1, *SHAPE), likelihood=likelihood)


def data(task, n=48):
    generator = torch.Generator().manual_seed(100 + task)
    return torch.randn(n, *SHAPE, generator=generator), torch.randint(4, (n,), generator=generator)


def kept_by(name, seed=0, tasks=TASKS, heads=True, **settings):
    text = ",".join(f"{key}={value}" for key, value in settings.items())
    return keep(network(seed), parse(f"{name}:{text}" if text else name, heads), tasks, seed)


def optimizer_of(kept):
    optimizer = torch.optim.Adam(kept.network.module.parameters(), 1e-2)
    kept.attach(optimizer)
    return optimizer


def step(kept, optimizer, task):
    inputs, labels = data(task)
    loss = nn.functional.cross_entropy(kept.network.module(inputs), labels)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(kept.network.module.parameters(), 0.5)
    optimizer.step()


def learn(kept, optimizer, task, steps=30):
    kept.learn(task)
    for number in range(steps):
        step(kept, optimizer, task)
        kept.advance((number + 1) / steps)
    kept.consolidate(Samples(*data(task)))


@torch.no_grad()
def outputs_of(kept, task):
    with kept.playing(task):
        return kept.network.module(data(task)[0])
