"""Progressive networks: a new column for each task, which sees what the frozen ones before it compute.

Rusu et al. 2016, arXiv 1606.04671, equation 2: h_i = f(W h_(i-1) + U f(V (alpha * h_(i-1) of all earlier columns))).
Columns travel through the network along the batch: a layer takes (columns x n, ...) and gives the same, so whatever
lies between the layers (ReLU, flattening, pooling) needs to know nothing of them; heads give the task's own (n, ...).
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import nn

from priorlab.transfer.gradients import said
from priorlab.transfer.importance import choices
from priorlab.transfer.method import Kept, Method, Samples
from priorlab.transfer.network import SMALL, Leaf, Network, Start, check_affine, evaluating
from priorlab.transfer.states import preserved
from priorlab.transfer.trial import inputs_of_trial, line, shake

Place = Literal["first", "inner", "head", "only", "behind"]
ALPHA = 0.01  # standard deviation of the learned scalars at first
OF_KERNELS = ("kernel_size", "stride", "padding", "dilation", "padding_mode")  # which an adapter has as its layer does


class ColumnLayer(nn.Module):
    """One layer in all columns, with adapters from those that a column ``sees``, unless it is a norm. Only the column
    ``active`` learns.

    place: of a layer that takes the network's input ("first"), of one whose output is the task's alone ("head"), of one
    that does both ("only"), of one that comes behind a head ("behind"), or of any other ("inner").
    """

    def __init__(
        self,
        leaf: Any,
        sees: Sequence[Sequence[int]],
        width: int,
        generator: torch.Generator,
        place: Place,
    ):
        super().__init__()
        self.sees, self.place = [list(each) for each in sees], place
        self.is_first, self.is_head = place in ("first", "only"), place in ("head", "only")
        self.active, self.is_measured = 0, isinstance(leaf, Leaf) and place in ("inner", "head")
        self.measured: Callable[[list[torch.Tensor]], list[torch.Tensor]] | None = None
        starts = {name: Start.of(parameter) for name, parameter in leaf.named_parameters()}
        self.columns = nn.ModuleList([leaf, *(copy.deepcopy(leaf) for _ in sees[1:])])
        for column in self.columns[1:]:
            for name, parameter in column.named_parameters():
                parameter.data.copy_(starts[name].draw(generator))
        self.adapters = nn.ModuleList(
            Adapter(leaf, len(seen), width, generator) if seen and self.is_measured else nn.Identity() for seen in sees
        )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        inputs = input
        if self.place == "behind":
            return self.columns[self.active](inputs)
        at_work = [*self.sees[self.active], self.active]
        several = len(at_work)
        parts = several * [inputs] if self.is_first else [*inputs.chunk(several)]  # (several n, ...) -> (n, ...) each
        if self.measured is not None:
            parts = self.measured(parts)
        else:
            parts = [part if column == self.active else part.detach() for column, part in zip(at_work, parts)]
        given = dict(zip(at_work, parts))
        wanted = [self.active] if self.is_head else at_work
        return torch.cat([self.give(column, given) for column in wanted])

    def give(self, column: int, given: dict[int, torch.Tensor]) -> torch.Tensor:
        """What a column's layer gives, (n, ...), for what the columns' layers before it gave."""
        out = self.columns[column](given[column])
        adapter = self.adapters[column]
        return out + adapter([given[seen] for seen in self.sees[column]]) if isinstance(adapter, Adapter) else out

    def refresh(self, active: int) -> None:
        self.active = active
        for column, parts in enumerate(zip(self.columns, self.adapters)):
            for part in parts:
                part.requires_grad_(column == active)


class Adapter(nn.Module):
    """U f(V (alpha * h)) of the equation, f being ReLU: ``width`` channels or units lie between V and U."""

    def __init__(self, leaf: Leaf, seen: int, width: int, generator: torch.Generator):
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(seen).normal_(0.0, ALPHA, generator=generator))
        with torch.random.fork_rng(devices=[]):  # what torch draws for new layers is not used
            if isinstance(leaf, nn.Conv2d):
                self.narrow = nn.Conv2d(seen * leaf.in_channels, width, 1)
                shape: Any = {name: getattr(leaf, name) for name in OF_KERNELS}
                self.widen = nn.Conv2d(width, leaf.out_channels, **shape, bias=False)
            else:
                self.narrow = nn.Linear(seen * leaf.in_features, width)
                self.widen = nn.Linear(width, leaf.out_features, bias=False)
        for layer in (self.narrow, self.widen):
            layer.weight.data.normal_(0.0, layer.weight[0].numel() ** -0.5, generator=generator)
        self.narrow.bias.data.zero_()  # pyright: ignore[reportOptionalMemberAccess]
        self.to(leaf.weight)

    def forward(self, parts: list[torch.Tensor]) -> torch.Tensor:
        channels = 1 if isinstance(self.narrow, nn.Conv2d) else -1  # dense layers take rows of any shape
        scaled = torch.cat([alpha * part for alpha, part in zip(self.alpha, parts)], dim=channels)
        return self.widen(torch.relu(self.narrow(scaled)))


class Columns(Method):
    """Columns of which a task has one; a subclass says how many there are, and which of them each sees.

    width: channels or units to which an adapter narrows what it sees of the others.
    """

    sorts_weights = True
    runs = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator, width: int = 32):
        super().__init__(network)
        if width < 1:
            raise ValueError(f"width is {width}: expected 1 or more")
        apart = network.apart("given columns")
        norms = {name: layer for name, layer in network.layers() if is_norm(layer)}
        of_norms = {f"{name}.{each}" for name, layer in norms.items() for each, _ in layer.named_parameters()}
        self.first_task = [name for name in apart if name not in of_norms]
        layers: dict[str, Any] = norms | network.but(apart).leaves("given columns")
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
                f"the network can't be given columns, which travel along the batch: {line(error)}"
            ) from error
        self.refresh(0)

    def check_columns(self, example: Any) -> None:
        """Raises where the network can't run with several columns, or they don't stay apart in it."""
        inputs = inputs_of_trial(self.network, example)
        layers, last = self.layers(), len(next(iter(self.layers().values())).sees) - 1
        with preserved(self.network.module), evaluating(self.network.module), torch.no_grad():
            seen: list[dict[str, list[torch.Tensor]]] = []
            for column in (0, last, last):
                for layer in layers.values():
                    layer.refresh(column)
                given: dict[str, list[torch.Tensor]] = {}
                for name, layer in layers.items():
                    layer.measured = keeper(given, name, of_gradients=False)
                said = self.network.outputs(self.network.module, inputs)
                if isinstance(said, torch.Tensor) and len(said) != len(inputs):
                    raise ValueError(f"the network's output for {len(inputs)} inputs is {tuple(said.shape)} with "
                                     "columns: expected its last layers to be heads")  # fmt: skip
                seen.append(given)
                shake(self.network, torch.Generator().manual_seed(0), {f".columns.{last}.", f".adapters.{last}."})
            for layer in layers.values():
                layer.measured = None
            for name, parts in seen[1].items():
                for one, other in zip(parts[:-1], seen[2][name][:-1]):
                    if not torch.allclose(one, other, rtol=1e-4, atol=1e-5):
                        raise ValueError(f"layer {name!r} is given what depends on other samples of its batch: "
                                         "expected that each is taken by itself, as columns lie along it")  # fmt: skip

    def seen(self, tasks: int) -> list[list[int]]:
        """The earlier columns that each column sees."""
        raise NotImplementedError

    def column(self, task: int) -> int:
        return task

    def layers(self) -> dict[str, ColumnLayer]:
        return dict(zip(self.names, self.network.named(self.names)))

    def refresh(self, task: int) -> None:
        for layer in self.layers().values():
            layer.refresh(self.column(task))
        found = self.network.parameters()
        for name in self.first_task:
            found[name].requires_grad_(task == 0)

    def sensitivity(self, samples: Samples) -> dict[str, torch.Tensor]:
        """How much the present task's outputs depend on what each column gives to a layer: (columns,), of sum 1; of no
        layer where there is one column.

        After the average Fisher sensitivity (section 3.1): of the inputs of each layer but the first ones, scaled to a
        standard deviation of 1, with the sum over actions taken exactly; the last entry is the task's own column. It is
        a ratio of means over units, of convolutions over places too; Rusu et al. take the ratio of each feature and add
        these up, so there a feature that hardly matters in any column counts as much as one that does.
        """
        squares: dict[str, torch.Tensor] = {}
        layers = {name: layer for name, layer in self.layers().items() if layer.is_measured}
        weights = choices(self.network, samples)
        given: dict[str, list[torch.Tensor]] = {}
        for name, layer in layers.items():
            layer.measured = keeper(given, name)
        try:
            out = said(self.network, self.network.outputs(self.network.module, samples.inputs))
            told = {name: parts for name, parts in given.items() if len(parts) > 1}
            flat = [part for parts in told.values() for part in parts]
            for action in range(out.shape[1]) if flat else ():
                found = torch.autograd.grad(out[:, action].sum(), flat, retain_graph=True, allow_unused=True)
                each = iter(found)
                for name, parts in told.items():
                    rows = [fisher(next(each), part, weights[:, action]) for part in parts]
                    squares[name] = squares.get(name, 0) + torch.stack(rows)
        finally:
            for layer in layers.values():
                layer.measured = None
        return {name: each / each.sum() for name, each in squares.items() if each.sum() > 0}


def sensitivity_to_others(kept: Kept, samples: Samples) -> float | None:
    """Of a network of columns: the share of the present task's sensitivity, from 0 to 1, that lies in columns other
    than its own, the mean over layers; nothing of another network, or of one column alone."""
    columns = [method for method in kept.each() if isinstance(method, Columns)]
    shares = columns[0].sensitivity(samples) if columns else {}
    return float(torch.stack([1 - each[-1] for each in shares.values()]).mean()) if shares else None


def keeper(
    given: dict[str, list[torch.Tensor]], name: str, of_gradients: bool = True
) -> Callable[[list[torch.Tensor]], list[torch.Tensor]]:
    """Keeps what a layer is given, as tensors that gradients can be asked of."""

    def keep(parts: list[torch.Tensor]) -> list[torch.Tensor]:
        asked = of_gradients and not all(part.requires_grad for part in parts)
        given[name] = [part if part.requires_grad else part.requires_grad_() for part in parts] if asked else parts
        return given[name]

    return keep


def fisher(gradient: torch.Tensor | None, part: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """float32 (): of one column's activations (n, ...), the mean over them of the squared gradient by each, scaled."""
    if gradient is None:
        return part.new_zeros(())
    by_sample = (weights[:, None] * gradient.flatten(1).square()).mean(0)  # (n, units...) -> (units,)
    return (by_sample * part.detach().flatten(1).var(0)).mean()


