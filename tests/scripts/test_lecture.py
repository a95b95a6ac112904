"""The lecture's experiments at their smallest, their rows, and the pages made of them."""

import re
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import torch

from priorlab.scripts.commands.lecture import main
from priorlab.scripts.lecture import backed, learning, lives_beside, runs
from priorlab.scripts.lecture.catalogue import CLAIMS, find_claim
from priorlab.scripts.lecture.claims import compression, fast, fast_games, features, looks
from priorlab.scripts.lecture.objects import SIDE, labelled, some_classes
from priorlab.scripts.lecture.page import judged, write_site
from priorlab.scripts.lecture.runs import Request, measure, measure_missing, read
from priorlab.transfer import supervised
from tests.support.priors_rows import write_sealed

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = {"quick": True, "seeds": 2, "workers": 1}
SHORTER = {  # than quick runs: with as many figures, lines and points
    "curriculum": "steps=3",
    "features": "steps=2,tuning=2",
    "low_shot": "episodes=1,steps=3",
    "matching": "episodes=1,steps=3",
    "neighbours": "episodes=2,steps=3",
}
FEWER = {  # pictures, tests and looks, which are not among a claim's settings
    backed: {"PICTURES": 500, "TESTED": 250}, compression: {"LEARNED": 1152, "TESTED": 360},
    fast: {"TESTS": 6, "TRIED": 4}, fast_games: {"LOOKS": 4}, features: {"TESTED": 15}, learning: {"KNOWN": 1920},
    looks: {"PICTURES": 1152, "TESTED": 270, "COPIES": 1}, supervised: {"POINTS": 1},
}  # fmt: skip
measured = cache(measure)  # a run is the same each time, as a test below shows; so each is measured once for all tests


@pytest.fixture(autouse=True)
def fewer(monkeypatch):
    """In each test, since what was measured serves others."""
    for module, constants in FEWER.items():
        for constant, value in constants.items():
            monkeypatch.setattr(module, constant, value)


def in_this_process(_, jobs, *others):
    return ((job, measured(*job)) for job in jobs)


def at(rows, figure, line, x):
    return next(row[3] for row in rows if row[:2] == (figure, line) and np.isclose(row[2], x))


@pytest.mark.parametrize("name", CLAIMS)
def test_each_experiment_gives_what_its_figures_and_answers_ask_for(name):
    claim = find_claim(name)
    rows, _ = measured(name, SHORTER.get(name, ""), 0, True)
    assert all(np.isfinite(row[2]) and np.isfinite(row[3]) for row in rows)
    for figure in claim.figures:
        own = [row for row in rows if row[0] == figure.name]
        assert {row[1] for row in own} == set(figure.lines)
        if figure.percent:
            assert all(0 <= row[3] <= 1 for row in own)
        if figure.ticks:
            assert {row[2] for row in own} == set(range(len(figure.ticks)))
    assert {row[0] for row in rows} == {figure.name for figure in claim.figures}
    table = pd.DataFrame(rows, columns=["figure", "line", "x", "value"]).assign(seed=0)
    for answer in claim.answers:
        assert "not measured" not in vars(judged(answer, claim, table)).values()
    CERTAIN.get(name, lambda rows: None)(rows)


def backed_surely(rows):
    assert at(rows, "width", "as in training", 32) > at(rows, "width", "exchanged", 32)


def looks_surely(rows):
    own, new, alien = (
        at(rows, "looks", line, 1)
        for line in ("other pictures of the same drawings", "drawings never seen", "alien looks")
    )
    assert own > new > alien


def drift_surely(rows):
    last = max(row[2] for row in rows)
    assert at(rows, "time", "drifting, separate", last) > at(rows, "time", "drifting", last)


def compression_surely(rows):
    least = min(row[2] for row in rows)
    assert at(rows, "classifier", "removed at once", least) < at(rows, "classifier", "removed, then trained on", 1)


def exploration_surely(rows):
    last = max(row[2] for row in rows)
    assert at(rows, "places", "agents", last) > at(rows, "places", "simulated players", last)


def inputs_surely(rows):
    assert at(rows, "first", "simulated players", 3) > at(rows, "first", "simulated players", 0)


def capacity_surely(rows):
    held = [at(rows, "held_small", "separate networks", learned) for learned in (1, 2, 3)]
    assert held == sorted(held)  # what a network of its own holds, it never loses


