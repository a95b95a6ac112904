"""What a method sees of a torch network: its parameters, its heads, and what it says about an input."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import nn

Likelihood = Literal["categorical", "gaussian"]
Leaf = nn.Linear | nn.Conv2d
KEPT = "kept"  # under which name a network holds its ``transfer.method.Kept``


def call(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return module(inputs)


@dataclass(frozen=True)
class Network:
    """A module and what must be known of it to keep what it learns.

    heads: names of the modules that give its outputs, which each task may have its own of (default: the last layer);
    outputs: logits of actions
    or classes float32 (n, k), or values (n, k), for inputs (n, ...); likelihood: whether these are logits or the
    means of unit Gaussians, which is all that values can be taken for; example: an input (1, ...), which some methods
    need; whole: runs all of the network on an input, where ``outputs`` doesn't; own: names of parameters of which each
    task has its own already.
    """

    module: nn.Module
    heads: tuple[str, ...] = ()
    outputs: Callable[[nn.Module, torch.Tensor], torch.Tensor] = field(default=call)
    likelihood: Likelihood = "categorical"
    example: torch.Tensor | None = None
    whole: Callable[[nn.Module, torch.Tensor], object] | None = None
    own: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        names = dict(self.module.named_modules())
        if not self.heads:
            layers = [name for name, module in names.items() if isinstance(module, Leaf)]
            object.__setattr__(self, "heads", tuple(layers[-1:]))
        for name in self.heads:
            if name not in names:
                known = ", ".join(name for name, _ in self.module.named_children())
                raise ValueError(f"head {name!r}: expected the name of a module of the network: {known}")

    def is_head(self, name: str) -> bool:
        """Whether a module or parameter of this name belongs to a head."""
        return any(name == head or name.startswith(f"{head}.") for head in self.heads)

    def parameters(self) -> dict[str, nn.Parameter]:
        """All of them, by name."""
        named = self.module.named_parameters()
        return {name: parameter for name, parameter in named if not name.startswith(f"{KEPT}.")}

    def shared(self) -> dict[str, nn.Parameter]:
        """Those that all tasks share, by name."""
        return {name: parameter for name, parameter in self.parameters().items() if name not in self.own}

    def but(self, names: Iterable[str]) -> "Network":
        """The same, with these parameters, too, each task's own."""
        return replace(self, own=self.own | {*names})

    def leaves(self, purpose: str) -> dict[str, Leaf]:
        """The dense and convolutional layers whose weights are shared, by name.

        ValueError for a layer of another kind that has parameters; ``purpose`` ends its sentence "... can't be ...".
        """
        found: dict[str, Leaf] = {}
        for name, module in self.module.named_modules():
            own = [f"{name}.{each}" if name else each for each, _ in module.named_parameters(recurse=False)]
            if name == KEPT or name.startswith(f"{KEPT}.") or {*own} <= self.own:
                continue
            if not isinstance(module, Leaf):
                raise ValueError(
                    f"layer {name!r}, a {type(module).__name__}, can't be {purpose}: expected layers of kinds Linear "
                    "and Conv2d"
                )
            if isinstance(module, nn.Conv2d) and module.groups > 1:
                raise ValueError(f"layer {name!r} has {module.groups} groups and can't be {purpose}: expected 1")
            found[name] = module
        return found

    def named(self, names: Iterable[str]) -> list[Any]:
        """The modules of these names, as they are now."""
        return [self.module.get_submodule(name) for name in names]

    def run(self, inputs: torch.Tensor) -> object:
        """All of it, on inputs (n, ...)."""
        return (self.whole or self.outputs)(self.module, inputs)


@torch.no_grad()
def check_affine(name: str, leaf: Leaf, given: torch.Tensor, purpose: str) -> None:
    """ValueError for a layer, which takes inputs of the shape of ``given``, that has a nonlinearity in it."""
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(given.shape, generator=generator).to(leaf.weight)[None] for _ in range(2))
    between, at_mean = (leaf.forward(one) + leaf.forward(other)) / 2, leaf.forward((one + other) / 2)
    if not torch.allclose(between, at_mean, rtol=1e-2, atol=1e-2 * float(between.abs().max())):
        raise ValueError(f"layer {name!r}, a {type(leaf).__name__}, can't be {purpose}: expected a layer without a "
                         "nonlinearity in it")  # fmt: skip


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within it the module is in eval mode; after it, as before."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


@dataclass(frozen=True)
class Start:
    """How a parameter starts, so that others can be drawn like it: orthogonal, normal, or the same everywhere."""

    shape: torch.Size
    gain: float
    orthogonal: bool
    same: torch.Tensor | None

    @classmethod
    def of(cls, parameter: torch.Tensor) -> "Start":
        """Of a parameter that has not learned yet. Biases are taken to start the same each time."""
        values = parameter.detach().cpu()
        if values.dim() < 2 or bool((values == values.flatten()[0]).all()):
            return cls(values.shape, 0.0, False, values.clone())
        flat = values.flatten(1)  # (out, in...) -> (out, in)
        product = flat @ flat.T if len(flat) <= flat.shape[1] else flat.T @ flat
        square = product.diagonal().mean()
        off = (product - square * torch.eye(len(product))).abs().max()
        if off < 1e-3 * square:
            return cls(values.shape, float(square.sqrt()), True, None)
        return cls(values.shape, float(values.std()), False, None)

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """float32, of the same shape, on the CPU."""
        if self.same is not None:
            return self.same.clone()
        new = torch.empty(self.shape)
        if self.orthogonal:
            return nn.init.orthogonal_(new, self.gain, generator=generator)
        return new.normal_(0.0, self.gain, generator=generator)