class Progressive(Columns):
    """A column a task, which sees all earlier ones."""

    def seen(self, tasks: int) -> list[list[int]]:
        return [list(range(column)) for column in range(tasks)]


class RandomColumn(Columns):
    """A column a task, beside a single one that is random and frozen: what adapters and size alone give (baseline 4 of
    Rusu et al. 2016, section 4)."""

    def seen(self, tasks: int) -> list[list[int]]:
        return [[], *([0] for _ in range(tasks))]

    def column(self, task: int) -> int:
        return task + 1


def place_of(network: Network, name: str) -> tuple[nn.Module, str]:
    """The module that holds a layer, and its name there."""
    where, _, last = name.rpartition(".")
    return network.module.get_submodule(where), last


def put(network: Network, name: str, layer: nn.Module) -> None:
    where, last = place_of(network, name)
    setattr(where, last, layer)


def is_norm(layer: nn.Module) -> bool:
    """Whether it is one that columns can't share: of parameters of its own, or of statistics of the batch."""
    return isinstance(layer, SMALL) and (
        bool([*layer.parameters()]) or isinstance(layer, nn.modules.batchnorm._BatchNorm)
    )


@torch.no_grad()
def places(network: Network, layers: dict[str, Any]) -> dict[str, Place]:
    """Where in the network each layer comes, found by a run on one sample: behind each layer there are two rows, and
    behind a head, which is the last layer called of those that a head consists of, there are three."""
    if network.example is None:
        raise ValueError("columns: expected a network with an example of its inputs")
    for parent in dict(network.layers()).values():
        for key, module in parent._modules.items():
            for name, layer in layers.items():
                if module is layer and place_of(network, name) != (parent, key):
                    raise ValueError(f"layer {name!r} is {key!r}, too, and can't be given columns: expected one name")
    calls: list[tuple[str, torch.Tensor]] = []
    heads: set[str] = set()
    rows: dict[str, set[int]] = {}

    def note(name: str) -> Callable[..., Any]:
        return lambda _, given, named, out: calls.append((name, [*given, *named.values()][0]))

    def spread(name: str) -> Callable[..., Any]:
        def hook(_: nn.Module, given: Any, named: Any, out: torch.Tensor) -> torch.Tensor:
            count = len([*given, *named.values()][0])
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
            if isinstance(layers[name], Leaf):
                check_affine(name, layers[name], given[0], "given columns")
        order = [name for name, _ in calls if isinstance(layers[name], Leaf)]
        within = [[name for name in order if name == head or name.startswith(f"{head}.")] for head in network.heads]
        heads = {names[-1] for names in within if names}
    found: dict[str, Place] = {}
    for name in layers:
        if name not in rows:
            raise ValueError(f"layer {name!r} was not used for the example: expected one that all layers work for")
        if len(rows[name]) > 1:
            raise ValueError(f"layer {name!r} is used at several places and can't be given columns: expected one")
        place: Place = "head" if name in heads else "inner"
        if rows[name] == {1}:
            place = "only" if name in heads else "first"
        found[name] = "behind" if rows[name] == {3} else place
    return found
