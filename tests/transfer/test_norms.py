"""Norms, attention, grouped convolutions and bare parameters, kept by methods that share weights."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples

pytestmark = pytest.mark.usefixtures("one_thread")


class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)

    def forward(self, x):
        parts = (
            self.qkv(x).unflatten(2, (3, 2, -1)).permute(2, 0, 3, 1, 4)
        )  # (n, L, 3 E) -> 3 of (n, heads, L, E / heads)
        return self.out(F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2))


class Torch(nn.MultiheadAttention):
    def __init__(self, size):
        super().__init__(size, 2, batch_first=True)

    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


class ViT(nn.Module):
    """For images (n, 1, 8, 8), in patches of 4x4."""

    def __init__(self, attention=Attention, size=16):
        super().__init__()
        self.patches = nn.Conv2d(1, size, 4, 4)
        self.token, self.places = nn.Parameter(torch.zeros(1, 1, size)), nn.Parameter(0.02 * torch.randn(1, 5, size))
        self.before, self.attention, self.between = nn.LayerNorm(size), attention(size), nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size))
        self.norm, self.head = nn.RMSNorm(size), nn.Linear(size, 3)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        x = x + self.attention(self.before(x))
        return self.head(self.norm(x + self.mlp(self.between(x)))[:, 0])


class Mixer(nn.Module):
    def __init__(self, size=16, places=4):
        super().__init__()
        self.patches, self.first, self.second = nn.Conv2d(1, size, 4, 4), nn.LayerNorm(size), nn.LayerNorm(size)
        self.across = nn.Sequential(nn.Linear(places, 8), nn.GELU(), nn.Linear(8, places))
        self.within = nn.Sequential(nn.Linear(size, 32), nn.GELU(), nn.Linear(32, size))
        self.norm, self.head = nn.LayerNorm(size), nn.Linear(size, 3)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = x + self.across(self.first(x).transpose(1, 2)).transpose(1, 2)
        return self.head(self.norm(x + self.within(self.second(x))).mean(1))


class ConvNeXt(nn.Module):
    def __init__(self, size=16):
        super().__init__()
        self.stem, self.start = nn.Conv2d(1, size, 2, 2), nn.GroupNorm(1, size)
        self.depthwise, self.norm = nn.Conv2d(size, size, 3, padding=1, groups=size), nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 32), nn.GELU(), nn.Linear(32, size))
        self.scale = nn.Parameter(0.1 * torch.ones(size))
        self.last, self.head = nn.LayerNorm(size), nn.Linear(size, 3)

    def forward(self, x):
        x = self.start(self.stem(x))
        x = x + (self.scale * self.mlp(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)
        return self.head(self.last(x.mean((2, 3))))


class Plain(nn.Module):
    """With batch norms that use the statistics of the batch alone."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(8, track_running_stats=False)
        self.first, self.act, self.head = nn.Conv2d(1, 8, 3), nn.PReLU(), nn.Linear(8 * 36, 3)

    def forward(self, x):
        return self.head(self.act(self.norm(self.first(x))).flatten(1))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))


KINDS = {"ViT": ViT, "ViT of torch": lambda: ViT(Torch), "Mixer": Mixer, "ConvNeXt": ConvNeXt, "BatchNorm": Plain}
EXACT = ["separate", "packing", "progressive", "random-column", "psp", "psp:contexts=complex", "means"]


def data(task, n=24):
    generator = torch.Generator().manual_seed(task)
    labels = torch.arange(n) % 3
    return torch.randn(3, 1, 8, 8, generator=generator)[labels] + 0.3 * torch.randn(
        n, 1, 8, 8, generator=generator
    ), labels


def kept_by(kind, method, tasks=2, heads=True):
    torch.manual_seed(0)
    module = kind()
    kept = keep(Network(module, example=data(0)[0][:1]), parse(method, heads), tasks)
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    kept.attach(optimizer)
    return kept, optimizer


