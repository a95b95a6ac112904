"""People's plays that missed steps: they count, and a second comparison beside the first leaves them out."""

from dataclasses import replace

import pandas as pd
import pytest

from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.report.missed import WITHOUT, second_analysis, show_second
from priorlab.scripts.report.page import write_page
from tests.scripts.test_compare import NOWHERE, people, play, section


def test_plays_that_missed_steps_count_and_stand_beside_a_comparison_without_them(tmp_path):
    """Of twelve on each version, the third, sixth, ... missed 30 % of their steps; of the first nothing is known."""
    runs = [replace(run, level="", curve=NOWHERE) for run in people({"original": 3, "gravity": 6}, 12)]
    for i, run in enumerate(runs):
        share = 0.3 if i % 3 == 2 else 0.01
        told = {"play_seconds": 60 * run.minutes / (1 - share), "missed_share": share} if i else {}
        run.settings.update(told)
    kept = [run for i, run in enumerate(runs) if i % 3 != 2]
    second = second_analysis(analyse(section(runs)), 0.05)
    assert second is not None
    assert [(each.n, each.above, each.unknown) for each in second.slow] == [(12, 4, 1), (12, 4, 0)]
    assert second.slow[1].gap.max() == pytest.approx(max(run.minutes for run in runs[14::3]) * 3 / 7)
    for found, expected in zip(second.without.cells, analyse(section(kept)).cells, strict=True):
        assert (found.n, found.minutes, found.ratio, found.tests) == (
            8,
            expected.minutes,
            expected.ratio,
            expected.tests,
        )
    page = write_page(tmp_path / "index.html", [section(runs)]).read_text(encoding="utf-8")
    assert "8 of 24 plays by people missed more than 5\u00a0% of their steps. They count here" in page
    assert "1 play was recorded without times and stays in." in page and "<td>30.0\u00a0%</td>" in page
    assert "hazard ratio, below 1 is slower; probability" in page
    few = [run for i, run in enumerate(runs) if i < 3 or i > 12 or i in (5, 8)]  # of five, three missed many
    words = show_second(second_analysis(analyse(section(few)), 0.05))
    assert words and words["verdict"].startswith("Gravity is ")
    alone = show_second(second_analysis(analyse(section(runs[2:3])), 0.05))
    assert alone and alone["above"] == 1 and alone["verdict"] == ""
    assert words["verdict"].endswith("with all plays; without those, too few are left to say.")
    rows = pd.read_csv(tmp_path / "data" / "without_missed.csv").set_index(["version", "plays"])
    numbers = pd.read_csv(tmp_path / "data" / "numbers.csv").set_index("version")
    plays = pd.read_csv(tmp_path / "data" / "plays.csv")
    for version in ("original", "gravity"):
        assert rows.at[(version, "all"), "mean_minutes"] == numbers.at[version, "mean_minutes"]
        assert (rows.at[(version, WITHOUT), "n"], rows.at[(version, WITHOUT), "left_out"]) == (8, 4)
    assert plays["clock_minutes"].isna().sum() == 1 and (plays["missed_share"] > 0.05).sum() == 8


def test_without_missed_steps_or_their_times_the_page_says_so(tmp_path):
    known = {"play_seconds": 61.0, "missed_share": 0.0}
    groups = [
        [play(1, person=f"p{i}", **known) for i in range(3)],
        [play(1, person=f"p{i}") for i in range(3)],
        [play(1, person=f"p{i}", player="simulated", **known) for i in range(3)],
    ]
    sections = [
        Section(game, "", ("original",), tuple(replace(run, level="", game=game, curve=NOWHERE) for run in runs))
        for game, runs in zip(("atari/pong", "atari/breakout", "atari/seaquest"), groups)
    ]
    page = write_page(tmp_path / "index.html", sections).read_text(encoding="utf-8")
    assert page.count("So both comparisons are one.") == page.count("these plays were recorded without times") == 1
    assert ['id="missed"' in page, 'id="s1-missed"' in page, 'id="s2-missed"' in page] == [True, True, False]
    assert set(pd.read_csv(tmp_path / "data" / "without_missed.csv")["game"]) == {"atari/pong", "atari/breakout"}
    missed = pd.read_csv(tmp_path / "data" / "plays.csv").set_index("game")["missed_share"]
    assert missed["atari/pong"].eq(0).all() and missed.drop("atari/pong").isna().all()
