"""First runs of a network, before anything is learned, on inputs like its example, and whether samples see one another.

They leave no trace.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from priorlab.transfer.network import KEPT, Network
from priorlab.transfer.states import preserved

Call = tuple[str, list[torch.Tensor], list[torch.Tensor]]  # a layer's name, what it was given and what it gave
SAMPLES = 3  # of a trial
STEPS, SIDES = 5, (8, 28, 32, 64, 84)  # of sequences and pictures, where nothing tells their size
APART = 1e-4  # by which share of the largest output a sample may say something else beside others; rounding is less


def several(module: nn.Module, example: torch.Tensor) -> Iterator[torch.Tensor]:
    """Inputs (SAMPLES, ...) that differ, like those of ``example`` (n, ...): these, where there are enough of them, or
    else made up, the boldest first, since a network may not take all of them."""
    with torch.inference_mode(False):
        example = example.detach().clone()
    if len(example) >= SAMPLES:
        yield example[:SAMPLES]
        return
    generator = torch.Generator().manual_seed(0)
    one = example[:1].expand(SAMPLES, *example.shape[1:])
    tables = [each.num_embeddings for each in module.modules() if isinstance(each, (nn.Embedding, nn.EmbeddingBag))]
    dares = not (example.is_cuda and tables)  # an index out of a table's range would end the process there
    if example.is_floating_point():
        noise = torch.randn(one.shape, generator=generator).to(one)
        yield from ([one + noise] if dares else [])
        yield one * (1 + 0.1 * noise)
    elif example.dtype == torch.uint8 and not tables:
        yield torch.randint(256, one.shape, generator=generator, dtype=torch.uint8).to(one.device)
    elif example.dtype != torch.bool and tables and dares:
        yield torch.randint(min(tables), one.shape, generator=generator).to(one)
    values = one.flatten()
    yield values[torch.randint(len(values), (len(values),), generator=generator).to(values.device)].reshape(one.shape)
    yield one.clone()


def inputs_of_trial(network: Network, example: torch.Tensor) -> torch.Tensor:
    """The first of ``several`` on which the network can run and says numbers. ValueError where there is none, or where
    it can't run."""
    error: Exception | None = None
    for inputs in several(network.module, example):
        with preserved(network.module), torch.no_grad():
            network.module.eval()
            try:
                if not any(bool(each.isnan().any()) for each in said_by(network, inputs)):  # -inf is of masked actions
                    return inputs
            except Exception as failed:  # whatever a network of somebody else's raises
                error = failed
    if error is None:
        raise ValueError("outputs for the example are no numbers: expected some that are")
    shape = (SAMPLES, *example.shape[1:])
    raise ValueError(f"the network can't run on inputs {shape} {example.dtype}: {line(error)}") from error


def guesses(module: nn.Module) -> Iterator[torch.Tensor]:
    """Inputs (SAMPLES, ...) that the first layer with parameters could take."""
    layer: Any = next((each for each in module.modules() if any(True for _ in each.parameters(recurse=False))), None)
    generator = torch.Generator().manual_seed(0)
    shapes: list[tuple[int, ...]] = []
    if isinstance(layer, nn.Linear):
        shapes = [(layer.in_features,), (STEPS, layer.in_features)]
    elif isinstance(layer, nn.RNNBase):
        shapes = [(STEPS, layer.input_size)]
    elif isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        shapes = [(layer.in_channels, *(side for _ in layer.kernel_size)) for side in SIDES]
    elif isinstance(layer, (nn.Embedding, nn.EmbeddingBag)):
        weight = layer.weight
        yield torch.randint(layer.num_embeddings, (SAMPLES, STEPS), generator=generator).to(weight.device)
    for shape in shapes:
        yield torch.randn(SAMPLES, *shape, generator=generator).to(next(layer.parameters()))


def runs_on_guesses(network: Network) -> list[tuple[torch.Tensor, object]]:
    """Inputs of ``guesses`` on which the network runs, and what it gives for them."""
    found = []
    for inputs in guesses(network.module):
        with preserved(network.module), torch.no_grad(), suppress(Exception):  # as it is but a guess
            network.module.eval()
            found.append((inputs, network.outputs(network.module, inputs)))
    return found


