"""Plays as demonstrations: what an agent would have seen and done; and that it learns from them before it trains."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from priorlab.agents.imitation.cloning import CloningResult, choose_held_out, clone
from priorlab.agents.imitation.demonstrations import action_for, read_demonstrations, trajectories_of
from priorlab.agents.imitation.trajectories import remove_loops
from priorlab.agents.learners.make_ppo import make_ppo, train_ppo
from priorlab.agents.runs.run_learner import make_env
from priorlab.agents.training import train
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.solver import Solver
from priorlab.envs.plays.lane_recorder import LaneRecorder
from priorlab.envs.plays.play import CHARACTERS, Play
from priorlab.envs.results.load import load
from tests.agents.test_agents import ROOM, StopAt, weights
from tests.agents.test_agents import SMALL as learner

LOFT = """name = "loft"
game = "princess"
---
|        |
| HH   G |
|#HH#####|
| HH     |
| HH   S |
|########|
"""

SMALL = replace(learner, inputs=600, level=ROOM, checkpoint_every=300, frame_skip=2)
pytestmark = pytest.mark.usefixtures("one_thread")


def save_wins(folder: Path, players: int = 3, kind: str = "person", version: str = "original", wins: int = 2) -> None:
    """Each player walks to the goal of ROOM, with waits or turns on the way."""
    random = np.random.default_rng(players)
    for number in range(players):
        for k in range(wins):
            steps = [2] * 60
            for _ in range(6):
                at = int(random.integers(20))
                steps[at:at] = [0] * int(random.integers(4)) if k else [1, 2]
            course = Games(1, version, level=ROOM, screen_size=8, autoreset=False, max_inputs=1000)
            course.reset(0)
            taken = []
            for action in steps:
                taken.append(action)
                if course.step(np.array([action]))[2][0]:
                    break
            play = Play.of(taken, version, level=ROOM, player=kind, player_id=f"p{number}")
            assert play.ended == "win"
            play.save(folder / f"{version}-{kind}-{number}-{k}.play")


@pytest.mark.parametrize(
    ("window", "action"),
    [("r", "r"), (".r", "r"), ("r.", "r"), ("rl", "l"), ("..", "."), ("rj", "j"), ("...r", "."), ("rrll", "l"),
     ("rrl.", "r"), (".j..", "j"), ("uu..", "u"), ("u", "u")],
)  # fmt: skip
def test_one_action_stands_for_a_window(window, action):
    assert action_for(window) == CHARACTERS.index(action)


@given(st.sampled_from(CHARACTERS), st.integers(1, 8))
def test_a_repeated_action_stands_for_itself(character, count):
    assert action_for(character * count) == CHARACTERS.index(character)


CASES = [
    ({"screen_size": 24, "stack_size": 2}, "princess", "original"),
    ({"screen_size": 30, "grayscale_obs": False, "stack_size": 3}, "princess", "masked_similarity"),
    ({"screen_size": 24}, "key_door", "gravity"),
    ({"obs": "tiles", "stack_size": 2}, "princess", "original"),
]


@pytest.mark.parametrize(("look", "game", "version"), CASES)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), frame_skip=st.integers(1, 4))
def test_an_agents_own_play_gives_back_its_observations_and_actions(look, game, version, seed, frame_skip):
    """Through deaths and all, bit for bit."""
    arguments = {"version": version, "game": game, "frame_skip": frame_skip, **look}
    games = Games(1, **arguments)
    random = np.random.default_rng(seed)
    observation, recorder = games.reset(0)[0].copy(), LaneRecorder(games, 0, version)
    seen, taken = [], []
    action = 2
    for _ in range(120):
        action = int(random.integers(6)) if random.random() < 0.3 else action
        seen.append(observation)
        taken.append(action)
        observation = games.step(np.array([action]))[0][0].copy()
        recorder.step(action)
        if games.state[0, 10] or games.lanes.truncated[0]:
            break
    play = recorder.end()
    ways = [way for way, _ in trajectories_of(play, arguments)]
    pictures, actions = (np.concatenate(parts) for parts in zip(*ways))
    assert actions.tolist() == taken[: len(actions)] and len(actions) == len(taken)
    assert np.array_equal(pictures, np.stack(seen))


def test_only_plays_of_the_same_players_version_and_level_are_learned_from(tmp_path):
    save_wins(tmp_path, 2)
    save_wins(tmp_path, 1, kind="simulated")
    save_wins(tmp_path, 1, version="masked_objects", wins=1)
    Play.of([2] * 9, "original", player_id="elsewhere").save(tmp_path / "princess.play")
    asked = replace(SMALL, demonstrations=tmp_path)
    assert (read_demonstrations(asked).plays, sorted(set(read_demonstrations(asked).participants))) == (4, ["p0", "p1"])
    assert read_demonstrations(replace(asked, demonstrators="simulated")).plays == 2
    masked = replace(asked, version="masked_objects")
    assert read_demonstrations(masked).plays == 1
    redrawn = read_demonstrations(replace(masked, demonstrations_version="original"))
    assert redrawn.plays == 4
    own, others = (
        redrawn.trajectories[0][0],
        read_demonstrations(asked).trajectories[0][0],
    )  # the same plays, as the masked agent sees them
    assert own.shape == others.shape and not np.array_equal(own, others)
    for change, message in (
        (
            {"version": "masked_similarity"},
            "expected plays by player 'person' of princess masked_similarity, on the agent",
        ),
        ({"demonstrations_version": "gravity"}, "expected a version with the rules of original"),
        ({"demonstrations_version": "nothing"}, "unknown version"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            read_demonstrations(replace(asked, **change))
        assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_demonstrations(replace(asked, demonstrations=tmp_path / "nowhere"))


def test_wins_are_learned_without_loops_and_everything_is_everything(tmp_path):
    save_wins(tmp_path, 2)
    Play.of([2, 2, 1, 1, 2], level=ROOM, player_id="quitter").save(tmp_path / "quit.play")
    asked = replace(SMALL, demonstrations=tmp_path)
    wins, everything = read_demonstrations(asked), read_demonstrations(replace(asked, demonstrated="everything"))
    assert len(wins.trajectories) == 4 and len(everything.trajectories) == 5 and wins.digest == everything.digest
    for (seen, taken), (all_seen, all_taken) in zip(wins.trajectories, everything.trajectories):
        assert np.array_equal(remove_loops(all_seen, all_taken)[0], seen) and len(taken) <= len(all_taken)
    lost = tmp_path / "lost"
    Play.of([2, 2], level=ROOM).save(lost / "a.play")
    with pytest.raises(ValueError, match="1 plays of princess original, none of them won"):
        read_demonstrations(replace(asked, demonstrations=lost))


def test_the_digest_tells_plays_apart_and_not_their_files(tmp_path):
    save_wins(tmp_path / "a", 2)
    asked = replace(SMALL, demonstrations=tmp_path / "a")
    before = read_demonstrations(asked).digest
    (tmp_path / "b").mkdir()
    for number, path in enumerate(sorted((tmp_path / "a").iterdir(), reverse=True)):
        (tmp_path / "b" / f"{number}.play").write_bytes(path.read_bytes())
    assert read_demonstrations(replace(asked, demonstrations=tmp_path / "b")).digest == before
    (tmp_path / "b" / "0.play").unlink()
    assert read_demonstrations(replace(asked, demonstrations=tmp_path / "b")).digest != before


def test_a_clone_acts_as_was_demonstrated_also_where_it_learned_nothing_from(tmp_path):
    """Left to the ladder, up it and right to the goal, after a wait of any length."""
    way = Solver(Level.read(LOFT)).run().inputs
    assert way is not None
    for number in range(10):
        play = Play.of([0] * number + way.tolist(), level=LOFT, player_id=f"p{number // 2}")
        play.save(tmp_path / f"{number}.play")
    asked = replace(SMALL, demonstrations=tmp_path, level=LOFT, features=128, screen_size=42)
    model = make_ppo(asked, make_env(asked)[0])
    shown = read_demonstrations(asked)
    cloned = clone(model, shown, epochs=60, held_out=0.4, seed=1, folder=tmp_path)
    assert (cloned.demonstrators, cloned.held_out_demonstrators) == (3, 2)
    assert cloned.decisions + cloned.held_out_decisions == sum(len(actions) for _, actions in shown.trajectories)
    assert cloned.held_out_accuracy is not None and cloned.held_out_most_common is not None
    assert min(cloned.accuracy, cloned.held_out_accuracy) > 0.8 > 0.5 > cloned.held_out_most_common
    assert CloningResult.read(tmp_path) == cloned and "others" in str(cloned)


@given(st.integers(1, 40), st.floats(0, 0.99), st.integers(0, 99))
def test_of_many_demonstrators_some_are_held_out_and_some_are_not(count, share, seed):
    names = [f"p{k // 2}" for k in range(2 * count)]
    others = choose_held_out(names, share, seed)
    assert others <= set(names) and len(others) < count
    assert (len(others) > 0) == (share > 0 and count > 1)
    assert others == choose_held_out(names[::-1], share, seed)


def test_training_begins_as_the_clone_and_says_what_it_was_shown(tmp_path):
    save_wins(tmp_path / "people", 3)
    folder = tmp_path / "runs" / "x" / "original" / "ppo-demonstrations" / "seed_0"
    asked = replace(SMALL, demonstrations=tmp_path / "people", out=folder)
    told = train(asked)
    assert told.startswith("ppo-demonstrations on original") and "held out:" in told
    config = json.loads((folder / "config.json").read_text())
    assert config["demonstrations"] == read_demonstrations(asked).digest and config["demonstrators"] == "person"
    assert str(tmp_path) not in (folder / "config.json").read_text()
    assert set(load(tmp_path / "runs").configs["method"]) == {"ppo-demonstrations"}
    plain = train_ppo(replace(SMALL, out=tmp_path / "plain"))[1]
    shown = train_ppo(replace(asked, out=tmp_path / "again"))[1]
    assert shown.first_win is not None and (plain.first_win is None or shown.first_win < plain.first_win)
    before = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert not any("demonstrat" in name for name in before)


def test_a_stopped_run_goes_on_to_the_same_weights_and_only_with_the_same_plays(tmp_path):
    save_wins(tmp_path / "people", 2)
    asked = replace(SMALL, demonstrations=tmp_path / "people", inputs=1500)
    whole = weights(train_ppo(replace(asked, out=tmp_path / "whole"))[0])
    for times in (700, 10_000):
        if times == 700:
            with pytest.raises(KeyboardInterrupt):
                train_ppo(replace(asked, out=tmp_path / "stopped"), StopAt(times))
            kept = (tmp_path / "people" / "original-person-0-0.play").rename(tmp_path / "aside.play")
            with pytest.raises(ValueError, match="holds a run with demonstrations = "):
                train_ppo(replace(asked, out=tmp_path / "stopped"))
            kept.rename(tmp_path / "people" / "original-person-0-0.play")
        else:
            assert torch.equal(whole, weights(train_ppo(replace(asked, out=tmp_path / "stopped"))[0]))


def test_names_of_methods_keep_rows_apart(tmp_path):
    asked = replace(SMALL, demonstrations=tmp_path)
    assert SMALL.method == "ppo" and asked.method == "ppo-demonstrations"
    assert replace(asked, demonstrators="simulated").method == "ppo-demonstrations-simulated"
    assert replace(asked, demonstrations_version="original").method == "ppo-demonstrations-of-original"
    assert replace(asked, curiosity="none").method == "ppo-no-bonus-demonstrations"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"demonstrations_held_out": 1.0}, "demonstrations_held_out is 1.0: expected 0 or more, less than 1"),
        ({"demonstration_epochs": 0}, "demonstration_epochs is 0: expected 1 or more"),
        ({"demonstrators": "anybody"}, "demonstrators is 'anybody': expected one of person, simulated, agent"),
    ],
)  # fmt: skip
def test_a_bad_setting_gets_a_one_line_error(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)
