"""Do agents notice the masks: the rule on planted runs, rows that are kept, merged and never mixed, and the command."""

import json
import re
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tyro
from rich.console import Console

from priorlab.agents.settings import Settings
from priorlab.envs.plays.play import Play
from priorlab.envs.results.archive import Archive, load_with_archives
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import RunWriter
from priorlab.scripts.analysis.efficiency import (
    ABOVE,
    ALIKE,
    BELOW,
    FASTER,
    FITS,
    INCONCLUSIVE,
    NEVER,
    OPEN,
    SLOWER,
    learners_of,
    middle_mean,
    sooner_of,
)
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.analysis.statistics import area, bootstrap_weights, played, success
from priorlab.scripts.report.summary import NOTHING
from priorlab.scripts.reproduce.claims import words
from priorlab.scripts.reproduce.runs import AGENTS, Request, keep, missing, report
from priorlab.scripts.run import run as run_command
from priorlab.scripts.running import runner
from priorlab.scripts.running.budgets import BUDGETS

BUDGET, LENGTH = 60_000, 200  # inputs of a run and of an episode


def planted(times: dict[tuple[str, str], list[float]], budget: int = BUDGET, **told: object) -> Archive:
    """Runs by (agent, version), a seed each, that die in every episode until so many inputs, and then win in each."""
    settings, runs, episodes, explored = {}, [], [], []
    for (agent, version), seeds in times.items():
        for seed, time in enumerate(seeds):
            config = Settings(version=version, seed=seed, inputs=budget, **{**AGENTS[agent], **told}).config()
            key = {"version": version, "method": config["method"], "seed": seed}
            settings[config["method"]] = {name: config[name] for name in config if name not in ("version", "seed")}
            runs.append({**key, "inputs": budget, "git_commit": "abc", "software": "numpy 2.4.1, torch 2.13.0"})
            ends = np.arange(LENGTH, budget + 1, LENGTH)
            won = np.where(ends >= time, "win", "death")
            episodes.append(pd.DataFrame({**key, "inputs": ends, "length": LENGTH, "outcome": won}))
            at = np.unique(np.geomspace(1, budget, 40).astype(int))
            explored.append(pd.DataFrame({**key, "inputs": at, "unique_states": np.minimum(at, 3000)}))
    return Archive(settings, pd.DataFrame(runs), pd.concat(episodes), pd.concat(explored))


def around(middle: float, spread: float, n: int = 10) -> list[float]:
    """Times of n runs, evenly spread: as lucky and unlucky as they should be."""
    return [middle * float(np.exp(spread * z)) for z in np.linspace(-1.5, 1.5, n)]


def reached(version: list[float], original: list[float], measure: str = "first"):
    archive = planted({("counts", "original"): original, ("counts", "masked_similarity"): version})
    runs = tuple(played(archive.results(Path("x"))))
    section = Section("princess", runs[0].level, ("original", "masked_similarity"), runs)
    return next(each for each in learners_of(section) if each.version == "masked_similarity").reached[measure]


QUICK, NO = 8000.0, 1e9  # inputs of a typical run; never


