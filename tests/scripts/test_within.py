"""Studies in which each person plays several versions: their power, what a pilot shows, and simulated players."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.regression.mixed_linear_model import MixedLM

from priorlab.envs.plays.play import Play
from priorlab.envs.results.load import load
from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.designs import Design, counterbalanced, sample_within
from priorlab.scripts.analysis.planning import conclusion, from_pilot, power_at
from priorlab.scripts.analysis.players import sections_of
from priorlab.scripts.analysis.statistics import Played, played
from priorlab.scripts.analysis.within import fit_repeated
from priorlab.scripts.run import run

PAIRED = {"test": "signed-rank", "within": True}
NAMES = Played.__dataclass_fields__


def one(person: str, number: int, version: str, minutes: float, won: bool = True) -> Played:
    """A person's play; what planning does not read is left empty."""
    values = {"version": version, "inputs": minutes * 1800, "won": won, "player": "person", "rate": 30.0, "folder": ""}
    values |= {"outcome": "win" if won else "quit", "settings": {"player_id": person, "number": number}}
    return Played(**(dict.fromkeys(NAMES) | values))


def pilot(design: Design, people: int, seed: int) -> list[Played]:
    (minutes, won), places = sample_within(design, people, np.random.default_rng(seed))
    return [
        one(f"p{i}", int(places[i, k]), version, float(minutes[i, k]), bool(won[i, k]))
        for i in range(people)
        for k, version in enumerate(["original", *design.effects])
    ]


def test_the_signed_rank_test_needs_what_the_t_test_needs_by_its_efficiency():
    """n = z^2 sd^2 / log(effect)^2 of differences with that deviation, times pi / 3 (Lehmann 1975, section 4.3)."""
    design = Design({"slower": 1.3}, spread=0.6, correlation=0.5, practice=1.0, limit=1e9, **PAIRED)
    deviation = math.sqrt(2) * design.within_spread
    n = math.ceil((norm.ppf(0.975) + norm.ppf(0.8)) ** 2 * deviation**2 / math.log(1.3) ** 2 * math.pi / 3)
    (power,) = power_at(design, n, 500)
    assert abs(power.value - 0.8) < 0.05
    assert f"{n} people, {2 * n} plays" in conclusion(design, n)


def test_practice_costs_power_and_finds_nothing_where_nothing_is():
    strong = Design({"a": 1.0, "b": 1.0}, practice=0.5, **PAIRED)
    assert all(each.value < 0.07 for each in power_at(strong, 24, 400))
    slower = [power_at(Design({"a": 1.5}, practice=practice, **PAIRED), 24, 300)[0].value for practice in (1.0, 0.5)]
    assert slower[0] > slower[1] + 0.2


def test_each_version_is_in_each_position_equally_often():
    for versions in (2, 3, 4):
        places = counterbalanced(versions, 12, np.random.default_rng(0))
        assert (np.sort(places) == np.arange(versions)).all()
        assert all((places == at).sum(axis=0).tolist() == [12 // versions] * versions for at in range(versions))


@pytest.mark.parametrize("correlation", [0.3, 0.9])
def test_a_pilot_with_repeated_plays_gives_the_planted_values_back(correlation):
    design = Design(
        {"a": 1.5, "b": 2.5}, 2.0, 0.7, 8.0, 20.0, correlation=correlation, practice=0.7, **PAIRED
    )  # fmt: skip
    found = from_pilot(Design({"a": 2.0}, **PAIRED), pilot(design, 150, 1))
    assert abs(found.spread - 0.7) < 0.05 and abs(found.correlation - correlation) < 0.07
    assert abs(found.practice - 0.7) < 0.03 and abs(found.minutes - 2.0) < 0.2 and abs(found.patience - 8) < 1.2


def test_without_censoring_the_fit_is_that_of_a_mixed_model():
    design = Design({"a": 1.5, "b": 2.5}, limit=1e9, correlation=0.8, **PAIRED)
    plays = pilot(design, 20, 2)
    found = fit_repeated(plays)
    rows = pd.DataFrame([(each.participant, each.version, each.settings["number"]) for each in plays])
    means = np.column_stack([*(rows[1] == name for name in ("a", "b", "original")), rows[2]]).astype(float)
    fit = MixedLM(np.log([each.minutes for each in plays]), means, rows[0]).fit(reml=False)
    between, within = float(np.asarray(fit.cov_re)[0, 0]), float(fit.scale)
    assert found.practice == pytest.approx(math.exp(fit.fe_params[3]), rel=1e-3)
    assert found.spread == pytest.approx(math.sqrt(between + within), rel=1e-3)
    assert found.correlation == pytest.approx(between / (between + within), rel=1e-3)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Design({"a": 2.0}, test="log-rank", within=True), "test must be signed-rank for a within-subjects"),
        (lambda: Design({"a": 2.0}, correlation=1.0, **PAIRED), "correlation must be at least 0 and below 1, got 1"),
        (lambda: Design({"a": 2.0}, practice=0.0, **PAIRED), "practice must be above 0, got 0"),
        (lambda: fit_repeated([one(f"{i}", 0, "original", 2.0) for i in range(9)]), "0 people played more than once"),
        (
            lambda: fit_repeated([one(f"{i}", k, "ab"[k], 2.0 + i + k) for i in range(9) for k in range(2)]),
            "everybody played the versions in one order",
        ),
    ],
)
def test_what_cannot_be_planned_is_rejected_in_a_line(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


def test_simulated_players_play_several_versions_in_a_known_order(tmp_path):
    where = ["--game", "princess", "--versions", "original", "gravity", "--players", "4", "--minutes", "1"]
    run("simulate", [*where, "--within", "--out", str(tmp_path / "within")])
    plays = played(load(tmp_path / "within"))
    orders = {}
    for each in sorted(plays, key=lambda each: each.settings["date"]):
        orders.setdefault(each.participant, []).append(each.version)
    assert sorted(map(tuple, orders.values())) == [("gravity", "original")] * 2 + [("original", "gravity")] * 2
    (section,), _ = sections_of(plays, paired=True)
    (gravity,) = [cell for cell in analyse(section, paired=True).cells if cell.version == "gravity"]
    assert gravity.tests["signed_rank"].n == 4
    run("simulate", [*where, "--repeats", "2", "--out", str(tmp_path / "repeated")])
    files = [Play.load(path) for path in (tmp_path / "repeated").rglob("*.play")]
    assert len(files) == 16 and len({each.player_id for each in files}) == 8
    run("simulate", [*where, "--out", str(tmp_path / "once")])
    once = {Play.load(path).inputs for path in (tmp_path / "once").rglob("*.play")}
    assert once < {each.inputs for each in files}, "the first play depends on the number of plays"
