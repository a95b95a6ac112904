"""Kinds of layers and ways to wire them, each with an input: what importances are right for, or refused and why.

``python -m tests.support.wirings`` prints the table.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm
from torch.utils.checkpoint import checkpoint

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.importance import importance_of
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples

N = 9  # samples


class Wired(nn.Module):
    """Layers by name, and a function of the module and its inputs."""

    def __init__(self, forward: Callable, **layers: nn.Module):
        super().__init__()
        self.wiring = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, inputs):
        return self.wiring(self, inputs)


def between(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(8, 8), *layers, nn.Linear(8, 3))


def wired(forward: Callable, **layers: nn.Module) -> Wired:
    own = {"a": nn.Linear(8, 8), "b": nn.Linear(8, 8), "out": nn.Linear(8, 3)} | layers
    return Wired(forward, **own)


def in_place(m, x):
    y = m.a(x)
    y += m.b(x)
    y.mul_(1.5)
    return m.out(F.relu_(y))


def residual(m, x):
    y = m.a(x)
    z = m.b(torch.tanh(y))
    z += y
    return m.out(z)


def tied() -> nn.Module:
    m = wired(lambda m, x: m.out(torch.tanh(m.b(torch.tanh(m.a(x))))))
    m.b.weight = m.a.weight
    return m


def tied_embedding() -> nn.Module:
    m = Wired(lambda m, x: m.out(torch.tanh(m.table(x).mean(1))), table=nn.Embedding(10, 6), out=nn.Linear(6, 10))
    m.out.weight = m.table.weight
    return m


def named_twice() -> nn.Module:
    """As stable-baselines3 has its features extractors."""
    m = convolution(nn.Conv2d(4, 6, 3), 6)
    m.tower = nn.Sequential(m.conv)
    m.policy = m.tower
    m.wiring = lambda m, x: m.out(m.tail(m.policy(x)).mean(2))
    return m


def rows_by_chance(m, x):
    """A table of as many rows as there are samples, through a dense layer, is the same for all of them."""
    return m.out(torch.tanh(m.a(x)) * m.b(m.table.weight).mean(0))


def permuted(m, x):
    return m.out(torch.tanh(m.a(x.flip(0))).flip(0))


def steps_first(m, x):
    return m.out(m.a(x.transpose(0, 1)).tanh().transpose(0, 1).mean(1))  # (n, N, 8)


def no_grad(m, x):
    with torch.no_grad():
        y = m.a(x)
    return m.out(torch.tanh(y + m.b(x)))


def reentrant(m, x):
    return m.out(checkpoint(m.a, m.b(x), use_reentrant=True).tanh())


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(nn.Linear(8, 8))


def masked(m, x):
    """Of actions of which one can't be taken."""
    return m.out(m.a(x)).masked_fill(torch.arange(4) == 3, -torch.inf)


def hooked() -> nn.Module:
    m = wired(lambda m, x: m.out(torch.tanh(m.a(x))))
    m.a.register_forward_hook(lambda _, given, out: 2 * out + given[0])
    m.out.register_forward_pre_hook(lambda _, given: (given[0] ** 2,))
    return m


def dict_layer() -> nn.Module:
    inner = Wired(lambda m, x: {"y": m.lin(x), "z": (x, 1)}, lin=nn.Linear(8, 8))
    return wired(lambda m, x: m.out(torch.tanh(m.inner(x)["y"])), inner=inner)


def recurrent(kind: type, **settings) -> nn.Module:
    return Wired(lambda m, x: m.out(m.r(x)[0][:, -1]), r=kind(4, 6, batch_first=True, **settings), out=nn.Linear(6, 3))


def attention(batch_first: bool) -> nn.Module:
    layer = nn.MultiheadAttention(8, 2, batch_first=batch_first)
    return Wired(lambda m, x: m.out(m.att(x, x, x)[0].mean(1)), att=layer, out=nn.Linear(8, 3))


def convolution(layer: nn.Module, channels: int) -> nn.Module:
    tail = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(2))
    return Wired(lambda m, x: m.out(m.tail(m.conv(x)).mean(2)), conv=layer, tail=tail, out=nn.Linear(channels, 3))


def experts(m, x):
    """Each sample is sent to one of two layers."""
    to_b = x[:, 0] > 0
    y = torch.zeros_like(x)
    y[~to_b], y[to_b] = m.a(x[~to_b]), m.b(x[to_b])
    return m.out(torch.tanh(y))