@pytest.mark.parametrize(
    ("version", "original", "verdict", "to_same", "to_double"),
    [
        (around(QUICK, 0.1), around(QUICK, 0.1), ALIKE, FITS, BELOW),
        (around(QUICK * 2, 0.1), around(QUICK, 0.1), SLOWER, ABOVE, FITS),
        (around(QUICK * 4, 0.1), around(QUICK, 0.1), SLOWER, ABOVE, ABOVE),
        (around(QUICK / 2, 0.1), around(QUICK, 0.1), FASTER, BELOW, BELOW),
        (around(QUICK, 0.8), around(QUICK, 0.8), INCONCLUSIVE, OPEN, OPEN),
        (around(QUICK * 1.15, 0.02), around(QUICK, 0.02), ALIKE, FITS, BELOW),
        ([QUICK] * 4, [QUICK] * 4, INCONCLUSIVE, OPEN, OPEN),  # too few
        ([NO] * 10, [NO] * 10, NEVER, OPEN, OPEN),
        ([NO] * 10, around(QUICK, 0.1), SLOWER, ABOVE, ABOVE),
        # near the budget in both since few got there: that shows nothing
        ([55_000.0] * 2 + [NO] * 8, [55_000.0] * 2 + [NO] * 8, INCONCLUSIVE, OPEN, OPEN),
        ([50_000.0] * 6 + [NO] * 4, [50_000.0] * 6 + [NO] * 4, INCONCLUSIVE, OPEN, OPEN),
        # few got there on the original: no ratio, and the probability decides
        ([QUICK] * 10, [QUICK] * 2 + [NO] * 8, FASTER, OPEN, OPEN),
        # the mean of the original is all in one run that never won: typically the version is slower
        ([40_000.0] * 10, [QUICK] * 9 + [NO], SLOWER, ABOVE, OPEN),
    ],
)
def test_planted_runs_get_the_right_words(version, original, verdict, to_same, to_double):
    found = reached(version, original)
    assert (found.verdict, found.against(1), found.against(2)) == (verdict, to_same, to_double)
    assert words(found).startswith(verdict)


def test_words_tell_what_they_rest_on():
    assert re.fullmatch(
        r"slower: ratio 1\.99 \(1\.\d\d to 2\.\d\d\)", words(reached(around(QUICK * 2, 0.1), around(QUICK, 0.1)))
    )
    some = words(reached([NO] * 3 + [QUICK * 2] * 7, around(QUICK, 0.1)))
    assert some.startswith("slower: ratio at least ") and some.endswith(
        "reached by 7 of 10 runs, on the original by 10 of 10"
    )
    none = words(reached([QUICK] * 10, [QUICK] * 2 + [NO] * 8))
    assert none == "faster: reached by 10 of 10 runs, on the original by 2 of 10"


def test_a_rule_that_sees_no_difference_where_there_is_none():
    """Of versions like the original, drawn at random, hardly any is called slower or faster."""
    generator = np.random.default_rng(0)
    verdicts = []
    for _ in range(20):
        times = [(QUICK * np.exp(0.3 * generator.standard_normal(10))).tolist() for _ in range(2)]
        verdicts.append(reached(*times).verdict)
    assert verdicts.count(SLOWER) + verdicts.count(FASTER) <= 2


def test_to_90_of_100_is_counted_from_the_episodes():
    found = reached([QUICK * 2] * 5, [QUICK] * 5, "learned")
    assert found.median == QUICK * 2 + 89 * LENGTH  # the 90th win in a row: earlier ones are deaths
    assert found.original is not None and found.original.median == QUICK + 89 * LENGTH


def test_probability_area_and_middle_by_hand():
    archive = planted({("counts", "original"): [1000, 3000], ("counts", "gravity"): [2000, NO]})
    runs = played(archive.results(Path("x")))
    here, there = ([run for run in runs if run.version == name] for name in ("gravity", "original"))
    found = sooner_of(here, there, tuple(bootstrap_weights([here, there])))
    assert found.value == 0.25  # 2000 before 3000, and no other pair
    assert sooner_of(here, here, tuple(bootstrap_weights([here, here]))).value == 0.5
    curve = success(np.array([False, True]), np.array([100, 300]))
    assert curve.tolist() == [[100, 300], [0, 0.5]]
    assert area(curve, 500) == pytest.approx(200 * 0.5 / 500)
    assert middle_mean(np.array([9.0, 1, 2, 100])) == pytest.approx([5.5])  # of the middle two
    weights = np.array([[1, 1, 1, 1], [4, 0, 0, 0]])
    assert middle_mean(np.array([9.0, 1, 2, 100]), weights) == pytest.approx([5.5, 9])


