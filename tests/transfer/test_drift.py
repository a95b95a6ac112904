"""State other than parameters that changes in training: rejected if it affects the outputs, under any name."""

from collections import deque
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm

from priorlab.transfer.keeping import METHODS, keep, parse
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.sb3.policies import KeptMlpPolicy, KeptQPolicy

pytestmark = pytest.mark.usefixtures("one_thread")
HOLDING = [name for name in METHODS if name != "own-heads"]


class Layer(nn.Module):
    """A layer made of two functions: what it remembers at first, and what it outputs and remembers later."""

    def __init__(self, start, forward):
        super().__init__()
        start(self)
        self.rule = forward

    def forward(self, x):
        return self.rule(self, x)


def buffers(**values):
    def start(layer):
        for name, value in values.items():
            layer.register_buffer(name, value)

    return start


def attributes(**values):
    return lambda layer: layer.__dict__.update(values)


@torch.no_grad()
def moving(layer, x):
    if layer.training:
        layer.mean.lerp_(x.mean(0), 0.1)
    return x - layer.mean


@torch.no_grad()
def reassigned(layer, x):
    layer.total, layer.seen = layer.total + x.sum(0), layer.seen + len(x)
    return x - layer.total / (layer.seen + 1)


def normalized(layer, x):
    """By NumPy statistics in an object, as game-playing agents have them."""
    layer.stats.mean += 0.01 * (x.detach().mean(0).numpy() - layer.stats.mean)
    return x - torch.from_numpy(layer.stats.mean).float()


def in_table(layer, x):
    layer.held["mean"].lerp_(x.detach().mean(0), 0.1)
    return x - layer.held["mean"]


@torch.no_grad()
def coded(layer, x):
    """Each sample's nearest code, which moves towards it."""
    nearest = (x[:, None] - layer.codes).square().sum(2).argmin(1)
    if layer.training:
        layer.codes[nearest] += 0.1 * (x - layer.codes[nearest])
    return x + layer.codes[nearest]


def initialized(layer, x):
    """Normalised by the first batch, as in ActNorm."""
    if layer.training and not layer.done:
        layer.shift.copy_(-x.detach().mean(0)), layer.done.fill_(True)
    return x + layer.shift


def warming(layer, x):
    layer.steps += layer.training
    return x * (1.0 if layer.steps < 1000 else 0.5)


def remembering(layer, x):
    layer.hidden = torch.tanh(x.detach().mean(0) + 0.5 * layer.hidden)
    return x + layer.hidden


def queued(layer, x):
    layer.recent.append(x.detach().mean(0))
    return x - torch.stack(list(layer.recent)).mean(0)


def closed_over():
    """A moving mean that is no attribute of anything."""
    held = {"mean": torch.zeros(8)}

    def forward(layer, x):
        held["mean"] = held["mean"].lerp(x.detach().mean(0), 0.1)
        return x - held["mean"]

    return Layer(lambda layer: None, forward)


class Averaged(nn.Module):
    """Parameters that follow others without a gradient."""

    def __init__(self):
        super().__init__()
        self.learned, self.average = nn.Linear(8, 8), nn.Linear(8, 8).requires_grad_(False)

    def forward(self, x):
        if self.training:
            self.average.weight.data.lerp_(self.learned.weight.data, 0.1)
        return self.learned(x) if self.training else self.average(x)


def on_the_way_back(layer, x):
    """Scaled by the size of earlier gradients."""
    y = x * layer.size
    if y.requires_grad:
        y.register_hook(lambda gradient: layer.size.mul_(0.9).add_(0.1 * gradient.norm()))
    return y.clone()


DRIFTING = {
    "BatchNorm": (lambda: nn.BatchNorm1d(8), "running_mean"),
    "BatchNorm, every batch alike": (lambda: nn.BatchNorm1d(8, momentum=None), "running_mean"),
    "InstanceNorm": (
        lambda: nn.Sequential(nn.Unflatten(1, (2, 4)), nn.InstanceNorm1d(2, track_running_stats=True), nn.Flatten()),
        "running_mean",
    ),
    "spectral norm": (lambda: parametrizations.spectral_norm(nn.Linear(8, 8)), "_u"),
    "spectral norm, the older": (lambda: spectral_norm(nn.Linear(8, 8)), "weight_u"),
    "moving mean": (lambda: Layer(buffers(mean=torch.zeros(8)), moving), "mean"),
    "sums put in anew": (lambda: Layer(buffers(total=torch.zeros(8), seen=torch.tensor(0)), reassigned), "total"),
    "moving mean in an attribute": (lambda: Layer(attributes(mean=torch.zeros(8)), moving), "mean"),
    "mean in a NumPy object": (lambda: Layer(attributes(stats=SimpleNamespace(mean=np.zeros(8))), normalized), "mean"),
    "mean in a dictionary": (lambda: Layer(attributes(held={"mean": torch.zeros(8)}), in_table), "mean"),
    "codebook": (lambda: Layer(buffers(codes=torch.randn(5, 8)), coded), "codes"),
    "set by the first batch": (
        lambda: Layer(buffers(shift=torch.zeros(8), done=torch.tensor(False)), initialized),
        "shift",
    ),
    "count that enters": (lambda: Layer(buffers(steps=torch.tensor(0)), warming), "steps"),
    "count in an attribute that enters": (lambda: Layer(attributes(steps=0), warming), "steps"),
    "memory of earlier inputs": (lambda: Layer(attributes(hidden=torch.zeros(8)), remembering), "hidden"),
    "queue of means": (lambda: Layer(attributes(recent=deque(maxlen=5)), queued), "remembers earlier inputs"),
    "mean that no attribute holds": (closed_over, "remembers earlier inputs"),
    "average of parameters": (Averaged, "weight"),
    "size of gradients": (lambda: Layer(buffers(size=torch.tensor(1.0)), on_the_way_back), "size"),
}


