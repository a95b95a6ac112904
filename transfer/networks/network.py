"""A torch network as methods see it: its parameters, its heads, its layers, and its outputs for an input."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Literal, NoReturn

import torch
from torch import nn

Likelihood = Literal["categorical", "gaussian"]
WeightLayer = nn.Linear | nn.Conv2d
WEIGHTED = (nn.Linear, nn.Conv2d, nn.MultiheadAttention)
SMALL = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.modules.batchnorm._NormBase, nn.PReLU)
KEPT = "kept"  # the name under which a module holds its ``priorlab.transfer.kept.Kept``


def call(module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return module(inputs)


@dataclass(frozen=True)
class Matrix:
    """A weight (out, in...) and the bias of its layer, both by parameter name; groups: of a convolution, else 1."""

    weight: str
    bias: str | None
    groups: int


def is_user_module(module: nn.Module) -> bool:
    """Whether the module is of a user's class, or only holds others, rather than being one of torch's layers."""
    holders = (nn.Module, nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
    return not any(each.__module__.startswith("torch.") for each in set(type(module).__mro__) - {*holders})


@dataclass(frozen=True)
class Network:
    """A torch module, and what methods must know about it to keep what it learns.

    heads: names of the modules that give its outputs, and of which each task may have its own copy; by default the last
    ``Linear`` or ``Conv2d``.
    outputs: computes float (n, k) from the module and inputs (n, ...): logits of actions or classes, or values. By
    default it calls the module.
    likelihood: "categorical" for logits; "gaussian" for values, which are then the means of Gaussians of variance 1.
    example: one input (1, ...), on which the network is tried; ``progressive``, ``random-column`` and ``means`` need
    it.
    run_all: runs all of the module on inputs (n, ...), where ``outputs`` runs only a part.
    per_task: names of parameters that each task already has its own values of.

    ValueError if a head is not a module of the network.
    """

    module: nn.Module
    heads: tuple[str, ...] = ()
    outputs: Callable[[nn.Module, torch.Tensor], torch.Tensor] = field(default=call)
    likelihood: Likelihood = "categorical"
    example: torch.Tensor | None = None
    run_all: Callable[[nn.Module, torch.Tensor], object] | None = None
    per_task: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        modules = dict(self.module.named_modules())
        if not self.heads:
            layers = [name for name, module in modules.items() if isinstance(module, WeightLayer)]
            object.__setattr__(self, "heads", tuple(layers[-1:]))
        for name in self.heads:
            if name not in modules:
                known = ", ".join(name for name, _ in self.module.named_children())
                raise ValueError(f"head {name!r}: expected the name of a module of the network: {known}")

    def is_head(self, name: str) -> bool:
        """Whether a module or parameter of this name belongs to a head."""
        return any(name == head or name.startswith(f"{head}.") for head in self.heads)

    def parameters(self) -> dict[str, nn.Parameter]:
        """All parameters of the network by name; not those of its methods."""
        named = self.module.named_parameters()
        return {name: parameter for name, parameter in named if not name.startswith(f"{KEPT}.")}

    def shared(self) -> dict[str, nn.Parameter]:
        """The parameters that all tasks share, by name."""
        return {name: parameter for name, parameter in self.parameters().items() if name not in self.per_task}

    def without(self, names: Iterable[str]) -> "Network":
        """The same network, in which each task has its own values of these parameters, too."""
        return replace(self, per_task=self.per_task | {*names})

    def run(self, inputs: torch.Tensor) -> object:
        """Runs all of the network on inputs (n, ...)."""
        return (self.run_all or self.outputs)(self.module, inputs)

    def modules(self) -> Iterator[tuple[str, nn.Module]]:
        """All modules of the network by name; not those of its methods."""
        for name, module in self.module.named_modules():
            if name != KEPT and not name.startswith(f"{KEPT}."):
                yield name, module

    def modules_at(self, names: Iterable[str]) -> list[Any]:
        """The modules that now have these names."""
        return [self.module.get_submodule(name) for name in names]

    def shared_in(self, name: str, module: nn.Module) -> dict[str, nn.Parameter]:
        """The shared parameters that lie directly in one module, by their names in the network."""
        named = module.named_parameters(prefix=name, recurse=False)
        return {each: parameter for each, parameter in named if each not in self.per_task}

    def small_parameters(self, purpose: str) -> dict[str, nn.Parameter]:
        """The shared parameters of layers that compute no sums of products: of norms and PReLU, and those directly
        in a user's module, such as position embeddings and layer scales.

        ValueError if they outnumber the weights, as giving each task its own would then cost too much. ``purpose`` ends
        its sentence "... can't be ...".
        """
        small: dict[str, nn.Parameter] = {}
        weights = 0
        for name, module in self.modules():
            direct = self.shared_in(name, module)
            weights += sum(each.numel() for each in direct.values() if each.dim() > 1 and isinstance(module, WEIGHTED))
            if isinstance(module, SMALL) or is_user_module(module):
                small |= direct
            elif isinstance(module, nn.MultiheadAttention):
                small |= {each: direct[each] for each in direct if each.endswith(("bias_k", "bias_v"))}
        sizes = {name: each.numel() for name, each in small.items() if each.numel() > 1}
        if sum(sizes.values()) > weights:
            name = max(sizes, key=lambda name: sizes[name])
            raise ValueError(f"parameter {name!r}, of {sizes[name]} numbers, can't be {purpose}: expected no more of "
                             f"such numbers than the {weights} weights of layers")  # fmt: skip
        return small

    def matrices(self, purpose: str) -> list[Matrix]:
        """The shared weights of dense and convolutional layers and of attention, for methods that need nothing of a
        layer but its weight. Errors as of ``weight_layers``."""
        small = set(self.small_parameters(purpose))
        matrices = []
        for name, module in self.without(small).modules():
            direct = self.shared_in(name, module)
            if isinstance(module, WeightLayer) and direct:
                self.check_weight(name, module, purpose)
                bias = f"{name}.bias".removeprefix(".") if module.bias is not None else None
                groups = module.groups if isinstance(module, nn.Conv2d) else 1
                matrices.append(Matrix(f"{name}.weight".removeprefix("."), bias, groups))
            elif isinstance(module, nn.MultiheadAttention):
                weights = [each for each, parameter in direct.items() if each.endswith("weight")]
                biases = [f"{name}.in_proj_bias".removeprefix(".") if module.in_proj_bias is not None else None]
                matrices += [Matrix(*each, 1) for each in zip_longest(weights, biases)]
            elif direct.keys() - small:
                self.reject(name, module, purpose, "Linear, Conv2d and MultiheadAttention")
        return matrices

    def weight_layers(self, purpose: str) -> dict[str, WeightLayer]:
        """The dense and convolutional layers whose weights are shared, by name.

        ValueError for a layer of another kind that has parameters, and for one whose weight is not its parameter;
        ``purpose`` ends its sentence "... can't be ...".
        """
        layers: dict[str, WeightLayer] = {}
        for name, module in self.modules():
            if not self.shared_in(name, module):
                continue
            if isinstance(module, nn.MultiheadAttention):
                raise ValueError(f"layer {name!r}, a {type(module).__name__}, can't be {purpose}: expected its "
                                 "projections as layers of kind Linear")  # fmt: skip
            if not isinstance(module, WeightLayer):
                self.reject(name, module, purpose, "Linear and Conv2d")
            self.check_weight(name, module, purpose)
            layers[name] = module
        return layers

    def reject(self, name: str, module: nn.Module, purpose: str, kinds: str) -> NoReturn:
        """Raises the ValueError for a layer of another kind than a method takes."""
        raise ValueError(
            f"layer {name!r}, a {type(module).__name__}, can't be {purpose}: expected layers of kinds {kinds}"
        )

    def check_weight(self, name: str, layer: nn.Module, purpose: str) -> None:
        """ValueError if the layer's weight is not a parameter of this layer alone."""
        direct = dict(layer.named_parameters(recurse=False))
        weight = direct.get("weight")
        if direct.keys() - {"weight", "bias"} and weight is not None:
            raise ValueError(f"layer {name!r}, a {type(layer).__name__}, can't be {purpose}: expected no parameters "
                             "but its weight and bias")  # fmt: skip
        if weight is None:
            raise ValueError(f"layer {name!r}, a {type(layer).__name__}, can't be {purpose}: expected its weight to be "
                             "a parameter, without weight norm or another parametrization")  # fmt: skip
        for each, parameter in self.module.named_parameters(remove_duplicate=False):
            other, _, _ = each.rpartition(".")
            if parameter is weight and other != name and self.module.get_submodule(other) is not layer:
                raise ValueError(f"layers {name!r} and {other!r} share a weight and can't be {purpose}: expected each "
                                 "weight in one layer")  # fmt: skip


