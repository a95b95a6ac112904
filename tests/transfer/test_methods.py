"""Each method against a slow and obvious reference."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.importance import importance_of
from priorlab.transfer.networks.initialization import Initialization
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from tests.support.kept_networks import NAMES, TASKS, data, kept_by, learn, network, optimizer_of, outputs_of, step

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_importance_of_a_parameter_is_the_mean_of_single_samples_squared_gradients():
    inputs, labels = data(0, 7)
    for kind in ("exact", "empirical", "values"):
        own = network(likelihood="gaussian" if kind == "values" else "categorical")
        module, names = own.module, list(own.parameters())
        expected = {name: torch.zeros_like(each) for name, each in module.named_parameters()}
        for one, label in zip(inputs, labels):
            out = module(one[None])[0]
            logs = out.log_softmax(0)
            for choice in range(4):
                weight = {"exact": logs[choice].exp().item(), "empirical": float(choice == label), "values": 1.0}[kind]
                of = out if kind == "values" else logs
                gradients = torch.autograd.grad(of[choice], list(module.parameters()), retain_graph=True)
                for name, gradient in zip(expected, gradients):
                    expected[name] += weight * gradient.square() / len(inputs)
        kinds = "exact" if kind == "values" else kind
        for at_once in (1, 10**9):  # one sample at a time, and all
            found = importance_of(own, names, Samples(inputs, labels), kinds, at_once=at_once)
            for name in names:
                torch.testing.assert_close(found[name], expected[name])


def test_sampled_importance_converges_to_the_exact_one():
    own, (inputs, _) = network(), data(0, 8)
    names = list(own.parameters())
    exact = importance_of(own, names, Samples(inputs))
    many = Samples(inputs.repeat(500, 1, 1, 1))
    sampled = importance_of(own, names, many, "sampled", torch.Generator().manual_seed(0))
    for name in names:
        assert (sampled[name] - exact[name]).norm() < 0.1 * exact[name].norm()


@pytest.mark.parametrize(
    ("name", "kind"), [("l2", None), ("ewc", "exact"), ("online-ewc", "exact"), ("ewc", "empirical")]
)
def test_a_penalty_pulls_as_its_written_form_does(name, kind):
    """Compared with autograd of the penalty, written out as a sum over tasks."""
    kept = kept_by(name, heads=False, strength=3.0, **{"importance": kind} if kind else {})
    optimizer, decay = optimizer_of(kept), 0.95
    written = []  # of each task: its importances and where it left the weights
    for task in range(2):
        learn(kept, optimizer, task)
        shared = kept.network.shared()
        importance = importance_of(kept.network, list(shared), Samples(*data(task)), kind or "exact")
        if name == "l2":
            importance = {each: torch.ones_like(value) for each, value in importance.items()}
        written.append((importance, {each: value.detach().clone() for each, value in shared.items()}))
    if name == "l2":
        written = written[-1:]
    if name == "online-ewc":  # one anchor, with all importances, the earlier ones faded
        faded = {each: decay * written[0][0][each] + written[1][0][each] for each in written[0][0]}
        written = [(faded, written[1][1])]
    shared = kept.network.shared()
    for parameter in shared.values():
        parameter.data += 0.1 * torch.randn_like(parameter)
        parameter.grad = torch.zeros_like(parameter)
    penalty = sum(
        (3.0 / 2) * (importance[each] * (shared[each] - anchor[each]) ** 2).sum()
        for importance, anchor in written
        for each in shared
    )
    expected = torch.autograd.grad(penalty, list(shared.values()))
    kept.before_step()
    for parameter, gradient in zip(shared.values(), expected):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["l2", "ewc", "online-ewc"])
def test_a_penalty_is_zero_at_its_anchor_and_is_not_clipped(name):
    kept = kept_by(name, strength=1e4)
    optimizer = optimizer_of(kept)
    learn(kept, optimizer, 0)
    kept.learn(1)
    for parameter in kept.network.shared().values():
        parameter.grad = torch.zeros_like(parameter)
    kept.before_step()
    assert all(bool((each.grad == 0).all()) for each in kept.network.shared().values())
    for parameter in kept.network.shared().values():
        parameter.data += 1.0
    seen = {}
    optimizer.register_step_pre_hook(lambda *_: seen.update(norm=nn.utils.get_total_norm(
        [each.grad for each in kept.network.shared().values()])))  # fmt: skip
    step(kept, optimizer, 1)
    assert seen["norm"] > 50  # the task's own gradient was clipped to .5


def test_methods_act_once_in_each_step_of_the_optimizer_they_were_last_attached_to():
    kept = kept_by("l2", strength=10.0)
    earlier = optimizer_of(kept)  # attaches them
    learn(kept, earlier, 0)
    kept.learn(1)
    shared = list(kept.network.shared().values())
    optimizer = torch.optim.SGD(shared, lr=0.0)
    kept.attach(optimizer)
    kept.attach(optimizer)
    copy.deepcopy(kept.network.module).kept.attach(torch.optim.SGD(shared, lr=0.0))  # changes nothing of this one
    for parameter in shared:
        parameter.grad = torch.ones_like(parameter)
        parameter.data += 1.0
    optimizer.step()
    with pytest.raises(
        ValueError, match=r"optimizer Adam steps parameter '0.weight' of a network whose methods are not"
    ):
        earlier.step()
    for parameter in shared:
        torch.testing.assert_close(parameter.grad, torch.full_like(parameter, 1.0 + 10.0), rtol=1e-4, atol=0)


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize("name", ["separate", "head-only", "random-column", "progressive", "packing"])
def test_a_tasks_outputs_stay_the_same_bit_for_bit(name, to_none):
    """Also if gradients are zero rather than None, by which an optimizer's momentum would move what is frozen."""
    kept = kept_by(name)
    optimizer, before = optimizer_of(kept), []
    if not to_none:
        optimizer.zero_grad = partial(optimizer.zero_grad, set_to_none=False)
    for task in range(TASKS):
        learn(kept, optimizer, task)
        before.append(outputs_of(kept, task))
        for earlier in range(task + 1):
            assert torch.equal(outputs_of(kept, earlier), before[earlier])