def line(error: Exception) -> str:
    told = str(error).strip().splitlines()
    return f"{type(error).__name__}: {told[0]}" if told else type(error).__name__


def tensors(value: Any) -> list[torch.Tensor]:
    """All that lie in a value: of what a layer gives."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [each for part in value for each in tensors(part)] if isinstance(value, (list, tuple)) else []


def takes_hooks(module: nn.Module) -> bool:
    return not isinstance(module, torch.jit.ScriptModule)


def said_by(network: Network, inputs: torch.Tensor) -> list[torch.Tensor]:
    """All that the network says for inputs, and what its heads do."""
    found: list[torch.Tensor] = []

    def keep(module: nn.Module, given: Any, out: Any) -> None:
        found.extend(each for each in tensors(out) if each.is_floating_point())

    handles = [module.register_forward_hook(keep) for module in network.named(network.heads) if takes_hooks(module)]
    try:
        found.extend(each for each in tensors(network.run(inputs)) if each.is_floating_point())
    finally:
        for handle in handles:
            handle.remove()
    return found


@torch.no_grad()
def shake(network: Network, generator: torch.Generator, within: Collection[str] = ("",)) -> None:
    """Changes every parameter somewhat, as learning does; also those that start at zero and would hide something.
    within: of the names that have one of these texts in them."""
    for name, parameter in network.parameters().items():
        if parameter.is_floating_point() and any(each in name for each in within):
            noise = torch.randn(parameter.shape, generator=generator).to(parameter)
            parameter.data.add_(noise * (0.1 * parameter.abs().mean() + 0.02))


def alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)


def check_rows(network: Network, example: torch.Tensor) -> None:
    """ValueError where what the network says about a sample depends on the other samples of its batch."""
    inputs = inputs_of_trial(network, example)
    with preserved(network.module), torch.no_grad():
        shake(network, torch.Generator().manual_seed(0))
        network.module.eval()
        together = calls_of(network, inputs)
        try:
            alone = [calls_of(network, inputs[row : row + 1]) for row in range(SAMPLES)]
        except Exception as error:
            raise ValueError(f"the network can't run on a single sample: {line(error)}") from error
    parted: list[str] = []
    for row, calls in enumerate(alone):
        if row_is(row, together[-1][2], calls[-1][2]):
            continue
        pairs = zip(together, calls)
        parted += [a[0] for a, b in pairs if row_is(row, a[1], b[1]) and not row_is(row, a[2], b[2])] or [""]
    if not parted:
        return
    name = parted[0]
    where = f"layer {name!r}, a {type(network.module.get_submodule(name)).__name__}," if name else "the network"
    raise ValueError(f"what {where} gives for a sample depends on the others of its batch: expected one that takes "
                     "each by itself, as importances are of single samples")  # fmt: skip


def calls_of(network: Network, inputs: torch.Tensor) -> list[Call]:
    """Every call of a layer, in the order in which they end: its name, what it was given and what it gave; the last one
    is of the network."""
    calls: list[Call] = []

    def keep(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, given: Any, named: Any, out: Any) -> None:
            calls.append((name, cloned([*given, *named.values()]), cloned(out)))

        return hook

    modules = network.module.named_modules()
    handles = [
        module.register_forward_hook(keep(name), with_kwargs=True)
        for name, module in modules
        if name and name != KEPT and not name.startswith(f"{KEPT}.") and takes_hooks(module)
    ]
    try:
        out = network.outputs(network.module, inputs)
    finally:
        for handle in handles:
            handle.remove()
    return [*calls, ("", [], cloned(out))]


def cloned(value: Any) -> list[torch.Tensor]:
    return [each.detach().clone() for each in tensors(value)]


def row_is(row: int, together: list[torch.Tensor], alone: list[torch.Tensor]) -> bool:
    """Whether these rows of tensors (n, ...) are those of others (1, ...). What has no row a sample is not told."""
    for many, one in zip(together, alone):
        if many.dim() and len(many) == SAMPLES and one.shape == (1, *many.shape[1:]) and many.is_floating_point():
            many, one = (each.nan_to_num(posinf=0.0, neginf=0.0) for each in (many, one))
            if not torch.allclose(many[row : row + 1], one, rtol=0, atol=APART * float(many.abs().max()) + 1e-12):
                return False
    return True
