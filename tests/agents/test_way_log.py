"""A run records how far its lanes came, what they reached, where they went and when they died, as a person's play
would."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from priorlab.agents.runs import run_log
from priorlab.agents.runs.run_log import RunLog
from priorlab.agents.runs.way_log import MOST_INPUTS
from priorlab.agents.training import play_at_random
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import JUMP, LEFT, RIGHT
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.progress import find_distances, progress
from priorlab.envs.plays.tracks import reached, track
from priorlab.envs.results.archive import Archive
from priorlab.envs.results.load import load, read_run
from priorlab.envs.results.rows import RunWriter
from priorlab.scripts.analysis.recurrent import mean_deaths
from priorlab.scripts.analysis.statistics import played
from tests.agents.test_agents import RANDOM
from tests.envs.test_key_door import HALL
from tests.envs.test_progress import SPIKES
from tests.envs.test_results import CONFIG
from tests.envs.test_solver import SHUT, STAIR

WAY = ("progress", "reached", "deaths", "tracks")
LONG = replace(RANDOM, frame_skip=1, max_inputs=100_000, inputs=3000)


def rest_of(play: Play) -> np.ndarray:
    """int (n + 1,): the least distance after each input."""
    inputs, remaining = progress(play).to_numpy().T
    return remaining[np.searchsorted(inputs, np.arange(len(play.inputs) + 1), side="right") - 1]


GAMES = {"stair": (STAIR, "princess"), "spikes": (SPIKES, "key_door"), "key_door": (None, "key_door")}


@pytest.mark.parametrize("level, game", GAMES.values(), ids=GAMES)
@pytest.mark.parametrize("lanes", [1, 3])
def test_a_run_records_what_the_plays_of_its_lanes_do(tmp_path: Path, level: str | None, game: str, lanes: int):
    """Until the first win, where a play ends. Without frame skip and random starts a run sees every input."""
    settings = replace(LONG, level=level, game=game, num_games=lanes, inputs=3000 * lanes, out=tmp_path)
    play_at_random(settings)
    _, rows = read_run(tmp_path)
    actions = np.random.default_rng(settings.seed).integers(6, size=(3000, lanes))
    wins = rows["episodes"].query("outcome == 'win'")["inputs"]
    until = min([*wins // lanes, 3001])  # inputs of each lane up to which nobody has won
    plays = [Play.of(actions[: until - 1, lane], game=game, level=level) for lane in range(lanes)]

    least = np.min([rest_of(play) for play in plays], axis=0)
    fell = np.append(0, 1 + np.flatnonzero(np.diff(least))).tolist()
    way = rows["progress"]
    assert way[way["inputs"] < until * lanes].to_numpy().tolist() == [[lanes * at, least[at]] for at in fell]
    assert len(fell) > 3 and (way["remaining"].iloc[-1] == 0) == (len(wins) > 0)

    first = lanes * pd.concat([reached(play)["inputs"] for play in plays], axis=1).min(axis=1)
    near = rows["reached"]
    assert near["inputs"].where(near["inputs"] < until * lanes).equals(first) and first.notna().any()
    assert near[["thing", "kind"]].equals(reached(plays[0])[["thing", "kind"]])

    died = np.sum([play.measure().deaths for play in plays], axis=0)
    rose = np.flatnonzero(np.diff(died, prepend=0)).tolist()
    counted = rows["deaths"]
    assert counted[counted["inputs"] < until * lanes].to_numpy().tolist() == [
        [0, 0], *([lanes * (at + 1), died[at]] for at in rose)
    ]  # fmt: skip

    measured, due = plays[0].measure(), 0
    begins, kept = [0, *(1 + np.flatnonzero(measured.events))], [0]
    for life, at in enumerate(begins[1:], 1):
        if lanes * at >= due:
            kept, due = [*kept, life], 2 * lanes * at
    own = track(measured).iloc[:-1]
    own = own[own["life"].isin(kept) & (own["inputs"] - np.array(begins)[own["life"]] <= MOST_INPUTS)]
    own = own.assign(inputs=lanes * own["inputs"]).to_numpy().tolist()
    went = rows["tracks"]
    assert went[went["inputs"] < until * lanes].to_numpy().tolist()[: len(own)] == own and len(own) > 10


def test_deaths_are_those_of_the_plays_of_the_lanes(tmp_path: Path):
    """Where a death ends no episode, through two limits, after which the lanes begin new plays."""
    games = Games(3, max_inputs=300, game="key_door", level=HALL)
    actions = np.random.default_rng(0).choice([LEFT, RIGHT, JUMP], (700, 3), p=[0.1, 0.8, 0.1])
    log = RunLog(games, RunWriter(tmp_path, CONFIG | {"game": "key_door", "level": HALL}))
    games.reset(0)
    log.begin()
    for each in actions:
        games.step(each)
        log.step()
    log.finish()
    plays = [[Play.of(part, game="key_door", level=HALL) for part in np.split(lane, [300, 600])] for lane in actions.T]
    died = np.sum([np.concatenate([play.measure().events for play in own]) for own in plays], axis=0)
    (at,) = np.nonzero(died)
    rows = read_run(tmp_path)[1]["deaths"].to_numpy().tolist()
    assert rows == [[0, 0], *np.transpose([3 * (at + 1), np.cumsum(died)[at]]).tolist()] and len(rows) > 20


def test_frame_skip_and_random_starts_are_seen_once_per_decision(tmp_path: Path, monkeypatch):
    step, seen = run_log.RunLog.step, []

    def follow(log: run_log.RunLog) -> None:
        step(log)
        states = log.games.state.copy()
        states[log.games.ended] = log.games.final_states
        seen.append((log.inputs, states))

    monkeypatch.setattr(run_log.RunLog, "step", follow)
    settings = replace(LONG, level=STAIR, num_games=4, frame_skip=3, random_start=9, max_inputs=150, out=tmp_path)
    place = play_at_random(settings).games.places[0]
    distances, expected = find_distances(place.level, place.rules), []
    expected = [(0, distances.first)]
    for inputs, states in seen:
        least = int(distances.of(states).min())
        if least < expected[-1][1]:
            expected.append((inputs, least))
    assert [*map(tuple, read_run(tmp_path)[1]["progress"].to_numpy().tolist())] == expected and len(expected) > 3


def test_a_level_without_a_solution_has_no_progress_but_the_rest(tmp_path: Path):
    folder = tmp_path / "study" / "original" / "random" / "seed_0"
    play_at_random(replace(LONG, level=SHUT, game="key_door", inputs=500, out=folder))
    assert {path.name for path in folder.iterdir()} >= {"reached.csv", "tracks.csv"}
    assert not (folder / "progress.csv").exists()
    (run,) = played(load(tmp_path))
    assert run.progress.shape == (2, 0) and set(run.reached) == {"monster 1", "key", "door"} and len(run.track)
    assert run.deaths == 0 and run.died.tolist() == [[0], [0]], "recorded: nobody died"
    (folder / "deaths.csv").unlink()  # as an older run: in this game its episodes don't tell
    (run,) = played(load(tmp_path))
    assert np.isnan(run.deaths) and not run.died.size


def test_archives_keep_progress_and_what_was_reached_if_runs_have_them(tmp_path: Path):
    folders = [tmp_path / "runs" / "study" / "original" / "random" / f"seed_{seed}" for seed in range(2)]
    for seed, folder in enumerate(folders):
        play_at_random(replace(LONG, level=STAIR, seed=seed, out=folder))
    for name in WAY:
        (folders[1] / f"{name}.csv").unlink()  # as an older run
    before = load(tmp_path / "runs")
    assert before.problems == () and set(before.progress["seed"]) == {0} == set(before.tracks["seed"])
    Archive.of(before).write(tmp_path / "kept")
    after = Archive.read(tmp_path / "kept").results(tmp_path / "study")
    for name in WAY[:3]:
        pd.testing.assert_frame_equal(getattr(before, name), getattr(after, name), check_dtype=False)
    with_way, without = played(after)
    assert with_way.progress[1, -1] > 0 and with_way.reached and not without.progress.size and not without.reached

    for name in WAY[:3]:
        (tmp_path / "kept" / f"{name}.csv.xz").unlink()  # as an older archive
    older = Archive.read(tmp_path / "kept")
    runs, grid = played(older.results(tmp_path / "study")), np.arange(0.0, 3001, 50)
    assert not any(run.progress.size for run in runs)
    assert runs[0].deaths == with_way.deaths > 0  # each death ends an episode here
    assert np.array_equal(mean_deaths(runs[:1], grid), mean_deaths([with_way], grid), equal_nan=True)
    older.write(tmp_path / "again")
    assert {path.name for path in (tmp_path / "again").iterdir()} == {
        path.name for path in (tmp_path / "kept").iterdir()
    }
    both = older.joined(Archive.of(before), tmp_path, problems := [])
    assert not problems and len(both.runs) == 2


def test_a_run_resumed_from_an_older_checkpoint_records_no_half_of_its_way(tmp_path: Path):
    log = play_at_random(replace(LONG, level=STAIR, inputs=300, out=tmp_path))
    state = log.state()
    assert log.way and state["way"]["least"] == log.way.least
    log.restore({name: value for name, value in state.items() if name not in ("way", "deaths")})
    assert log.way is None and log.deaths is None