def test_a_progressive_column_computes_the_equation():
    kept = kept_by("progressive")
    optimizer = optimizer_of(kept)
    learn(kept, optimizer, 0)
    learn(kept, optimizer, 1)
    inputs = data(1)[0]
    first, dense, head = (kept.network.module[place] for place in (0, 3, 5))

    def lateral(layer, earlier):
        adapter = layer.adapters[1]
        return adapter.widen(adapter.narrow(adapter.alpha[0] * earlier).relu())

    old = first.columns[0](inputs).relu().flatten(1)
    new = first.columns[1](inputs).relu().flatten(1)
    older, newer = dense.columns[0](old).relu(), (dense.columns[1](new) + lateral(dense, old)).relu()
    torch.testing.assert_close(kept.network.module(inputs), head.columns[1](newer) + lateral(head, older))


def test_sensitivity_shares_each_layer_out_among_its_columns():
    kept = kept_by("progressive")
    optimizer = optimizer_of(kept)
    for task in range(TASKS):
        learn(kept, optimizer, task)
    for shares in kept.methods[0].sensitivity(Samples(data(2)[0])).values():
        assert shares.shape == (TASKS,) and abs(float(shares.sum()) - 1) < 1e-5
    head = kept.network.module[5]
    head.adapters[2].widen.weight.data.zero_()  # now nothing comes from earlier columns into the head
    assert kept.methods[0].sensitivity(Samples(data(2)[0]))["5"].tolist() == [0.0, 0.0, 1.0]


def test_packing_gives_each_task_its_share_and_later_ones_use_it():
    kept = kept_by("packing", heads=False)
    optimizer = optimizer_of(kept)
    for task in range(TASKS):
        learn(kept, optimizer, task)
    for weight, packed, owner in kept.methods[0].parts():
        counts = [int((owner == task).sum()) for task in range(TASKS)]
        assert sum(counts) == owner.numel() and max(counts) - min(counts) <= 2
        assert torch.equal(weight, packed)  # the last task sees all
        assert all(bool((packed[owner == task] != 0).any()) for task in range(TASKS))  # and has weights that learned
    with pytest.raises(ValueError, match="task 1 is packed"):
        kept.learn(1)


