"""Superposed weights against the matrix written out, and the noise that theory predicts."""

import pytest
import torch
from torch import nn

from priorlab.transfer.keeping import keep
from priorlab.transfer.networks.network import Network
from tests.support.kept_networks import kept_by

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("contexts", ["binary", "complex", "rotation", "power"])
def test_superposed_weights_are_those_of_the_matrix_written_out(contexts):
    """W (C_k x), with one W into which all tasks write, step by step down the same gradients."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 3, bias=False))
    kept = keep(Network(module), [{"method": "psp", "contexts": contexts}], 4)
    method, layer = kept.methods[0], module[0]
    is_complex = contexts in ("complex", "power")

    def context(task):
        drawn = method.context(0, task)
        if contexts == "rotation":
            return drawn
        return torch.diag(torch.polar(torch.ones(6), drawn) if is_complex else drawn)

    start = layer.weight.detach().clone()
    whole = (torch.complex(start, method.imaginary_0) if is_complex else start) @ context(0).mH  # home axes
    for task in (0, 2, 1, 3, 0):
        kept.learn(task)
        inputs = torch.randn(5, 6)
        wanted = whole @ context(task) @ inputs.T.to(whole.dtype)
        torch.testing.assert_close(module(inputs), wanted.real.T, rtol=1e-4, atol=1e-5)
        module.zero_grad()
        module(inputs).square().sum().backward()
        with torch.no_grad():
            layer.weight -= 0.1 * layer.weight.grad
        whole = whole - 0.1 * layer.weight.grad.to(whole.dtype) @ context(task).mH
    kept.play(2)
    torch.testing.assert_close(layer.weight.detach(), (whole @ context(2)).real, rtol=1e-4, atol=1e-5)


def test_other_tasks_come_out_of_a_superposition_as_noise():
    """Each of K stored matrices comes out with a squared error of K - 1 times their variance."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(400, 50, bias=False))
    kept = keep(Network(module), [{"method": "psp"}], 5)
    module[0].weight.data.zero_()
    written = torch.randn(5, 50, 400)
    for task in range(5):
        kept.play(task)
        module[0].weight.data += written[task]
    for task in range(5):
        kept.play(task)
        noise = (module[0].weight - written[task]).square().mean()
        assert abs(noise - 4.0) < 0.2  # of four other tasks, each of variance 1


@pytest.mark.parametrize("contexts", ["binary", "complex", "rotation", "power"])
def test_a_convolution_is_superposed_as_its_kernel_written_as_a_matrix(contexts):
    """Two layers with different contexts: each patch x of an image, or input, gives W (C_k x)."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(2, 3, 2, bias=False), nn.Flatten(), nn.Linear(27, 4, bias=False))
    kept = keep(Network(module), [{"method": "psp", "contexts": contexts}], 3)
    method, layers = kept.methods[0], (module[0], module[2])
    is_complex = contexts in ("complex", "power")

    def matrix(number, task):
        drawn = method.context(number, task)
        if contexts == "rotation":
            return drawn
        return torch.diag(torch.polar(torch.ones(len(drawn)), drawn) if is_complex else drawn)

    starts = [layer.weight.detach().flatten(1) for layer in layers]  # (out, in)
    if is_complex:
        starts = [torch.complex(start, getattr(method, f"imaginary_{k}").flatten(1)) for k, start in enumerate(starts)]
    stored = [start @ matrix(number, 0).mH for number, start in enumerate(starts)]
    for task in (2, 1, 0):
        kept.play(task)
        pictures = torch.randn(5, 2, 4, 4)
        patches = nn.functional.unfold(pictures, 2)  # (n, in, places)
        first, second = (each @ matrix(number, task) for number, each in enumerate(stored))
        hidden = (first.real if is_complex else first) @ patches  # (n, out, places)
        wanted = hidden.flatten(1) @ (second.real if is_complex else second).T
        torch.testing.assert_close(module(pictures), wanted, rtol=1e-4, atol=1e-5)


def test_biases_are_each_tasks_own_or_are_shared():
    for biases, then in (("own", 0.0), ("shared", 1.0)):
        module = nn.Sequential(nn.Linear(6, 3))
        nn.init.zeros_(module[0].bias)
        kept = keep(Network(module), [{"method": "psp", "biases": biases}], 2)
        kept.learn(0)
        module[0].bias.data += 1.0
        kept.learn(1)
        assert module[0].bias.tolist() == 3 * [then]
        kept.play(0)
        assert module[0].bias.tolist() == 3 * [1.0]


@pytest.mark.parametrize("contexts", ["binary", "complex", "rotation", "power"])
def test_every_task_begins_with_weights_as_large_as_the_first(contexts):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(300, 200))
    kept = keep(Network(module), [{"method": "psp", "contexts": contexts}], 4)
    size = float(module[0].weight.detach().norm())
    for task in range(4):
        kept.learn(task)
        assert float(module[0].weight.detach().norm()) == pytest.approx(size, rel=0.03)


def test_autocast_does_not_round_the_weights_that_move():
    kept, other = (kept_by("psp", contexts="rotation") for _ in range(2))
    kept.play(1)
    with torch.autocast("cpu", torch.bfloat16):
        other.play(1)
    assert torch.equal(kept.network.module[3].weight, other.network.module[3].weight)
