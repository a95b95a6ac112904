"""Importances of all kinds of layers and wirings, against a loop over single samples: right, or rejected first."""

import copy
import io

import pytest
import torch
from torch import nn

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks import importance
from priorlab.transfer.networks.importance import importance_of
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from tests.support.wirings import TABLE, Wired, between, error_of, vectors, wired

pytestmark = pytest.mark.usefixtures("one_thread")
ALLOWED = 1e-4
refused = [wiring for wiring in TABLE if wiring.refused]
EWC = parse("ewc", heads=False)


@pytest.mark.parametrize("wiring", [each for each in TABLE if not each.refused], ids=lambda wiring: wiring.name)
def test_the_importance_is_that_of_single_samples(wiring):
    values = (wiring.settings or {}).get("likelihood") == "gaussian"
    assert error_of(wiring, "exact", *([] if values else ["empirical"])) < ALLOWED


@pytest.mark.parametrize("wiring", refused, ids=lambda wiring: wiring.name)
def test_what_has_no_importance_is_refused_before_anything_is_learned(wiring):
    with pytest.raises(ValueError, match=wiring.refused) as raised:
        error_of(wiring, "exact")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("wiring", refused, ids=lambda wiring: wiring.name)
def test_without_an_example_it_is_refused_at_the_first_run_at_the_latest(wiring):
    torch.manual_seed(0)
    module, inputs = wiring.build(), wiring.inputs()
    with pytest.raises(ValueError, match=wiring.refused):
        kept = keep(Network(module), EWC, 2)
        kept.learn(0)
        module(inputs)
    if hasattr(module, "kept"):  # and again
        for again in (lambda: module(inputs), lambda: module.kept.consolidate(Samples(inputs))):
            with pytest.raises(ValueError, match=wiring.refused):
                again()


def test_without_an_example_outputs_that_no_input_could_mend_are_refused_by_keep():
    for build, words in (
        (lambda: wired(lambda m, x: (m.out(m.a(x)), m.b(x))), "output is a tuple"),
        (lambda: nn.Sequential(nn.Linear(8, 1), nn.Flatten(0)), r"output for 3 inputs is \(3,\)"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), r"is \(3, 4, 6, 6\)"),
        (lambda: nn.Linear(8, 1), "one number per sample"),
    ):
        with pytest.raises(ValueError, match=words):
            keep(Network(build()), EWC, 2)
    last = wired(lambda m, x: m.out(m.a(x))[:, -1])  # of sequences
    kept = keep(Network(last), EWC, 2)
    kept.consolidate(Samples(torch.randn(5, 4, 8)))


def test_the_first_run_is_tried_once_and_a_copy_tries_its_own():
    module = between(nn.Dropout(0.5))
    keep(Network(module), EWC, 2)
    other = copy.deepcopy(module)
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    for each in (module, other, torch.load(file, weights_only=False)):
        assert each.kept.watch.inputs is None
        torch.manual_seed(3)
        first = each(vectors())
        assert each.kept.watch.inputs is not None and not each._forward_pre_hooks
        torch.manual_seed(3)
        assert torch.equal(each(vectors()), first)  # the trial draws nothing
    assert other.kept.network.module is other


def test_drawn_actions_count_as_taken_ones_do():
    torch.manual_seed(0)
    module, inputs = between(nn.ReLU(inplace=True)), vectors()
    own, names = Network(module), [name for name, _ in module.named_parameters()]
    drawn = module(inputs).softmax(1).detach().multinomial(1, generator=torch.Generator().manual_seed(5))[:, 0]
    sampled = importance_of(own, names, Samples(inputs), "sampled", torch.Generator().manual_seed(5))
    empirical = importance_of(own, names, Samples(inputs, drawn), "empirical")
    for name in names:
        torch.testing.assert_close(sampled[name], empirical[name])


def test_dense_layers_that_are_used_once_are_computed_at_once(monkeypatch):
    """Also if their outputs are then changed in place, and next to layers that are used otherwise."""
    asked = []
    slowly = importance.squares_by_sample
    monkeypatch.setattr(
        importance,
        "squares_by_sample",
        lambda network, rest, *others: asked.append(list(rest)) or slowly(network, rest, *others),
    )
    twice = wired(lambda m, x: m.out(m.b(m.a(m.a(x)).relu_())))
    for module, left in ((between(nn.ReLU(inplace=True)), []), (twice, [["a.weight", "a.bias"]])):
        asked.clear()
        importance_of(Network(module), [name for name, _ in module.named_parameters()], Samples(vectors()))
        assert asked == left


