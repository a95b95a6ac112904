"""Methods in the steps of all of torch's optimizers, in each way of stepping: exactly right, or rejected."""

import copy

import pytest
import torch
from torch import nn

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from tests.support.optimizers import DENSE, Pair, X, closure_of, loss, make_optimizer, module, supports

pytestmark = pytest.mark.usefixtures("one_thread")


WAYS = ["plain", "accumulated", "kept gradients", "closure", "closure=", "none", "foreach", "fused", "maximize"]
WAYS += ["closure maximize"]


STEPS = [
    (name, way)
    for name in DENSE
    for way in WAYS
    if (name != "LBFGS" or way.startswith("closure"))
    and (way.split()[-1] not in ("foreach", "maximize", "fused") or supports(name, way.split()[-1]))
]


@pytest.mark.parametrize(("name", "way"), STEPS)
def test_a_step_is_that_of_the_loss_with_the_penalty_written_out(name, way):
    settings = {each: True for each in way.split() if each in ("foreach", "maximize", "fused")}
    pair = Pair(bias=name != "Muon")
    optimizers = [make_optimizer(name, one.parameters(), **settings) for one in (pair.ours, pair.theirs)]
    pair.kept.attach(optimizers[0])
    for _ in range(4):
        said = []
        for one, optimizer, extra in pair.both(optimizers):
            closure = closure_of(one, optimizer, extra, way)
            if way.startswith("closure"):
                said.append(optimizer.step(closure=closure) if way == "closure=" else optimizer.step(closure))
            else:
                closure()
                optimizer.step(None) if way == "none" else optimizer.step()
        pair.same()
        torch.testing.assert_close(*said or (0, 0))


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_line_search_sees_the_penalty(search):
    pair = Pair()
    optimizers = [
        make_optimizer("LBFGS", one.parameters(), lr=1.0, line_search_fn=search) for one in (pair.ours, pair.theirs)
    ]
    pair.kept.attach(optimizers[0])
    for _ in range(3):
        for one, optimizer, extra in pair.both(optimizers):
            optimizer.step(closure_of(one, optimizer, extra))
        pair.same(1e-6)


@pytest.mark.parametrize("unscale", [False, True])
@pytest.mark.parametrize(
    ("name", "fused"),
    [(name, False) for name in DENSE if name != "LBFGS"] + [(name, True) for name in DENSE if supports(name, "fused")],
)
def test_a_penalty_is_scaled_where_gradients_are(name, fused, unscale):
    pair = Pair(bias=name != "Muon")
    settings = {"fused": True} if fused else {}
    optimizers = [make_optimizer(name, one.parameters(), **settings) for one in (pair.ours, pair.theirs)]
    pair.kept.attach(optimizers[0])
    for _ in range(3):
        for one, optimizer, extra in pair.both(optimizers):
            scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
            optimizer.zero_grad()
            scaler.scale(loss(one) + extra()).backward()
            if unscale:
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
        pair.same()


def test_several_optimizers_of_one_network_each_add_their_part():
    pair = Pair()
    ours, theirs = (
        [make_optimizer("SGD", one[0].parameters()), make_optimizer("Adam", one[2].parameters(), maximize=True)]
        for one in (pair.ours, pair.theirs)
    )
    pair.kept.attach(*ours)
    for _ in range(3):
        for one, optimizers, extra in pair.both((ours, theirs)):
            one.zero_grad()
            (loss(one) + extra()).backward()
            for parameter in one[2].parameters():
                parameter.grad.neg_()
            optimizers[0].step(), optimizers[1].step()
        pair.same()


