"""Progressive networks: a new column for each task, which sees what the earlier, frozen columns compute.

Rusu et al. 2016, arXiv 1606.04671, equation 2: h_i = f(W h_(i-1) + U f(V (alpha * h_(i-1) of all earlier columns))).
Columns travel through the network along the batch: a layer takes and gives (columns x n, ...), so anything between the
layers (ReLU, flattening, pooling) works unchanged; heads give (n, ...), the output of the current task's column.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import nn

from priorlab.transfer.methods.method import Method
from priorlab.transfer.networks.gradients import scores
from priorlab.transfer.networks.importance import output_weights
from priorlab.transfer.networks.initialization import Initialization
from priorlab.transfer.networks.network import SMALL, Network, WeightLayer, check_affine, evaluating
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.networks.states import preserved
from priorlab.transfer.networks.trial import one_line, perturb, trial_inputs

Place = Literal["first", "inner", "head", "only", "behind"]
ALPHA = 0.01  # initial standard deviation of the learned scalars
OF_KERNELS = ("kernel_size", "stride", "padding", "dilation", "padding_mode")  # that an adapter takes from its layer
PURPOSE = "given columns"


class ColumnLayer(nn.Module):
    """One layer in all columns, with adapters from the columns that each column ``sees``, unless it is a norm. Only the
    column ``active`` learns.

    place: "first" for a layer that takes the network's input, "head" for one that gives the current task's output,
    "only" for one that does both, "behind" for one that comes after a head, and "inner" for any other.
    """

    def __init__(
        self,
        layer: Any,
        sees: Sequence[Sequence[int]],
        width: int,
        generator: torch.Generator,
        place: Place,
    ):
        super().__init__()
        self.sees, self.place = [list(each) for each in sees], place
        self.is_first, self.is_head = place in ("first", "only"), place in ("head", "only")
        self.active, self.is_measured = 0, isinstance(layer, WeightLayer) and place in ("inner", "head")
        self.measured: Callable[[list[torch.Tensor]], list[torch.Tensor]] | None = None
        starts = {name: Initialization.of(parameter) for name, parameter in layer.named_parameters()}
        self.columns = nn.ModuleList([layer, *(copy.deepcopy(layer) for _ in sees[1:])])
        for column in self.columns[1:]:
            for name, parameter in column.named_parameters():
                parameter.data.copy_(starts[name].draw(generator))
        self.adapters = nn.ModuleList(
            Adapter(layer, len(seen), width, generator) if seen and self.is_measured else nn.Identity() for seen in sees
        )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        inputs = input
        if self.place == "behind":
            return self.columns[self.active](inputs)
        running = [*self.sees[self.active], self.active]
        count = len(running)
        parts = count * [inputs] if self.is_first else [*inputs.chunk(count)]  # (count n, ...) -> (n, ...) each
        if self.measured is not None:
            parts = self.measured(parts)
        else:
            parts = [part if column == self.active else part.detach() for column, part in zip(running, parts)]
        by_column = dict(zip(running, parts))
        wanted = [self.active] if self.is_head else running
        return torch.cat([self.output(column, by_column) for column in wanted])

    def output(self, column: int, inputs: dict[int, torch.Tensor]) -> torch.Tensor:
        """The output (n, ...) of the layer in one column, for its inputs by column."""
        out = self.columns[column](inputs[column])
        adapter = self.adapters[column]
        return out + adapter([inputs[seen] for seen in self.sees[column]]) if isinstance(adapter, Adapter) else out

    def refresh(self, active: int) -> None:
        self.active = active
        for column, parts in enumerate(zip(self.columns, self.adapters)):
            for part in parts:
                part.requires_grad_(column == active)


class Adapter(nn.Module):
    """U f(V (alpha * h)) of the equation, where f is ReLU, with ``width`` channels or units between V and U."""

    def __init__(self, layer: WeightLayer, seen: int, width: int, generator: torch.Generator):
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(seen).normal_(0.0, ALPHA, generator=generator))
        with torch.random.fork_rng(devices=[]):  # what torch draws for new layers is not used
            if isinstance(layer, nn.Conv2d):
                self.narrow = nn.Conv2d(seen * layer.in_channels, width, 1)
                shape: Any = {name: getattr(layer, name) for name in OF_KERNELS}
                self.widen = nn.Conv2d(width, layer.out_channels, **shape, bias=False)
            else:
                self.narrow = nn.Linear(seen * layer.in_features, width)
                self.widen = nn.Linear(width, layer.out_features, bias=False)
        for each in (self.narrow, self.widen):
            each.weight.data.normal_(0.0, each.weight[0].numel() ** -0.5, generator=generator)
        self.narrow.bias.data.zero_()  # pyright: ignore[reportOptionalMemberAccess]
        self.to(layer.weight)

    def forward(self, parts: list[torch.Tensor]) -> torch.Tensor:
        channels = 1 if isinstance(self.narrow, nn.Conv2d) else -1  # dense layers take rows of any shape
        scaled = torch.cat([alpha * part for alpha, part in zip(self.alpha, parts)], dim=channels)
        return self.widen(torch.relu(self.narrow(scaled)))


class Columns(Method):
    """Gives each task its own column; a subclass says how many columns there are, and which others each of them sees.

    width: to how many channels or units an adapter narrows what its column sees of the others, at least 1.
    """

    assigns_weights = True
    runs_network = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator, width: int = 32):
        super().__init__(network)
        if width < 1:
            raise ValueError(f"width is {width}: expected 1 or more")
        small = network.small_parameters(PURPOSE)
        norms = {name: layer for name, layer in network.modules() if is_norm(layer)}
        of_norms = {f"{name}.{each}" for name, layer in norms.items() for each, _ in layer.named_parameters()}
        self.first_task = [name for name in small if name not in of_norms]  # which learn the first task alone
        layers: dict[str, Any] = norms | network.without(small).weight_layers(PURPOSE)
        placed = places(network, layers)
        self.names = [*placed]
        for name, place in placed.items():
            put(network, name, ColumnLayer(layers[name], self.seen(tasks), width, generator, place))
        try:
            self.check_columns(network.example)
        except Exception as error:
            for name in placed:
                put(network, name, layers[name])
            if isinstance(error, ValueError):
                raise
            raise ValueError(
                f"the network can't be given columns, which travel along the batch: {one_line(error)}"
            ) from error
        self.refresh(0)

    def check_columns(self, example: Any) -> None:
        """Raises an error if the network can't run with several columns, or mixes them."""
        inputs = trial_inputs(self.network, example)
        layers, last = self.layers(), len(next(iter(self.layers().values())).sees) - 1
        with preserved(self.network.module), evaluating(self.network.module), torch.no_grad():
            inputs_by_run: list[dict[str, list[torch.Tensor]]] = []
            for column in (0, last, last):
                for layer in layers.values():
                    layer.refresh(column)
                given: dict[str, list[torch.Tensor]] = {}
                for name, layer in layers.items():
                    layer.measured = keeper(given, name, of_gradients=False)
                out = self.network.outputs(self.network.module, inputs)
                if isinstance(out, torch.Tensor) and len(out) != len(inputs):
                    raise ValueError(f"the network's output for {len(inputs)} inputs is {tuple(out.shape)} with "
                                     "columns: expected its last layers to be heads")  # fmt: skip
                inputs_by_run.append(given)
                perturb(self.network, torch.Generator().manual_seed(0), {f".columns.{last}.", f".adapters.{last}."})
            for layer in layers.values():
                layer.measured = None
            for name, parts in inputs_by_run[1].items():
                for one, other in zip(parts[:-1], inputs_by_run[2][name][:-1]):
                    if not torch.allclose(one, other, rtol=1e-4, atol=1e-5):
                        raise ValueError(f"the input of layer {name!r} for a sample depends on the others of its "
                                         "batch: expected a network that treats each by itself, as columns lie along "
                                         "the batch")  # fmt: skip

    def seen(self, tasks: int) -> list[list[int]]:
        """The earlier columns that each column sees."""
        raise NotImplementedError

    def column(self, task: int) -> int:
        return task

    def layers(self) -> dict[str, ColumnLayer]:
        return dict(zip(self.names, self.network.modules_at(self.names)))

    def refresh(self, task: int) -> None:
        for layer in self.layers().values():
            layer.refresh(self.column(task))
        parameters = self.network.parameters()
        for name in self.first_task:
            parameters[name].requires_grad_(task == 0)

    def sensitivity(self, samples: Samples) -> dict[str, torch.Tensor]:
        """How much the current task's outputs depend on each column: by the name of a layer float (columns,), of sum 1,
        whose last entry is the task's own column. Empty if there is one column.

        After the average Fisher sensitivity of Rusu et al. (section 3.1): of the inputs of each layer but the first,
        scaled to a standard deviation of 1, summed exactly over actions. It is a ratio of means over units, and over
        places of a convolution. Rusu et al. take the ratio for each feature and add these up, so a feature that hardly
        matters in any column counts there as much as one that does.
        """
        squares: dict[str, torch.Tensor] = {}
        layers = {name: layer for name, layer in self.layers().items() if layer.is_measured}
        weights = output_weights(self.network, samples)
        given: dict[str, list[torch.Tensor]] = {}
        for name, layer in layers.items():
            layer.measured = keeper(given, name)
        try:
            out = scores(self.network, self.network.outputs(self.network.module, samples.inputs))
            several = {name: parts for name, parts in given.items() if len(parts) > 1}
            flat = [part for parts in several.values() for part in parts]
            for action in range(out.shape[1]) if flat else ():
                gradients = torch.autograd.grad(out[:, action].sum(), flat, retain_graph=True, allow_unused=True)
                gradient = iter(gradients)
                for name, parts in several.items():
                    rows = [fisher(next(gradient), part, weights[:, action]) for part in parts]
                    squares[name] = squares.get(name, 0) + torch.stack(rows)
        finally:
            for layer in layers.values():
                layer.measured = None
        return {name: each / each.sum() for name, each in squares.items() if each.sum() > 0}