def listed() -> nn.Module:
    m = wired(lambda m, x: m.out(torch.tanh(F.linear(x, m.weights[0]) + m.b(x))))
    m.weights = [m.a.weight]  # which torch.func doesn't see
    return m


def vectors(seed: int = 0) -> torch.Tensor:
    return torch.randn(N, 8, generator=torch.Generator().manual_seed(seed))


def steps(*shape: int) -> torch.Tensor:
    return torch.randn(N, *shape, generator=torch.Generator().manual_seed(1))


def words() -> torch.Tensor:
    return torch.randint(10, (N, 5), generator=torch.Generator().manual_seed(2))


@dataclass(frozen=True)
class Wiring:
    """build: makes the network; refused: what is said where importances can't be right; settings: of ``Network``."""

    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], torch.Tensor] = vectors
    refused: str = ""
    settings: dict | None = None


def of(build: Callable[[], nn.Module], *kinds: torch.dtype) -> Callable[[], nn.Module]:
    return lambda: build().to(*kinds)


BY_BATCH = "the output of the network for a sample depends on the others"
TABLE = [
    Wiring("ReLU", lambda: between(nn.ReLU())),
    Wiring("ReLU in place", lambda: between(nn.ReLU(inplace=True))),
    Wiring("SiLU in place", lambda: between(nn.SiLU(inplace=True))),
    Wiring("Dropout in place", lambda: between(nn.Dropout(0.5, inplace=True), nn.Hardswish(inplace=True))),
    Wiring("+=, mul_ and relu_", lambda: wired(in_place)),
    Wiring("residual in place", lambda: wired(residual)),
    Wiring("input changed in place", lambda: wired(lambda m, x: m.out(m.a(x).tanh_() + m.b(x.mul(2).add_(1))))),
    Wiring("weight in two layers", tied),
    Wiring("layer used twice", lambda: wired(lambda m, x: m.out(torch.tanh(m.a(torch.tanh(m.a(x))))))),
    Wiring("part under two names", named_twice, lambda: steps(4, 5, 5)),
    Wiring("Embedding tied to output", tied_embedding, words),
    Wiring("weight used transposed", lambda: wired(lambda m, x: m.out(F.linear(torch.tanh(m.a(x)), m.a.weight.T)))),
    Wiring("weight's norm used", lambda: wired(lambda m, x: m.out(torch.tanh(m.a(x)) * m.a.weight.norm()))),
    Wiring("bias used twice", lambda: wired(lambda m, x: m.out(torch.tanh(m.a(x)) * m.a.bias))),
    Wiring("weight in a list", listed),
    Wiring("weight_norm", lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(8, 8)), nn.Linear(8, 3))),
    Wiring("orthogonal", lambda: nn.Sequential(parametrizations.orthogonal(nn.Linear(8, 8)), nn.Linear(8, 3))),
    Wiring("hooks that change outputs", hooked),
    Wiring("part of an output used", lambda: wired(lambda m, x: m.out(torch.cat([m.a(x)[:, :4], m.b(x)[:, 2:6]], 1)))),
    Wiring("two branches", lambda: wired(lambda m, x: m.out(torch.tanh(m.a(x)) * torch.sigmoid(m.b(x))))),
    Wiring("detached", lambda: wired(lambda m, x: m.out(torch.tanh(m.a(x).detach() + m.b(x))))),
    Wiring("layer under no_grad", lambda: wired(no_grad)),
    Wiring("layer unused", lambda: wired(lambda m, x: m.out(torch.tanh(m.a(x))))),
    Wiring("keyword arguments", lambda: wired(lambda m, x: m.out(input=torch.tanh(m.a(input=x))))),
    Wiring("a dictionary as output of a layer", dict_layer),
    Wiring("rows by chance", lambda: wired(rows_by_chance, table=nn.Embedding(N, 8))),
    Wiring("samples in another order", lambda: wired(permuted)),
    Wiring("steps before samples", lambda: wired(steps_first), lambda: steps(N, 8)),
    Wiring("one of two layers a sample", lambda: wired(experts)),
    Wiring("checkpoint", lambda: wired(lambda m, x: m.out(checkpoint(m.a, x, use_reentrant=False).tanh()))),
    Wiring("part in TorchScript", lambda: nn.Sequential(scripted(), nn.Tanh(), nn.Linear(8, 3))),
    Wiring("masked outputs", lambda: wired(masked, out=nn.Linear(8, 4))),
    Wiring("head that starts at zero", lambda: zeroed(between(nn.ReLU(inplace=True)))),
    Wiring("PReLU", lambda: between(nn.PReLU())),
    Wiring("Bilinear", lambda: wired(lambda m, x: m.out(m.two(x, m.a(x))), two=nn.Bilinear(8, 8, 8))),
    Wiring("LayerNorm", lambda: between(nn.LayerNorm(8), nn.ReLU(inplace=True))),
    Wiring("RMSNorm", lambda: between(nn.RMSNorm(8), nn.ReLU(inplace=True))),
    Wiring("GroupNorm", lambda: between(nn.GroupNorm(2, 8))),
    Wiring("InstanceNorm1d", lambda: convolution(nn.InstanceNorm1d(4, affine=True), 4), lambda: steps(4, 5)),
    Wiring("Conv1d", lambda: convolution(nn.Conv1d(4, 6, 3), 6), lambda: steps(4, 7)),
    Wiring("Conv2d in groups", lambda: convolution(nn.Conv2d(4, 8, 3, groups=4), 8), lambda: steps(4, 5, 5)),
    Wiring("Conv3d", lambda: convolution(nn.Conv3d(2, 4, 2), 4), lambda: steps(2, 3, 3, 3)),
    Wiring("ConvTranspose2d", lambda: convolution(nn.ConvTranspose2d(2, 4, 2), 4), lambda: steps(2, 3, 3)),
    Wiring(
        "Embedding", lambda: Wired(lambda m, x: m.o(m.t(x).sum(1)), t=nn.Embedding(10, 6), o=nn.Linear(6, 3)), words
    ),
    Wiring("EmbeddingBag", lambda: nn.Sequential(nn.EmbeddingBag(10, 6), nn.Tanh(), nn.Linear(6, 3)), words),
    Wiring("LSTM", lambda: recurrent(nn.LSTM, num_layers=2), lambda: steps(5, 4)),
    Wiring("GRU", lambda: recurrent(nn.GRU), lambda: steps(5, 4)),
    Wiring("RNN", lambda: recurrent(nn.RNN), lambda: steps(5, 4)),
    Wiring("MultiheadAttention", lambda: attention(True), lambda: steps(5, 8)),
    Wiring("TransformerEncoderLayer", lambda: transformer(), lambda: steps(5, 8)),
    Wiring("float64", of(lambda: between(nn.ReLU(inplace=True)), torch.float64), lambda: vectors().double()),
    Wiring("bfloat16", of(lambda: between(nn.Tanh()), torch.bfloat16), lambda: vectors().bfloat16()),
    Wiring("float16", of(lambda: between(nn.Tanh()), torch.float16), lambda: vectors().half()),
    Wiring("one layer", lambda: nn.Linear(8, 3)),
    Wiring("frozen BatchNorm", lambda: between(FrozenBatchNorm(8), nn.ReLU(inplace=True))),
    Wiring("values", lambda: between(nn.ReLU(inplace=True)), settings={"likelihood": "gaussian"}),
    Wiring(
        "a tuple, of which one is chosen",
        lambda: wired(lambda m, x: (m.out(m.a(x)), m.b(x))),
        settings={"outputs": lambda m, x: m(x)[0]},
    ),
    Wiring(
        "BatchNorm without statistics",
        lambda: between(nn.BatchNorm1d(8, track_running_stats=False)),
        refused="layer '1', a BatchNorm1d without statistics",
    ),
    Wiring(
        "BatchNorm", lambda: between(nn.BatchNorm1d(8)), refused="layer '1', a BatchNorm1d, keeps running statistics"
    ),
    Wiring(
        "spectral_norm",
        lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(8, 8)), nn.Linear(8, 3)),
        refused="layer '0.parametrizations.weight.0', a _SpectralNorm, changes '_u'",
    ),
    Wiring(
        "spectral_norm, the older",
        lambda: nn.Sequential(spectral_norm(nn.Linear(8, 8)), nn.Linear(8, 3)),
        refused="layer '0', a Linear, changes 'weight_u'",
    ),
    Wiring(
        "less the mean of the batch",
        lambda: wired(lambda m, x: m.out(m.a(x) - m.a(x).mean(0))),
        refused="the output of the network for a sample depends on the others",
    ),
    Wiring("sums over the batch", lambda: wired(lambda m, x: m.out(m.a(x).cumsum(0))), refused=BY_BATCH),
    Wiring("share of the batch", lambda: wired(lambda m, x: m.out(m.a(x) * m.b(x).softmax(0))), refused=BY_BATCH),
    Wiring(
        "attention across the batch",
        lambda: attention(False),
        lambda: steps(5, 8),
        refused="the output of layer 'att', a MultiheadAttention, for a sample depends on the others",
    ),
    Wiring("a tuple", lambda: wired(lambda m, x: (m.out(m.a(x)), m.b(x))), refused="output is a tuple"),
    Wiring("a dictionary", lambda: wired(lambda m, x: {"out": m.out(m.a(x))}), refused="output is a dict"),
    Wiring("(n,)", lambda: nn.Sequential(nn.Linear(8, 1), nn.Flatten(0)), refused=r"output for 3 inputs is \(3,\)"),
    Wiring(
        "(n, a, b)",
        lambda: nn.Sequential(nn.Linear(8, 6), nn.Unflatten(1, (2, 3))),
        refused=r"output for 3 inputs is \(3, 2, 3\)",
    ),
    Wiring("one logit", lambda: nn.Linear(8, 1), refused="one number per sample"),
    Wiring(
        "all under no_grad",
        lambda: wired(torch.no_grad()(lambda m, x: m.out(m.a(x)))),
        refused="depends on none of its parameters",
    ),
    Wiring("checkpoint, reentrant", lambda: wired(reentrant), refused="gradients can't be computed"),
    Wiring("a layer with a mistake", lambda: between(nn.Linear(9, 9)), refused="the network can't run on"),
]