@pytest.mark.parametrize("name", NAMES)
def test_saved_between_two_tasks_it_continues_as_if_never_stopped(name, tmp_path):
    whole, first, second = (kept_by(name, seed=4) for _ in range(3))
    optimizer = optimizer_of(whole)
    learn(whole, optimizer, 0)
    optimizer.state.clear()
    learn(whole, optimizer, 1)
    learn(first, optimizer_of(first), 0)
    first.save(tmp_path / "kept.pt")
    second.load(tmp_path / "kept.pt")
    learn(second, optimizer_of(second), 1)
    ours, theirs = (each.network.module.state_dict() for each in (whole, second))
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_and_a_file_are_kept_apart_and_playing_changes_nothing(name, tmp_path):
    kept = kept_by(name)
    optimizer = optimizer_of(kept)
    learn(kept, optimizer, 0)
    before = {key: value.clone() for key, value in kept.network.module.state_dict().items()}
    flags = [each.requires_grad for each in kept.network.module.parameters()]
    torch.save(kept.network.module, tmp_path / "whole.pt")
    for other in (copy.deepcopy(kept.network.module), torch.load(tmp_path / "whole.pt", weights_only=False)):
        assert all(torch.equal(value, before[key]) for key, value in other.state_dict().items())
        other.kept.learn(2)
        other.kept.consolidate(Samples(*data(2)))
    for task in range(TASKS):
        outputs_of(kept, task)
    after = kept.network.module.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before)
    assert [each.requires_grad for each in kept.network.module.parameters()] == flags


def test_playing_another_task_leaves_gradients_and_what_the_user_froze():
    kept = kept_by("progressive")
    optimizer = optimizer_of(kept)
    kept.learn(1)
    step(kept, optimizer, 1)
    weight = kept.network.module[0].columns[1].weight
    gradient, bias = weight.grad.clone(), kept.network.module[0].columns[1].bias.requires_grad_(False)
    outputs_of(kept, 0)
    assert torch.equal(weight.grad, gradient) and weight.requires_grad and not bias.requires_grad


def test_what_was_frozen_stays_frozen():
    own = network()
    own.module[0].weight.requires_grad_(False)
    kept = keep(own, parse("ewc"), 2)
    kept.learn(1)
    assert [name for name, each in own.module.named_parameters() if not each.requires_grad] == ["0.weight"]


def test_new_weights_are_drawn_as_the_first_ones_were():
    generator = torch.Generator().manual_seed(0)
    for shape in ((30, 50), (50, 30), (8, 3, 4, 4)):
        drawn = Initialization.of(nn.init.orthogonal_(torch.empty(shape), 0.5)).draw(generator).flatten(1)
        product = drawn @ drawn.T if shape[0] < drawn.shape[1] else drawn.T @ drawn
        torch.testing.assert_close(product, 0.25 * torch.eye(len(product)), rtol=1e-4, atol=1e-5)
    plain = 0.3 * torch.randn(100, 100)
    assert abs(Initialization.of(plain).draw(generator).std() - plain.std()) < 0.01
    assert Initialization.of(torch.full((5,), 2.0)).draw(generator).tolist() == [2.0] * 5


def test_a_layer_with_more_rows_than_samples_has_an_importance_too():
    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.each, self.all = nn.Linear(4, 3), nn.Linear(9, 2)

        def forward(self, inputs):
            rows = self.each(inputs.reshape(-1, 4))  # (n, 12) -> (3 n, 4)
            return self.all(rows.reshape(len(inputs), 9))  # (3 n, 3) -> (n, 9)

    torch.manual_seed(0)
    own = Network(Rows())
    for n in (1, 6):
        inputs, expected = torch.randn(n, 12), 0.0
        for one in inputs:
            logs = own.module(one[None])[0].log_softmax(0)
            for log in logs:
                gradient = torch.autograd.grad(log, own.module.each.weight, retain_graph=True)[0]
                expected = expected + log.exp().detach() * gradient.square() / n
        torch.testing.assert_close(importance_of(own, ["each.weight"], Samples(inputs))["each.weight"], expected)


def test_methods_draw_from_their_seed_alone():
    for name in NAMES:
        own = network()
        before = torch.get_rng_state()
        keep(own, parse(name), TASKS)
        assert torch.equal(torch.get_rng_state(), before), name
