"""Everything that plays can be copied, pickled and passed to another process, where it continues as it would have
here."""

import copy
import pickle

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import FrameStackObservation, RecordEpisodeStatistics, TimeLimit

import priorlab  # noqa: F401  registers the games
from priorlab.envs.atari.atari_sb3 import AtariVecEnv
from priorlab.envs.atari.games import Atari
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.solver import Solver
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from priorlab.envs.plays.atari_course import AtariCourse
from priorlab.envs.plays.play import Course
from tests.envs.test_vector import alike
from tests.support.playing import played

DEADLY = "---\nS * G\n#####\n"
SMALL = {"screen_size": 20, "max_inputs": 25, "random_start": 6}
ATARI = {"game": "pong", "screen_size": 20, "max_inputs": 60, "noop_max": 4}
make, make_vec = gymnasium.make, gymnasium.make_vec
SINGLE = {
    "colour": lambda: make("PriorLab/Princess-v0", render_mode="rgb_array", **SMALL),
    "stacked": lambda: make("PriorLab/Princess-Gravity-v0", stack_size=3, frame_skip=2, grayscale_obs=True, **SMALL),
    "deadly": lambda: make("PriorLab/Princess-v0", level=DEADLY, screen_size=12),
    "key_door": lambda: make("PriorLab/KeyDoor-v0", obs="tiles", max_inputs=30),
    "levels": lambda: make("PriorLab/Levels-v0", **SMALL),
    "in_order": lambda: make("PriorLab/Levels-v0", order="in_order", **SMALL),
    "random": lambda: make("PriorLab/Random-v1", levels=3, **SMALL),
    "wrapped": lambda: RecordEpisodeStatistics(
        FrameStackObservation(TimeLimit(make("PriorLab/Princess-v0", **SMALL), 20), 2)
    ),
    "atari": lambda: make("PriorLab/Atari-v0", render_mode="rgb_array", mask="objects", stack_size=2, **ATARI),
}
BATCHES = {
    "colour": lambda: make_vec("PriorLab/Princess-v0", num_envs=3, render_mode="rgb_array", **SMALL),
    "threads": lambda: make_vec("PriorLab/Princess-v0", num_envs=5, num_threads=3, autoreset_mode="NextStep", **SMALL),
    "views": lambda: make_vec("PriorLab/Princess-v0", num_envs=2, copy=False, stack_size=2, **SMALL),
    "levels": lambda: make_vec("PriorLab/Levels-v0", num_envs=3, **SMALL),
    "random": lambda: make_vec("PriorLab/Random-v1", num_envs=3, levels=3, **SMALL),
    "wrapped": lambda: gymnasium.wrappers.vector.RecordEpisodeStatistics(
        make_vec("PriorLab/Princess-v0", num_envs=3, **SMALL)
    ),
    "atari": lambda: make_vec("PriorLab/Atari-v0", num_envs=2, render_mode="rgb_array", **ATARI),
    "atari processes": lambda: make_vec("PriorLab/Atari-v0", num_envs=3, num_threads=2, **ATARI),
}
LEARNERS = {
    "sb3": lambda: PriorLabVecEnv(3, stack_size=2, **SMALL),
    "sb3 atari": lambda: AtariVecEnv(2, **ATARI),
}
WAYS = {
    "deepcopy": copy.deepcopy,
    **{f"pickle {k}": lambda it, k=k: pickle.loads(pickle.dumps(it, k)) for k in range(pickle.HIGHEST_PROTOCOL + 1)},
    "cloudpickle": lambda it: cloudpickle.loads(cloudpickle.dumps(it)),
}


def out_of_band(it):
    """Pickled with out-of-band buffers: the arrays that come back are read-only."""
    kept = []
    packed = pickle.dumps(it, 5, buffer_callback=kept.append)
    return pickle.loads(packed, buffers=[bytes(each) for each in kept])


WAYS["out of band"] = out_of_band


def stripped(told):
    """Without the episodes' seconds."""
    if isinstance(told, dict):
        return {key: stripped(value) for key, value in told.items() if key != "t"}
    return [stripped(each) for each in told] if isinstance(told, (list, tuple)) else told


def plays_alike(env, twin, play=played, seed=5):
    """Steps both in turn: neither affects the other."""
    before, theirs = play(env, 30, seed), play(twin, 30, seed)
    alike(stripped(theirs), stripped(before))
    alike(stripped(play(twin, 20, 1)), stripped(play(env, 20, 1)))