class FrozenBatchNorm(nn.Module):
    """With statistics that nothing changes."""

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("running_mean", torch.randn(size))
        self.register_buffer("running_var", torch.rand(size) + 0.5)

    def forward(self, x):
        return F.batch_norm(x, self.running_mean, self.running_var)


def zeroed(module: nn.Sequential) -> nn.Module:
    nn.init.zeros_(module[-1].weight)
    return module


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return Wired(lambda m, x: m.out(m.t(x)[:, 0]), t=layer, out=nn.Linear(8, 3))


def by_hand(network: Network, inputs: torch.Tensor, kind: str, taken: torch.Tensor) -> dict[str, torch.Tensor]:
    """The importance, from a loop over single samples."""
    module = network.module.eval()
    parameters = dict(module.named_parameters())
    found = {name: torch.zeros_like(each) for name, each in parameters.items()}
    for one, label in zip(inputs, taken):
        out = network.outputs(module, one[None])[0]
        told = out if network.likelihood == "gaussian" else out.log_softmax(0)
        for choice, each in enumerate(told):
            if not each.isfinite():
                continue
            weight = {"exact": each.exp().detach(), "empirical": float(label == choice)}[kind]
            weight = 1.0 if network.likelihood == "gaussian" else weight
            gradients = torch.autograd.grad(each, list(parameters.values()), retain_graph=True, allow_unused=True)
            for name, gradient in zip(parameters, gradients):
                if gradient is not None:
                    found[name] += weight * gradient.square() / len(inputs)
    return found


