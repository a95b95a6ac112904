"""The batch: lanes equal single games, pictures equal full redraws, counts equal slow ones."""

import threading
import time

import cv2
import numpy as np
import pytest

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import DOWN, LEFT, PLACE, RIGHT, UP, X, Y
from priorlab.envs.game.versions import looks, versions
from tests.support.levels import BUSY

VERSIONS = tuple(versions("princess"))
LOOKS = tuple(looks("princess"))


def random_actions(games, steps, seed=0):
    return np.random.default_rng(seed).integers(0, 6, (steps, games.num_games))


def winning_inputs():
    """The only way to win in a corridor."""
    return [RIGHT] * 5


CORRIDOR = "---\nS  G\n####\n"


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(threads):
    alone = Games(11, list(VERSIONS) + ["original"], random_start=20)
    shared = Games(11, list(VERSIONS) + ["original"], random_start=20, num_threads=threads)
    assert np.array_equal(alone.reset(3), shared.reset(3))
    for actions in random_actions(alone, 400):
        for one, other in zip(alone.step(actions), shared.step(actions)):
            assert np.array_equal(one, other)
        assert np.array_equal(alone.ended, shared.ended)
        assert np.array_equal(alone.final_observations, shared.final_observations)
    assert np.array_equal(alone.state, shared.state)


def test_threads_sleep_between_steps_and_end_with_their_batch():
    others = set(threading.enumerate())
    alone, shared = Games(4), Games(4, num_threads=2)
    (worker,) = set(threading.enumerate()) - others
    alone.reset(0)
    shared.reset(0)
    for pause, actions in zip((0, 0.05, 0, 0.001, 0.0002, 0.05), random_actions(alone, 6)):
        time.sleep(pause)
        alone.step(actions)
        shared.step(actions)
        assert np.array_equal(alone.state, shared.state)
    del shared
    worker.join(10)
    assert not worker.is_alive()


def test_lane_i_equals_the_single_game_with_seed_plus_i():
    settings = {"random_start": 30, "stack_size": 2, "frame_skip": 2, "screen_size": 42}
    batch = Games(5, "original", **settings)
    singles = [Games(1, "original", **settings) for _ in range(5)]
    first = batch.reset(10)
    for lane, single in enumerate(singles):
        assert np.array_equal(single.reset(10 + lane)[0], first[lane])
    for actions in random_actions(batch, 300):
        results = batch.step(actions)
        for lane, single in enumerate(singles):
            for one, all_of in zip(single.step(actions[lane : lane + 1]), results):
                assert np.array_equal(one[0], all_of[lane])
            assert (len(single.ended) == 1) == (lane in batch.ended)


@pytest.mark.parametrize("level", ["princess", "princess_masked_geometry", "key_door", BUSY, CORRIDOR])
@pytest.mark.parametrize(
    ("size", "grayscale"), [(84, True), (84, False), (42, True), (31, False), (5, True), (400, True)]
)
def test_pictures_equal_a_full_redraw_and_the_area_average(level, size, grayscale):
    games = Games(4, level=level, screen_size=size, grayscale_obs=grayscale, max_inputs=300)
    games.reset(0)
    for step, actions in enumerate(random_actions(games, 900)):
        observations = games.step(actions)[0]
        if step % 60 == 59:
            kept = observations.copy()
            for lane in range(4):
                assert np.array_equal(games.redraw(lane), kept[lane])
                native = games.native_frame(lane)
                native = cv2.cvtColor(native, cv2.COLOR_RGB2GRAY)[..., None] if grayscale else native
                expected = cv2.resize(native, (size, size), interpolation=cv2.INTER_AREA).reshape(size, size, -1)
                assert np.abs(expected.astype(int) - kept[lane]).max() <= 1


def test_many_scenes_are_drawn_without_patches_just_the_same(monkeypatch):
    patched = Games(3, level=BUSY)
    monkeypatch.setattr("priorlab.envs.engine.scenes.PATCH_MEMORY", 0)
    unpatched = Games(3, level=BUSY)
    undrawn = Games(3, level=BUSY, still=False)
    assert patched.scenes.patches.size and not unpatched.scenes.patches.size and not undrawn.scenes.patches.size
    pictures = [games.reset(0) for games in (patched, unpatched, undrawn)]
    assert np.array_equal(pictures[0], pictures[1]) and np.array_equal(pictures[0], pictures[2])
    for actions in random_actions(patched, 500):
        first, *others = [games.step(actions)[0] for games in (patched, unpatched, undrawn)]
        assert all(np.array_equal(first, other) for other in others)


