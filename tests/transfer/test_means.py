"""Restored means, against the same network written out."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from priorlab.agents.networks.convolution import Convolution
from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.kept import find_kept
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from tests.support.kept_networks import SHAPE, TASKS, data, kept_by, learn, network, optimizer_of, outputs_of, step

pytestmark = pytest.mark.usefixtures("one_thread")


def weights_of(kept):
    return {name: each.detach().clone() for name, each in kept.network.parameters().items()}


def first_six(module, inputs):
    return module[:6](inputs)


@torch.no_grad()
def layer(weights, number, inputs):
    """The output of the ``number``-th layer of ``tests.support.kept_networks.network``."""
    name = ("0", "3", "5")[number]
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return functional.conv2d(inputs, weight, bias, 2) if number == 0 else functional.linear(inputs, weight, bias)


def through(weights, inputs, shifts=(0.0, 0.0, 0.0)):
    """The input and output of each layer, with something added to the latter."""
    calls = []
    for number, shift in enumerate(shifts):
        out = layer(weights, number, inputs) + shift
        calls.append((inputs, out))
        inputs = out.relu().flatten(1)
    return calls


@pytest.mark.parametrize("together", ["means", "ewc+means"])
def test_each_layer_gives_for_its_mean_input_what_it_gave_when_the_task_was_learned(together):
    kept = kept_by(together, heads=False)
    optimizer, then = optimizer_of(kept), []
    for task in range(TASKS):
        learn(kept, optimizer, task)
        then.append(weights_of(kept))
    now = weights_of(kept)
    for task in range(TASKS):
        inputs = data(task)[0]
        shifts = [
            gave.mean(0) - layer(now, number, given.mean(0, keepdim=True))[0]
            for number, (given, gave) in enumerate(through(then[task], inputs))
        ]
        torch.testing.assert_close(outputs_of(kept, task), through(now, inputs, shifts)[2][1], rtol=1e-4, atol=1e-5)


def test_learning_is_that_without_it_and_what_was_just_learned_stays_to_the_bit():
    ours, plain = kept_by("means", heads=False), kept_by("finetune", heads=False)
    one, other = optimizer_of(ours), optimizer_of(plain)
    for task in range(TASKS):
        learn(ours, one, task)
        learn(plain, other, task)
        assert torch.equal(outputs_of(ours, task), outputs_of(plain, task))
        if task:
            assert not torch.equal(outputs_of(ours, 0), outputs_of(plain, 0))
    assert all(torch.equal(each, weights_of(plain)[name]) for name, each in weights_of(ours).items())


def test_a_new_task_is_met_with_the_means_of_the_last_one_and_keeps_its_shifts_while_it_is_learned():
    kept = kept_by("means", heads=False, start="aligned")
    optimizer = optimizer_of(kept)
    kept.meet(0, Samples(data(0)[0]))  # there is nothing to align it with
    assert not any(bool(shift.any()) for _, _, shift in kept.methods[0].parts())
    learn(kept, optimizer, 0)
    kept.meet(1, Samples(data(1)[0]))
    kept.learn(1)
    gave = [gave[0] for _, gave, _ in kept.methods[0].parts()]
    for expected, (_, out) in zip(gave, kept.methods[0].means(data(1)[0])):
        torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    shifts = [shift[1].clone() for _, _, shift in kept.methods[0].parts()]
    for _ in range(5):
        step(kept, optimizer, 1)
        outputs_of(kept, 0)
    kept.play(0)
    kept.play(1)
    assert all(torch.equal(shift[1], was) for (_, _, shift), was in zip(kept.methods[0].parts(), shifts))
    assert all(bool(shift.any()) for shift in shifts)


def test_what_one_look_taught_serves_another_at_sight_once_they_are_aligned():
    generator = torch.Generator().manual_seed(0)
    shared = 8 * torch.randn(2, *SHAPE, generator=generator)
    patterns = 0.5 * torch.randn(4, *SHAPE, generator=generator)
    labels = torch.randint(4, (256,), generator=generator)

    def right(start):
        kept = kept_by("means", heads=False, start=start)
        optimizer = optimizer_of(kept)
        kept.learn(0)
        for _ in range(150):
            optimizer.zero_grad()
            functional.cross_entropy(kept.network.module(shared[0] + patterns[labels]), labels).backward()
            optimizer.step()
        kept.consolidate(Samples(shared[0] + patterns[labels]))
        kept.meet(1, Samples(shared[1] + patterns[labels]))  # no labels
        with torch.no_grad():
            return float((kept.network.module(shared[1] + patterns[labels]).argmax(1) == labels).float().mean())

    assert right("plain") < 0.6 and right("aligned") > 0.95


def test_a_task_learned_again_goes_on_from_what_it_played():
    kept = kept_by("means", heads=False)
    optimizer = optimizer_of(kept)
    for task in range(TASKS):
        learn(kept, optimizer, task)
    before = outputs_of(kept, 0)
    kept.learn(0)
    with torch.no_grad():
        assert torch.equal(kept.network.module(data(0)[0]), before)
    learn(kept, optimizer, 0)
    with torch.no_grad():
        last = kept.network.module(data(0)[0])
    assert torch.equal(outputs_of(kept, 0), last)
    kept.play(1)
    torch.testing.assert_close(outputs_of(kept, 0), last)


def test_a_copy_has_shifts_of_its_own():
    kept = kept_by("means", heads=False)
    optimizer = optimizer_of(kept)
    for task in range(TASKS):
        learn(kept, optimizer, task)
    other = copy.deepcopy(kept.network.module)
    before = outputs_of(kept, 0)
    kept.play(1)
    find_kept(other)[0].play(0)
    with torch.no_grad():
        assert torch.equal(other(data(0)[0]), before)


def test_what_cannot_be_given_its_means_back_is_said():
    with pytest.raises(ValueError, match="packing and means: expected one of them"):
        kept_by("packing+means")
    with pytest.raises(ValueError, match="means: expected a network with an example"):
        keep(Network(nn.Sequential(nn.Linear(2, 2))), parse("means"), 2)
    bent = nn.Sequential(Convolution(1, 16, 3), nn.Flatten(), nn.Linear(16 * 36, 2))
    with pytest.raises(ValueError, match=r"layer .0., a Convolution, .*expected a layer without a nonlinearity"):
        keep(Network(bent, example=torch.zeros(1, 1, 8, 8)), parse("means"), 2)
    with pytest.raises(ValueError, match="start is 'soft': expected one of plain, aligned"):
        kept_by("means", start="soft")
    own = network()
    own.module.add_module("spare", nn.Linear(4, 4))
    unused = Network(own.module, heads=("5",), example=own.example, outputs=first_six)
    with pytest.raises(ValueError, match="layer 'spare' was not used"):
        keep(unused, parse("means"), 2)


@pytest.mark.parametrize("start", ["plain", "aligned"])
@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.float16, "autocast"])
def test_means_are_given_back_at_any_precision(kind, start):
    """As in float32, up to rounding in the network's type, which stays the same."""
    found = []
    for dtype in (torch.float32, kind):
        low = dtype == "autocast"
        own = network()
        own.module.to(torch.float32 if low else dtype)
        example = own.example.to(torch.float32 if low else dtype)
        kept = keep(replace(own, example=example), parse(f"means:start={start}", heads=False), 2)
        optimizer = torch.optim.SGD(own.module.parameters(), 0.1)
        kept.attach(optimizer)
        for task in range(2):
            inputs, labels = data(task)[0].to(example.dtype), data(task)[1]
            with torch.autocast("cpu", torch.bfloat16, enabled=low):
                kept.meet(task, Samples(inputs))
                kept.learn(task)
                for _ in range(5):
                    optimizer.zero_grad()
                    functional.cross_entropy(own.module(inputs), labels).backward()
                    optimizer.step()
                kept.consolidate(Samples(inputs, labels))
        with torch.autocast("cpu", torch.bfloat16, enabled=low), kept.playing(0), torch.no_grad():
            outputs = own.module(data(0)[0].to(example.dtype))
        assert outputs.dtype == (torch.bfloat16 if low else dtype)
        found.append(outputs.float())
    bound = {torch.float64: 1e-5, torch.float16: 0.01}.get(kind, 0.05)
    torch.testing.assert_close(*found, atol=bound, rtol=0)


def test_shifts_are_as_precise_as_they_are_kept():
    """With weights in 16 bits, the output for the mean input is computed in 32 bits."""
    own = network()
    own.module.to(torch.bfloat16)
    kept = keep(replace(own, example=own.example.to(torch.bfloat16)), parse("means", heads=False), 2)
    inputs = data(0)[0].to(torch.bfloat16)
    kept.learn(0)
    kept.consolidate(Samples(inputs))
    given, gave, shift = kept.methods[0].parts()[1]
    kept.learn(1)
    with torch.no_grad():
        own.module[3].weight.add_(0.5)
    kept.play(0)
    weight, bias = own.module[3].weight.detach().float(), own.module[3].bias.detach().float()
    torch.testing.assert_close(shift[0], gave[0] - functional.linear(given[0], weight, bias))
    assert own.module[3].weight.dtype == torch.bfloat16