def begun(make):
    env = make()
    env.reset(seed=4)
    env.action_space.seed(2)
    env.observation_space.seed(3)
    env.np_random.integers(9)
    for _ in range(17):
        found = env.step(env.action_space.sample())
        if not isinstance(env, gymnasium.vector.VectorEnv) and (found[2] or found[3]):
            env.reset()
    return env


def each_name_and_each_way(makers, name):
    """Each environment with one way of copying, and one environment with each way."""
    return pytest.mark.parametrize(
        ("name", "way"), [*((each, "deepcopy") for each in makers), *((name, way) for way in WAYS if way != "deepcopy")]
    )


@each_name_and_each_way(SINGLE, "colour")
def test_a_copy_of_one_game_plays_on_as_it_would(name, way):
    env = begun(SINGLE[name])
    plays_alike(env, WAYS[way](env))


@each_name_and_each_way(BATCHES, "threads")
def test_a_copy_of_a_batch_plays_on_as_it_would(name, way):
    env = begun(BATCHES[name])
    twin = WAYS[way](env)
    plays_alike(env, twin)
    env.close()
    twin.close()


@pytest.mark.parametrize("make", [SINGLE["colour"], SINGLE["atari"], BATCHES["colour"]])
def test_who_seeded_nothing_draws_the_same_in_a_copy(make):
    env = make()
    for way in (copy.deepcopy, WAYS["pickle 2"]):
        twin = way(env)
        alike([twin.action_space.sample() for _ in range(9)], [env.action_space.sample() for _ in range(9)])
        alike(twin.observation_space.sample(), env.observation_space.sample())
        assert twin.np_random.integers(10**9) == env.np_random.integers(10**9)


def learned_from(env, steps, seed):
    draw, told = np.random.default_rng(seed), []
    for _ in range(steps):
        told.append(env.step(draw.integers(0, 6, env.num_envs)))
    told.append(env.get_images())
    env.seed(seed)
    return copy.deepcopy([*told, env.reset()])


@pytest.mark.parametrize(("name", "way"), [*((name, "deepcopy") for name in LEARNERS), ("sb3", "cloudpickle")])
def test_a_copy_of_what_a_learner_plays_plays_on_as_it_would(name, way):
    env = LEARNERS[name]()
    env.seed(1)
    env.reset()
    learned_from(env, 9, 0)
    plays_alike(env, WAYS[way](env), learned_from)


@pytest.mark.parametrize("make", [SINGLE["colour"], BATCHES["colour"], SINGLE["atari"], LEARNERS["sb3"]])
def test_a_shallow_copy_shares_nothing(make):
    env = getattr(make(), "unwrapped", None) or make()
    env.reset()
    twin = copy.copy(env)
    action = np.full(getattr(env, "num_envs", 1), 2) if hasattr(env, "num_envs") else 2
    before = [copy.deepcopy(env.step(action)) for _ in range(5)]
    alike(stripped([twin.step(action) for _ in range(5)]), stripped(before))


@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
def test_copies_are_as_far_as_the_original(mode):
    """Copied before the first reset, in the middle, after the end, and closed."""
    for make_one, action in ((SINGLE["deadly"], 2), (SINGLE["atari"], 0)):
        env = make_one()
        with pytest.raises(RuntimeError, match="before reset"):
            copy.deepcopy(env).step(action)
        env.reset(seed=0)
        while True:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                break
        twin = copy.deepcopy(env)
        with pytest.raises(RuntimeError, match="after the episode ended"):
            twin.step(action)
        alike(twin.reset(), env.reset())
        env.close()
        with pytest.raises(RuntimeError, match="closed"):
            copy.deepcopy(env).reset()
        twin.step(action)
    batch = make_vec("PriorLab/Princess-v0", num_envs=3, num_threads=2, level=DEADLY, autoreset_mode=mode)
    with pytest.raises(RuntimeError, match="step before reset"):
        copy.deepcopy(batch).step(np.zeros(3, int))
    batch.reset(seed=0)
    for _ in range(3):
        batch.step(np.array([2, 0, 2]))
    twin = pickle.loads(pickle.dumps(batch))
    if mode == "NextStep":
        alike(twin.step(np.zeros(3, int)), batch.step(np.zeros(3, int)))
    else:
        with pytest.raises(RuntimeError, match=r"games ended \(0, 2\)"):
            twin.step(np.zeros(3, int))
    batch.close()
    with pytest.raises(RuntimeError, match="closed"):
        copy.deepcopy(batch).step(np.zeros(3, int))
    twin.reset()