def keeper(
    given: dict[str, list[torch.Tensor]], name: str, of_gradients: bool = True
) -> Callable[[list[torch.Tensor]], list[torch.Tensor]]:
    """A function that records the inputs of a layer as tensors that take gradients, if ``of_gradients``."""

    def keep(parts: list[torch.Tensor]) -> list[torch.Tensor]:
        lacking = of_gradients and not all(part.requires_grad for part in parts)
        given[name] = [part if part.requires_grad else part.requires_grad_() for part in parts] if lacking else parts
        return given[name]

    return keep


def fisher(gradient: torch.Tensor | None, part: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """float32 (): the mean, over the activations (n, ...) of one column, of the squared gradient by each, scaled."""
    if gradient is None:
        return part.new_zeros(())
    by_sample = (weights[:, None] * gradient.flatten(1).square()).mean(0)  # (n, units...) -> (units,)
    return (by_sample * part.detach().flatten(1).var(0)).mean()


class Progressive(Columns):
    """One column per task, which sees all earlier ones (Rusu et al. 2016, arXiv 1606.04671)."""

    def seen(self, tasks: int) -> list[list[int]]:
        return [list(range(column)) for column in range(tasks)]


class RandomColumn(Columns):
    """One column per task, which sees a single random, frozen one: shows what adapters and size alone contribute
    (baseline 4 of Rusu et al. 2016, arXiv 1606.04671, section 4)."""

    def seen(self, tasks: int) -> list[list[int]]:
        return [[], *([0] for _ in range(tasks))]

    def column(self, task: int) -> int:
        return task + 1


def place_of(network: Network, name: str) -> tuple[nn.Module, str]:
    """The module that holds a layer, and the layer's name in it."""
    where, _, last = name.rpartition(".")
    return network.module.get_submodule(where), last


def put(network: Network, name: str, layer: nn.Module) -> None:
    where, last = place_of(network, name)
    setattr(where, last, layer)


def is_norm(layer: nn.Module) -> bool:
    """Whether it is a norm that columns can't share, as it has parameters, or statistics of the batch."""
    return isinstance(layer, SMALL) and (
        bool([*layer.parameters()]) or isinstance(layer, nn.modules.batchnorm._BatchNorm)
    )


@torch.no_grad()
def places(network: Network, layers: dict[str, Any]) -> dict[str, Place]:
    """Where in the network each layer comes, from a run on one sample, in which hooks turn the output of each layer
    into two rows, and that of a head's last layer into three."""
    if network.example is None:
        raise ValueError("columns: expected a network with an example of its inputs")
    for parent in dict(network.modules()).values():
        for key, module in parent._modules.items():
            for name, layer in layers.items():
                if module is layer and place_of(network, name) != (parent, key):
                    raise ValueError(f"layer {name!r} is also {key!r} and can't be given columns: expected one name")
    calls: list[tuple[str, torch.Tensor]] = []
    heads: set[str] = set()
    rows: dict[str, set[int]] = {}

    def note(name: str) -> Callable[..., Any]:
        return lambda _, args, kwargs, out: calls.append((name, [*args, *kwargs.values()][0]))

    def spread(name: str) -> Callable[..., Any]:
        def hook(_: nn.Module, args: Any, kwargs: Any, out: torch.Tensor) -> torch.Tensor:
            count = len([*args, *kwargs.values()][0])
            rows.setdefault(name, set()).add(count)
            return torch.cat([out[:1]] * (3 if name in heads or count == 3 else 2))

        return hook

    for hook in (note, spread):
        handles = [layer.register_forward_hook(hook(name), with_kwargs=True) for name, layer in layers.items()]
        with preserved(network.module):
            try:
                network.run(network.example[:1])
            finally:
                for handle in handles:
                    handle.remove()
        for name, given in calls if hook is note else ():
            if isinstance(layers[name], WeightLayer):
                check_affine(name, layers[name], given[0], PURPOSE)
        order = [name for name, _ in calls if isinstance(layers[name], WeightLayer)]
        within = [[name for name in order if name == head or name.startswith(f"{head}.")] for head in network.heads]
        heads = {names[-1] for names in within if names}
    by_name: dict[str, Place] = {}
    for name in layers:
        if name not in rows:
            raise ValueError(f"layer {name!r} was not used for the example: expected one that uses all layers")
        if len(rows[name]) > 1:
            raise ValueError(f"layer {name!r} is used at several places and can't be given columns: expected one")
        place: Place = "head" if name in heads else "inner"
        if rows[name] == {1}:
            place = "only" if name in heads else "first"
        by_name[name] = "behind" if rows[name] == {3} else place
    return by_name