def error_of(wiring: Wiring, *kinds: str) -> float:
    """The largest difference of an importance from that of the loop in float64, as a share of the largest one of the
    same parameter."""
    torch.manual_seed(0)
    module, inputs = wiring.build(), wiring.inputs()
    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    settings = wiring.settings or {}
    network = Network(module, example=inputs[:1], **settings)
    kept = keep(network, parse("ewc", heads=False), 2)
    after = {name: tensor for name, tensor in module.state_dict().items() if not name.startswith("kept.")}
    assert state.keys() == after.keys() and all(torch.equal(state[name], after[name]) for name in state)
    kept.learn(0)
    parts = [name for name, _ in module.named_parameters(remove_duplicate=False)]
    names, taken = list(network.shared()), torch.arange(len(inputs)) % 3
    torch.manual_seed(0)
    exact = wiring.build().double()
    exact.load_state_dict(state)
    wide = inputs.double() if inputs.is_floating_point() else inputs
    errors = []
    for kind in kinds:
        found = importance_of(network, names, Samples(inputs, taken), kind)
        expected = by_hand(Network(exact, **settings), wide, kind, taken)
        largest = {name: expected[name].abs().max().clamp(min=1e-30) for name in names}
        assert [name for name, _ in module.named_parameters(remove_duplicate=False)] == parts
        errors += [float((found[name] - expected[name]).abs().max() / largest[name]) for name in names]
    return max(errors)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for wiring in TABLE:
        try:
            print(f"{wiring.name} | right, rel. error {error_of(wiring, 'exact'):.1e}")
        except ValueError as error:
            print(f"{wiring.name} | refused: {error}")


if __name__ == "__main__":
    main()