def test_after_a_trial_everything_is_as_it_was():
    class Restless(nn.Module):
        """Writes down all kinds of things that enter nothing."""

        def __init__(self):
            super().__init__()
            self.lin, self.calls, self.seen, self.last = nn.Linear(8, 3), 0, [], {"mean": torch.zeros(8)}
            self.register_buffer("count", torch.zeros((), dtype=torch.int64))

        def forward(self, x):
            self.calls += 1
            self.count += 1
            self.seen.append(len(x))
            self.last["mean"] += x.detach().mean(0)
            self.hidden = self.lin(x)
            return nn.functional.dropout(self.hidden, 0.5, self.training)

    module = Restless().eval()
    module.lin.train()
    before = torch.get_rng_state()
    kept = keep(Network(module, example=vectors()[:1]), EWC, 2)
    importance_of(kept.network, ["lin.weight"], Samples(vectors()))
    assert torch.equal(torch.get_rng_state(), before)
    assert (module.calls, int(module.count), module.seen) == (0, 0, [])
    assert not module.last["mean"].any() and not hasattr(module, "hidden")
    assert not module.training and module.lin.training
    assert all(parameter.grad is None for parameter in module.parameters())


def test_a_network_that_only_takes_what_the_example_holds_is_kept():
    one_hot = Wired(lambda m, x: m.lin(nn.functional.one_hot(x[:, 0].long(), 3).float()), lin=nn.Linear(3, 2))
    keep(Network(one_hot, example=torch.zeros(1, 1, dtype=torch.int64)), EWC, 2)
    roots = Wired(lambda m, x: m.lin(x.sqrt()), lin=nn.Linear(4, 2))
    keep(Network(roots, example=torch.rand(1, 4)), EWC, 2)
    with pytest.raises(ValueError, match="outputs for the example are NaN"):
        keep(Network(Wired(lambda m, x: m.lin(x / 0), lin=nn.Linear(4, 2)), example=torch.rand(1, 4)), EWC, 2)
    with pytest.raises(ValueError, match="parameter 'weight' has no shape yet"):
        keep(Network(nn.LazyLinear(3), heads=("",)), EWC, 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_weights_of_other_precisions_are_held(dtype):
    """A penalty is zero at its anchor, and pulls back to it from elsewhere."""
    torch.manual_seed(0)
    module, inputs = between(nn.Tanh()).to(dtype), vectors().to(dtype)
    kept = keep(Network(module, example=inputs[:1]), parse("ewc:strength=1000", heads=False), 2)
    kept.learn(0)
    kept.consolidate(Samples(inputs))
    kept.learn(1)
    weight = module[0].weight
    for moved in (0.0, 0.5):
        weight.grad = torch.zeros_like(weight)
        weight.data += moved
        kept.before_step()
        assert weight.grad.dtype == dtype and bool((weight.grad > 0).all()) == bool(moved)


class Positions(nn.Module):
    """Adds position embeddings that are drawn for each network and are in no ``state_dict``."""

    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.randn(4, 6), persistent=False)
        self.register_buffer("cache", None, persistent=False)

    def forward(self, inputs):
        return inputs + self.table


def tokens():
    return nn.Sequential(
        nn.Linear(3, 6), Positions(), nn.LayerNorm(6), nn.Linear(6, 6), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3)
    )


@pytest.mark.parametrize("name", ["finetune", "separate", "packing", "progressive", "psp", "ewc", "means"])
def test_a_saved_network_plays_by_buffers_that_are_in_no_state_dict(name, tmp_path):
    """For sequences, in three columns."""
    inputs, kept = torch.randn(5, 4, 3), []
    for seed in range(2):
        torch.manual_seed(seed)
        kept.append(keep(Network(tokens(), example=inputs[:1]), parse(name), 3))
    ours, theirs = (each.network.module for each in kept)
    for task in range(3):
        kept[0].learn(task)
        kept[0].consolidate(Samples(inputs))
    ours[1].cache = torch.ones(2)
    kept[0].save(tmp_path / "kept.pt")
    kept[1].load(tmp_path / "kept.pt")
    assert torch.equal(ours[1].cache, theirs[1].cache)
    for task in range(3):
        with kept[0].playing(task), kept[1].playing(task):
            assert torch.equal(ours(inputs), theirs(inputs))
    del ours[1].cache
    ours[1].register_buffer("other", torch.ones(3), persistent=False)
    kept[0].save(tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"1.other is \(3,\): expected missing, as in this network"):
        kept[1].load(tmp_path / "other.pt")