@torch.no_grad()
def check_affine(name: str, layer: WeightLayer, inputs: torch.Tensor, purpose: str) -> None:
    """ValueError for a layer with a nonlinearity in it; ``inputs`` has the shape of what the layer takes."""
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(inputs.shape, generator=generator).to(layer.weight)[None] for _ in range(2))
    between, at_mean = (layer.forward(one) + layer.forward(other)) / 2, layer.forward((one + other) / 2)
    if not torch.allclose(between, at_mean, rtol=1e-2, atol=1e-2 * float(between.abs().max())):
        raise ValueError(f"layer {name!r}, a {type(layer).__name__}, can't be {purpose}: expected a layer without a "
                         "nonlinearity in it")  # fmt: skip


def functional_call(module: nn.Module, parameters: Mapping[str, torch.Tensor], args: tuple[Any, ...]) -> Any:
    """What a module returns with these values in place of its parameters, named as in ``named_parameters``.

    torch.func's own call takes a part that lies in the module under several names for several parts, and leaves it
    without its parameters afterwards.
    """
    named = dict(module.named_parameters())
    values = {id(named[name]): value for name, value in parameters.items()}
    by_place = {
        f"{name}.{each}" if name else each: values[id(parameter)]
        for name, part in module.named_modules()
        for each, parameter in part.named_parameters(recurse=False, remove_duplicate=False)
        if id(parameter) in values
    }
    return torch.func.functional_call(module, by_place, args, tie_weights=False)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within the block the module is in eval mode and runs eagerly, also if it is compiled, as compiled code knows of
    no hooks. Afterwards each part is in its former mode."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext():
            yield
    finally:
        for part, was_training in before:
            part.training = was_training
