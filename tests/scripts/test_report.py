"""The report's numbers against known answers, the page against what it must hold, the study against being stopped."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import CensoredData, ecdf

from priorlab.agents import Settings, train
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import looks
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import RunWriter, is_finished, thinned
from priorlab.scripts.analysis.curves import exploration_curve
from priorlab.scripts.analysis.players import kinds_of
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.analysis.statistics import (
    Played,
    horizon_of,
    kaplan_meier,
    mastered,
    median_time,
    ratio_to_original,
    restricted_mean,
)
from priorlab.scripts.report.page import write_report
from priorlab.scripts.report.plots import apart
from priorlab.scripts.report.summary import number
from priorlab.scripts.run import run as run_command
from priorlab.scripts.running import runner
from priorlab.scripts.study import runs as comparison

VERSIONS = looks("princess")
LEVEL = Level.read("princess").text()
NOTHING = np.zeros((2, 0))


def run(inputs, won=True, version="original", method="ppo", curve=NOTHING, **other):
    return Played(
        version=version, method=method, player="agent", privileged=False, folder="", level=LEVEL, settings={},
        frame_skip=2, finished=True, budget=int(inputs), inputs=int(inputs), won=won, deaths=1, mastered=float("nan"),
        curve=curve, visits=np.zeros((0, 3), np.int64), **other,
    )  # fmt: skip


def test_survival_by_hand():
    # 5 at risk: one wins at 10; one leaves at 20; of 3 left one wins at 30; one leaves at 40; the last wins at 50
    times, won = np.array([30, 10, 50, 20, 40.0]), np.array([True, True, True, False, False])
    ordered, share = kaplan_meier(times, won)
    assert ordered.tolist() == [10, 20, 30, 40, 50]
    assert share == pytest.approx([0.8, 0.8, 0.8 * 2 / 3, 0.8 * 2 / 3, 0])
    assert median_time(times, won) == 50
    # 10 at 1, 20 at .8, 20 at .5333: up to 50
    assert restricted_mean(times, won, 50) == pytest.approx(10 + 20 * 0.8 + 20 * 0.8 * 2 / 3)
    assert restricted_mean(times, won, 20) == pytest.approx(10 + 10 * 0.8)
    assert horizon_of(times, won) == np.inf
    assert horizon_of(times, np.array([True, True, False, False, False])) == 50


@pytest.mark.parametrize(
    ("times", "won", "median"),
    [
        ([1, 2, 3, 4], "1111", 2.5),  # flat at one half from 2 to 3
        ([1, 2, 3, 4], "1101", 3),  # somebody leaves on the way: flat from 2 to 4
        ([1, 2, 3, 4], "1100", 2),  # flat to the end: nobody knows how long
        ([1, 2, 5, 5, 9, 9], "111111", 5),  # through one half within one time
        ([1, 2, 3], "111", 2),
        ([1, 2, 3], "100", np.inf),
        ([1, 2], "00", np.inf),
    ],
)
def test_a_median_is_the_middle_of_the_stretch_at_one_half(times, won, median):
    assert median_time(np.array(times, float), np.array([*won]) == "1") == median


def test_survival_agrees_with_scipy_where_times_tie():
    generator = np.random.default_rng(0)
    times, won = generator.integers(1, 12, 40).astype(float), generator.random(40) < 0.6
    reference = ecdf(CensoredData.right_censored(times, ~won)).sf
    ordered, share = kaplan_meier(times, won)
    for time, expected in zip(reference.quantiles, reference.probabilities):
        assert share[np.flatnonzero(ordered == time)[-1]] == pytest.approx(expected)


def test_a_resample_s_weights_are_repeated_runs():
    times, won = np.array([10.0, 20, 30]), np.array([True, False, True])
    weights = np.array([[2, 0, 1], [1, 1, 1], [0, 3, 0]])
    found = restricted_mean(times, won, 40, weights)
    repeated = [np.repeat(np.arange(3), row) for row in weights]
    assert found == pytest.approx([float(restricted_mean(times[i], won[i], 40)) for i in repeated])


def test_without_censoring_the_ratio_is_the_ratio_of_means():
    ratio = ratio_to_original([run(200), run(300), run(400)], [run(100)] * 3)
    assert ratio is not None
    assert (ratio.value, ratio.bound, ratio.n, ratio.n_original) == (pytest.approx(3), "", 3, 3)
    assert (ratio.low, ratio.high) == (pytest.approx(2), pytest.approx(4))
    few = ratio_to_original([run(200), run(300), run(400)], [run(100)] * 2)
    assert few is not None and (few.value, few.low, few.high) == (pytest.approx(3), None, None)


def test_runs_that_never_won_make_the_ratio_a_bound():
    original = [run(100), run(300)]
    ratio = ratio_to_original([run(1000, won=False)] * 2, original)
    assert ratio is not None
    assert (ratio.value, ratio.bound) == (pytest.approx(5), ">=")
    assert ratio_to_original(original, [run(1000, won=False), run(1000, won=False), run(5)]) is None
    half = ratio_to_original(original, [run(1000, won=False), run(100), run(100)])
    assert half is not None
    assert half.bound == "<="
    single = ratio_to_original([run(7)], [run(7)])
    assert single is not None
    assert (single.low, single.high) == (None, None)


@pytest.mark.parametrize("n", [3, 20])
def test_the_interval_of_a_ratio_covers_the_truth_about_as_often_as_it_says(n):
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        a, b = generator.lognormal(np.log(2000), 0.4, n), generator.lognormal(np.log(1000), 0.4, n)
        ratio = ratio_to_original([run(x) for x in a], [run(x) for x in b])
        assert ratio is not None
        assert ratio.low is not None
        assert ratio.high is not None
        covered += ratio.low <= 2 <= ratio.high
    assert covered >= 85


def test_a_band_is_over_runs_and_an_ended_run_keeps_its_count():
    curves = [np.array([[10, 100], [10, 50.0]]), np.array([[10, 1000], [10, 90.0]])]
    runs = [run(100, curve=curves[0]), run(1000, curve=curves[1])] * 2
    mean, band = exploration_curve(runs, np.array([10, 1000.0, 5000.0]))
    assert band is not None
    assert mean[:2].tolist() == [10, 70]
    assert band[:, 1].tolist() == [50, 90]
    assert np.isnan(mean[2])
    assert exploration_curve(runs[:2], np.array([10.0]))[1] is None


def test_mastered_is_where_ninety_of_the_last_hundred_were_first_won():
    won = np.array([False] * 50 + [True] * 100)
    assert mastered(won, np.arange(1, 151) * 10) == 1400  # episode 140: 50 to 139 won, ten before lost
    assert np.isnan(mastered(np.array([True] * 99), np.arange(99)))


def test_numbers_are_short():
    assert [number(value) for value in (3.0, 2.5, 64_321, 1_250_000, 0)] == ["3", "2.5", "64,300", "1.25M", "0"]


def test_published_figures_carry_grades_and_stay_as_published():
    figures = published_figures()
    assert figures["versions"]["original"]["states"] == 3011
    assert {row["grade"] for row in figures["versions"].values()} <= set(figures["grades"])
    assert published_ratio(figures, "all_masked") == pytest.approx(20 / 1.8)
    assert published_ratio(figures, "retextured") is None


def fill(root, version, method, seed, win=None, total=4000, finish=True, privileged=False, level=LEVEL):
    config = {
        "game": "princess", "version": version, "method": method, "privileged": privileged, "seed": seed,
        "player": "person" if method == "person" else "agent", "level": level, "frame_skip": 2,
    }  # fmt: skip
    writer = RunWriter(root / "study" / version / method / f"seed_{seed}", config)
    for inputs in thinned(total).tolist():
        writer.exploration(inputs, inputs // 3)
    for inputs in range(100, total + 1, 100):
        writer.episode(inputs, 100, "win" if win and inputs >= win else "death")
    counts = np.zeros((35, 35), int)
    counts[27, 14:21] = seed + 1
    writer.visits(counts)
    writer.finish() if finish else writer.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    for version in VERSIONS:
        for seed in range(3):
            slow = 3 if version == "masked_similarity" else 1
            fill(root, version, "ppo", seed, win=(600 + 100 * seed) * slow, finish=seed < 2 or version != "all_masked")
            fill(root, version, "random", seed)
    fill(root, "original", "ppo-privileged-counts", 0, win=300, privileged=True)
    fill(root, "original", "ppo", 9, level=Level.read("princess_masked_geometry").text())
    (root / "broken.play").write_text("{")
    return write_report(load(root), root / "report.html", VERSIONS).read_text(encoding="utf-8")


def test_the_page_holds_every_section_and_every_version(page):
    for section in ("versions", "slowdown", "table", "progress", "survival", "deaths", "where", "runs"):
        assert f'<section id="{section}"' in page
    for version in VERSIONS:
        assert page.count(f"<h3>{version.replace('_', ' ')}</h3>") == 4
        assert f"The game as drawn in {version.replace('_', ' ')}" in page
    assert page.count('src="data:image/png;base64,') == len(VERSIONS) * 3 + 1  # a picture, two players; one privileged


def test_the_page_fetches_nothing(page):
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|iframe|object|embed)\b", page)
    assert all(found.startswith(("data:", "#")) for found in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert all(found.startswith("#") for found in re.findall(r"url\(([^)]*)\)", page))
    assert "@import" not in page


def test_every_figure_is_well_formed_and_takes_the_page_s_colours(page):
    figures = re.findall(r"<svg.*?</svg>", page, flags=re.S)
    assert len(figures) == 4 * len(VERSIONS) + 4
    for figure in figures:
        ElementTree.fromstring(figure)
        assert not re.search(r"#(1d2329|5f6b76|d9480f|1c6fd1|7a828c)", figure)
        assert "var(--ppo)" in figure


def test_the_page_says_what_the_numbers_say(page):
    assert "Changed looks clearly slowed PPO in 1 of 7 versions (3 seeds each)." in page
    assert "Longest on masked similarity: 3.0\u00d7 the inputs of the original" in page
    assert "None of 3 seeds won the original within 4,000 inputs." in page
    assert "a first sign, not a result" in page


def test_what_is_missing_or_doubtful_is_told(page):
    assert "No recordings of people yet: <code>priorlab play</code> records one." in page
    assert "broken.play" in page
    assert ", the level compared here" in page
    assert "Unfinished runs: 1." in page
    assert "(privileged)" in page
    assert "another game" in page
    assert "recalled, not read again" in page
    assert "about 5,900" in page


def test_a_report_of_nothing_and_of_one_person_can_be_written(tmp_path):
    empty = write_report(load(tmp_path), tmp_path / "empty.html", VERSIONS).read_text(encoding="utf-8")
    assert "Too few have played yet" in empty
    fill(tmp_path, "original", "person", 0, win=900, total=900)
    alone = write_report(load(tmp_path), tmp_path / "alone.html", VERSIONS).read_text(encoding="utf-8")
    assert "No recordings of people yet" not in alone
    assert "First win on the original after 900 inputs (1 person)." in alone


def test_a_report_of_one_run_of_an_agent_that_records_its_way_can_be_written(tmp_path):
    settings = {"agent": "random", "num_games": 2, "inputs": 2000, "evaluation_episodes": 0, "progress": False}
    train(Settings(**settings, out=tmp_path / "study" / "original" / "random" / "seed_0"))
    alone = write_report(load(tmp_path), tmp_path / "alone.html", VERSIONS).read_text(encoding="utf-8")
    assert "Shortest way covered" in alone and "State-visit entropy" in alone


def test_labels_neither_meet_nor_leave_their_room():
    places = apart([5, 6, 99], [10, 20, 10], 0, 100)
    assert np.diff(places)[0] >= 15 - 1e-6
    assert places[0] >= 5 - 1e-6
    assert places[2] <= 95 + 1e-6


def test_people_come_first_random_last_and_privileged_is_said():
    runs = [run(1, method=method) for method in ("random", "ppo", "person", "dqn", "a2c")]
    assert [kind.label for kind in kinds_of(runs)] == ["People", "PPO", "DQN", "a2c", "Random"]


# what a run does instead of training: plays on to its end, 100 inputs at a time
STAND_IN = """
import json, sys, time
from pathlib import Path
from priorlab.envs.results.rows import RunWriter
folder, config, inputs, pause = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
if config["version"] == "retextured":
    sys.exit("no such look: expected one that exists")
