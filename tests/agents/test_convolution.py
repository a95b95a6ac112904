"""The convolutions of the agents' networks: equal to torch's own, in double precision, whatever their shape."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch.nn import functional

from priorlab.agents.networks.convolution import Convolution

pytestmark = pytest.mark.usefixtures("one_thread")

SHAPES = [  # channels, outs, size, stride, padding, height, width, slope
    (2, 16, 6, 3, 0, 42, 42, 0.0),
    (16, 32, 3, 2, 0, 13, 13, 0.0),
    (32, 32, 3, 1, 0, 6, 6, 0.2),
    (2, 32, 3, 2, 1, 42, 42, 1.0),
    (32, 32, 3, 2, 1, 21, 20, 1.0),
    (1, 16, 3, 2, 1, 9, 8, 0.0),
    (4, 32, 8, 4, 0, 84, 84, 0.0),
    (3, 48, 4, 1, 2, 7, 9, 0.5),
    (64, 64, 3, 1, 0, 3, 9, 0.0),
    (16, 16, 5, 1, 0, 5, 5, 0.0),
]


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def both(shape: tuple) -> tuple[Convolution, nn.Conv2d]:
    """The layer, and torch's own of the same weights in double precision."""
    channels, outs, size, stride, padding, _, _, slope = shape
    layer, reference = Convolution(channels, outs, size, stride, padding, slope), nn.Conv2d(*shape[:5])
    reference.load_state_dict(layer.state_dict())
    return layer, reference.double()


def close(ours: torch.Tensor | None, theirs: torch.Tensor | None) -> bool:
    assert ours is not None and theirs is not None
    return bool((ours - theirs).abs().max() <= 1e-5 * theirs.abs().max())


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_and_gradients_are_those_of_torch(shape: tuple, kind: torch.dtype, memory: torch.memory_format, n: int):
    layer, reference = both(shape)
    size = n, shape[0], *shape[5:7]
    pictures = torch.randint(0, 256, size, dtype=kind) if kind == torch.uint8 else torch.randn(size)
    pictures = pictures.contiguous(memory_format=memory)
    inward = kind == torch.float32 and shape[0] % 16 == 0
    ours = pictures.clone().requires_grad_() if inward else pictures
    theirs = (pictures.double() / (255 if kind == torch.uint8 else 1)).requires_grad_()
    assert layer.fits(ours)
    out, expected = layer(ours), functional.leaky_relu(reference(theirs), shape[-1])
    grads = torch.randn(out.shape)
    out.backward(grads)
    expected.backward(grads.double())
    assert close(out, expected)
    assert close(layer.weight.grad, reference.weight.grad)
    assert layer.bias is not None and reference.bias is not None and close(layer.bias.grad, reference.bias.grad)
    assert not inward or close(ours.grad, theirs.grad)


@pytest.mark.parametrize("outs, inward", [(5, False), (16, True)])
def test_what_the_kernels_cannot_do_torch_does(outs: int, inward: bool):
    layer, reference = both((3, outs, 3, 1, 1, 8, 8, 0.0))
    pictures = torch.rand(4, 3, 8, 8, requires_grad=inward)
    assert not layer.fits(pictures)
    assert close(layer(pictures), reference(pictures.double()).relu())


def test_gradients_of_single_samples_come_through_vmap():
    layer = both((2, 16, 3, 1, 0, 8, 8, 0.0))[0]
    pictures, weights = torch.rand(5, 2, 8, 8), dict(layer.named_parameters())

    def loss(weights: dict[str, torch.Tensor], picture: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, weights, (picture[None],)).square().sum()

    apart = torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, pictures)
    together = torch.autograd.grad(layer(pictures).square().sum(), list(weights.values()))
    for each, whole in zip(apart.values(), together):
        assert close(each.sum(0), whole)


def test_a_second_derivative_is_refused_rather_than_wrong():
    layer = both((16, 16, 3, 1, 0, 5, 5, 0.0))[0]
    loss = layer(torch.rand(2, 16, 5, 5)).square().sum()
    (first,) = torch.autograd.grad(loss, layer.weight, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("shape", SHAPES)
def test_what_cards_do_with_pictures_is_the_same(shape: tuple):
    layer, reference = both(shape)
    pictures = torch.randint(0, 256, (5, shape[0], *shape[5:7]), dtype=torch.uint8)
    out, expected = layer.of_windows(pictures), reference(pictures.double() / 255)
    grads = torch.randn(out.shape)
    out.backward(grads)
    expected.backward(grads.double())
    assert close(out, expected) and close(layer.weight.grad, reference.weight.grad)
    assert close(layer.bias.grad if layer.bias is not None else None, reference.bias.grad)