@pytest.mark.parametrize(
    "settings", [{}, {"stack_size": 4, "num_threads": 2}, {"order": "drawn", "level": [DEADLY, "tower_01", "tower_02"]}]
)
def test_the_engine_is_copied_whole(settings):
    games = Games(4, screen_size=16, random_start=3, max_inputs=15, **settings)
    games.reset(1)
    draw = np.random.default_rng(0)
    ended = 0
    while not ended:
        games.step(draw.integers(0, 6, 4))
        ended = len(games.ended)
    twin = copy.copy(games)
    if games.order == "drawn":
        games.chances = [1, 0, 1]
        assert twin.chances.tolist() != games.chances.tolist()
        twin.chances = [1, 0, 1]
    alike(
        [twin.final_observations, twin.final_info, twin.ended],
        [games.final_observations, games.final_info, games.ended],
    )
    for actions in draw.integers(0, 6, (60, 4)):
        alike(twin.step(actions), games.step(actions))
        alike([twin.info(), twin.ended, twin.native_frame(1)], [games.info(), games.ended, games.native_frame(1)])
    if "order" not in settings:
        assert np.array_equal(twin.visited(), games.visited())
    assert np.array_equal(twin.redraw(0), games.lanes.pictures[0].reshape(twin.redraw(0).shape))


def test_consoles_come_back_from_memory_that_nobody_can_write_to():
    env = begun(SINGLE["atari"])
    plays_alike(env, out_of_band(env))


@pytest.mark.parametrize("game", ["breakout", "montezuma_revenge", "pitfall", "skiing", "video_pinball"])
def test_consoles_are_copied_whole(game):
    games = Atari(1, game, screen_size=None, max_inputs=400)
    games.reset(seeds=[3])
    draw = np.random.default_rng(0)
    for _ in range(60):
        games.step(draw.integers(0, len(games.actions), 1))
    twin = pickle.loads(pickle.dumps(games))
    assert np.array_equal(twin.memory(), games.memory())
    for _ in range(150):
        action = draw.integers(0, len(games.actions), 1)
        alike(twin.step(action), games.step(action))


def test_courses_are_copied_with_what_they_show():
    level = Level.read("tower_01")
    for course in (Course("original", level, size=30), AtariCourse("pong", "objects")):
        for action in (2, 2, 3):
            course.step(action)
        for way in (copy.copy, copy.deepcopy, WAYS["pickle 2"]):
            twin = way(course)
            for action in (3, 2, 2, 1, 5):
                before = course.picture.copy()
                twin.step(action)
                assert np.array_equal(course.picture, before)
                course.step(action)
                assert np.array_equal(twin.picture, course.picture) and twin.hash() == course.hash()


def test_a_search_is_copied_in_the_middle():
    level = Level.read("tower_01")
    solver = Solver(level)
    solver.run(deepest=4)
    twin = copy.deepcopy(solver)
    assert np.array_equal(twin.run().inputs, solver.run().inputs)
    assert np.array_equal(pickle.loads(pickle.dumps(solver)).labels().best, solver.labels().best)


def test_sticky_consoles_are_copied_before_their_first_reset_only():
    games = Atari(2, "breakout", screen_size=20, repeat_action_probability=0.25)
    twin = copy.deepcopy(games)
    alike(twin.reset(), games.reset())
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match=r"repeat_action_probability is 0\.25: running games can't be copied"):
            way(games)
    batch = make_vec("PriorLab/Atari-v0", num_envs=2, num_threads=2, **ATARI, repeat_action_probability=0.5)
    batch.reset(seed=0)
    with pytest.raises(RuntimeError, match=r"repeat_action_probability is 0\.5"):
        copy.deepcopy(batch)
    batch.step(np.zeros(2, int))
    batch.close()


def test_a_window_is_not_shared(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = make("PriorLab/Princess-v0", render_mode="human")
    env.reset(seed=0)
    for way in (copy.deepcopy, WAYS["cloudpickle"]):
        twin = way(env)
        alike(twin.step(2), copy.deepcopy(env).step(2))
        assert twin.unwrapped._window not in (None, env.unwrapped._window)
        twin.close()
    env.step(2)
    env.close()