def learn(kept, optimizer, task, steps=12):
    optimizer.state.clear()
    kept.learn(task)
    inputs, labels = data(task)
    for step in range(steps):
        loss = F.cross_entropy(kept.network.module(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        kept.advance((step + 1) / steps)
    kept.consolidate(Samples(inputs, labels))


@torch.no_grad()
def said(kept, task):
    with kept.playing(task):
        return kept.network.module(data(task)[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["separate", "packing", "progressive", "random-column"])
def test_what_a_task_said_stays_the_same_to_the_bit(kind, method):
    if kind == "ViT of torch" and method in ("progressive", "random-column"):
        with pytest.raises(
            ValueError, match="layer 'attention', a Torch, can't be given columns: expected its projections"
        ):
            kept_by(KINDS[kind], method)
        return
    kept, optimizer = kept_by(KINDS[kind], method)
    learn(kept, optimizer, 0)
    before = said(kept, 0)
    learn(kept, optimizer, 1)
    assert torch.equal(said(kept, 0), before)
    assert not torch.equal(said(kept, 1), before)


def accuracy(kept, task):
    return float((said(kept, task).argmax(1) == data(task)[1]).float().mean())


@pytest.mark.parametrize("kind", [*KINDS, "MLP"])
def test_superposed_tasks_are_recovered_as_those_of_plain_layers_are(kind):
    kept, optimizer = kept_by(KINDS.get(kind, mlp), "psp", tasks=2)
    for task in range(2):
        learn(kept, optimizer, task, steps=60)
    assert accuracy(kept, 1) == 1.0
    assert accuracy(kept, 0) > 0.6  # by chance .33


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["psp", "psp:contexts=complex", "psp:contexts=rotation", "psp+ewc"])
def test_moving_to_another_task_and_back_changes_nothing(kind, method):
    if kind == "BatchNorm" and "ewc" in method:
        pytest.skip("its importances are refused")
    kept, optimizer = kept_by(KINDS[kind], method, tasks=3)
    learn(kept, optimizer, 0)
    before = said(kept, 0)
    kept.play(2), kept.play(1), kept.play(0)
    torch.testing.assert_close(kept.network.module(data(0)[0]), before, rtol=1e-3, atol=1e-4)
    if "ewc" in method:  # the penalty has turned with the weights, and back
        for parameter, weight, pull in kept.methods[-1].parts().values():
            torch.testing.assert_close(weight * parameter, pull, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("method", ["psp", "packing", "means", "psp+means"])
def test_norms_and_bare_parameters_are_each_tasks_own(method):
    kept, optimizer = kept_by(ViT, method)
    names = ["token", "places", "before.weight", "between.bias", "norm.weight"]
    start = {name: kept.network.parameters()[name].detach().clone() for name in names}
    learn(kept, optimizer, 0)
    left = {name: kept.network.parameters()[name].detach().clone() for name in names}
    kept.learn(1)
    for name in names:  # as the first task began, but for means, with which learning goes on
        expected = left[name] if method == "means" else start[name]
        assert torch.equal(kept.network.parameters()[name], expected) and not torch.equal(left[name], start[name])
    learn(kept, optimizer, 1)
    kept.play(0)
    assert all(torch.equal(kept.network.parameters()[name], left[name]) for name in names)


def test_own_parameters_are_counted():
    """Token, positions, norms and biases, of 4 bytes each, once more for every task."""
    sizes = [kept_by(ViT, "psp", tasks, heads=False)[0].bytes() for tasks in (1, 2, 3)]
    module = ViT()
    own = sum(
        each.numel() for name, each in module.named_parameters() if each.dim() == 1 or name in ("token", "places")
    )
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] == 4 * own + 1  # a byte tells whether the task has begun


def test_columns_of_a_network_with_norms_compute_the_equation():
    """By hand: a norm per column, and adapters at the dense layers alone."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3), nn.Softplus())
    kept = keep(Network(module, example=torch.zeros(1, 6)), parse("progressive"), 2)
    kept.learn(1)
    for parameter in module.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    x = torch.randn(5, 6)
    start, first, norm, head = (module[place] for place in (0, 1, 2, 4))

    def lateral(layer, earlier):
        adapter = layer.adapters[1]
        return adapter.widen(adapter.narrow(adapter.alpha[0] * earlier).relu())

    given = [start.columns[column](x) for column in range(2)]
    made = [first.columns[0](given[0]), first.columns[1](given[1]) + lateral(first, given[0])]
    old, new = (F.relu(norm.columns[column](each)) for column, each in enumerate(made))
    torch.testing.assert_close(module(x), F.softplus(head.columns[1](new) + lateral(head, old)))


def test_a_head_of_several_layers_and_a_norm_behind_it_have_columns_too():
    torch.manual_seed(0)
    head = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    module = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), head, nn.LayerNorm(3))
    kept = keep(Network(module, heads=("2",), example=torch.zeros(1, 6)), parse("progressive"), 2)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    kept.attach(optimizer)
    x, before = torch.randn(5, 6), None
    for task in range(2):
        kept.learn(task)
        module(x)[:, 0].sum().backward()
        optimizer.step(), optimizer.zero_grad()
        kept.consolidate(Samples(x))
        with kept.playing(0):
            before = module(x) if before is None else before
            assert torch.equal(module(x), before) and before.shape == (5, 3)


class Aliased(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.out = nn.Linear(8, 8), nn.Linear(8, 3)
        self.again = self.a

    def forward(self, x):
        return self.out(torch.tanh(self.again(torch.tanh(self.a(x)))))


class Shared(Aliased):
    """One weight in two layers."""

    def __init__(self):
        super().__init__()
        self.again = nn.Linear(8, 8)
        self.again.weight = self.a.weight


class Skipping(Aliased):
    """Adds the network's input to a layer's output."""

    def __init__(self):
        super().__init__()
        self.again = nn.Linear(8, 8)

    def forward(self, x):
        return self.out(torch.tanh(self.again(x + self.a(x))))


class Functional(Skipping):
    def forward(self, x):
        return self.out(torch.tanh(self.again(F.linear(x, self.a.weight))))


class Mixing(Skipping):
    def forward(self, x):
        y = self.a(x)
        return self.out(torch.tanh(self.again(y - y.mean(0))))


class Large(Skipping):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(50, 8))

    def forward(self, x):
        return super().forward(x) + self.table.sum()


@pytest.mark.parametrize(
    ("build", "method", "words"),
    [
        (Aliased, "progressive", "layer 'a' is also 'again' and can't be given columns"),
        (Shared, "packing", "layers 'a' and 'again' share a weight and can't be packed"),
        (Shared, "psp", "layers 'a' and 'again' share a weight and can't be superposed"),
        (Shared, "progressive", "layers 'a' and 'again' share a weight and can't be given columns"),
        (Skipping, "progressive", "the network can't be given columns, which travel along the batch"),
        (Functional, "progressive", "can't be given columns|was not used"),
        (Mixing, "progressive", "the input of layer 'again' for a sample depends on the others"),
        (Large, "psp", "parameter 'table', of 400 numbers, can't be superposed"),
        (lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(8, 8)), nn.Linear(8, 3)), "psp",
         "layer '0', a ParametrizedLinear, can't be superposed: expected its weight to be a parameter"),
        (lambda: nn.Sequential(torch.nn.utils.parametrizations.orthogonal(nn.Linear(8, 8)), nn.Linear(8, 3)), "packing",
         "layer '0', a ParametrizedLinear, can't be packed: expected its weight to be a parameter"),
        (lambda: nn.Sequential(nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 2, 1), nn.Flatten(), nn.Linear(8, 3)), "psp",
         "layer '1', a Conv1d, can't be superposed"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_and_leaves_the_network_as_it_was(build, method, words):
    torch.manual_seed(0)
    module = build()
    x = torch.randn(4, 8)
    before, names = module(x), [name for name, _ in module.named_parameters()]
    with pytest.raises(ValueError, match=words) as raised:
        keep(Network(module, example=x[:1]), parse(method, heads=False), 2)
    assert "\n" not in str(raised.value)
    assert torch.equal(module(x), before) and [name for name, _ in module.named_parameters()] == names


def test_weights_in_two_layers_can_be_held_and_separated():
    x = torch.randn(6, 8)
    for build in (Aliased, Shared):
        for method in ("separate", "ewc"):
            torch.manual_seed(0)
            module = build()
            kept = keep(Network(module, example=x[:1]), parse(method, heads=False), 2)
            before = module(x)
            kept.learn(1)
            for parameter in module.parameters():
                parameter.data += 1
            if method == "separate":
                kept.play(0)
                assert torch.equal(module(x), before)


def test_a_head_that_shares_its_weight_with_the_body_is_not_each_tasks_own():
    module = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8))
    module[2].weight = module[0].weight
    with pytest.raises(ValueError, match=r"head's parameter '2.weight' is also '0.weight'"):
        keep(Network(module), parse("ewc"), 2)
    keep(Network(module), parse("ewc", heads=False), 2)


@pytest.mark.parametrize("contexts", ["complex", "rotation"])
def test_weights_of_16_bits_turn_back_to_what_they_were(contexts):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 3)).bfloat16()
    before = module[0].weight.detach().clone()
    kept = keep(Network(module), [{"method": "psp", "contexts": contexts}], 3)
    kept.play(2), kept.play(0)
    torch.testing.assert_close(module[0].weight, before, rtol=0.05, atol=0.01)


@pytest.mark.parametrize("method", ["separate", "psp", "packing", "progressive", "random-column", "means", "psp+means"])
def test_saved_between_two_tasks_it_goes_on_as_if_never_stopped(method, tmp_path):
    (whole, optimizer), (first, early), (second, late) = (kept_by(ConvNeXt, method) for _ in range(3))
    for task in range(2):
        learn(whole, optimizer, task, steps=4)
    learn(first, early, 0, steps=4)
    first.save(tmp_path / "kept.pt")
    second.load(tmp_path / "kept.pt")
    learn(second, late, 1, steps=4)
    again = copy.deepcopy(second.network.module)
    for task in (0, 1):
        assert torch.equal(said(second, task), said(whole, task)) and torch.equal(
            said(again.kept, task), said(whole, task)
        )
