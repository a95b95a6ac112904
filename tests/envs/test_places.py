"""Batches that play each episode in one of several places, and games as tiles."""

import gymnasium
import numpy as np
import pytest

from priorlab.envs.engine.games import Games
from priorlab.envs.engine.tiles import CHANNELS, HERE, KINDS, UNSPEED
from priorlab.envs.game.rules import HAS_KEY, JUMPING, ON_LADDER, SPEED, X, Y
from priorlab.envs.game.sequences import TOWER

SHORT = ["---\nS  G\n####\n", "---\nG  S\n####\n", "---\nS   G\n#####\n"]


def places_of(games, steps, seed=0):
    """The places of all episodes, lane by lane."""
    games.reset(seed)
    played = [[place] for place in games.info()["place"].tolist()]
    for actions in np.random.default_rng(1).integers(0, 6, (steps, games.num_games)):
        games.step(actions)
        for lane in games.ended.tolist():
            played[lane].append(int(games.info()["place"][lane]))
    return played


def test_in_order_every_lane_goes_through_all_places_from_the_first():
    for played in places_of(Games(3, level=SHORT, order="in_order", max_inputs=9), 200):
        assert len(played) > 10 and played == [k % 3 for k in range(len(played))]


def test_drawn_places_follow_the_seed_and_the_chances():
    games = Games(4, level=SHORT, order="drawn", max_inputs=5)
    assert games.chances == pytest.approx(1 / 3)
    first, again, other = (places_of(games, 300, seed) for seed in (0, 0, 1))
    assert first == again != other and first[1:] == [lane[: len(a)] for lane, a in zip(other, first[1:])]
    games.chances = [1, 0, 3]
    assert games.chances.tolist() == [0.25, 0, 0.75]
    played = np.concatenate(places_of(games, 3000))
    counts = np.bincount(played, minlength=3) / len(played)
    assert counts[1] == 0 and abs(counts[0] - 0.25) < 0.04


@pytest.mark.parametrize("wrong", [[1, 2], [1, 1, -1], [0, 0, 0], [1, 1, np.nan]])
def test_wrong_chances_are_refused(wrong):
    games = Games(1, level=SHORT, order="drawn")
    with pytest.raises(ValueError, match="chances: expected 3 numbers, 0 or more and not all 0, one per place"):
        games.chances = wrong
    assert games.chances == pytest.approx(1 / 3)


def test_every_episode_in_a_place_that_is_drawn_is_a_play_of_its_own():
    games = Games(1, level=["---\nS  *  G\n#######\n", "---\nS * G\n#####\n"], order="drawn")
    games.reset(0)
    for _ in range(60):
        games.step(np.array([2]))
        if len(games.ended):
            assert games.final_info["deaths"].tolist() == [1]
            assert games.info()["deaths"].tolist() == [0] and games.info()["inputs"].tolist() == [0]


def test_saved_lanes_come_back_in_the_place_they_were_in():
    games = Games(2, level=SHORT, order="drawn", max_inputs=7)
    places_of(games, 20)
    saved, after = games.save(), []
    for _ in range(2):
        after.append([games.step(np.array([2, 1]))[0].tobytes() for _ in range(30)])
        games.restore(saved)
    assert after[0] == after[1]
    with pytest.raises(ValueError, match="expected the same levels, looks and lanes"):
        Games(2, level=SHORT[0]).restore(saved)


@pytest.mark.parametrize(("name", "value"), [("order", "random"), ("obs", "text"), ("split", "test")])
def test_unknown_choices_list_what_exists(name, value):
    with pytest.raises(ValueError, match=f"{name} is '{value}': expected one of "):
        Games(1, **{name: value})


def test_the_twenty_levels_are_one_environment():
    env = gymnasium.make("PriorLab/Levels-v0")
    assert len({env.reset(seed=seed)[1]["place"] for seed in range(60)}) > 12
    assert [place.level.name for place in env.unwrapped.games.places] == list(TOWER)
    env = gymnasium.make("PriorLab/Levels-v0", order="in_order")
    assert [env.reset()[1]["place"] for _ in range(21)] == [*range(20), 0]
    env = gymnasium.make("PriorLab/Levels-v0", level="tower_07")
    assert [place.level.name for place in env.unwrapped.games.places] == ["tower_07"]


@pytest.mark.parametrize("version", ["original", "gravity"])
@pytest.mark.parametrize("level", ["key_door", "tower_20", "princess"])
def test_tiles_tell_what_is_where(level, version):
    games = Games(4, version, level=level, obs="tiles")
    games.reset(0)
    read = games.places[0].level
    side = read.side // 15
    for step, actions in enumerate(np.random.default_rng(0).integers(0, 6, (600, 4))):
        seen = games.step(actions)[0].copy()
        assert seen.shape == (4, side, side, CHANNELS)
        for lane in range(4):
            assert np.array_equal(games.redraw(lane), seen[lane])
            cells = np.rot90(seen[lane]) if version == "gravity" else seen[lane]  # the screen rotated back
            state = games.state[lane]
            row, column = state[Y] // 30, state[X] // 30
            inside = 0 <= state[X] < 30 * side and 0 <= state[Y] < 30 * side
            assert np.argwhere(cells[..., HERE]).tolist() == ([[row, column]] if inside else [])
            if inside:
                told = cells[row, column, HERE + 3 :].tolist()
                assert told == [state[SPEED] + UNSPEED, state[JUMPING], state[ON_LADDER], state[HAS_KEY]]
            if step % 100 == 0:
                kinds = cells[..., 0]
                assert (kinds == KINDS.index("platform")).sum() == sum(row.count("#") for row in read.rows)
                assert (kinds == KINDS.index("key")).sum() == (read.key is not None and not state[HAS_KEY])


def test_tiles_stack_and_go_through_the_environments():
    env = gymnasium.make("PriorLab/Princess-v0", obs="tiles", stack_size=2)
    observation, _ = env.reset(seed=0)
    assert observation.shape == (16, 16, 2 * CHANNELS) and env.observation_space.contains(observation)
    batch = gymnasium.make_vec("PriorLab/Princess-v0", num_envs=2, obs="tiles", render_mode="rgb_array")
    assert batch.reset(seed=0)[0].shape == (2, 16, 16, CHANNELS) and batch.render()[0].shape == (240, 240, 3)
