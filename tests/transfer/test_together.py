"""Methods together, in any order; what they reject; and how much a column is used, against a slow reference."""

import pytest
import torch
from torch import nn

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.importance import importance_of
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from tests.support.kept_networks import data, kept_by, learn, network, optimizer_of

pytestmark = pytest.mark.usefixtures("one_thread")


def specs(*names):
    return [{"method": name} for name in names]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("own-heads", "psp", "ewc"), ("ewc", "psp", "own-heads")),
        (("psp", "online-ewc"), ("online-ewc", "psp")),
        (("own-heads", "packing"), ("packing", "own-heads")),
        (("means", "psp", "ewc"), ("ewc", "means", "psp")),
    ],
)
def test_the_order_in_which_methods_are_told_changes_nothing(first, second):
    states = []
    for names in (first, second):
        kept = keep(network(), specs(*names), 2, 3)
        optimizer = optimizer_of(kept)
        for task in range(2):
            learn(kept, optimizer, task, steps=8)
        states.append((kept.about, kept.network.module.state_dict()))
    (about, ours), (other, theirs) = states
    assert about == other and all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert ours.keys() == theirs.keys()


def test_importances_that_values_do_not_have_are_refused():
    own = network(likelihood="gaussian")
    for kind in ("sampled", "empirical"):
        with pytest.raises(ValueError, match=f"importance is {kind}: expected exact for a network of values"):
            keep(network(likelihood="gaussian"), parse(f"online-ewc:importance={kind}"), 2)
        with pytest.raises(ValueError, match="which has no probabilities"):
            importance_of(own, ["0.weight"], Samples(*data(0)), kind)


def test_without_what_was_taken_nothing_is_consolidated():
    kept = kept_by("ewc", importance="empirical")
    kept.learn(0)
    before = {key: value.clone() for key, value in kept.network.module.state_dict().items()}
    inputs, labels = data(0)
    with pytest.raises(ValueError, match="importance is empirical: expected samples with `taken`"):
        kept.consolidate(Samples(inputs))
    after = kept.network.module.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before)
    kept.consolidate(Samples(inputs, labels))
    assert any(not torch.equal(value, before[key]) for key, value in kept.network.module.state_dict().items())


@pytest.mark.parametrize(
    "held",
    [
        "a text",
        {"about": ["ewc"], "state": {}},
        {"about": {}, "state": [1]},
        {"about": {"methods": torch.zeros(2)}, "state": {}},
        {"about": {}, "state": {"0.weight": 3}},
        {"about": {}, "state": {0: torch.zeros(1)}},
        {"state": {}},
    ],
)
def test_a_file_of_something_else_is_refused_in_a_line(held, tmp_path):
    torch.save(held, tmp_path / "kept.pt")
    with pytest.raises(ValueError, match=r"kept\.pt: expected a network that Kept.save wrote$"):
        kept_by("ewc").load(tmp_path / "kept.pt")


def test_only_the_part_that_keeps_is_no_layer():
    def module(name):
        layers = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
        layers.add_module(name, nn.Linear(2, 2))
        return Network(layers)

    method = keep(module("kept_features"), parse("psp", heads=False), 2).methods[0]
    assert "kept_features.weight" in [each.weight for each in method.matrices]
    with pytest.raises(ValueError, match="the network has a part 'kept': expected none"):
        keep(module("kept"), parse("psp"), 2)


def test_sensitivity_is_the_mean_of_single_samples_squared_gradients():
    """By columns: the gradients of log p of each action by every layer's input, one sample at a time."""
    kept = kept_by("progressive", heads=True)
    optimizer = optimizer_of(kept)
    for task in range(2):
        learn(kept, optimizer, task)
    with torch.no_grad():
        for adapter in (kept.network.module[place].adapters[1] for place in (3, 5)):
            adapter.alpha.fill_(1.0)  # so that the frozen column matters
    inputs = data(1, 9)[0]
    first, dense, head = (kept.network.module[place] for place in (0, 3, 5))

    def lateral(layer, earlier):
        adapter = layer.adapters[1]
        return adapter.widen(adapter.narrow(adapter.alpha[0] * earlier).relu())

    old, new = (column(inputs).relu().flatten(1).detach() for column in first.columns[:2])  # (n, 36) each
    given, squares = [old, new, None, None], [0.0] * 4
    rows = [[], []]
    for row in range(len(inputs)):
        parts = [part[row : row + 1].clone().requires_grad_() for part in (old, new)]
        older = dense.columns[0](parts[0]).relu()
        newer = (dense.columns[1](parts[1]) + lateral(dense, parts[0])).relu()
        logs = (head.columns[1](newer) + lateral(head, older)).log_softmax(1)[0]
        for choice in range(4):
            found = torch.autograd.grad(logs[choice], [*parts, older, newer], retain_graph=True)
            squares = [
                total + logs[choice].exp().item() * gradient[0].square() / len(inputs)
                for total, gradient in zip(squares, found)
            ]
        for kind, part in zip(rows, (older, newer)):
            kind.append(part.detach())
    given[2:] = [torch.cat(kind) for kind in rows]
    each = torch.stack([(square * part.var(0)).mean() for square, part in zip(squares, given)]).reshape(2, 2)
    found = kept.methods[0].sensitivity(Samples(inputs))
    assert 0.001 < float(each[0, 0] / each[0].sum()) < 0.999
    torch.testing.assert_close(found["3"], each[0] / each[0].sum())
    torch.testing.assert_close(found["5"], each[1] / each[1].sum())