class Warming(torch.optim.SGD):
    """It overrides the step of its class and calls it: torch calls hooks around both."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["lr"] *= 2
        return super().step(closure)


@pytest.mark.parametrize("with_closure", [False, True])
def test_a_step_within_a_step_adds_the_penalty_once(with_closure):
    pair = Pair()
    torch.optim.SGD(pair.theirs.parameters())  # has torch hook its step, too
    optimizers = [Warming(one.parameters(), lr=0.01) for one in (pair.ours, pair.theirs)]
    pair.kept.attach(optimizers[0])
    for _ in range(2):
        for one, optimizer, extra in pair.both(optimizers):
            closure = closure_of(one, optimizer, extra)
            (closure(), optimizer.step()) if not with_closure else optimizer.step(closure)
        pair.same()


def test_an_optimizer_per_parameter_may_step_within_the_backward_pass():
    pair = Pair()
    ours, theirs = ([make_optimizer("Adam", [each]) for each in one.parameters()] for one in (pair.ours, pair.theirs))
    pair.kept.attach(*ours)
    for parameter, optimizer in zip(pair.ours.parameters(), ours, strict=True):
        parameter.register_post_accumulate_grad_hook(lambda _, optimizer=optimizer: optimizer.step())
    for _ in range(2):
        pair.ours.zero_grad(), pair.theirs.zero_grad()
        loss(pair.ours).backward()
        (loss(pair.theirs) + pair.penalty()).backward()
        for optimizer in theirs:
            optimizer.step()
        pair.same()


def test_sparse_gradients_are_made_dense_by_a_penalty():
    pairs = []
    for _ in range(2):
        torch.manual_seed(0)
        pairs.append(nn.Sequential(nn.Embedding(9, 4, sparse=True), nn.Flatten(), nn.Linear(8, 3)))
    ours, theirs = pairs
    kept = keep(Network(ours), parse("l2:strength=3", heads=False), 2)
    kept.consolidate(Samples(torch.zeros(2, 2, dtype=torch.int64)))
    kept.learn(1)
    start = [parameter.detach().clone() for parameter in theirs.parameters()]
    optimizers = [torch.optim.SGD(one.parameters(), lr=0.1) for one in pairs]
    kept.attach(optimizers[0])
    for _ in range(3):
        for one, optimizer in zip(pairs, optimizers):
            said = nn.functional.cross_entropy(one(torch.tensor([[1, 2], [3, 4]])), torch.tensor([0, 2]))
            if one is theirs:
                said = said + 1.5 * sum((w - a).square().sum() for w, a in zip(one.parameters(), start, strict=True))
            optimizer.zero_grad()
            said.backward()
            optimizer.step()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, other)


def test_what_the_loss_does_not_reach_is_pulled_or_else_left_alone():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(5, 3), nn.Linear(5, 3)

        def forward(self, inputs):
            return self.one(inputs)

    torch.manual_seed(0)
    both = Two().double()
    kept = keep(Network(both, heads=("one",)), parse("l2:strength=2", heads=False), 2)
    kept.consolidate(Samples(X))
    kept.learn(1)
    optimizer = torch.optim.Adam(both.parameters(), lr=0.1, weight_decay=0.5)
    kept.attach(optimizer)
    before = both.two.weight.detach().clone()
    loss(both).backward()
    optimizer.step()
    assert torch.equal(both.two.weight, before) and both.two.weight.grad is None
    both.two.weight.data += 1.0
    optimizer.step()
    torch.testing.assert_close(both.two.weight.grad, torch.full_like(before, 2.0))
    assert bool((both.two.weight < before + 1.0).all())


@pytest.mark.parametrize("method", ["packing", "head-only", "progressive"])
def test_lbfgs_moves_nothing_that_no_longer_learns(method):
    """Not even while it evaluates the loss: its directions remember what learned before."""
    torch.manual_seed(0)
    own = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    kept = keep(Network(own, example=X[:1]), parse(method), 2)
    optimizer = torch.optim.LBFGS(own.parameters(), lr=0.5, max_iter=6, line_search_fn="strong_wolfe")
    kept.attach(optimizer)

    def still():
        """All that must not move, one after the other."""
        found = [each.detach().flatten() for name, each in own.named_parameters() if name in kept.held]
        parts = kept.methods[-1].parts() if method == "packing" else ()
        found += [weight.detach()[~kept.methods[-1].learning(owner)] for weight, _, owner in parts]
        return torch.cat([torch.zeros(0), *found])

    def watched():
        assert torch.equal(still(), before)
        return closure_of(own, optimizer, task=task)()

    for task in range(2):
        kept.learn(task)
        start = [each.detach().clone() for each in own.parameters()]
        for share in (0.3, 0.6, 0.9):
            before = still()
            for _ in range(3):
                optimizer.step(watched)
            kept.advance(share)
        assert not all(torch.equal(one, other) for one, other in zip(start, own.parameters(), strict=True))
        kept.consolidate(Samples(X))


class Wrapping(torch.optim.Optimizer):
    """As in a library that steps another optimizer and has no hooks."""

    def __init__(self, optimizer):
        self.optimizer, self.param_groups = optimizer, optimizer.param_groups

    def step(self, closure=None):
        return self.optimizer.step(closure)


class Unscaling(torch.optim.SGD):
    _step_supports_amp_scaling = True

    def step(self, closure=None, grad_scaler=None):
        raise AssertionError("refused before")


def test_steps_in_which_methods_cannot_act_are_refused():
    pair = Pair()
    first, second = [*pair.ours[0].parameters()], [*pair.ours[2].parameters()]
    everything = [*first, *second]
    for optimizers, words in (
        ([], "no optimizer: expected one or several"),
        ([object()], "optimizer is a object: expected a torch.optim.Optimizer"),
        (
            [Wrapping(make_optimizer("SGD", everything))],
            "optimizer is a Wrapping: .* whose steps have hooks, or the one that it wraps",
        ),
        (
            [make_optimizer("SparseAdam", everything)],
            "optimizer is a SparseAdam: expected one that takes the dense gradients",
        ),
        (
            [make_optimizer("Adam", everything, differentiable=True)],
            "optimizer Adam has differentiable=True: expected False",
        ),
        (
            [make_optimizer("SGD", first)],
            "parameter '2.weight' is in none of the optimizers: expected all of them in one call",
        ),
        (
            [make_optimizer("SGD", everything), make_optimizer("SGD", second)],
            "optimizer SGD shares parameters with another",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            pair.kept.attach(*optimizers)
    before = [parameter.detach().clone() for parameter in everything]
    pair.kept.attach(Unscaling(everything, 0.1))
    loss(pair.ours).backward()
    with pytest.raises(ValueError, match="optimizer Unscaling unscales gradients within its step"):
        pair.kept.attached.optimizers[0].step(grad_scaler=torch.amp.GradScaler("cpu"))
    foreign = make_optimizer("SGD", module().parameters())
    pair.kept.attach(foreign)
    with pytest.raises(ValueError, match=r"parameter '0.weight' has a gradient but is in no attached optimizer"):
        foreign.step()
    assert all(torch.equal(one, other) for one, other in zip(before, everything, strict=True))
    keep(Network(module()), parse("scratch", heads=False), 2).attach(
        make_optimizer("SparseAdam", everything)
    )  # adds nothing


def test_parameters_that_the_network_got_since_it_was_kept_are_refused():
    pair = Pair()
    pair.ours.add_module("more", nn.Linear(3, 3))
    with pytest.raises(ValueError, match=r"parameter 'more.bias' is \(3,\): expected missing, as when the network was"):
        pair.kept.learn(2)
    copied = copy.deepcopy(Pair().ours)
    copied.kept.attach(make_optimizer("SGD", copied.parameters()))  # a copy is attached to nothing by itself


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch uses to compile
def test_a_compiled_step_adds_the_penalty():
    pair = Pair()
    optimizers = [make_optimizer("Adam", one.parameters()) for one in (pair.ours, pair.theirs)]
    pair.kept.attach(optimizers[0])
    for _ in range(3):
        for one, optimizer, extra in pair.both(optimizers):
            closure_of(one, optimizer, extra)()
            torch.compile(optimizer.step, backend="eager")()
        pair.same()


@pytest.mark.parametrize("method", ["packing", "head-only", "separate"])
@pytest.mark.parametrize("name", DENSE)
def test_a_tasks_outputs_stay_the_same_bit_for_bit_with_closures(name, method):
    torch.manual_seed(0)
    own = module(bias=name != "Muon")
    kept = keep(Network(own), parse(method), 3)
    optimizer, said = make_optimizer(name, own.parameters()), []
    kept.attach(optimizer)
    for task in range(3):
        kept.learn(task)
        for share in (0.3, 0.6, 1.0):
            optimizer.step(closure_of(own, optimizer, task=task % 2))
            kept.advance(share)
        kept.consolidate(Samples(X))
        for earlier in range(task + 1):
            with kept.playing(earlier), torch.no_grad():
                said.append(own(X)) if earlier == task else None
                assert torch.equal(own(X), said[earlier])


class Holding(torch.optim.SGD):
    """Steps an optimizer that it wraps, as those do that look ahead or are distributed over processes."""

    def step(self, closure=None):
        return self.inner.step(closure)


def test_an_optimizer_that_is_not_attached_is_rejected_if_methods_must_act():
    pair = Pair()
    pair.kept.attach(make_optimizer("SGD", pair.ours.parameters()))
    copied, optimizer = copy.deepcopy((pair.ours, pair.kept.attached.optimizers[0]))
    before = [parameter.detach().clone() for parameter in pair.ours.parameters()]
    for one, other in ((copied, optimizer), (pair.ours, make_optimizer("Adam", pair.ours.parameters()))):
        loss(one).backward()
        with pytest.raises(ValueError, match=r"steps parameter '0.weight' of a network whose methods are not attached"):
            other.step()
        assert all(torch.equal(*each) for each in zip(before, one.parameters(), strict=True))
    outer = Holding(pair.ours.parameters(), lr=0.1)
    outer.inner = make_optimizer("SGD", pair.ours.parameters())
    for attached in (outer, outer.inner):
        pair.kept.attach(attached)
        outer.step()
    make_optimizer("SGD", module().parameters()).step()  # of another network