def test_versions_differ_in_looks_alone():
    games = Games(len(LOOKS), LOOKS)
    seen = games.reset(0).copy()
    assert len({picture.tobytes() for picture in seen}) == len(LOOKS)
    for actions in np.random.default_rng(1).integers(0, 6, 4000):
        _, rewards, terminated, truncated = games.step(np.full(len(LOOKS), actions))
        assert (games.state[:, :PLACE] == games.state[0, :PLACE]).all()
        assert len(set(rewards)) == len(set(terminated)) == len(set(truncated)) == 1


def test_levels_and_sizes_mix_in_one_batch():
    levels = ["princess", BUSY, "princess_masked_geometry", CORRIDOR]
    mixed = Games(4, VERSIONS[:4], level=levels, look_seed=[0, 1, 2, 3])
    singles = [Games(1, VERSIONS[k], level=levels[k], look_seed=k) for k in range(4)]
    mixed.reset(0)
    for single in singles:
        single.reset(0)
    for actions in random_actions(mixed, 400):
        observations = mixed.step(actions)[0]
        for lane, single in enumerate(singles):
            assert np.array_equal(single.step(actions[lane : lane + 1])[0][0], observations[lane])


def test_unique_states_deaths_and_inputs_count_over_a_play_and_across_deaths():
    games = Games(3, level=BUSY, max_inputs=120)
    games.reset(0)
    places = [{tuple(row)} for row in games.state[:, [X, Y]].tolist()]
    every, deaths, inputs = [set(p) for p in places], [0] * 3, [0] * 3
    side = 2 * games.places[0].level.side
    fates = set()

    def inside(place):
        return 0 <= place[0] < side and 0 <= place[1] < side

    for actions in random_actions(games, 3000, seed=4):
        _, rewards, terminated, truncated = games.step(actions)
        for lane in range(3):
            inputs[lane] += 1
            if lane in games.ended:
                k = list(games.ended).index(lane)
                place = (int(2 * games.final_info["x"][k]), int(2 * games.final_info["y"][k]))
                died = bool(terminated[lane]) and not rewards[lane]
                fates.add((died, bool(truncated[lane])))
                places[lane].add(place)
                every[lane].add(place)
                deaths[lane] += died
                assert games.final_info["unique_states"][k] == sum(map(inside, places[lane]))
                assert (games.final_info["deaths"][k], games.final_info["inputs"][k]) == (deaths[lane], inputs[lane])
                if not died:
                    places[lane], deaths[lane], inputs[lane] = set(), 0, 0
            place = tuple(games.state[lane, [X, Y]].tolist())
            places[lane].add(place)
            every[lane].add(place)
        info = games.info()
        assert info["unique_states"].tolist() == [sum(map(inside, found)) for found in places]
        assert info["deaths"].tolist() == deaths and info["inputs"].tolist() == inputs
    assert fates >= {(True, False), (False, True)}
    assert games.visited().sum() == len({place for found in every for place in found if inside(place)})


def test_a_win_ends_the_play():
    games = Games(1, level=CORRIDOR)
    games.reset(0)
    rewards = [games.step(np.array([action]))[1][0] for action in winning_inputs()]
    assert rewards == [0, 0, 0, 0, 1]
    assert games.final_info["solved"].tolist() == [True] and games.final_info["inputs"].tolist() == [5]
    assert games.info()["inputs"].tolist() == [0] and games.info()["unique_states"].tolist() == [1]
    assert not games.info()["solved"].any()


def test_frame_skip_repeats_the_action_until_the_end():
    skipped, plain = Games(1, frame_skip=4), Games(1, autoreset=False)
    skipped.reset(0), plain.reset(0)
    for action in np.random.default_rng(2).integers(0, 6, 600):
        _, _, terminated, _ = skipped.step(np.array([action]))
        for _ in range(4):
            final, _, ended, _ = plain.step(np.array([action]))
            if ended[0]:
                break
        assert ended[0] == terminated[0]
        if ended[0]:
            assert np.array_equal(skipped.final_observations[0], final[0])
            plain.restart(np.array([0]), new_play=False)
        assert np.array_equal(skipped.state, plain.state)


