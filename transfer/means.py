"""Restored means: on an earlier task, each layer gives on average what it gave when that task had been learned.

Learning other tasks changes a layer's weights by D, and what it gives for an input x of an earlier task by
D x = D m + D (x - m), m being the mean of such inputs. Where these differ little from one another, as the pictures of
one game do, most of the change is D m, which is the same for every input and can be undone without any: m and the mean
output of that time are stored, place by place, and the difference is taken back when the task is played. A new task can
be met in the same way, its inputs x having another mean than those before: then samples of it are needed.
REPAIR (Jordan et al. 2022, arXiv 2211.08403) sets means and variances right in networks that were averaged, by samples.
"""

from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import nn

from priorlab.transfer.copies import Copies
from priorlab.transfer.gradients import watching
from priorlab.transfer.method import Method, Samples
from priorlab.transfer.network import Leaf, Network, check_affine, evaluating

Beginning = Literal["plain", "aligned"]
AT_ONCE = 256  # samples


class Means(Method):
    """Stores the mean input and output of all dense and convolutional layers, for each task that was consolidated.
    Other parameters, of norms and such, are each task's own, and begin as the last task left them.

    start: how a new task begins: plain, as without this method, which then changes nothing of what is learned; or
    aligned, with shifts by which each layer gives on average, for samples of it that the network meets beforehand, what
    it gave on the last task. A task's shifts stay as they are while it is learned.
    """

    runs = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator, start: Beginning = "plain"):
        super().__init__(network)
        if start not in get_args(Beginning):
            raise ValueError(f"start is {start!r}: expected one of {', '.join(get_args(Beginning))}")
        if network.example is None:
            raise ValueError("means: expected a network with an example of its inputs")
        self.start = start
        self.copies = Copies(network, network.apart("given its means back"), tasks, onward=True)
        self.leaves = list(network.but(self.copies.names).leaves("given its means back"))
        self.register_buffer("known", torch.zeros(tasks, dtype=torch.bool))
        self.register_buffer("last", torch.zeros((), dtype=torch.int64))  # of those that are known
        self.known: torch.Tensor
        self.last: torch.Tensor
        self.task, self.shifting, self.meeting = 0, False, False
        for number, (leaf, (given, out)) in enumerate(zip(self.layers(), self.means(network.example[:1]))):
            check_affine(self.leaves[number], leaf, given, "given its means back")
            self.register_buffer(f"given_{number}", given.new_zeros(tasks, *given.shape))
            self.register_buffer(f"gave_{number}", out.new_zeros(tasks, *out.shape))
            self.register_buffer(f"shift_{number}", out.new_zeros(tasks, *out.shape))
            leaf.register_forward_hook(partial(self.shifted, number))

    def layers(self) -> list[Leaf]:
        return self.network.named(self.leaves)

    def parts(self) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Of each layer, by task: the mean input (tasks, ...), the mean output, and what is added to outputs."""
        names = ("given", "gave", "shift")
        return [tuple(getattr(self, f"{name}_{k}") for name in names) for k in range(len(self.leaves))]

    def shifted(self, number: int, leaf: nn.Module, given: Any, out: torch.Tensor) -> torch.Tensor:
        if not (self.shifting or self.meeting):
            return out
        _, gave, shift = self.parts()[number]
        if self.meeting:  # the layers before this one are aligned by now
            shift[self.task] = gave[self.last] - mean(out).to(gave)
        return (out + shift[self.task]).to(out.dtype)

    def refresh(self, task: int) -> None:
        self.task = task
        self.shifting = any(bool(shift[task].any()) for _, _, shift in self.parts())

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.refresh(self.task)  # which the network, loaded before, has told

    def move(self, task: int, before: int) -> None:
        self.copies.move(task, before)
        if self.known[task]:
            for leaf, (given, gave, shift) in zip(self.layers(), self.parts()):
                shift[task] = gave[task] - widely(leaf, given[task][None])[0]

    def meet(self, task: int, samples: Samples) -> None:
        if self.start == "plain" or self.known[task] or not self.known.any():
            return
        self.task, self.meeting = task, True
        try:
            self.see(samples.inputs)
        finally:
            self.meeting = False

    def consolidate(self, task: int, samples: Samples) -> None:
        self.known[task] = True
        self.last.fill_(task)
        for (given, gave, _), (mean_given, mean_out) in zip(self.parts(), self.means(samples.inputs)):
            given[task], gave[task] = mean_given, mean_out

    @torch.no_grad()
    def see(self, inputs: torch.Tensor) -> dict[str, list[tuple[torch.Tensor, torch.Tensor]]]:
        """What each layer takes and gives for inputs (n, ...), at each call of it, in eval mode."""
        with evaluating(self.network.module), watching(dict(zip(self.leaves, self.layers()))) as calls:
            self.network.run(inputs)
        return calls

    def means(self, inputs: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Of each layer, float32 or wider: its mean input (...) and output (...) for inputs (n, ...)."""
        totals: dict[str, Any] = dict.fromkeys(self.leaves, (0.0, 0.0))
        for part in inputs.split(AT_ONCE):
            for name, each in self.see(part).items():
                if not each:
                    raise ValueError(f"layer {name!r} was not used: expected one that is")
                for given, out in each:  # once, but of a layer that is used several times
                    weight = len(part) / len(inputs) / len(each)
                    sums = totals[name]
                    totals[name] = sums[0] + weight * mean(given), sums[1] + weight * mean(out)
        kinds = [torch.promote_types(leaf.weight.dtype, torch.float32) for leaf in self.layers()]
        return [(given.to(kind), out.to(kind)) for kind, (given, out) in zip(kinds, totals.values())]


def widely(leaf: Leaf, given: torch.Tensor) -> torch.Tensor:
    """What a layer gives for inputs (n, ...), computed as precisely as these are, and without its hooks."""
    narrow = [(parameter, parameter.data) for parameter in leaf.parameters()]
    try:
        for parameter, value in narrow:
            parameter.data = value.to(torch.promote_types(value.dtype, given.dtype))
        with torch.autocast(given.device.type, enabled=False):
            return leaf.forward(given)
    finally:
        for parameter, value in narrow:
            parameter.data = value


def mean(tensor: torch.Tensor) -> torch.Tensor:
    """float64 (...), over samples (n, ...); bytes count as shares of 255, as they do for layers that take them."""
    return tensor.double().mean(0) / (255 if tensor.dtype == torch.uint8 else 1)
