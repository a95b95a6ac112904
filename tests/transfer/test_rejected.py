"""What methods reject, with one line, before anything is learned: settings, pairs of them, layers, samples, files."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from priorlab.transfer.keeping import check_together, keep, parse
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from tests.support.kept_networks import TASKS, data, kept_by, network

pytestmark = pytest.mark.usefixtures("one_thread")


def places():
    return nn.Sequential(nn.Unflatten(1, (2, 4)), nn.Conv1d(2, 2, 1), nn.Flatten())


class Within(nn.Linear):
    """A layer that includes its nonlinearity."""

    def forward(self, inputs):
        return super().forward(inputs).relu()


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("ewc", {"strength": -1.0}, "strength is -1"),
        ("ewc", {"importance": "some"}, "importance is 'some'"),
        ("online-ewc", {"decay": 2}, "decay is 2: expected 0 to 1"),
        ("psp", {"contexts": "none"}, "contexts is 'none'"),
        ("packing", {"share": 1.5}, "share is 1.5"),
        ("packing", {"retrain": 1.0}, "retrain is 1"),
        ("progressive", {"width": 0}, "width is 0"),
        ("ewc", {"width": 3}, "has no setting 'width'"),
        ("ewc:strength", {}, "'strength': expected a setting and its value"),
        ("ewc:", {}, "'': expected a setting and its value"),
        ("ewc:method=l2", {}, "expected settings of ewc; 'method' is not one"),
        ("hope", {}, "unknown method 'hope'"),
        ("psp+packing", {}, "each decides which task has which weights"),
        ("packing+ewc", {}, "no weight that an earlier task needs can change"),
        ("ewc+l2", {}, "expected one penalty"),
        ("means+means", {}, "expected means once"),
        ("ewc:strength=1,strength=2", {}, "expected each setting once"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_learned(name, settings, words):
    with pytest.raises(ValueError, match=words):
        kept_by(name, **settings)


def test_what_cannot_be_kept_together_is_said():
    with pytest.raises(ValueError, match="expected binary contexts"):
        check_together([{"method": "psp", "contexts": "rotation"}, {"method": "ewc"}])
    with pytest.raises(ValueError, match="methods is 'psp': expected specs, as `parse"):
        keep(network(), "psp", 2)
    with pytest.raises(ValueError, match="both give each task its heads"):
        check_together([{"method": "own-heads"}, {"method": "progressive"}])
    with pytest.raises(ValueError, match="expected separate heads for each task"):
        parse("head-only", heads=False)
    with pytest.raises(ValueError, match="tasks is 0"):
        keep(network(), [], 0)
    with pytest.raises(ValueError, match="task is 3: expected 0 to 2"):
        kept_by("ewc").learn(3)


@pytest.mark.parametrize(
    ("layer", "name", "words"),
    [
        (places(), "psp", "layer '1.1', a Conv1d, can't be superposed"),
        (places(), "packing", "layer '1.1', a Conv1d, can't be packed"),
        (places(), "progressive", "layer '1.1', a Conv1d, can't be given columns"),
        *(
            (nn.BatchNorm1d(8, affine=name != "psp"), name, "layer '1', a BatchNorm1d, keeps running statistics")
            for name in ("ewc", "separate", "scratch", "psp", "means", "head-only")
        ),
        (Within(8, 8), "progressive", "layer '1', a Within, can't be given columns: expected a layer without a nonlin"),
    ],
)
def test_a_layer_that_a_method_cannot_keep_is_named(layer, name, words):
    own = Network(nn.Sequential(nn.Linear(5, 8), layer, nn.Linear(8, 2)), example=torch.zeros(1, 5))
    with pytest.raises(ValueError, match=words):
        keep(own, parse(name), 2)


def test_samples_that_nothing_can_be_kept_on_are_refused():
    inputs, labels = data(0)
    for arguments, words in (
        ((inputs[:0],), "samples have no inputs"),
        ((inputs, labels.float()), "labels or actions are torch.float32: expected a tensor of int64"),
        ((inputs, labels[:3]), "expected .48,., one for each input"),
    ):
        with pytest.raises(ValueError, match=words):
            Samples(*arguments)
    with pytest.raises(ValueError, match="labels or actions are 0 to 9: expected 0 to 3"):
        kept_by("ewc", importance="empirical").consolidate(Samples(inputs, torch.arange(len(inputs)) % 10))


def test_a_network_without_an_example_gets_no_columns():
    with pytest.raises(ValueError, match="an example of its inputs"):
        keep(replace(network(), example=None), parse("progressive"), 2)
    with pytest.raises(ValueError, match="head 'top': expected the name of a module"):
        Network(nn.Sequential(nn.Linear(2, 2)), heads=("top",))


def test_a_file_of_another_method_or_number_of_tasks_is_refused(tmp_path):
    path = tmp_path / "kept.pt"
    kept_by("ewc").save(path)
    for other, words in (
        (kept_by("psp"), "methods is .*expected .*psp"),
        (kept_by("ewc", tasks=5), "tasks is 3: expected 5"),
        (keep(Network(nn.Sequential(nn.Linear(5, 5))), parse("ewc"), TASKS), "expected"),
    ):
        with pytest.raises(ValueError, match=words):
            other.load(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"kept\.pt.*expected a network that"):
        kept_by("ewc").load(path)


def test_loading_runs_no_code_from_the_file(tmp_path):
    class Bomb:
        def __reduce__(self):
            return exec, ("raise SystemExit('ran')",)

    torch.save({"about": Bomb(), "state": {}}, tmp_path / "kept.pt")
    with pytest.raises(ValueError, match="expected a network that"):
        kept_by("ewc").load(tmp_path / "kept.pt")
