"""Restored means: on an earlier task, each layer gives on average what it gave when that task had been learned.

Learning other tasks changes a layer's weights by D, and what it gives for an input x of an earlier task by
D x = D m + D (x - m), m being the mean of such inputs. Where these differ little from one another, as the pictures of
one game do, nearly all of the change is D m, which is the same for every input and can be undone without any: m and the
mean output of that time are stored, place by place, and the difference is taken back when the task is played.
REPAIR (Jordan et al. 2022, arXiv 2211.08403) sets means and variances right in networks that were averaged, by samples.
"""

from functools import partial
from typing import Any

import torch
from torch import nn

from transfer.importance import watching
from transfer.method import Method, Samples
from transfer.network import Leaf, Network

AT_ONCE = 256  # samples


class Means(Method):
    """Stores the mean input and output of all dense and convolutional layers, for each task that was consolidated.

    What is learned, and how, stays as it is without; a task that is learned again keeps its shifts meanwhile.
    """

    def __init__(self, network: Network, tasks: int, generator: torch.Generator):
        super().__init__(network)
        network.check_statistics()
        if network.example is None:
            raise ValueError("means: expected a network with an example of its inputs")
        self.leaves = list(network.leaves("given its means back"))
        self.register_buffer("known", torch.zeros(tasks, dtype=torch.bool))
        self.known: torch.Tensor
        self.shifting = False
        for number, (leaf, (given, out)) in enumerate(zip(self.layers(), self.means(network.example[:1]))):
            check_affine(self.leaves[number], leaf, given, generator)
            self.register_buffer(f"given_{number}", given.new_zeros(tasks, *given.shape))
            self.register_buffer(f"gave_{number}", out.new_zeros(tasks, *out.shape))
            self.register_buffer(f"shift_{number}", torch.zeros_like(out))  # of the task in place
            leaf.register_forward_hook(partial(self.shifted, f"shift_{number}"))

    def layers(self) -> list[Leaf]:
        return self.network.named(self.leaves)

    def shifted(self, shift: str, leaf: nn.Module, given: Any, out: torch.Tensor) -> torch.Tensor:
        return out + getattr(self, shift) if self.shifting else out

    def refresh(self, task: int) -> None:
        self.shifting = any(bool(buffer.any()) for name, buffer in self.named_buffers() if name.startswith("shift"))

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.refresh(0)

    def move(self, task: int, before: int) -> None:
        for number, leaf in enumerate(self.layers()):
            given, gave, shift = (getattr(self, f"{name}_{number}") for name in ("given", "gave", "shift"))
            shift.zero_()
            if self.known[task]:
                shift.copy_(gave[task] - leaf.forward(given[task][None])[0])

    def consolidate(self, task: int, samples: Samples) -> None:
        self.known[task] = True
        for number, (given, out) in enumerate(self.means(samples.inputs)):
            getattr(self, f"given_{number}")[task] = given
            getattr(self, f"gave_{number}")[task] = out

    @torch.no_grad()
    def means(self, inputs: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Of each layer, float32: its mean input (...) and output (...) for inputs (n, ...), in eval mode."""
        module, layers = self.network.module, dict(zip(self.leaves, self.layers()))
        totals: dict[str, Any] = dict.fromkeys(layers, (0.0, 0.0))
        was_training = module.training
        module.eval()
        try:
            for part in inputs.split(AT_ONCE):
                with watching(layers) as calls:
                    self.network.run(part)
                for name, each in calls.items():
                    if not each:
                        raise ValueError(f"layer {name!r} was not used: expected one that is")
                    for given, out in each:  # once, but of a layer that is used several times
                        weight = len(part) / len(inputs) / len(each)
                        sums = totals[name]
                        totals[name] = sums[0] + weight * mean(given), sums[1] + weight * mean(out)
        finally:
            module.train(was_training)
        return [(given.float(), out.float()) for given, out in totals.values()]


def mean(tensor: torch.Tensor) -> torch.Tensor:
    """float64 (...), over samples (n, ...); bytes count as shares of 255, as they do for layers that take them."""
    return tensor.double().mean(0) / (255 if tensor.dtype == torch.uint8 else 1)


def check_affine(name: str, leaf: Leaf, given: torch.Tensor, generator: torch.Generator) -> None:
    """ValueError for a layer whose mean output is not its output for the mean input."""
    one, other = (torch.randn(given.shape, generator=generator).to(given)[None] for _ in range(2))
    with torch.no_grad():
        mean, of_mean = (leaf.forward(one) + leaf.forward(other)) / 2, leaf.forward((one + other) / 2)
    if not torch.allclose(mean, of_mean, rtol=1e-2, atol=1e-2 * float(mean.abs().max())):
        raise ValueError(f"layer {name!r}, a {type(leaf).__name__}, can't be given its means back: expected a layer "
                         "without a nonlinearity in it")  # fmt: skip