def test_rows_come_back_as_they_were_and_small(tmp_path):
    archive = planted({(agent, "original"): around(QUICK, 0.1, 3) for agent in AGENTS})
    archive.write(tmp_path)
    again = Archive.read(tmp_path)
    assert again.settings == json.loads(json.dumps(archive.settings))
    assert again.keys() == archive.keys() and len(again.keys()) == 3 * len(AGENTS)
    assert again.prints() == archive.prints()
    first, second = (each.results(tmp_path) for each in (archive, again))
    assert played(first)[0].mastered == played(second)[0].mastered
    assert second.episodes.groupby(["method", "seed"])["episode"].max().eq(BUDGET // LENGTH - 1).all()
    assert second.configs["settings"][0]["software"] == {"numpy": "2.4.1", "torch": "2.13.0"}
    runs = pd.read_csv(tmp_path / "runs.csv")
    runs.iloc[1:].to_csv(tmp_path / "runs.csv", index=False)  # as if stopped before it was written
    assert len(Archive.read(tmp_path).episodes) == len(archive.episodes) * (3 * len(AGENTS) - 1) // (3 * len(AGENTS))
    Play.of([0] * 3, level="---\nS  G\n####\n", player="person", id="a play").save(tmp_path / "a.play")
    loaded = load_with_archives([tmp_path, tmp_path])
    assert len(loaded.configs) == len(loaded.episodes.groupby(["method", "seed"])) == 3 * len(AGENTS)
    (tmp_path / "episodes.csv.xz").write_bytes(b"cut off")
    with pytest.raises(ValueError, match=r"episodes.csv.xz: .*expected rows of version, method"):
        Archive.read(tmp_path)
    assert "episodes.csv.xz: " in load_with_archives([tmp_path]).problems[0]


def test_rows_of_several_machines_merge_and_other_settings_are_refused(tmp_path):
    here, there, other = tmp_path / "here", tmp_path / "there", tmp_path / "other"
    planted({("counts", "original"): [QUICK], ("random", "original"): [NO]}).write(here / "princess")
    planted({("counts", "original"): [QUICK, 2 * QUICK], ("icm", "original"): [NO]}).write(there / "princess")
    kept, problems = keep(here, "princess", [there])
    assert len(kept.keys()) == 4 and not problems
    assert Archive.read(here / "princess").keys() == kept.keys()
    assert keep(here, "princess", [there])[1] == [], "the same rows once more are no news"
    planted({("counts", "original"): [3 * QUICK]}).write(other / "princess")
    kept, problems = keep(here, "princess", [other])
    assert len(kept.keys()) == 4
    assert problems == [
        f"{other}/princess: the run original, ppo, 0 is here already with other rows, which alone count"
    ]
    planted({("counts", "original"): [QUICK]}, gamma=0.9).write(other / "princess")
    before = (here / "princess" / "runs.csv").read_bytes()
    with pytest.raises(ValueError, match=r"gamma = 0.99, not 0.9: expected the same settings, or another folder"):
        keep(here, "princess", [other])
    assert (here / "princess" / "runs.csv").read_bytes() == before
    with pytest.raises(ValueError, match=r"no princess/runs.csv: expected a folder that"):
        keep(here, "princess", [tmp_path])


def test_rows_older_than_a_setting_are_of_its_default(tmp_path):
    older = planted({("counts", "original"): [QUICK]}, budget=BUDGETS["princess"]["inputs"])
    del older.settings["ppo"]["entropy"]
    older.write(tmp_path / "princess")
    runs = Request(agents=("counts",), versions=("original",), seeds=2, out=tmp_path).plan()
    kept, _ = keep(tmp_path, "princess")
    assert missing(runs, kept, tmp_path) == runs[1:]
    with pytest.raises(ValueError, match=f"entropy = {Settings().entropy}, not 0.1"):
        kept.check("ppo", runs[0].settings.config() | {"entropy": 0.1}, tmp_path)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"game": "chess"}, "unknown game 'chess': expected one of princess, key_door"),
        ({"agents": ("a2c",)}, "unknown agent 'a2c': expected one of icm, counts, rnd, dqn, random"),
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"hours": -1.0}, "hours must be at least 0, got -1"),
        ({"agents": ("rnd",), "on_device": True}, "with on_device, agents must be among icm, counts, random, got rnd"),
        ({"quick": True, "on_device": True}, "quick and on_device exclude each other"),
        ({"versions": ("nonesuch",)}, "unknown version 'nonesuch': expected one of original"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(told, reason):
    with pytest.raises(ValueError, match=reason):
        Request(**told).plan()


def test_every_seed_is_balanced_over_versions_and_agents_and_nobody_is_told_more_than_a_player_sees():
    runs = Request(seeds=2).plan()
    whole = {(run.settings.version, run.method) for run in runs}
    assert len(whole) == 8 * len(AGENTS) and len(runs) == 2 * len(whole)
    assert {(run.settings.version, run.method) for run in runs[: len(whole)]} == whole
    assert not any(run.settings.privileged for run in runs)
    assert {run.inputs for run in runs} == {BUDGETS["princess"]["inputs"]}
    assert all(Request(game=game, quick=True).plan() for game in BUDGETS)


@pytest.mark.parametrize("game", BUDGETS)
def test_at_the_study_s_scale_what_learns_stays_on_the_device(game):
    runs = Request(game=game, on_device=True, seeds=1).plan()
    assert {(run.method, run.settings.on_device) for run in runs} == {
        ("ppo-icm", True), ("ppo", True), ("random", False)
    }  # fmt: skip
    assert {run.settings.num_games for run in runs} == {1024}


def test_a_run_s_own_process_is_told_all_its_settings(tmp_path):
    for game in BUDGETS:
        for run in Request(game=game, seeds=2, out=tmp_path).plan():
            if run.settings.seed:  # 0 is the default, so that nothing would have to tell it
                assert tyro.cli(Settings, args=run.command()[4:]) == run.settings


# what a run does instead of training: plays on to its end, and wins from half of it on
STAND_IN = """
import json, sys
from priorlab.envs.results.rows import RunWriter
folder, config, inputs = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
writer = RunWriter(folder, config)
for at in range(writer.inputs + 100, inputs + 1, 100):
    writer.episode(at, 100, "win" if 2 * at > inputs else "death")
    writer.exploration(at, at // 10)
writer.finish()
"""


def stand_in(run):
    return [sys.executable, "-c", STAND_IN, str(run.folder), json.dumps(run.settings.config()), str(run.inputs)]


def wanted(out: Path, **told) -> Request:
    return Request(**{"agents": ("counts", "random"), "versions": ("original", "gravity"), "seeds": 1, "inputs": 600,
                      "out": out, **told})  # fmt: skip


def test_an_interrupted_reproduction_goes_on_and_keeps_what_was_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "POLL", 0.05)
    told = Console(file=StringIO(), width=200)
    request = wanted(tmp_path)
    runs = request.plan()
    assert runner.train(runs[:1], 1, told, stand_in) == []
    writer = RunWriter(runs[1].folder, runs[1].settings.config())  # was stopped
    writer.episode(100, 100, "death")
    writer.close()
    kept, problems = keep(tmp_path, "princess")
    assert kept.keys() == {("original", "ppo", 0)} and not problems
    left = missing(request.plan(), kept, tmp_path)
    assert [run.name for run in left] == [run.name for run in runs[1:]]
    assert runner.train(left, 1, told, stand_in, hours=0) == []
    assert "3 of 3 runs were not started: the 0 hours are over." in told.file.getvalue()
    assert runner.train(left, 1, told, stand_in) == []
    assert missing(request.plan(), keep(tmp_path, "princess")[0], tmp_path) == []
    assert load(tmp_path / "runs").episodes.groupby(["version", "method"])["episode"].max().eq(5).all()
    # another machine has the rows alone, and trains only what they lack
    elsewhere = wanted(tmp_path / "clone", seeds=2)
    Archive.read(tmp_path / "princess").write(tmp_path / "clone" / "princess")
    kept, _ = keep(elsewhere.folder, "princess")
    assert {run.settings.seed for run in missing(elsewhere.plan(), kept, tmp_path)} == {1}
    with pytest.raises(ValueError, match=r"inputs = 600, not 700: expected the same settings, or another folder"):
        missing(wanted(elsewhere.folder, inputs=700).plan(), kept, tmp_path)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> tuple[str, str]:
    out = tmp_path_factory.mktemp("reproduce")
    times = {("counts", name): around(QUICK, 0.1) for name in ("original", "retextured", "masked_objects")}
    times |= {("counts", "masked_similarity"): around(2 * QUICK, 0.1), ("counts", "all_masked"): around(QUICK, 0.8)}
    times |= {("icm", name): [50_000.0] * 3 + [NO] * 7 for name in ("original", "masked_similarity")}
    times |= {("random", name): [NO] * 10 for name in ("original", "masked_similarity")}
    planted(times).write(out / "princess")
    path = report(out, ["something was left out"])
    return path.read_text(encoding="utf-8"), (out / "README.md").read_text(encoding="utf-8")