writer = RunWriter(folder, config)
for at in range(writer.inputs + 100, inputs + 1, 100):
    writer.episode(at, 100, "death")
    time.sleep(pause)
writer.finish()
"""


def stand_in(pause):
    def command(run):
        config = json.dumps(run.settings.config())
        return [sys.executable, "-c", STAND_IN, str(run.folder), config, str(run.inputs), str(pause)]

    return command


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setitem(comparison.BUDGETS, "study", {"ppo": 300, "random": 600})
    monkeypatch.setattr(runner, "POLL", 0.05)


def test_a_failed_run_is_shown_and_the_others_finish(short, tmp_path):
    told = Console(file=StringIO(), width=200)
    runs = comparison.plan(tmp_path, "study", ["original", "retextured"], seeds=1)
    failed = runner.train(runs, 2, told, stand_in(0))
    assert [run.name for run in failed] == ["ppo · retextured · seed 0", "random · retextured · seed 0"]
    assert is_finished(tmp_path / "original" / "random" / "seed_0")
    words = told.file.getvalue()
    assert "no such look: expected one that exists" in words
    assert "finished  ppo · original · seed 0" in words


def test_a_stopped_study_leaves_no_process_and_goes_on_where_it_was(short, tmp_path, monkeypatch):
    processes = []
    begin = runner.start
    monkeypatch.setattr(runner, "start", lambda run, command: processes.append(begin(run, command)) or processes[-1])

    def update(run):
        run.done = runner.inputs_done(run.folder)
        if run.done >= 100:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        runs = comparison.plan(tmp_path, "study", ["original"], seeds=1)
        patch.setattr(runner.Run, "update", update)
        runner.train(runs, 2, Console(file=StringIO()), stand_in(30))
    assert len(processes) == 2
    assert all(process.poll() is not None for process in processes)
    monkeypatch.setattr(runner, "start", begin)
    runs = comparison.plan(tmp_path, "study", ["original"], seeds=1)
    assert max(run.done for run in runs) >= 100
    assert runner.train(runs, 2, Console(file=StringIO()), stand_in(0)) == []
    ends = load(tmp_path).episodes.groupby("method")["inputs"].apply(list).to_dict()
    assert ends == {"ppo": [100, 200, 300], "random": [100, 200, 300, 400, 500, 600]}


def test_a_study_of_other_settings_is_not_mixed_in(short, tmp_path, monkeypatch):
    runs = comparison.plan(tmp_path, "study", ["original"], seeds=1)
    runner.train(runs, 2, Console(file=StringIO()), stand_in(0))
    monkeypatch.setitem(comparison.BUDGETS, "study", {"ppo": 500, "random": 600})
    with pytest.raises(ValueError, match=r"inputs = 300, not 500: expected the same settings, or another folder"):
        comparison.plan(tmp_path, "study", ["original"], seeds=1)


def test_time_left_is_learned_from_what_was_measured(short, tmp_path):
    runs = comparison.plan(tmp_path, "study", ["original"], seeds=1)
    clock = runner.Clock(workers=1)
    clock.add("ppo", 1_000_000, 1000.0)
    clock.add("random", 10_000_000, 100.0)
    expected = 300 * 1e-3 + 600 * 1e-5 + 2 * runner.START
    assert clock.left(runs) == pytest.approx(expected)
    assert runner.duration(200) == "3 min 20 s"


def test_the_command_explains_itself(capsys):
    with pytest.raises(SystemExit) as ended:
        run_command("study", ["--help"])
    told = capsys.readouterr().out
    assert not ended.value.code
    assert "--quick" in told
    assert "--seeds" in told