CERTAIN = {  # what holds by construction, however small the experiment
    "inputs": inputs_surely,
    "spurious": backed_surely,
    "looks": looks_surely,
    "drift": drift_surely,
    "compression": compression_surely,
    "capacity": capacity_surely,
    "exploration": exploration_surely,
}


def test_classes_are_drawings_in_many_colours_and_places_and_those_held_out_are_others():
    rng = np.random.default_rng(0)
    classes = some_classes(40, rng)
    assert len(set(classes.tolist())) == 40
    pictures, labels = labelled(classes, 3, "training", rng)
    assert pictures.shape == (120, 3, SIDE, SIDE) and labels.tolist() == np.arange(40).repeat(3).tolist()
    assert len(pictures.unique(dim=0)) == 120 and pictures.abs().max() <= 1
    others, _ = labelled(classes, 3, "held_out", np.random.default_rng(0))
    same, _ = labelled(classes, 3, "training", np.random.default_rng(0))
    assert not torch.equal(others, same)
    with pytest.raises(ValueError, match="classes must be 1 to 2304, the number of drawings, got 3000"):
        some_classes(3000, rng)


def test_a_run_is_the_same_each_time_and_another_with_another_seed():
    short = SHORTER["neighbours"]
    once, other = (measured("neighbours", short, seed, True)[0] for seed in (0, 1))
    again, _ = measure("neighbours", short, 0, small=True)
    assert once == again != other


def test_what_is_measured_is_kept_and_not_measured_again(tmp_path, monkeypatch):
    request = Request(claims=("inputs",), out=tmp_path, **QUICK)
    measure_missing(request)  # in a process of its own
    before = read(tmp_path)
    assert before.runs["seed"].tolist() == [0, 1] and set(before.rows["change"]) == {""}
    here = [row for seed in (0, 1) for row in measured("inputs", "", seed, True)[0]]
    assert np.allclose(before.rows["value"], [row[3] for row in here], rtol=1e-5)  # rows have six digits
    monkeypatch.setattr(runs, "side_by_side", lambda work, jobs, *_: pytest.fail(str(jobs)) if jobs else iter(()))
    measure_missing(request)
    pd.testing.assert_frame_equal(read(tmp_path).rows, before.rows)
    monkeypatch.setattr(runs, "side_by_side", in_this_process)
    measure_missing(Request(claims=("inputs",), change="players=1", out=tmp_path, **QUICK))
    after = read(tmp_path)
    assert set(after.runs["change"]) == {"", "players=1"}
    pd.testing.assert_frame_equal(after.rows[after.rows["change"] == ""].reset_index(drop=True), before.rows)
    with pytest.raises(ValueError, match="players"):
        measure_missing(Request(claims=("inputs",), out=tmp_path))  # other settings: never mixed
    after.rows[after.rows["figure"] != "first"].to_csv(tmp_path / "rows.csv", index=False)  # of an older experiment
    assert not len(read(tmp_path).rows)


def test_a_change_has_one_form():
    claim = find_claim("spurious")
    forms = ("steps=200,agreement=0.9", "agreement=.90, steps= 200", "agreement=0.9,steps=200")
    assert {claim.normal_form(form) for form in forms} == {"agreement=0.9,steps=200"}
    assert claim.normal_form("agreement=0.95") == "" != claim.normal_form("agreement=1")
    request = Request(claims=("spurious",), change="steps=300", seeds=1)
    assert request.runs() == [("spurious", "", 0)]


def test_one_claim_that_fails_leaves_the_pages_of_the_others(tmp_path, monkeypatch):
    def one_by_one(work, jobs, *_):
        for job in jobs:
            if job[0] == "capacity":
                yield job, measured(*job)
        raise ValueError("1 of 2 failed, the others are kept: drift, : out of paint")

    monkeypatch.setattr(runs, "side_by_side", one_by_one)
    with pytest.raises(ValueError, match="out of paint"):
        main(Request(claims=("capacity", "drift"), out=tmp_path, quick=True, seeds=1))
    assert (tmp_path / "capacity.html").exists() and "drift" in (tmp_path / "index.html").read_text(encoding="utf-8")


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src")]