def test_the_page_puts_the_claim_beside_the_finding(page):
    text, summary = page
    assert "about doubled (C/D)" in text and "something was left out" in text
    assert "PPO learns more slowly on 1 of 4 masked versions." in text
    assert "Never won in 60,000 inputs per run. At most 3,000 positions seen" in text
    assert "(mean over runs, original): 50\u00a0% of all reachable positions." in text
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in summary.splitlines() if line.startswith("| ")}
    fits = r"\| about doubled \(C/D\) \|.*\| 1\.\d\d \(.*\) \| slower; fits the claim \|"
    assert re.search(fits, summary.split("### PPO, ICM")[0])
    assert re.search(rf"\| all masked \| {NOTHING} \|.* \d\.\d\d \(.*\) \| inconclusive \|", summary)
    assert "(3/10)" in rows["masked similarity"] and "| inconclusive |" in rows["masked similarity"]  # of ICM
    versions = "original retextured masked_objects masked_similarity all_masked"
    told = (
        f"priorlab reproduce --game princess --agents icm counts random --versions {versions} --seeds 10 --inputs 60000"
    )
    assert told in summary


def test_nothing_to_report_is_told(tmp_path):
    assert "No run is finished yet" in report(tmp_path).read_text(encoding="utf-8")


def test_the_page_is_bounded_by_the_solver_and_fetches_nothing(page):
    text, _ = page
    assert "The shortest solution takes 108 inputs at a frame skip of 4" in text
    assert "8 games side by side cannot win before about 864" in text
    assert "all 5,975 reachable positions" in text and "about 9,720 inputs or more" in text
    assert "default-src 'none'" in text and not re.search(r"<(script|link|iframe|object|embed)\b", text)
    assert all(found.startswith(("data:", "#")) for found in re.findall(r'(?:src|href)="([^"]*)"', text))
    assert all(
        f'"princess-{name}"' in text for name in ("claims", "first", "learned", "numbers", "success", "exploration")
    )


def test_the_command_trains_keeps_and_reports(tmp_path, capsys):
    """Two true runs."""
    few = ["--agents", "counts", "random", "--versions", "original", "--seeds", "1", "--inputs", "1000"]
    run_command("reproduce", [*few, "--workers", "1", "--out", str(tmp_path)])
    told = capsys.readouterr().out
    assert "2 runs planned, 0 of them already recorded." in told and "finished  ppo · original · seed 0" in told
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "princess" / "numbers.csv").read_text().startswith("game,level,version,agent,")
