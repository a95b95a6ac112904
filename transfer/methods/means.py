"""Restored means: on an earlier task, each layer gives on average what it gave when that task had been learned.

Learning other tasks changes a layer's weights by D, and its output for an input x of an earlier task by
D x = D m + D (x - m), where m is the mean of such inputs. If these differ little, as the frames of one game do, most of
the change is D m, which is the same for every input and can be undone without any: m and the mean output at that time
are stored, one number per unit or pixel of a map, and the difference is added back when the task is played. A new task
can be met in the same way, as its inputs have another mean than those before; that takes samples of it.

Related: REPAIR (Jordan et al. 2022, arXiv 2211.08403) corrects means and variances in averaged networks, from samples.
"""

from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import nn

from priorlab.transfer.methods.copies import Copies
from priorlab.transfer.methods.method import Method
from priorlab.transfer.networks.gradients import InputOutput, recording_calls
from priorlab.transfer.networks.network import Network, WeightLayer, check_affine, evaluating
from priorlab.transfer.networks.samples import Samples

Beginning = Literal["plain", "aligned"]
AT_ONCE = 256  # samples
PURPOSE = "given its means back"


class Means(Method):
    """Stores the mean input and output of all dense and convolutional layers for each task that is consolidated. Each
    task has its own values of other parameters, such as those of norms, and starts with the last task's.

    start: how a new task starts. "plain": as without this method, which then changes nothing about learning. "aligned":
    each layer's output is shifted so that its mean, over samples of the new task that the network meets beforehand, is
    what it was on the last task. The shifts of a task stay fixed while it is learned.
    """

    runs_network = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator, start: Beginning = "plain"):
        super().__init__(network)
        if start not in get_args(Beginning):
            raise ValueError(f"start is {start!r}: expected one of {', '.join(get_args(Beginning))}")
        if network.example is None:
            raise ValueError("means: expected a network with an example of its inputs")
        self.start = start
        self.copies = Copies(network, network.small_parameters(PURPOSE), tasks, onward=True)
        self.names = list(network.without(self.copies.names).weight_layers(PURPOSE))
        self.register_buffer("known", torch.zeros(tasks, dtype=torch.bool))
        self.register_buffer("last", torch.zeros((), dtype=torch.int64))  # of the known tasks
        self.known: torch.Tensor
        self.last: torch.Tensor
        self.task, self.shifting, self.meeting = 0, False, False
        for number, (layer, (given, out)) in enumerate(zip(self.layers(), self.means(network.example[:1]))):
            check_affine(self.names[number], layer, given, PURPOSE)
            self.register_buffer(f"given_{number}", given.new_zeros(tasks, *given.shape))
            self.register_buffer(f"gave_{number}", out.new_zeros(tasks, *out.shape))
            self.register_buffer(f"shift_{number}", out.new_zeros(tasks, *out.shape))
            layer.register_forward_hook(partial(self.shifted, number))

    def layers(self) -> list[WeightLayer]:
        return self.network.modules_at(self.names)

    def parts(self) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Of each layer, by task: the mean input (tasks, ...), the mean output, and the shift added to outputs."""
        names = ("given", "gave", "shift")
        return [tuple(getattr(self, f"{name}_{k}") for name in names) for k in range(len(self.names))]

    def shifted(self, number: int, layer: nn.Module, args: Any, out: torch.Tensor) -> torch.Tensor:
        """A forward hook: the layer's output with the shift of the current task."""
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
        self.refresh(self.task)  # set by ``Kept``, which is loaded before

    def move(self, task: int, before: int) -> None:
        self.copies.move(task, before)
        if self.known[task]:
            for layer, (given, gave, shift) in zip(self.layers(), self.parts()):
                shift[task] = gave[task] - run_precisely(layer, given[task][None])[0]

    def meet(self, task: int, samples: Samples) -> None:
        if self.start == "plain" or self.known[task] or not self.known.any():
            return
        self.task, self.meeting = task, True
        try:
            self.record(samples.inputs)
        finally:
            self.meeting = False

    def consolidate(self, task: int, samples: Samples) -> None:
        self.known[task] = True
        self.last.fill_(task)
        for (given, gave, _), (mean_given, mean_out) in zip(self.parts(), self.means(samples.inputs)):
            given[task], gave[task] = mean_given, mean_out

    @torch.no_grad()
    def record(self, inputs: torch.Tensor) -> dict[str, list[InputOutput]]:
        """The input and output of each layer at each of its calls, for inputs (n, ...) of the network, in eval mode."""
        with evaluating(self.network.module), recording_calls(dict(zip(self.names, self.layers()))) as calls:
            self.network.run(inputs)
        return calls

    def means(self, inputs: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """The mean input (...) and output (...) of each layer, float32 or wider, for inputs (n, ...) of the network."""
        totals: dict[str, Any] = dict.fromkeys(self.names, (0.0, 0.0))
        for part in inputs.split(AT_ONCE):
            for name, calls in self.record(part).items():
                if not calls:
                    raise ValueError(f"layer {name!r} was not used: expected one that is")
                for given, out in calls:  # one, unless the layer is used several times
                    weight = len(part) / len(inputs) / len(calls)
                    sums = totals[name]
                    totals[name] = sums[0] + weight * mean(given), sums[1] + weight * mean(out)
        dtypes = [torch.promote_types(layer.weight.dtype, torch.float32) for layer in self.layers()]
        return [(given.to(dtype), out.to(dtype)) for dtype, (given, out) in zip(dtypes, totals.values())]


def run_precisely(layer: WeightLayer, inputs: torch.Tensor) -> torch.Tensor:
    """The output of a layer for inputs (n, ...), computed in their precision and without the layer's hooks."""
    narrow = [(parameter, parameter.data) for parameter in layer.parameters()]
    try:
        for parameter, value in narrow:
            parameter.data = value.to(torch.promote_types(value.dtype, inputs.dtype))
        with torch.autocast(inputs.device.type, enabled=False):
            return layer.forward(inputs)
    finally:
        for parameter, value in narrow:
            parameter.data = value


def mean(tensor: torch.Tensor) -> torch.Tensor:
    """float64 (...), the mean over samples (n, ...); bytes count as shares of 255, as for layers that take bytes."""
    return tensor.double().mean(0) / (255 if tensor.dtype == torch.uint8 else 1)
