"""How plays go: entropy, deaths over time, learning over repeated plays, against definitions and planted truth."""

from dataclasses import replace

import numpy as np
import pytest

from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.entropy import entropy, least_bias, matched, of_run
from priorlab.scripts.analysis.further_tables import COLUMNS, FILES, further_tables
from priorlab.scripts.analysis.learning import attempts_of, episodes_of
from priorlab.scripts.analysis.players import kinds_of, sections_of
from priorlab.scripts.analysis.recurrent import mean_deaths
from priorlab.scripts.analysis.statistics import Played
from priorlab.scripts.analysis.tables import meaning_of
from priorlab.scripts.report.courses import PANELS, entropy_table, learning_table, panels_of
from tests.scripts.test_compare import play

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")


def test_the_entropy_is_that_of_the_shares_of_time():
    assert entropy(np.array([5, 5, 5, 5])) == 2 and entropy(np.array([7, 0])) == 0
    assert entropy(np.array([1, 3])) == pytest.approx(0.25 * 2 + 0.75 * np.log2(4 / 3))
    assert np.isnan(entropy(np.zeros(3)))


def test_the_least_bias_is_that_of_independent_observations():
    generator, shares = np.random.default_rng(0), np.full(30, 1 / 30)
    drawn = generator.multinomial(200, shares, size=2000)
    short = np.log2(30) - np.mean([entropy(counts) for counts in drawn])
    assert short == pytest.approx(least_bias(30, 200), rel=0.1)


def at_cells(cells: list[int], every: int = 6, **about) -> Played:
    """A play with a position every so many inputs, in these cells along one row."""
    track = np.array([[every * (i + 1), 0, 7 * cell + 3.0, 10.0] for i, cell in enumerate(cells)])
    return replace(
        play(1, **about), track=track, visits=np.array([[7 * cell, 7, every] for cell in sorted(set(cells))])
    )


def test_entropies_are_matched_as_far_as_the_track_is_complete():
    back_and_forth = at_cells([0, 1] * 30)
    assert matched(back_and_forth) == {
        100: (pytest.approx(1.0), pytest.approx(least_bias(2, 16))), 300: (1.0, pytest.approx(least_bias(2, 50)))
    }  # fmt: skip
    assert of_run(back_and_forth)[0] == 1
    gap = replace(back_and_forth, track=np.delete(back_and_forth.track, slice(30, 40), axis=0))
    assert list(matched(gap)) == [100]
    assert matched(play(1)) == {} and np.isnan(of_run(play(1))[0])


def dying(at: list[int], end: int, outcome: str = "quit") -> Played:
    died = np.array([[0, *at], range(len(at) + 1)], float)
    return replace(play(1, outcome), budget=end, inputs=end, deaths=len(at), died=died)


def test_deaths_over_time_are_those_of_players_who_still_play():
    runs = [dying([10, 20], 100), dying([30], 50, "win"), dying([], 25), dying([10, 60], 100), dying([], 100)]
    grid = np.array([1.0, 10, 20, 30, 60, 100])
    mean, low, high, playing, kept = mean_deaths(runs, grid)
    assert mean == pytest.approx([0, 2 / 5, 3 / 5, 3 / 5 + 1 / 4, 3 / 5 + 1 / 4 + 1 / 3, 3 / 5 + 1 / 4 + 1 / 3])
    assert playing.tolist() == [5, 5, 5, 4, 3, 3]
    assert kept == pytest.approx([0, 0.4, 0.6, 0.8, 1.0, 1.0])
    assert (low <= mean).all() and (mean <= high).all()
    assert np.isnan(mean_deaths(runs[:4], grid)[0, -1]), "two still play"


def test_the_interval_of_deaths_covers_what_is_planted():
    """Deaths at a rate of 1 per 100 inputs times a gamma factor per player, who stop at random."""
    generator, covered = np.random.default_rng(1), 0
    for _ in range(200):
        runs = []
        for _ in range(30):
            end = int(generator.integers(100, 1000))
            count = generator.poisson(end / 100 * generator.gamma(2, 0.5))
            runs.append(dying(sorted(generator.integers(1, end + 1, count).tolist()), end))
        _, low, high, _, _ = mean_deaths(runs, np.array([500.0]))
        covered += low[0] <= 5 <= high[0]
    assert covered >= 180


def again(minutes: list[list[float]], version: str = "original", player: str = "simulated") -> list[Played]:
    return [
        replace(play(each, version=version, person=f"{version} {i}", player=player, date=DAYS[k]), folder=f"{i} {k}")
        for i, plays in enumerate(minutes)
        for k, each in enumerate(plays)
    ]


def test_later_plays_are_compared_with_the_first_of_the_same_people():
    runs = again([[4, 2, 1], [6, 3], [8, 4], [20], [10, 5, 2.5], [2, 1, 0.5]])
    (section,), _ = sections_of(runs)
    assert len(section.runs) == 6 and len(section.later) == 8
    first, second, third = attempts_of(section)
    assert (first.n, second.n, third.n) == (6, 5, 3)
    assert first.inputs and first.inputs.value == pytest.approx(50 / 6 * 1800) and first.ratio is None
    assert second.inputs and second.inputs.value == pytest.approx(3 * 1800)
    assert second.ratio and second.ratio.value == pytest.approx(0.5) and second.ratio.low == pytest.approx(0.5)
    assert third.ratio and third.ratio.value == pytest.approx(0.25)
    assert not attempts_of(sections_of(again([[4], [5], [6]]))[0][0])


def test_episodes_of_agents_are_means_since_the_row_before():
    totals = np.array([np.cumsum([50, 40, 30, 20, 10, 10]), [1, 2, 3, 3, 3, 3], [0, 0, 0, 1, 2, 3]], float)
    runs = [replace(play(1, player="agent"), method="ppo", episodes=totals) for _ in range(3)]
    rows = episodes_of(kinds_of(runs)[0], "original", runs)
    assert [row.number for row in rows] == [1, 2, 5]
    assert [row.inputs.value for row in rows if row.inputs] == pytest.approx([50, 40, 20])
    assert [row.won.value for row in rows if row.won] == pytest.approx([0, 0, 2 / 3])


def test_tables_and_panels_hold_what_is_recorded():
    runs = again([[4, 2], [6, 3], [8, 5]]) + again([[4, 3], [9, 3], [8, 4]], "gravity")
    cells = at_cells([0, 1, 2, 3] * 20)
    recorded = {"track": cells.track, "visits": cells.visits, "died": np.ones((2, 1))}
    recorded["progress"] = np.array([[0, 50], [0, 1.0]])
    runs = [replace(run, **recorded) for run in runs]
    (section,), _ = sections_of(runs)
    tables = further_tables(analyse(section))
    assert tables.keys() == FILES.keys() and all(len(frame) for frame in tables.values())
    for name, frame in tables.items():
        assert {column for column in frame if not meaning_of(column)} == set(), name
    assert set(COLUMNS) <= {column for frame in tables.values() for column in frame}
    drawn = panels_of("gravity", section, tables, 1000.0)
    assert {name for name in PANELS if drawn[name]} == {*PANELS} - {"episodes"}
    assert [len(rows) for _, rows in learning_table(section, tables)] == [2, 2]
    assert entropy_table(section, tables)["groups"][0][1][0][2].startswith("2.0 (2.0")