def test_stacked_frames_are_the_last_pictures_newest_last():
    stacked, plain = Games(2, stack_size=3), Games(2)
    first = plain.reset(0)
    assert np.array_equal(stacked.reset(0), np.concatenate([first] * 3, axis=-1))
    history = [first.copy()] * 3
    for actions in random_actions(plain, 300):
        history = [*history[1:], plain.step(actions)[0].copy()]
        observations = stacked.step(actions)[0]
        for lane in plain.ended:
            for frame in history:
                frame[lane] = plain.lanes.observations[lane]
        assert np.array_equal(observations, np.concatenate(history, axis=-1))


@pytest.mark.parametrize("settings", [{}, {"stack_size": 2, "random_start": 10, "max_inputs": 50}])
def test_a_restored_state_goes_on_as_it_would_have(settings):
    games = Games(4, level=BUSY, **settings)
    games.reset(0)
    actions = random_actions(games, 400)
    for row in actions[:100]:
        games.step(row)
    saved = games.save()
    kept = games.lanes.observations.copy()
    after = [games.step(row)[0].copy() for row in actions[100:]]
    assert np.array_equal(games.restore(saved), kept)
    for row, expected in zip(actions[100:], after):
        assert np.array_equal(games.step(row)[0], expected)
    games.restore(games.save([1]), [2])
    assert np.array_equal(games.state[1], games.state[2])


def test_a_state_of_another_game_is_refused():
    saved = Games(2, level=[BUSY, CORRIDOR]).save()
    with pytest.raises(ValueError, match="expected the same levels, looks and lanes"):
        Games(2, level=[BUSY, BUSY]).restore(saved)


def test_random_starts_are_of_all_lengths_and_repeat_with_the_seed():
    games = Games(200, random_start=30)
    games.reset(5)
    inputs, state = games.info()["inputs"].copy(), games.state.copy()
    assert inputs.min() == 0 and inputs.max() == 30 and len(set(inputs)) == 31
    games.reset(5)
    assert np.array_equal(games.state, state)
    games.reset(6)
    assert not np.array_equal(games.state, state)


def test_without_autoreset_lanes_wait_for_restart():
    games = Games(2, level=CORRIDOR, autoreset=False)
    games.reset(0)
    for action in winning_inputs():
        games.step(np.array([action, DOWN]))
    assert games.lanes.terminated.tolist() == [True, False]
    games.restart(np.array([0]))
    assert games.info()["inputs"].tolist() == [0, 5]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"version": "orginal"}, "original"),
        ({"version": ["original", "original"]}, "version lists 2 values for 1 games"),
        ({"level": "nowhere"}, "unknown level 'nowhere': expected one of key_door"),
        ({"screen_size": 0}, "screen_size is 0: expected a whole number, 1 or more"),
        ({"frame_skip": 1.5}, "frame_skip is 1.5"),
        ({"num_threads": 0}, "num_threads is 0"),
        ({"game": "chess"}, "princess"),
    ],
)
def test_unknown_settings_list_what_exists(settings, said):
    with pytest.raises(ValueError) as error:
        Games(1, **settings)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ([6, UP], "action 6 of game 0: expected 0 to 5"),
        ([0, -1], "action -1 of game 1"),
        ([0.0, 1.0], "float64"),
        ([LEFT], "(2,)"),
    ],
)
def test_wrong_actions_are_refused_and_change_nothing(actions, said):
    games = Games(2)
    games.reset(0)
    before = games.state.copy()
    with pytest.raises(ValueError) as error:
        games.step(np.array(actions))
    assert said in str(error.value) and np.array_equal(before, games.state)


def test_a_step_before_reset_or_after_close_is_refused():
    games = Games(1)
    with pytest.raises(RuntimeError, match="step before reset"):
        games.step(np.array([0]))
    games.close()
    with pytest.raises(RuntimeError, match="closed"):
        games.reset()