class Frozen(nn.BatchNorm1d):
    """A BatchNorm whose statistics no longer change, in either mode."""

    def train(self, mode=True):
        return super().train(False)


def counting(layer, x):
    layer.steps += 1
    layer.calls += 1
    layer.last = x
    return x


def averaged(layer, x):
    """An average that nothing reads."""
    layer.mean.lerp_(x.detach().mean(0), 0.1)
    return x


STILL = {
    "frozen BatchNorm": lambda: Frozen(8).train(),
    "BatchNorm without momentum": lambda: nn.BatchNorm1d(8, momentum=0.0),
    "counts and what was seen last": lambda: Layer(
        lambda layer: (buffers(steps=torch.tensor(0))(layer), attributes(calls=0)(layer)), counting
    ),
    "average that nothing looks at": lambda: Layer(buffers(mean=torch.zeros(8)), averaged),
    "constant table": lambda: Layer(buffers(shift=torch.randn(8)), lambda layer, x: x + layer.shift),
    "older weight norm": lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)),
    "dropout": lambda: nn.Dropout(0.5),
    "frozen layer": lambda: nn.Linear(8, 8).requires_grad_(False),
}


def built(layer):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 8), layer(), nn.Tanh(), nn.Linear(8, 3))


def inputs():
    return torch.randn(6, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", DRIFTING)
@pytest.mark.parametrize("with_example", [True, False])
def test_what_drifts_and_enters_is_refused_by_its_name(kind, with_example):
    layer, name = DRIFTING[kind]
    module = built(layer)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    for method in ("separate", "l2") if with_example else ("separate",):
        own = Network(module, example=inputs()[:1] if with_example else None)
        with pytest.raises(ValueError, match=rf"layer '1.*{name}.*would drift from task to task"):
            keep(own, parse(method), 2)
            module(inputs())
    after = {key: value for key, value in module.state_dict().items() if not key.startswith("kept.")}
    assert all(torch.equal(after[key], before[key]) for key in before)


@pytest.mark.parametrize("method", HOLDING)
def test_every_method_that_would_forget_by_it_refuses_it_and_the_others_don_t(method):
    moved = DRIFTING["moving mean"][0]
    with pytest.raises(ValueError, match=r"layer '1', a Layer, changes 'mean' as it learns"):
        keep(Network(built(moved), example=inputs()[:1]), parse(method), 2)
    for plain in ([], parse("finetune")):  # each task's own heads at most
        keep(Network(built(moved), example=inputs()[:1]), plain, 2)


def test_what_only_enters_once_the_network_has_learned_is_refused_too():
    module = built(DRIFTING["moving mean"][0])
    nn.init.zeros_(module[3].weight)
    with pytest.raises(ValueError, match="layer '1', a Layer, changes 'mean'"):
        keep(Network(module, example=inputs()[:1]), parse("separate"), 2)


@pytest.mark.parametrize("kind", STILL)
def test_what_changes_nothing_or_enters_nothing_is_kept(kind):
    module, own = built(STILL[kind]), inputs()
    kept = keep(Network(module, example=own[:1]), parse("separate"), 2)
    optimizer = torch.optim.Adam(module.parameters(), 0.05)
    kept.attach(optimizer)
    before = None
    for task in range(2):
        kept.learn(task)
        for _ in range(5):
            loss = module(own + task).square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        kept.consolidate(Samples(own))
        module.eval()
        with kept.playing(0), torch.no_grad():
            before = module(own) if before is None else before
            assert torch.equal(module(own), before)
        module.train()


@pytest.mark.parametrize("where", ["by hand", "by the optimizer"])
@pytest.mark.parametrize("with_example", [True, False])
def test_what_other_code_changes_while_a_task_is_learned_is_refused_within_steps(where, with_example):
    """A normaliser that the training loop updates, or an average that an optimizer's step updates."""
    module = built(lambda: Layer(buffers(mean=torch.zeros(8)), lambda layer, x: x - layer.mean))
    kept = keep(Network(module, example=inputs()[:1] if with_example else None), parse("separate"), 2)
    optimizer = torch.optim.SGD(module.parameters(), 0.05)
    kept.attach(optimizer)
    if where == "by the optimizer":
        optimizer.register_step_post_hook(lambda *_: module[1].mean.add_(0.1))
    kept.learn(0)
    with pytest.raises(ValueError, match="layer '1', a Layer, changes 'mean' as it learns"):
        for _ in range(2):
            module(inputs()).sum().backward()
            optimizer.step()
            if where == "by hand":
                module[1].mean += 0.1


@pytest.mark.parametrize("kind", ["moving mean", "mean in a NumPy object", "spectral norm", "BatchNorm"])
@pytest.mark.parametrize(("learner", "policy"), [(PPO, KeptMlpPolicy), (DQN, KeptQPolicy)])
def test_extractors_of_stable_baselines3_that_drift_are_refused(kind, learner, policy):
    class Extractor(BaseFeaturesExtractor):
        def __init__(self, space):
            super().__init__(space, 8)
            self.first, self.second = nn.Linear(4, 8), DRIFTING[kind][0]()

        def forward(self, observations):
            return self.second(self.first(observations))

    kwargs = {"methods": parse("separate"), "tasks": 2, "features_extractor_class": Extractor}
    with pytest.raises(ValueError, match=r"features_extractor.second.*would drift from task to task"):
        learner(policy, gymnasium.make("CartPole-v1"), policy_kwargs=kwargs)
