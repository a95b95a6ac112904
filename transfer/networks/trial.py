"""Trial runs of a network before anything is learned: on inputs like its example, and leaving no trace.

They also show whether the samples of a batch affect one another.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from priorlab.transfer.networks.network import KEPT, Network
from priorlab.transfer.networks.states import preserved

LayerCall = tuple[str, list[torch.Tensor], list[torch.Tensor]]  # a layer's name, its inputs and its outputs
SAMPLES = 3  # of a trial
STEPS, SIDES = 5, (8, 28, 32, 64, 84)  # of sequences and images, where nothing says their size
TOLERANCE = 1e-4  # share of the largest output that a sample's may differ by in other company; rounding is less


def candidates(module: nn.Module, example: torch.Tensor) -> Iterator[torch.Tensor]:
    """Inputs (SAMPLES, ...) that differ from one another, like those of ``example`` (n, ...): its first rows if there
    are enough, else made up, the most varied first, as a network may not accept all of them."""
    with torch.inference_mode(False):
        example = example.detach().clone()
    if len(example) >= SAMPLES:
        yield example[:SAMPLES]
        return
    generator = torch.Generator().manual_seed(0)
    one = example[:1].expand(SAMPLES, *example.shape[1:])
    embeddings = [each.num_embeddings for each in module.modules() if isinstance(each, (nn.Embedding, nn.EmbeddingBag))]
    dares = not (example.is_cuda and embeddings)  # on a GPU an index out of an embedding's range ends the process
    if example.is_floating_point():
        noise = torch.randn(one.shape, generator=generator).to(one)
        yield from ([one + noise] if dares else [])
        yield one * (1 + 0.1 * noise)
    elif example.dtype == torch.uint8 and not embeddings:
        yield torch.randint(256, one.shape, generator=generator, dtype=torch.uint8).to(one.device)
    elif example.dtype != torch.bool and embeddings and dares:
        yield torch.randint(min(embeddings), one.shape, generator=generator).to(one)
    values = one.flatten()
    yield values[torch.randint(len(values), (len(values),), generator=generator).to(values.device)].reshape(one.shape)
    yield one.clone()


def trial_inputs(network: Network, example: torch.Tensor) -> torch.Tensor:
    """The first of the ``candidates`` on which the network runs and outputs no NaN. ValueError if there is none."""
    error: Exception | None = None
    for inputs in candidates(network.module, example):
        with preserved(network.module), torch.no_grad():
            network.module.eval()
            try:
                if not any(bool(each.isnan().any()) for each in all_outputs(network, inputs)):  # -inf: masked actions
                    return inputs
            except Exception as failed:  # anything that a user's network raises
                error = failed
    if error is None:
        raise ValueError("outputs for the example are NaN: expected numbers")
    shape = (SAMPLES, *example.shape[1:])
    raise ValueError(f"the network can't run on inputs {shape} {example.dtype}: {one_line(error)}") from error


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
    """Pairs of inputs of ``guesses`` on which the network runs, and its outputs for them."""
    runs = []
    for inputs in guesses(network.module):
        with preserved(network.module), torch.no_grad(), suppress(Exception):  # it is only a guess
            network.module.eval()
            runs.append((inputs, network.outputs(network.module, inputs)))
    return runs


def one_line(error: Exception) -> str:
    """The kind of an error and the first line of its message."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def tensors(value: Any) -> list[torch.Tensor]:
    """All tensors in a layer's output: a tensor, or nested lists, tuples and dictionaries of them."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [each for part in value for each in tensors(part)] if isinstance(value, (list, tuple)) else []


def takes_hooks(module: nn.Module) -> bool:
    return not isinstance(module, torch.jit.ScriptModule)


def all_outputs(network: Network, inputs: torch.Tensor) -> list[torch.Tensor]:
    """The float tensors that the network and its heads output for inputs (n, ...)."""
    outputs: list[torch.Tensor] = []

    def keep(module: nn.Module, args: Any, out: Any) -> None:
        outputs.extend(each for each in tensors(out) if each.is_floating_point())

    handles = [
        module.register_forward_hook(keep) for module in network.modules_at(network.heads) if takes_hooks(module)
    ]
    try:
        outputs.extend(each for each in tensors(network.run(inputs)) if each.is_floating_point())
    finally:
        for handle in handles:
            handle.remove()
    return outputs


@torch.no_grad()
def perturb(network: Network, generator: torch.Generator, within: Collection[str] = ("",)) -> None:
    """Changes every parameter a little, as learning does, so that zeros hide nothing; within: only parameters whose
    names contain one of these texts."""
    for name, parameter in network.parameters().items():
        if parameter.is_floating_point() and any(each in name for each in within):
            noise = torch.randn(parameter.shape, generator=generator).to(parameter)
            parameter.data.add_(noise * (0.1 * parameter.abs().mean() + 0.02))


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors have the same shape and are equal up to rounding, NaNs included."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)


def check_rows(network: Network, example: torch.Tensor) -> None:
    """ValueError if the network's output for a sample depends on the other samples of its batch."""
    inputs = trial_inputs(network, example)
    with preserved(network.module), torch.no_grad():
        perturb(network, torch.Generator().manual_seed(0))
        network.module.eval()
        together = record_calls(network, inputs)
        try:
            alone = [record_calls(network, inputs[row : row + 1]) for row in range(SAMPLES)]
        except Exception as error:
            raise ValueError(f"the network can't run on a single sample: {one_line(error)}") from error
    mixing: list[str] = []
    for row, calls in enumerate(alone):
        if same_row(row, together[-1][2], calls[-1][2]):
            continue
        pairs = zip(together, calls)
        mixing += [a[0] for a, b in pairs if same_row(row, a[1], b[1]) and not same_row(row, a[2], b[2])] or [""]
    if not mixing:
        return
    name = mixing[0]
    where = f"layer {name!r}, a {type(network.module.get_submodule(name)).__name__}," if name else "the network"
    raise ValueError(f"the output of {where} for a sample depends on the others of its batch: expected one that treats "
                     "each by itself, as importances are of single samples")  # fmt: skip


def record_calls(network: Network, inputs: torch.Tensor) -> list[LayerCall]:
    """Every call of a layer, in the order in which they end; the last entry is the network's own call, named ""."""
    calls: list[LayerCall] = []

    def keep(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, args: Any, kwargs: Any, out: Any) -> None:
            calls.append((name, copies([*args, *kwargs.values()]), copies(out)))

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
    return [*calls, ("", [], copies(out))]


def copies(value: Any) -> list[torch.Tensor]:
    return [each.detach().clone() for each in tensors(value)]


def same_row(row: int, together: list[torch.Tensor], alone: list[torch.Tensor]) -> bool:
    """Whether this row of tensors (n, ...) is the row of the others (1, ...). Tensors without a row per sample are not
    compared."""
    for many, one in zip(together, alone):
        if many.dim() and len(many) == SAMPLES and one.shape == (1, *many.shape[1:]) and many.is_floating_point():
            many, one = (each.nan_to_num(posinf=0.0, neginf=0.0) for each in (many, one))
            if not torch.allclose(many[row : row + 1], one, rtol=0, atol=TOLERANCE * float(many.abs().max()) + 1e-12):
                return False
    return True
