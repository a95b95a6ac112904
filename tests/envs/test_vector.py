"""Batches equal gymnasium's SyncVectorEnv of single environments, under all of gymnasium's wrappers."""

import copy
import re
from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as wrappers

import priorlab  # noqa: F401  registers the games
from priorlab.envs.atari.atari_vector import AtariVectorEnv
from priorlab.envs.interfaces.vector import PriorLabVectorEnv
from tests.support.ids import newest

MODES = list(AutoresetMode)
GAMES, CONSOLES = 5, 3  # consoles take longer to start
DEADLY = "---\nS * G\n#####\n"
WON = "---\nS  G\n####\n"
CASES = {
    "Princess": {"random_start": 20, "max_inputs": 60, "screen_size": 24},
    "Princess-Gravity": {"level": WON, "frame_skip": 2, "stack_size": 3, "max_inputs": 7, "grayscale_obs": True},
    "KeyDoor": {"max_inputs": 40, "obs": "tiles"},
    "Levels": {"level": [WON, DEADLY], "max_inputs": 11, "screen_size": 12},
    "Random": {"levels": 3, "max_inputs": 30, "screen_size": 10, "random_start": 5},
    "Atari": {"game": "pong", "max_inputs": 16, "noop_max": 3, "screen_size": 20},
}


def alike(ours, theirs):
    """Asserts that two environments' results are the same, including their types."""
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs)
        for key, value in theirs.items():
            alike(ours[key], value)
    elif isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for pair in zip(ours, theirs):
            alike(*pair)
    elif isinstance(theirs, np.ndarray) and theirs.dtype == object:
        assert ours.shape == theirs.shape
        alike(list(ours), list(theirs))
    elif isinstance(theirs, np.ndarray):
        assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)
    else:
        assert type(ours) is type(theirs) and (ours == theirs or ours is theirs)


def pair(name, mode, wrap=lambda env: env, games=GAMES, **settings):
    """Ours and gymnasium's batch of the same games."""
    single = partial(gymnasium.make, newest(name), **settings)
    ours = gymnasium.make_vec(newest(name), num_envs=games, autoreset_mode=mode, **settings)
    return wrap(ours), wrap(SyncVectorEnv([single] * games, autoreset_mode=mode))


def play_alike(ours, theirs, steps, seed=0):
    """Plays random actions, and resets ended games if nothing else does; how many ended."""
    draw, count = np.random.default_rng(seed), 0
    alike(ours.reset(seed=seed), theirs.reset(seed=seed))
    for _ in range(steps):
        actions = draw.integers(0, 6, ours.num_envs)
        found = ours.step(actions.copy())
        alike(found, theirs.step(actions.copy()))
        ended = found[2] | found[3]
        count += ended.sum()
        if ended.any() and ours.metadata["autoreset_mode"] == AutoresetMode.DISABLED:
            told = {} if draw.integers(2) else {"seed": [*map(int, draw.integers(0, 9, ours.num_envs))]}
            alike(*(each.reset(options={"reset_mask": ended.copy()}, **told) for each in (ours, theirs)))
    return count


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_a_batch_is_gymnasiums_of_single_environments(name, mode):
    games = CONSOLES if name == "Atari" else GAMES
    ours, theirs = pair(name, mode, games=games, **CASES[name])
    assert ours.autoreset_mode is ours.metadata["autoreset_mode"] is mode
    assert play_alike(ours, theirs, 15 if name == "Atari" else 120) > games


def test_without_a_seed_a_reset_goes_on_with_the_plays_that_died():
    ours, theirs = pair("Princess", AutoresetMode.DISABLED, level=DEADLY, games=2)
    for env in (ours, theirs):
        env.reset(seed=0)
        for actions in ([2, 0], [2, 0], [2, 0]):
            _, _, terminated, _, _ = env.step(np.array(actions))
        assert terminated.tolist() == [True, False]
    alike(ours.reset(), theirs.reset())
    assert ours.unwrapped.games.info()["deaths"].tolist() == [1, 0]
    alike(ours.reset(seed=[1, None]), theirs.reset(seed=[1, None]))
    assert ours.unwrapped.games.info()["deaths"].tolist() == [0, 0]


