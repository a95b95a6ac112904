"""Players with priors in the study: live lives become rows like any other, committed ones count by raised player."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from priorlab.agents.priors.lives import live, told
from priorlab.agents.priors.perception import Perception
from priorlab.agents.priors.settings import Architecture
from priorlab.agents.priors.weights import save
from priorlab.envs.game.level import Level
from priorlab.envs.random_games.bank import Bank
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import is_finished
from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.analysis.statistics import played
from priorlab.scripts.report.headlines import headline
from priorlab.scripts.report.page import write_report
from priorlab.scripts.study.committed import committed_lives, committed_section
from priorlab.scripts.study.first_sight import live_through, plan_lives
from tests.support.priors_rows import write_sealed

LEVEL = Bank.read("held_out")[40].level
VERSIONS = ("original", "masked_semantics")
GIVEN = "given rules, patrols, upright"


@pytest.fixture
def results(tmp_path):
    """A folder of committed rows, as results/ is, of players that differ much, whose lives differ little."""
    rows = [
        ("full", seed, place, version, life, int((300 + 200 * seed) * slower) + life, seed)
        for place in ("princess", "key_door")
        for version, slower in {"original": 1, "masked_semantics": 1, "masked_similarity": 4, "all_masked": 9}.items()
        for seed in range(4)
        for life in range(5)
    ]
    names = ["player", "seed", "place", "version", "life", "inputs", "deaths"]
    write_sealed(tmp_path / "results" / "priors", pd.DataFrame(rows, columns=names))
    return tmp_path / "results"


@pytest.fixture
def weights(tmp_path):
    save(Perception(Architecture()), tmp_path / "a.safetensors", {})
    return tmp_path / "a.safetensors"


def test_a_life_becomes_the_rows_of_its_replay(tmp_path, weights):
    first, second = plan_lives(tmp_path / "study", VERSIONS, weights, LEVEL)
    play = first.live(told(LEVEL))
    lived = live(first_scenery := first.scenery(), told(LEVEL), first.settings, first.seed)
    assert first_scenery.version == "original" and play.inputs and play.solved
    (run,) = played(load(tmp_path, "study"))
    assert (run.inputs, run.won, run.deaths, run.states) == (len(lived.inputs), True, 0, lived.unique_states)
    assert run.progress[1, -1] == 1 and len(run.track) and run.reached
    assert run.settings["given"] == ["rules", "patrols", "upright"]
    assert plan_lives(tmp_path / "study", VERSIONS, weights, LEVEL) == [second], "what is finished stays"
    second.live(told(LEVEL))
    both = Section("princess", LEVEL.text(), VERSIONS, tuple(played(load(tmp_path))))
    assert headline(analyse(both)) == "The player with priors won all 2 versions at first sight (1 life each)"
    weights.write_bytes(b"others")
    with pytest.raises(ValueError, match=r"holds a run with weights = .* expected the same settings"):
        plan_lives(tmp_path / "study", VERSIONS, weights, LEVEL)


def test_what_is_no_player_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"a\.safetensors: damaged, or not a safetensors file"):
        plan_lives(tmp_path / "study", VERSIONS, tmp_path / "a.safetensors", LEVEL)
    assert not (tmp_path / "study").exists()


def test_lives_end_at_the_limit_and_a_life_that_was_stopped_is_written_again(tmp_path, weights):
    lives = plan_lives(tmp_path / "study", VERSIONS, weights, LEVEL, limit=12)
    console = Console(file=(printed := StringIO()), width=200)
    live_through(lives, weights, console)
    assert "finished  priors · masked semantics · seed 0  12 inputs" in printed.getvalue()
    files = {path.name: path.read_bytes() for path in lives[0].folder.glob("*.csv")}
    (lives[0].folder / "done").unlink()
    live_through(plan_lives(tmp_path / "study", VERSIONS, weights, LEVEL, limit=12), weights, console)
    assert {path.name: path.read_bytes() for path in lives[0].folder.glob("*.csv")} == files
    assert is_finished(lives[0].folder)
    assert [run.outcome for run in played(load(tmp_path))] == ["limit", "limit"]


def test_committed_lives_count_by_raised_player(results):
    names = ("original", "masked_semantics", "masked_similarity", "all_masked")
    runs = committed_lives("princess", names, results)
    analysis = analyse(Section("princess", Level.read("princess").text(), names, tuple(runs)))
    cells = {cell.version: cell for cell in analysis.cells}
    assert (cells["original"].n, cells["original"].won) == (20, 20)
    assert not any(cell.tests for cell in analysis.cells)
    ratio = cells["masked_similarity"].ratio
    assert ratio and (ratio.n, ratio.n_original) == (4, 4)
    assert ratio.low and ratio.high and ratio.high / ratio.low < 1.05, "the same players, all slowed alike"
    assert headline(analysis) == (
        "Changed looks clearly slow the player with priors in 2 of 3 versions "
        "(all masked and masked similarity; 4 seeds)"
    )
    alone = [replace(run, raised="seed 0") for run in runs]
    assert not any(cell.ratio.low for cell in analyse(Section("princess", "", names, tuple(alone))).cells if cell.ratio)


def test_the_page_has_a_sentence_a_game_and_names_what_is_given(results, tmp_path):
    section = committed_section(results)
    assert section and section.versions == ("original", "masked_semantics", "masked_similarity", "all_masked")
    runs = tuple(run for run in section.runs if run.version in VERSIONS)
    short = replace(section, versions=VERSIONS, runs=runs)
    lives = committed_lives("princess", VERSIONS, results)
    text = write_report(load(tmp_path), tmp_path / "page.html", VERSIONS, lives=lives, beside=[short]).read_text(
        "utf-8"
    )
    said = "changed looks clearly slow the player with priors in no version (4 seeds)"
    assert f"<span>Princess: {said}.</span><span>Key and Door: {said}.</span>" in text
    assert text.count(f"<small>{GIVEN}</small>") > 4 and f"Player with priors, {GIVEN}</span>" in text
    assert "results/priors." in text and np.char.count(text, "<svg") > 4


def test_without_rows_nothing_stands_beside(tmp_path):
    assert committed_section(tmp_path) is None
    assert committed_lives("princess", VERSIONS, tmp_path) == []