def test_the_site_opens_offline_and_leads_everywhere(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "side_by_side", in_this_process)
    for request in (
        Request(claims=("capacity", "inputs"), out=tmp_path, **QUICK),
        Request(claims=("capacity",), change="small=32,tasks=2", out=tmp_path, **QUICK),
    ):
        measure_missing(request)
    index = write_site(tmp_path, read(tmp_path))
    for page in (index, *(tmp_path / f"{name}.html" for name in ("capacity", "inputs"))):
        links = Links()
        text = page.read_text(encoding="utf-8")
        links.feed(text)
        assert all((tmp_path / link).exists() for link in links.found)
        assert "://" not in re.sub(r"http://www.w3.org/\S+", "", text)
    capacity = (tmp_path / "capacity.html").read_text(encoding="utf-8")
    assert "With tasks = 2, small = 32" in capacity and "Nothing follows from it" in capacity
    numbers = pd.read_csv(tmp_path / "capacity" / "held_small-tasks=2-small=32.csv")
    assert set(numbers["x"]) == {1, 2} and set(numbers["seed"]) == {0, 1}
    assert (tmp_path / "capacity" / "held_small.svg").read_text(encoding="utf-8").startswith("<svg xmlns=")


def test_an_answer_holds_by_differences_seed_by_seed():
    claim = find_claim("capacity")
    answer = claim.answers[0]  # EWC above fine-tuning
    rows = [("held_small", "EWC", 3, seed, 2.0 + seed) for seed in range(5)]
    rows += [("held_small", "fine-tuning", 3, seed, 1.5 + seed + 0.01 * (seed % 2)) for seed in range(5)]
    table = pd.DataFrame(rows, columns=["figure", "line", "x", "seed", "value"])
    assert judged(answer, claim, table).verdict == "holds"
    table["line"] = table["line"].map({"EWC": "fine-tuning", "fine-tuning": "EWC"})
    assert judged(answer, claim, table).verdict == "does not hold"
    table.loc[table["line"] == "EWC", "value"] = [9.0, 0, 9, 0, 9]
    assert judged(answer, claim, table).verdict == "inconclusive"
    assert judged(answer, claim, table[table["seed"] == 0]).verdict == "inconclusive"


def test_lives_of_the_sealed_experiment_stand_beside_the_claim_once_there_are_some(tmp_path, monkeypatch):
    monkeypatch.setattr(lives_beside, "KEPT", tmp_path)
    assert lives_beside.beside() == []
    rows = [("matrix-full", seed, place, "original", 100 * (seed + 1), place == "key_door") for seed in (0, 1)
            for place in ("key_door", "level-005", "level-025", "level-025")]  # fmt: skip
    rows += [("told", 0, "key_door", "gravity", 5, True), ("full", 0, "key_door", "original", 5, True)]
    table = pd.DataFrame(rows, columns=["player", "seed", "place", "version", "inputs", "solved"])
    write_sealed(tmp_path, table.assign(life=0))
    first, second = find_claim("priors").beside()
    assert (first.what, second.what) == ("Key and Door: learned", "random levels: learned")
    assert first.values.tolist() == second.values.tolist() == [100, 200]
    assert (first.note, second.note) == ("2 of 2 lives won", "0 of 6 lives won")


def test_what_there_is_not_is_refused_in_a_line(tmp_path):
    for arguments, message in (
        ({"claims": ("nonsense",)}, "unknown claim 'nonsense': expected one of inputs, features"),
        ({"change": "ways=3"}, "change 'ways=3' needs --claims with the one claim"),
        ({"claims": ("neighbours",), "change": "way=3"}, "expected name=value, name one of classes, steps, ways"),
        ({"claims": ("neighbours",), "change": "ways=many"}, "ways must be a whole number, got 'many'"),
        ({"claims": ("neighbours",), "change": "k=0"}, "k must be above 0, got 0"),
        ({"claims": ("neighbours",), "change": "ways=1"}, "ways must be at least 2 and at most 64, got 1"),
        ({"claims": ("features",), "change": "labels=101"}, "labels must be above 0 and at most 100, got 101"),
        ({"claims": ("spurious",), "change": "agreement=1.5"}, "agreement must be above 0 and at most 1, got 1.5"),
        ({"claims": ("spurious",), "change": "steps=inf"}, "steps must be a whole number, got 'inf'"),
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        (
            {"claims": ("fast",), "change": "data=letters"},
            "data must be one of digits, mnist.*, got 'letters'",
        ),
        ({"claims": ("fast",), "change": "data=omniglot"}, "data is omniglot: expected"),
    ):
        with pytest.raises(ValueError, match=message):
            Request(**arguments)
    with pytest.raises(ValueError, match="no rows: expected one claim or more"):
        main(Request(out=tmp_path, report_only=True))
