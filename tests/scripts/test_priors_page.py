"""The page of the experiment on priors, on rows in which effects were planted."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from priorlab.envs.base.files import read_json
from priorlab.scripts.priors import replication_page, variants_page
from priorlab.scripts.priors.aims import FEW_SEEDS, MET, NONE
from priorlab.scripts.priors.cast import ACTING, AIMLESS, CAST, CONTACT, FULL, LIMITS, MATRIX_FULL, RANDOM, TOLD
from priorlab.scripts.priors.cells import Cells
from priorlab.scripts.priors.experiment import report
from priorlab.scripts.priors.fixed import fix, read_experiment, read_fixed
from priorlab.scripts.priors.matrix import (
    ALL,
    FEW,
    LESS,
    OPEN,
    PLAYERS,
    VERSIONS,
    claim_of,
    matrices_of,
    matrix_of,
)
from priorlab.scripts.priors.page import Found, write_page
from priorlab.scripts.priors.plan import Life, planned
from priorlab.scripts.priors.recorded import read_recorded
from priorlab.scripts.priors.sealed import COLUMNS, RAISED
from priorlab.scripts.priors.slowdowns import find
from priorlab.scripts.priors.tables import common, compute_table
from tests.support.priors_rows import LIMIT, Planting, planted, raised_rows, write_rows, write_sealed

MATRIX = Planting(players=PLAYERS, places=("key_door", "level-005", "level-025"), versions=VERSIONS)
SMALL = Planting(players=(FULL, TOLD, MATRIX_FULL), places=("key_door", "level-005"), versions=VERSIONS, seeds=3)


def test_levels_have_an_interval_of_their_own_and_the_same_relief():
    """With the same relief in every level none is wider than a point; with others it is as wide as they differ."""
    diagonal = np.array([0, *np.linspace(-0.4, 0.4, 4)])  # of levels: the first row is the full player's
    logs = np.random.default_rng(0).normal(7, 0.1, (6, 1, 5, 5)) + np.zeros((6, 4, 1, 1))
    logs[..., 0] = 7
    same = matrix_of("levels", range(6), logs, np.ones((6, 4, 5)))
    logs[:, :, 1, 1] += diagonal[1:]  # without semantics, under masked semantics
    other = matrix_of("levels", range(6), logs, np.ones((6, 4, 5)))
    for matrix, is_wide in ((same, False), (other, True)):
        factor, levels = matrix.factor, matrix.over_levels
        assert factor and levels and levels.low and levels.high and levels.n == 4
        assert levels.value == pytest.approx(factor.value)
        assert (levels.high / levels.low > 1.001) == is_wide
    assert matrix_of(ALL, range(6), logs, np.ones((6, 4, 5))).over_levels is None


@pytest.mark.parametrize("relief", [1.0, 1.6])
def test_intervals_of_the_relief_cover_what_was_planted(relief):
    """Rows and columns removed, three quarters of an effect on the diagonal are left."""
    rng, truth = np.random.default_rng(3), 0.75 * math.log(relief)
    on_diagonal = np.zeros((len(PLAYERS), len(VERSIONS)))
    for row, masks in enumerate(([1, 2], [2], [3, 4], [4]), start=1):  # a mask, and the one that contains it
        on_diagonal[row, masks] = -math.log(relief)
    covered, above = 0, 0
    for _ in range(300):
        logs = 7 + rng.normal(0, 0.5, (8, 1, 5, 5)) + rng.normal(0, 0.2, (8, 3, 5, 5)) + on_diagonal
        logs[..., 0] = 7  # all count
        matrix = matrix_of(ALL, range(8), logs, np.ones((8, 3, 5)))
        relieved = matrix.relief
        assert relieved and relieved.low is not None and relieved.high is not None
        covered += relieved.low <= truth <= relieved.high
        above += matrix.verdict == LESS
    assert 0.91 <= covered / 300 <= 0.98
    assert above / 300 < 0.06 if relief == 1 else above / 300 > 0.5


def test_a_planted_relief_is_found_in_rows_and_none_where_none_is(tmp_path):
    for relief, verdict in ((2.0, LESS), (1.0, OPEN)):
        write_rows(tmp_path, Planting(relief, players=PLAYERS, places=MATRIX.places, versions=VERSIONS))
        matrices = matrices_of(Cells.of(read_recorded(tmp_path)))
        assert matrices[ALL].verdict == verdict and matrices[ALL].by_place.shape == (5, 3, 5, 4)
        assert matrices["levels"].by_place.shape[1] == 2 and "princess" not in matrices
        factor = matrices[ALL].factor
        assert factor and factor.value == pytest.approx(relief**0.75, rel=0.2)
        three = matrices[ALL].factor_without("affordance")
        assert three and three.value == pytest.approx(relief ** (2 / 3), rel=0.2)
    assert "no evidence" in claim_of(matrices[ALL])


def test_seeds_count_only_with_all_players_at_hand_and_near_the_full_one(tmp_path):
    lives = write_rows(tmp_path, MATRIX)
    original, without = lives["version"] == "original", lives["player"] == "without-objects"
    lives.loc[original & without & (lives["seed"] == 1), "inputs"] *= 5
    unsolved = original & (lives["player"] == "without-similarity") & (lives["seed"] == 3)
    lives.loc[unsolved, "solved"] = False
    gone = (lives["player"] == "without-semantics") & (lives["seed"] == 2) & (lives["version"] == "masked_objects")
    write_sealed(tmp_path, lives[~(gone & (lives["place"] == "level-025"))], places=MATRIX.places)
    recorded = read_recorded(tmp_path)
    matrix, found = matrices_of(Cells.of(recorded))[ALL], Found.of(recorded).slowdowns
    assert matrix.seeds == (0, 4) and matrix.verdict == FEW
    assert [name.partition(":")[0] for why in matrix.left_out.values() for name in why] == [
        "without-objects", "without-semantics", "without-similarity",
    ]  # fmt: skip
    assert "fewer than 3 have no interval" in claim_of(matrix)
    write_page(tmp_path)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert all(f"- seed {seed}: without-" in page for seed in (1, 2, 3))
    assert "rows are missing in 1 of 3 places" in page and "no ratio of it: without-semantics, 2." in page
    ratios = [find(found, "without-semantics", group, "masked_objects") for group in ("levels", "key_door")]
    assert [each.over_seeds.n for each in ratios if each and each.over_seeds] == [4, 5]


def test_ratios_are_within_seeds_and_unsolved_lives_count_as_the_limit(tmp_path):
    rows = [
        (player, seed, place, version, life, inputs, solved)
        for player, place in ((FULL, "key_door"), (FULL, "level-005"), (FULL, "level-025"), (TOLD, "key_door"))
        for seed in range(3)
        for version, lives in {
            "original": [(100, True), (300, True)],
            "masked_objects": [(800 * (seed + 1), True), (17, False)] if place == "level-025" else [(400, True)] * 2,
        }.items()
        for life, (inputs, solved) in enumerate(lives)
        if (player, version, seed) != (TOLD, "original", 2)
    ]
    frame = pd.DataFrame(rows, columns=["player", "seed", "place", "version", "life", "inputs", "solved"])
    write_sealed(tmp_path, frame)
    found = Found.of(read_recorded(tmp_path)).slowdowns
    here = find(found, FULL, "key_door", "masked_objects")
    assert here and here.over_seeds and (here.ratio, here.bound, here.extra) == (2, "", 200)
    assert (here.over_seeds.low, here.over_seeds.value, here.over_seeds.n) == pytest.approx((2, 2, 3))  # ties
    levels = find(found, FULL, "levels", "masked_objects")
    assert levels and levels.over_seeds and levels.over_levels and levels.over_levels.low is None
    means = [(800 * k + LIMIT) / 2 / 200 for k in (1, 2, 3)]
    assert levels.bound == ">=" and levels.solved == 0.75
    assert levels.over_seeds.value == pytest.approx(np.exp(np.mean([np.log(2 * mean) / 2 for mean in means])))
    told = find(found, TOLD, "key_door", "masked_objects")
    assert told and told.over_seeds and (told.seeds, told.over_seeds.n, told.over_seeds.low) == (3, 2, None)


def test_any_rows_give_a_page_and_its_words_say_no_more_than_they_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no committed rows of other experiments
    lives = write_rows(tmp_path, SMALL)
    assert "1 met so far, 1 missed, 1 with too few seeds" in write_page(tmp_path)
    aims = Found.of(read_recorded(tmp_path)).aims
    assert {MET, NONE, FEW_SEEDS} < {each.verdict for each in aims}  # Princess was not played
    assert [each.is_final for each in aims].count(False) == 1  # solved everywhere, of which Princess is a part
    assert (tmp_path / "slowdowns-key-door.svg").exists() and not (tmp_path / "matrix-all.svg").exists()
    for name in ("perception.csv", "raised.csv"):
        (tmp_path / name).unlink()
    fixed = read_json(tmp_path / "fixed.json")
    write_sealed(tmp_path, lives[lives["player"] == TOLD].head(1), **fixed)
    none = "So far: no life of the learned player on Key and Door is recorded yet; no aim is decided yet"
    assert write_page(tmp_path) == none
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "so it says nothing" in page and "1 life of 180 planned, of 1 player." in page
    write_sealed(tmp_path, lives[lives["player"] == FULL].head(1).assign(inputs=2000), **fixed)
    assert write_page(tmp_path).endswith("in 2,000 inputs (median); of 9 aims, 1 missed so far, 1 met so far")
    assert {"missed so far", "met so far"} < {each.words for each in Found.of(read_recorded(tmp_path)).aims}


def test_players_see_the_same_places_before_their_sight_is_compared():
    rows = [("full", 0, "key_door"), ("full", 0, "princess"), ("full", 1, "princess"), ("told", 0, "key_door")]
    seen = pd.DataFrame(rows, columns=["player", "seed", "place"]).assign(version="original")
    assert common(seen).index.tolist() == [0, 3]  # Princess is not common, the second seed not finished
    assert not len(common(seen.head(0)))


def test_seconds_that_nobody_counted_are_not_zero(tmp_path):
    write_rows(tmp_path, Planting(players=(FULL,), places=("key_door",), versions=VERSIONS, seeds=2, lives=1))
    recorded = read_recorded(tmp_path)
    for seconds, each in (([math.nan, 3600], "3,600"), ([math.nan] * 2, "\N{EN DASH}"), ([0.001, 0.002], "< 0.01")):
        header, [row] = compute_table(replace(recorded, raised=recorded.raised.assign(seconds=seconds)))
        assert row[header.index("seconds each")] == each
        assert row[-1].startswith("\N{GREATER-THAN OR EQUAL TO} ") == math.isnan(seconds[0])


def planted_variants(folder, name, inputs):
    """Writes a life of each of these players at each place of that experiment, twice as long under a mask; returns the
    finding of its page, and the page."""
    fix(folder, read_experiment(name), "0" * 64, "c0ffee", "1" * 64)
    plan = read_json(folder / "fixed.json")
    rows = [
        (player, 0, place, version, 0, taken * (1 + (version != "original")))
        for player, taken in inputs.items()
        for place in plan["places"]
        for version in plan["versions"]
    ]
    lives = pd.DataFrame(rows, columns=[*Life._fields, "inputs"])
    write_sealed(folder, lives.assign(solved=lives["inputs"] < plan["limit"]), **plan)
    page = next(page for page in variants_page.PAGES if page.name == name)
    finding = variants_page.write_page(page, folder)
    return finding, (folder / "README.md").read_text(encoding="utf-8")


def test_the_page_of_limits_lays_each_player_beside_itself_without(tmp_path):
    (tmp_path / RAISED).write_text(f"{','.join(COLUMNS[RAISED])}\n{FULL},0,50000,,,{'a' * 64}\n", encoding="utf-8")
    finding, page = planted_variants(tmp_path, "limits", {FULL: 100, LIMITS: 300, CONTACT: 110, AIMLESS: 150})
    assert finding.endswith("it learned how it moves, and 150 without its preference for objects")
    assert "| original | 3.00 | 1.10 | 1.50 |" in page and "8 inputs late" in page
    assert "480 lives of 2,880 planned" in page
    assert "| full (rules, patrols, upright) | 1 | 50,000 | \N{EN DASH} | 120 |" in page  # how long is not known


def test_the_page_of_acting_says_who_won(tmp_path):
    finding, page = planted_variants(tmp_path, "acting", {FULL: 100, CONTACT: 110, ACTING: 30_000, RANDOM: LIMIT})
    assert finding.endswith("won 12 of 60 lives, the one that plans 60 of 60, and random play 0 of 60")
    assert "| original | 100 (0.0) | 110 (0.0) | 30,000 (0.0) | \N{GREATER-THAN OR EQUAL TO} 54,000 (0.0) |" in page
    assert read_json(tmp_path / "fixed.json")["acting"] == "1" * 64


def test_a_replication_is_read_once_and_when_all_lives_are_there(tmp_path, capsys):
    plan = read_experiment("replication") | {"places": [*MATRIX.places]}
    [group], planting = plan["groups"], replace(MATRIX, lives=3, relief=2.0)
    lives = planted(planting)
    lives = lives.assign(seed=lives["seed"] + group["first_seed"], life=lives["life"] + group["first_life"])
    raised_rows(planting).to_csv(tmp_path / RAISED, index=False)
    fix(tmp_path, plan, "0" * 64, "c0ffee")
    fixed, described = read_fixed(tmp_path), read_json(tmp_path / "fixed.json")
    assert {Life(*row) for row in lives[[*Life._fields]].itertuples(index=False, name=None)} == {*planned(fixed)}
    for kept, told, words in (
        (lives.iloc[1:], False, ""),
        (lives.iloc[1:], True, "So far: a player"),
        (lives, False, "A player"),
    ):
        write_sealed(tmp_path, kept, **described)
        report(read_fixed(tmp_path), tmp_path, replication_page.write_page, told)
        printed = capsys.readouterr().out
        assert (f"{words} raised without a prior is less slowed" in printed) == bool(words) == ("won" in printed)
        assert (tmp_path / "README.md").exists() == bool(words)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert page == replication_page.readme_of(tmp_path) and "1,125 lives of 1,125 planned" in page
    assert "| all places | 5 of 5 | " in page and (tmp_path / "matrix-all.svg").exists()


def test_what_cannot_be_reported_is_said_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"lives\.csv: no such file: expected a folder in which"):
        write_page(tmp_path)
    write_rows(tmp_path, Planting(players=(TOLD,), places=("key_door",), seeds=1))
    (tmp_path / "raised.csv").write_text("player,seed\n")
    with pytest.raises(ValueError, match=r"raised\.csv: its first line is 'player,seed': expected 'player,seed,pic"):
        read_recorded(tmp_path)
    (tmp_path / "fixed.json").unlink()
    with pytest.raises(ValueError, match=r"fixed\.json: no such file"):
        write_page(tmp_path)
    assert {*CAST} > {*PLAYERS}