@pytest.mark.parametrize("name", ["Princess", "Atari"])
def test_modes_are_named_as_gymnasium_names_them(name):
    settings = {"game": "pong"} if name == "Atari" else {}
    make = partial(gymnasium.make_vec, newest(name), num_envs=2, **settings)
    assert make().metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert make(autoreset_mode="NextStep").metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    for wrong in ("next_step", None, 1):
        with pytest.raises(ValueError, match=r"autoreset_mode is .*: expected one of NextStep, SameStep, Disabled"):
            make(autoreset_mode=wrong)


@pytest.mark.parametrize("name", ["Princess", "Atari"])
def test_a_step_after_the_end_is_refused_where_nobody_resets(name):
    settings = {"Princess": {"max_inputs": 2}, "Atari": {"game": "pong", "max_inputs": 8}}[name]
    batch = gymnasium.make_vec(newest(name), num_envs=3, autoreset_mode="Disabled", **settings)
    batch.reset(seed=0)
    batch.step(np.zeros(3, int))
    batch.step(np.zeros(3, int))
    with pytest.raises(RuntimeError, match=r"step after games ended \(0, 1, 2\): reset them first"):
        batch.step(np.zeros(3, int))
    batch.reset(options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(RuntimeError, match=r"step after games ended \(1\)"):
        batch.step(np.zeros(3, int))
    batch.reset(options={"reset_mask": np.array([False, True, False])})
    batch.step(np.zeros(3, int))


def test_the_step_that_starts_over_ignores_whatever_action_there_is():
    batch = gymnasium.make_vec("PriorLab/Princess-v0", num_envs=2, level=WON, autoreset_mode="NextStep")
    first, _ = batch.reset(seed=0)
    for _ in range(5):
        _, rewards, terminated, _, _ = batch.step(np.array([2, 0]))
    assert terminated.tolist() == [True, False] and rewards.tolist() == [1, 0]
    observations, rewards, terminated, truncated, infos = batch.step(np.array([77, 0]))
    assert np.array_equal(observations, first) and not (rewards.any() or terminated.any() or truncated.any())
    assert infos["inputs"].tolist() == [0, 6]


@pytest.mark.parametrize(("name", "threads"), [("Princess", 2), ("Princess", 3), ("Atari", 2)])
def test_threads_start_over_alike_in_the_next_step(name, threads):
    games = CONSOLES if name == "Atari" else GAMES
    make = partial(gymnasium.make_vec, newest(name), num_envs=games, autoreset_mode="NextStep", **CASES[name])
    ours, alone = make(num_threads=threads), make()
    assert play_alike(ours, alone, 15 if name == "Atari" else 120) > games
    ours.close()


# arguments of gymnasium's wrappers
PICTURES = gymnasium.spaces.Box(0, 255, (24, 24, 3), np.uint8)
HALVES = gymnasium.spaces.Box(0, 128, (24, 24, 3), np.float32)
WRAPPERS = {
    "TransformObservation": {"func": lambda pictures: pictures // 2},
    "VectorizeTransformObservation": {
        "wrapper": gymnasium.wrappers.TransformObservation,
        "func": lambda picture: (picture / 2).astype(np.float32),
        "observation_space": HALVES,
    },
    "NormalizeObservation": {},
    "FlattenObservation": {},
    "GrayscaleObservation": {},
    "ResizeObservation": {"shape": (8, 9)},
    "ReshapeObservation": {"shape": (12, 48, 3)},
    "RescaleObservation": {"min_obs": 0, "max_obs": 51},
    "DtypeObservation": {"dtype": np.float64},
    "TransformAction": {"func": lambda actions: (actions + 1) % 6},
    "VectorizeTransformAction": {
        "wrapper": gymnasium.wrappers.TransformAction,
        "func": lambda action: (action + 1) % 6,
        "action_space": gymnasium.spaces.Discrete(6),
    },
    "TransformReward": {"func": lambda rewards: rewards - 1},
    "VectorizeTransformReward": {"wrapper": gymnasium.wrappers.TransformReward, "func": lambda reward: reward - 1},
    "ClipReward": {"min_reward": 0, "max_reward": 0.5},
    "NormalizeReward": {},
    "RecordEpisodeStatistics": {},
    "DictInfoToList": {},
    "NumpyToTorch": {},
}


def untimed(env):
    """Statistics of episodes, without their seconds."""
    step = env.step

    def stepped(actions):
        found = step(actions)
        if "episode" in found[4]:
            found[4]["episode"].pop("t")
        return found

    env.step = stepped
    return env


def test_every_wrapper_is_tried():
    others = {"FilterObservation", "ClipAction", "RescaleAction"}  # for Dict observations and continuous actions
    shown = {"RecordVideo", "HumanRendering"}  # below
    converters = {"ArrayConversion", "JaxToNumpy", "JaxToTorch"}  # for other libraries' arrays
    assert {name for name in wrappers.__all__ if name[0].isupper()} == {*WRAPPERS, *others, *shown, *converters} | {
        "VectorObservationWrapper", "VectorActionWrapper", "VectorRewardWrapper"
    } & {*wrappers.__all__}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # gymnasium's own
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", WRAPPERS)
def test_gymnasiums_wrappers_do_with_ours_what_they_do_with_its_own(name, mode):
    def wrap(env):
        return untimed(getattr(wrappers, name)(env, **WRAPPERS[name]))

    if name == "NumpyToTorch":
        pytest.importorskip("array_api_compat")
    if (name, mode) == ("RecordEpisodeStatistics", AutoresetMode.DISABLED):
        pytest.skip("gymnasium's own batch takes the mask out of the options, and the wrapper then misses it")
    if (name, mode) == ("NumpyToTorch", AutoresetMode.SAME_STEP):
        pytest.skip("torch has no arrays of objects, such as final_obs of any batch")
    ours, theirs = pair("Princess", mode, **CASES["Princess"])
    try:
        theirs = wrap(theirs)
    except ValueError as error:  # in its own batches, too
        assert mode is not AutoresetMode.NEXT_STEP
        with pytest.raises(ValueError, match=re.escape(str(error))):
            wrap(ours)
        return
    ours = wrap(ours)
    assert ours.observation_space == theirs.observation_space
    assert play_alike(*map(told_as_numpy, (ours, theirs)), 100) > GAMES


@pytest.mark.parametrize("mode", MODES)
def test_statistics_of_episodes_are_right(mode):
    make = partial(gymnasium.make_vec, "PriorLab/Princess-v0", num_envs=3, level=WON, max_inputs=23)
    env = wrappers.RecordEpisodeStatistics(make(autoreset_mode=mode))
    env.reset(seed=0)
    draw, lengths, waits = np.random.default_rng(0), np.zeros(3, int), np.zeros(3, bool)
    told = []
    for _ in range(200):
        _, rewards, terminated, truncated, infos = env.step(draw.integers(0, 4, 3))
        lengths += ~waits
        ended = terminated | truncated
        for lane in np.flatnonzero(ended):
            assert infos["_episode"][lane] and infos["episode"]["l"][lane] == lengths[lane]
            assert infos["episode"]["r"][lane] == rewards[lane]
            told.append(int(rewards[lane]))
            lengths[lane] = 0
        waits = ended & (mode is AutoresetMode.NEXT_STEP)
        if mode is AutoresetMode.DISABLED and ended.any():
            env.reset(options={"reset_mask": ended})
    assert {0, 1} == set(told) and env.episode_count == len(told) > 20


def told_as_numpy(env):
    """Converts a wrapper's torch tensors or list of infos back, for ``play_alike``."""
    reset, step = env.reset, env.step

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return value.numpy() if hasattr(value, "numpy") else value

    def given(actions):
        if type(env).__name__ != "NumpyToTorch":
            return step(actions)
        return step(__import__("torch").as_tensor(actions))

    env.reset = lambda **told: tuple(map(plain, reset(**told)))
    env.step = lambda actions: tuple(map(plain, given(actions)))
    return env


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", MODES)
def test_a_window_shows_a_batch(mode, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    make = partial(gymnasium.make_vec, "PriorLab/Princess-v0", num_envs=2, autoreset_mode=mode, max_inputs=9)
    window = wrappers.HumanRendering(make(render_mode="rgb_array"))
    window.reset(seed=0)
    window.step(np.zeros(2, int))
    window.close()


def test_what_is_not_copied_is_shown_until_the_next_step_and_cannot_be_written_to():
    make = partial(gymnasium.make_vec, "PriorLab/Princess-v0", num_envs=3, max_inputs=30, screen_size=24)
    plain, views = make(), make(copy=False)
    draw = np.random.default_rng(0)
    kept, _ = views.reset(seed=0)
    first = plain.reset(seed=0)[0]
    alike(kept, first)
    told = []
    for _ in range(70):
        actions = draw.integers(0, 6, 3)
        expected, found = plain.step(actions), views.step(actions)
        alike(found, expected)
        assert np.shares_memory(found[0], kept) and not np.shares_memory(expected[0], first)
        with pytest.raises(ValueError, match="read-only"):
            found[0][:] = 0
        told.append((found[1:4], expected[1:4], found[4]["inputs"], expected[4]["inputs"]))
    for ours, theirs, inputs, expected in told:  # everything except pictures belongs to the caller
        alike(ours, theirs)
        alike(inputs, expected)
    with pytest.raises(ValueError, match="copy is 'no': expected True or False"):
        make(copy="no")


@pytest.mark.parametrize("name", ["Princess", "Atari", "Random"])
@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"options": {"reset_mask": [True, False]}}, r"reset_mask is a list: expected a numpy array, bool \(2,\)"),
        ({"options": {"reset_mask": None}}, "reset_mask is a NoneType: expected a numpy array"),
        ({"options": {"reset_mask": np.array([0, 1])}}, r"reset_mask is int64 \(2,\): expected bool \(2,\)"),
        ({"options": {"reset_mask": np.array([True])}}, r"reset_mask is bool \(1,\): expected bool \(2,\)"),
        ({"options": {"reset_mask": np.zeros(2, bool)}}, "reset_mask is False everywhere"),
        ({"options": {"resetmask": np.ones(2, bool)}}, "options has 'resetmask': expected reset_mask"),
        ({"options": 3}, "options is 3: expected None or a dict"),
        ({"seed": 0.5}, "seed is 0.5: expected None or a whole number, 0 or more"),
        ({"seed": -1}, "seed is -1: expected"),
        ({"seed": True}, "seed is True: expected"),
        ({"seed": "7"}, "seed is '7': expected"),
        ({"seed": [1, 2, 3]}, "seed lists 3 values for 2 games: expected one per game"),
        ({"seed": [1, "b"]}, "seed is 'b': expected"),
        ({"seed": np.ones((2, 2), int)}, r"seed is an array \(2, 2\): expected"),
    ],
)
def test_what_a_reset_is_told_wrongly_is_refused_and_changes_nothing(name, told, said):
    batch = BATCHES[name]
    before = copy.deepcopy(batch)
    with pytest.raises(ValueError, match=said):
        batch.reset(**told)
    alike(batch.step(np.zeros(2, int)), before.step(np.zeros(2, int)))


@pytest.fixture(autouse=True, scope="module")
def batches():
    for name in ("Princess", "Atari", "Random"):
        settings = {"game": "pong"} if name == "Atari" else {"levels": 3} if name == "Random" else {}
        BATCHES[name] = gymnasium.make_vec(newest(name), num_envs=2, screen_size=12, **settings)
        BATCHES[name].reset(seed=np.int64(3))


BATCHES = {}


def test_one_game_refuses_the_same():
    for name, settings in {"Princess": {}, "Atari": {"game": "pong"}}.items():
        env = gymnasium.make(newest(name), **settings).unwrapped
        env.reset(seed=np.int64(0), options={})
        for told in ({"seed": 1.0}, {"seed": -3}, {"seed": [1]}, {"options": {"reset_mask": np.ones(1, bool)}}):
            with pytest.raises(ValueError, match=r"seed is|options has"):
                env.reset(**told)


@pytest.mark.parametrize("kind", [PriorLabVectorEnv, AtariVectorEnv])
def test_clients_that_look_at_direct_bases_find_gymnasiums_own(kind):
    assert gymnasium.vector.VectorEnv in kind.__bases__
