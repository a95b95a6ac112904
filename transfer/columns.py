"""Progressive networks: a new column for each task, which sees what the frozen ones before it compute.

Rusu et al. 2016, arXiv 1606.04671, equation 2: h_i = f(W h_(i-1) + U f(V (alpha * h_(i-1) of all earlier columns))).
Columns travel through the network along the batch: a layer takes (columns x n, ...) and gives the same, so whatever
lies between the layers (ReLU, flattening, pooling) needs to know nothing of them; heads give the task's own (n, ...).
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from transfer.importance import choices, said
from transfer.method import Kept, Method, Samples
from transfer.network import Leaf, Network, Start, check_affine

ALPHA = 0.01  # standard deviation of the learned scalars at first
OF_KERNELS = ("kernel_size", "stride", "padding", "dilation", "padding_mode")  # which an adapter has as its layer does


class ColumnLayer(nn.Module):
    """One layer in all columns, with adapters from those that a column ``sees``. Only the column ``active`` learns."""

    def __init__(
        self,
        leaf: Leaf,
        sees: Sequence[Sequence[int]],
        width: int,
        generator: torch.Generator,
        *,
        is_first: bool,
        is_head: bool,
    ):
        super().__init__()
        self.sees, self.is_first, self.is_head = [list(each) for each in sees], is_first, is_head
        self.active = 0
        self.measured: Callable[[list[torch.Tensor]], list[torch.Tensor]] | None = None
        starts = {name: Start.of(parameter) for name, parameter in leaf.named_parameters()}
        self.columns = nn.ModuleList([leaf, *(copy.deepcopy(leaf) for _ in sees[1:])])
        for column in self.columns[1:]:
            for name, parameter in column.named_parameters():
                parameter.data.copy_(starts[name].draw(generator))
        self.adapters = nn.ModuleList(
            Adapter(leaf, len(seen), width, generator) if seen and not is_first else nn.Identity() for seen in sees
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
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
        scaled = torch.cat([alpha * part for alpha, part in zip(self.alpha, parts)], dim=1)
        return self.widen(torch.relu(self.narrow(scaled)))


class Columns(Method):
    """Columns of which a task has one; a subclass says how many there are, and which of them each sees.

    width: channels or units to which an adapter narrows what it sees of the others.
    """

    sorts_weights = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator, width: int = 32):
        super().__init__(network)
        if width < 1:
            raise ValueError(f"width is {width}: expected 1 or more")
        leaves = network.leaves("given columns")
        firsts = first_layers(network, leaves)
        self.names = [*leaves]
        for name, leaf in leaves.items():
            where, _, last = name.rpartition(".")
            layer = ColumnLayer(
                leaf, self.seen(tasks), width, generator, is_first=name in firsts, is_head=network.is_head(name)
            )
            setattr(network.module.get_submodule(where), last, layer)
        self.refresh(0)

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

    def sensitivity(self, samples: Samples) -> dict[str, torch.Tensor]:
        """How much the present task's outputs depend on what each column gives to a layer: (columns,), of sum 1; of no
        layer where there is one column.

        After the average Fisher sensitivity (section 3.1): of the inputs of each layer but the first ones, scaled to a
        standard deviation of 1, with the sum over actions taken exactly; the last entry is the task's own column. It is
        a ratio of means over units, of convolutions over places too; Rusu et al. take the ratio of each feature and add
        these up, so there a feature that hardly matters in any column counts as much as one that does.
        """
        squares: dict[str, torch.Tensor] = {}
        layers = {name: layer for name, layer in self.layers().items() if not layer.is_first}
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


def keeper(given: dict[str, list[torch.Tensor]], name: str) -> Callable[[list[torch.Tensor]], list[torch.Tensor]]:
    """Keeps what a layer is given, as tensors that gradients can be asked of."""

    def keep(parts: list[torch.Tensor]) -> list[torch.Tensor]:
        given[name] = [part if part.requires_grad else part.requires_grad_() for part in parts]
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


@torch.no_grad()
def first_layers(network: Network, leaves: dict[str, Leaf]) -> set[str]:
    """The layers that take the network's input: found by doubling the batch behind every layer."""
    if network.example is None:
        raise ValueError("columns: expected a network with an example of its inputs")
    seen: dict[str, int] = {}
    handles = []
    for name, leaf in leaves.items():

        def double(leaf: Any, given: tuple, out: torch.Tensor, name: str = name) -> torch.Tensor:
            seen[name] = len(given[0])
            check_affine(name, leaf, given[0][0], "given columns")
            return torch.cat([out, out]) if len(given[0]) == 1 else out

        handles.append(leaf.register_forward_hook(double))
    try:
        with torch.random.fork_rng(devices=[]):
            network.run(network.example[:1])
    finally:
        for handle in handles:
            handle.remove()
    for name in leaves:
        if name not in seen:
            raise ValueError(f"layer {name!r} was not used for the example: expected one that all layers work for")
    return {name for name, count in seen.items() if count == 1}
