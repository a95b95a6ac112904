"""Parameter superposition: the weights of many tasks in one matrix, each under its own context.

Cheung et al. 2019, arXiv 1902.05522: every layer computes W (c_k * x) with a context c_k for task k, so that what other
tasks stored comes out as noise. A convolution's kernel is multiplied by a context that all output channels share.

W (C_k x) = (W C_k) x, so the context is multiplied into the weights once, when the task changes, and learning costs
nothing more: the network holds V = W C_k, and moving to task j makes it V C_k^-1 C_j. Gradient descent is the same, as
C_k is orthogonal. An optimizer that scales each number separately, as Adam does, works in the task's own axes here;
these differ from the shared ones only for rotations and phases.
"""

import math
from typing import Literal, get_args

import torch

from priorlab.transfer.methods.copies import Copies
from priorlab.transfer.methods.method import Method
from priorlab.transfer.networks.initialization import Initialization
from priorlab.transfer.networks.network import Network

Contexts = Literal["binary", "complex", "rotation", "power"]
Biases = Literal["own", "shared"]


class Superposition(Method):
    """Superposes tasks in all dense and convolutional layers and attention's projections, under contexts that are fixed
    and drawn from the seed. Each task has its own values of other parameters, such as those of norms.

    contexts: "binary", of +1 and -1; "complex", of random phases, with weights that have an imaginary part, initialised
    as they are; "power", where task k's phases are k times those of one context; "rotation", of random orthogonal
    matrices, whose size is the square of a layer's inputs. biases: "own" for each task, or "shared", and so fine-tuned.
    """

    assigns_weights = True

    def __init__(
        self,
        network: Network,
        tasks: int,
        generator: torch.Generator,
        contexts: Contexts = "binary",
        biases: Biases = "own",
    ):
        super().__init__(network)
        for name, value, known in (("contexts", contexts, Contexts), ("biases", biases, Biases)):
            if value not in get_args(known):
                raise ValueError(f"{name} is {value!r}: expected one of {', '.join(get_args(known))}")
        self.contexts, self.biases = contexts, biases
        self.matrices = network.matrices("superposed")
        self.copies = Copies(network, network.small_parameters("superposed"), tasks)
        self.register_buffer("seed", torch.randint(2**62, (), generator=generator))
        self.seed: torch.Tensor
        for number, (weight, bias) in enumerate(self.parts()):
            if contexts in ("complex", "power"):
                drawn = Initialization.of(weight).draw(generator)  # from zero, later weights would start too small
                self.register_buffer(f"imaginary_{number}", drawn.to(wide(weight)))
            if biases == "own" and bias is not None:
                self.register_buffer(f"bias_{number}", bias.detach().repeat(tasks, 1))  # (tasks, out)

    def parts(self) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
        """The weight and the bias of each layer."""
        parameters = self.network.parameters()
        return [(parameters[each.weight], parameters[each.bias] if each.bias else None) for each in self.matrices]

    def per_task(self) -> list[str]:
        biases = [each.bias for each in self.matrices if each.bias] if self.biases == "own" else []
        return [*biases, *self.copies.names]

    def move(self, task: int, before: int) -> None:
        self.copies.move(task, before)
        for number, (weight, bias) in enumerate(self.parts()):
            flat = self.grouped(number, wide(weight))
            if self.contexts == "binary":
                signs = (self.context(number, before) * self.context(number, task)).reshape(len(flat), 1, -1)
                turned = flat * signs
                for method in self.network.module.kept.each():  # pyright: ignore
                    method.flip(self.matrices[number].weight, signs.expand_as(flat).reshape(weight.shape))
            elif self.contexts == "rotation":
                turned = flat @ self.context(number, before).mT @ self.context(number, task)
            else:
                imaginary = getattr(self, f"imaginary_{number}")
                angle = (self.context(number, task) - self.context(number, before)).reshape(len(flat), 1, -1)
                both = torch.complex(flat, self.grouped(number, imaginary)) * torch.polar(torch.ones_like(angle), angle)
                turned = both.real
                imaginary.copy_(both.imag.reshape(weight.shape))
            weight.copy_(turned.reshape(weight.shape))
            if hasattr(self, f"bias_{number}"):
                each = getattr(self, f"bias_{number}")
                each[before] = bias
                bias.copy_(each[task])  # pyright: ignore[reportOptionalMemberAccess]

    def grouped(self, number: int, weight: torch.Tensor) -> torch.Tensor:
        """(out, in...) -> (groups, out of one group, in)."""
        return weight.reshape(self.matrices[number].groups, -1, weight[0].numel())

    def context(self, number: int, task: int) -> torch.Tensor:
        """The context of a task in layer ``number``: signs or phases (in,), or a matrix (in, in), where ``in`` counts
        the layer's inputs or the numbers of its kernel; for several groups (groups, in) or (groups, in, in)."""
        weight, groups = self.parts()[number][0], self.matrices[number].groups
        size = weight[0].numel()
        stream = 0 if self.contexts == "power" else task  # all powers are of one context
        generator = torch.Generator().manual_seed(int(self.seed) + 100_003 * number + stream)
        if self.contexts == "binary":
            drawn = 2.0 * torch.randint(2, (groups, size), generator=generator) - 1
        elif self.contexts == "rotation":
            empty = torch.empty(groups, size, size)
            drawn = torch.stack([torch.nn.init.orthogonal_(each, generator=generator) for each in empty])
        else:
            drawn = (2 * torch.rand(groups, size, generator=generator) - 1) * math.pi
            drawn *= task if self.contexts == "power" else 1
        return (drawn if groups > 1 else drawn[0]).to(wide(weight))


def wide(weight: torch.Tensor) -> torch.Tensor:
    """In float32 at least: 16 bits would not turn back to the same values."""
    return weight.to(torch.promote_types(weight.dtype, torch.float32))
