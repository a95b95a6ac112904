"""What the user freezes, or puts in eval mode, stays so, whatever methods freeze; compiled networks."""

import pytest
import torch
from torch import nn

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from tests.support.kept_networks import NAMES, TASKS, data, kept_by, learn, network, optimizer_of, outputs_of, step

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_that_was_frozen_before_is_the_same_in_all_tasks(name):
    own = network()
    own.module[0].requires_grad_(False)
    kept = keep(own, parse(name), TASKS)
    weight, bias = own.module[0].weight, own.module[0].bias
    before = weight.clone(), bias.clone()
    optimizer = optimizer_of(kept)
    for task in range(TASKS):
        learn(kept, optimizer, task, steps=3)
        assert not weight.requires_grad and torch.equal(weight, before[0]) and torch.equal(bias, before[1])
        outputs_of(kept, 0)
        assert not weight.requires_grad and torch.equal(weight, before[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("when", ["before learning", "while learning", "between tasks"])
def test_what_is_frozen_later_learns_no_more(name, when):
    kept = kept_by(name)
    optimizer = optimizer_of(kept)
    first, task = kept.network.module[0], TASKS - 1
    bias = first.columns[-1].bias if hasattr(first, "columns") else first.bias
    if when == "before learning":
        bias.requires_grad_(False)
    for number in range(task):
        learn(kept, optimizer, number, steps=2)
    if when == "between tasks":
        bias.requires_grad_(False)
    kept.learn(task)
    step(kept, optimizer, task)
    bias.requires_grad_(False)
    before = bias.clone()
    for _ in range(3):
        step(kept, optimizer, task)
    outputs_of(kept, 0)
    step(kept, optimizer, task)
    kept.consolidate(Samples(*data(task)))
    assert not bias.requires_grad and torch.equal(bias, before)


@pytest.mark.parametrize("name", ["finetune", "ewc", "l2", "scratch", "psp"])
def test_what_is_let_learn_again_learns_and_is_kept(name):
    kept = kept_by(name)
    optimizer, weight = optimizer_of(kept), kept.network.module[0].weight
    weight.requires_grad_(False)
    learn(kept, optimizer, 0, steps=2)
    weight.requires_grad_(True)
    before = weight.clone()
    step(kept, optimizer, 0)
    assert not torch.equal(weight, before)
    kept.learn(1)
    assert weight.requires_grad
    if name in ("ewc", "l2"):
        assert "0.weight" in kept.acted_on(kept.network.parameters())


def test_what_a_method_freezes_stays_frozen_whatever_the_user_lets_learn():
    kept = kept_by("head-only")
    optimizer = optimizer_of(kept)
    learn(kept, optimizer, 0, steps=2)
    kept.learn(1)
    before = outputs_of(kept, 0)
    kept.network.module.requires_grad_(True)
    for _ in range(3):
        step(kept, optimizer, 1)
    assert torch.equal(outputs_of(kept, 0), before)
    kept.learn(0)  # in which all learns: the method held it, not the user
    assert all(parameter.requires_grad for parameter in kept.network.module.parameters())


@pytest.mark.parametrize("name", ["psp", "packing", "progressive", "head-only", "separate"])
def test_what_was_left_alone_may_not_learn_later(name):
    own = network()
    own.module[0].requires_grad_(False)
    kept = keep(own, parse(name), TASKS)
    optimizer, weight = optimizer_of(kept), own.module[0].weight
    learn(kept, optimizer, 0, steps=2)
    before = weight.clone()
    weight.requires_grad_(True)
    with pytest.raises(
        ValueError, match=r"parameter '0\.weight' learns: expected it frozen, as when the network was kept"
    ):
        kept.learn(1)
    step(kept, optimizer, 0)
    assert torch.equal(weight, before)


def test_what_cannot_be_left_alone_is_refused():
    for name in ("psp", "packing", "progressive"):
        own = network()
        own.module[0].weight.requires_grad_(False)
        with pytest.raises(ValueError, match="layer '0' is frozen in part, its weight: expected all or nothing of it"):
            keep(own, parse(name), TASKS)
    kept = kept_by("packing")
    kept.learn(0)
    kept.network.module[0].weight.requires_grad_(False)
    for refused in (lambda: kept.learn(0), lambda: kept.consolidate(Samples(*data(0)))):
        with pytest.raises(ValueError, match=r"parameter '0\.weight' is frozen and can't be packed"):
            refused()


def test_what_is_frozen_while_another_task_is_played_is_as_before():
    kept = kept_by("ewc")
    kept.learn(0)
    with kept.playing(1):
        kept.network.module.requires_grad_(False)
    kept.learn(0)
    assert all(parameter.requires_grad for parameter in kept.network.module.parameters())


@pytest.mark.parametrize("name", ["ewc", "means", "progressive", "means:start=aligned"])
def test_each_part_stays_in_its_mode(name):
    own = nn.Sequential(nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5)), nn.Linear(8, 3))
    kept = keep(Network(own, example=torch.zeros(1, 8)), parse(name), 2)
    own.train()
    own[0][1].eval()
    modes = [module.training for module in own.modules()]
    kept.learn(0)
    kept.consolidate(Samples(torch.randn(5, 8)))
    kept.meet(1, Samples(torch.randn(5, 8)))
    with kept.playing(0):
        pass
    assert [module.training for module in own.modules()] == modes


@pytest.mark.filterwarnings("ignore:.*deprecated", "ignore:The .grad attribute")  # within torch, when it compiles
@pytest.mark.parametrize(
    ("name", "whole"),
    [(name, True) for name in NAMES if name not in ("finetune", "online-ewc", "means")]
    + [(name, False) for name in ("ewc", "packing", "progressive", "means:start=aligned")],
)
def test_a_network_that_is_compiled_after_it_is_kept_learns_and_plays_alike(name, whole):
    found = []
    for compiles in (False, True):
        torch._dynamo.reset()
        kept = kept_by(name, tasks=2)
        module = run = kept.network.module
        if compiles and whole:
            run = torch.compile(module, backend="eager")
        elif compiles:
            module.compile(backend="eager")
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        kept.attach(optimizer)
        for task in range(2):
            kept.meet(task, Samples(data(task)[0]))
            kept.learn(task)
            for share in (0.5, 1.0):
                optimizer.zero_grad()
                nn.functional.cross_entropy(run(data(task)[0]), data(task)[1]).backward()
                optimizer.step()
                kept.advance(share)
            kept.consolidate(Samples(*data(task)))
        for task in range(2):
            with kept.playing(task), torch.no_grad():
                found.append(run(data(task)[0]))
    for ours, theirs in zip(found[:2], found[2:], strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_network_or_part_is_refused():
    own = network()
    with pytest.raises(ValueError, match="the network is compiled: expected one that isn't; compile it after"):
        keep(Network(torch.compile(own.module, backend="eager")), parse("ewc"), 2)
    own.module[3] = torch.compile(own.module[3], backend="eager")
    with pytest.raises(ValueError, match="layer '3' is compiled: expected one that isn't"):
        keep(Network(own.module), parse("l2"), 2)
    own = network()
    own.module[3].compile(backend="eager")
    with pytest.raises(ValueError, match="layer '3' is compiled: expected one that isn't"):
        keep(own, parse("finetune"), 2)
    kept = kept_by("l2")
    kept.network.module[3] = torch.compile(kept.network.module[3], backend="eager")
    with pytest.raises(ValueError, match=r"parameter '3\._orig_mod\.bias' is \(12,\): expected missing"):
        kept.learn(0)
