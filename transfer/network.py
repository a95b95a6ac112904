"""What a method sees of a torch network: its parameters, its heads, and what it says about an input."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Literal, NoReturn

import torch
from torch import nn

Likelihood = Literal["categorical", "gaussian"]
Leaf = nn.Linear | nn.Conv2d
WEIGHTED = (nn.Linear, nn.Conv2d, nn.MultiheadAttention)
SMALL = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.modules.batchnorm._NormBase, nn.PReLU)
KEPT = "kept"  # under which name a network holds its ``priorlab.transfer.method.Kept``


def call(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return module(inputs)


@dataclass(frozen=True)
class Matrix:
    """A weight (out, in...) by the name of its parameter, and the layer's bias; of a convolution in so many groups."""

    weight: str
    bias: str | None
    groups: int


def is_own(module: nn.Module) -> bool:
    """Whether a module is of a kind of the user's own, or just holds others, and not one of torch's layers."""
    holders = (nn.Module, nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
    return not any(each.__module__.startswith("torch.") for each in set(type(module).__mro__) - {*holders})


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

    def apart(self, purpose: str) -> dict[str, nn.Parameter]:
        """The parameters that are shared, of layers that compute no sums of products: those of norms and of PReLU, and
        those that lie bare in a module of the user's own, such as embeddings of positions and scales of layers.

        ValueError where there are more of them than weights, so that it would not do to give each task its own.
        ``purpose`` ends its sentence "... can't be ...".
        """
        found: dict[str, nn.Parameter] = {}
        weights = 0
        for name, module in self.layers():
            own = self.of_layer(name, module)
            weights += sum(each.numel() for each in own.values() if each.dim() > 1 and isinstance(module, WEIGHTED))
            if isinstance(module, SMALL) or is_own(module):
                found |= own
            elif isinstance(module, nn.MultiheadAttention):
                found |= {each: own[each] for each in own if each.endswith(("bias_k", "bias_v"))}
        bare = {name: each.numel() for name, each in found.items() if each.numel() > 1}
        if sum(bare.values()) > weights:
            name = max(bare, key=lambda name: bare[name])
            raise ValueError(f"parameter {name!r}, of {bare[name]} numbers, can't be {purpose}: expected no more of "
                             f"such numbers than the {weights} weights of layers")  # fmt: skip
        return found

    def matrices(self, purpose: str) -> list["Matrix"]:
        """Of dense and convolutional layers, and of attention, the weights that are shared; as ``leaves``, but for
        methods that need no more than the weights of a layer."""
        apart = set(self.apart(purpose))
        found = []
        for name, module in self.but(apart).layers():
            own = self.of_layer(name, module)
            if isinstance(module, Leaf) and own:
                self.check_leaf(name, module, purpose)
                bias = f"{name}.bias".removeprefix(".") if module.bias is not None else None
                groups = module.groups if isinstance(module, nn.Conv2d) else 1
                found.append(Matrix(f"{name}.weight".removeprefix("."), bias, groups))
            elif isinstance(module, nn.MultiheadAttention):
                weights = [each for each, parameter in own.items() if each.endswith("weight")]
                biases = [f"{name}.in_proj_bias".removeprefix(".") if module.in_proj_bias is not None else None]
                found += [Matrix(*each, 1) for each in zip_longest(weights, biases)]
            elif own.keys() - apart:
                self.refuse(name, module, purpose, "Linear, Conv2d and MultiheadAttention")
        return found

    def leaves(self, purpose: str) -> dict[str, Leaf]:
        """The dense and convolutional layers whose weights are shared, by name.

        ValueError for a layer of another kind that has parameters, and for one whose weight is no parameter of its own;
        ``purpose`` ends its sentence "... can't be ...".
        """
        found: dict[str, Leaf] = {}
        for name, module in self.layers():
            if not self.of_layer(name, module):
                continue
            if isinstance(module, nn.MultiheadAttention):
                raise ValueError(f"layer {name!r}, a {type(module).__name__}, can't be {purpose}: expected its "
                                 "projections as layers of kind Linear")  # fmt: skip
            if not isinstance(module, Leaf):
                self.refuse(name, module, purpose, "Linear and Conv2d")
            self.check_leaf(name, module, purpose)
            found[name] = module
        return found

    def layers(self) -> Iterator[tuple[str, nn.Module]]:
        """All modules by name, but those that keep the network."""
        for name, module in self.module.named_modules():
            if name != KEPT and not name.startswith(f"{KEPT}."):
                yield name, module

    def of_layer(self, name: str, module: nn.Module) -> dict[str, nn.Parameter]:
        """The parameters of a layer itself that are shared, by name."""
        named = module.named_parameters(prefix=name, recurse=False)
        return {each: parameter for each, parameter in named if each not in self.own}

    def refuse(self, name: str, module: nn.Module, purpose: str, kinds: str) -> NoReturn:
        raise ValueError(
            f"layer {name!r}, a {type(module).__name__}, can't be {purpose}: expected layers of kinds {kinds}"
        )

    def check_leaf(self, name: str, leaf: nn.Module, purpose: str) -> None:
        """ValueError for a layer whose weight is not a parameter of it alone."""
        own = dict(leaf.named_parameters(recurse=False))
        weight = own.get("weight")
        if own.keys() - {"weight", "bias"} and weight is not None:
            raise ValueError(f"layer {name!r}, a {type(leaf).__name__}, can't be {purpose}: expected no parameters but "
                             "its weight and bias")  # fmt: skip
        if weight is None:
            raise ValueError(f"layer {name!r}, a {type(leaf).__name__}, can't be {purpose}: expected its weight to be "
                             "a parameter, without weight norm or another parametrization")  # fmt: skip
        for each, parameter in self.module.named_parameters(remove_duplicate=False):
            other, _, _ = each.rpartition(".")
            if parameter is weight and other != name and self.module.get_submodule(other) is not leaf:
                raise ValueError(f"layers {name!r} and {other!r} share a weight and can't be {purpose}: expected each "
                                 "weight in one layer")  # fmt: skip

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


def functional_call(module: nn.Module, parameters: Mapping[str, torch.Tensor], given: tuple[Any, ...]) -> Any:
    """What a module gives with others in place of its parameters, which are named as ``named_parameters`` does.

    torch.func's own takes a part that lies in a module under several names for several, and leaves it without its
    parameters afterwards.
    """
    named = dict(module.named_parameters())
    values = {id(named[name]): value for name, value in parameters.items()}
    places = {
        f"{name}.{each}" if name else each: values[id(parameter)]
        for name, part in module.named_modules()
        for each, parameter in part.named_parameters(recurse=False, remove_duplicate=False)
        if id(parameter) in values
    }
    return torch.func.functional_call(module, places, given, tie_weights=False)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within it all of the module is in eval mode, and runs as it is written where it was compiled, which knows of no
    hooks; after it, each part is as before."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext():
            yield
    finally:
        for part, was_training in before:
            part.training = was_training


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
