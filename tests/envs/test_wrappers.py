"""A single environment under gymnasium's wrappers, checkers and player."""

import os
import subprocess
import sys
from functools import cache
from itertools import islice

import gymnasium
import numpy as np
import pygame
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import AddRenderObservation, HumanRendering, TimeAwareObservation
from stable_baselines3.common.env_checker import check_env as check_env_sb3

import priorlab  # noqa: F401  registers the games
from priorlab.envs.game.level import Level
from priorlab.envs.interfaces.frames import framed
from tests.support.ids import newest

OURS = [name for name in gymnasium.registry if name.startswith("PriorLab/") and "/Atari-" not in name]
ATARI = [name for name in gymnasium.registry if name.startswith("PriorLab/Atari-")]
SOME = [*OURS, *islice(ATARI, 0, None, 103)]  # a few of Atari's, with all masks
TWO_SIZES = ["---\nS  G\n####\n", "---\nS" + 8 * " " + "G\n" + 10 * "#" + "\n"]
FEW = {"Levels": {"level": ["tower_01", "tower_20"]}, "Random": {"levels": 3}}  # levels, to be fast
DIFFERENT = {"level": TWO_SIZES, "order": "in_order", "max_inputs": 2}


def make(name, **settings):
    return gymnasium.make(newest(name), **settings)


@pytest.mark.filterwarnings("ignore:.*Random-v0 is out of date")
@pytest.mark.parametrize("name", SOME)
def test_every_id_is_made_stepped_rendered_and_closed(name):
    few = FEW["Random"] if name.endswith("Random-v0") else {}  # a thousand levels are drawn for the newest id alone
    env = gymnasium.make(name, render_mode="rgb_array", **few)
    assert any(base.__module__.startswith("gymnasium") for base in type(env).__bases__)  # clients check for it
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation) and env.render().dtype == np.uint8
    observation, reward, terminated, truncated, _ = env.step(env.action_space.n - 1)
    assert env.observation_space.contains(observation)
    assert (reward, terminated, truncated) == (0.0, False, False)
    env.close()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Princess", {}),
        ("Princess", {"level": TWO_SIZES[0], "max_inputs": 7, "frame_skip": 3}),
        ("Princess", {"level": TWO_SIZES[0], "max_inputs": 9, "frame_skip": 3}),
        ("KeyDoor", {"max_inputs": 5}),
        ("Levels", {"max_inputs": 8, "frame_skip": 5, **FEW["Levels"]}),
        ("Random", {"max_inputs": 8, "levels": 3}),
        ("Atari", {"game": "pong", "max_inputs": 30}),
        ("Atari-Pong-Objects", {"max_inputs": 3}),
    ],
)
def test_a_spec_tells_how_long_an_episode_lasts_and_makes_the_environment_again(name, settings):
    env = make(name, **settings)
    spec = EnvSpec.from_json(env.spec.to_json())
    assert spec == env.spec and env is env.unwrapped  # without a wrapper
    again = gymnasium.make(spec)
    assert again.spec == spec
    batch = gymnasium.make_vec(spec, num_envs=1)
    batch.reset(seed=0)
    for each in (env, again):
        each.reset(seed=0)
        ends = [each.step(0)[2:4] for _ in range(spec.max_episode_steps)]
        assert ends == [(False, False)] * (len(ends) - 1) + [(False, True)]
    for number in range(spec.max_episode_steps):
        assert batch.step(np.zeros(1, int))[3][0] == (number == spec.max_episode_steps - 1)
    batch.close()


def test_observations_can_tell_the_time():
    """As a share of the episode length in the spec."""
    env = TimeAwareObservation(
        make("Princess", level=TWO_SIZES[0], max_inputs=8, frame_skip=2), flatten=False, normalize_time=True
    )
    assert [env.reset(seed=0)[0]["time"], env.step(0)[0]["time"], env.step(0)[0]["time"]] == [0.0, 0.25, 0.5]


@pytest.mark.parametrize("name", ["Princess", "Atari-Pong"])
def test_a_batch_ends_its_episodes_after_as_many_steps_as_it_is_told(name):
    batch = gymnasium.make_vec(newest(name), num_envs=2, max_episode_steps=3, frame_skip=2)
    batch.reset(seed=0)
    assert [batch.step(np.zeros(2, int))[3].tolist() for _ in range(3)] == [[False] * 2] * 2 + [[True] * 2]
    batch.close()
    first = {"Princess": "random_start", "Atari-Pong": "noop_max"}[name]
    for settings, said in (({"max_episode_steps": 0}, "1 or more"), ({"max_episode_steps": 9, first: 3}, "max_inputs")):
        with pytest.raises(ValueError, match=f"max_episode_steps is .*{said}"):
            gymnasium.make_vec(newest(name), **settings)


def test_pictures_are_of_one_size_whatever_the_level():
    env = make("Princess", render_mode="rgb_array", **DIFFERENT)
    sizes = set()
    for number in range(4):
        env.reset(seed=None if number else 0)
        for _ in range(2):
            native, shown = env.unwrapped.games.native_frame(), env.render()
            sizes.add(len(native))
            assert shown.shape == (150, 150, 3) and (framed(native, 150) == shown).all()
            env.step(0)
    assert sizes == {60, 150}
    batch = gymnasium.make_vec("PriorLab/Princess-v0", num_envs=2, level=TWO_SIZES, render_mode="rgb_array")
    batch.reset(seed=0)
    assert [picture.shape for picture in batch.render()] == [(150, 150, 3)] * 2


def test_a_frame_has_the_pixels_of_the_picture_as_large_as_whole_numbers_allow():
    picture = np.random.default_rng(0).integers(1, 256, (4, 4, 3), dtype=np.uint8)
    assert framed(picture, 4) is picture
    for side, zoom, margin in ((7, 1, 1), (8, 2, 0), (11, 2, 1)):
        frame = framed(picture, side)
        own = frame[margin : margin + 4 * zoom, margin : margin + 4 * zoom]
        assert frame.shape == (side, side, 3) and (own[zoom - 1 :: zoom, ::zoom] == picture).all()
        assert frame.astype(int).sum() == zoom * zoom * picture.astype(int).sum()  # and everything else is black


@pytest.mark.parametrize("name", ["Princess", "Levels", "Random", "Atari", "Atari-Pong-All"])
def test_gymnasiums_wrappers_show_what_render_gives(name, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    few = FEW.get(name, {})
    frames = make(name, render_mode="rgb_array_list", **few)
    frames.reset(seed=0)
    frames.step(0)
    first, second = frames.render()
    assert first.shape == second.shape and not frames.render()
    pictures = AddRenderObservation(make(name, render_mode="rgb_array", **few))
    assert (pictures.reset(seed=0)[0] == first).all() and (pictures.step(0)[0] == second).all()
    window = HumanRendering(make(name, render_mode="rgb_array", **few))
    window.reset(seed=0)
    window.step(0)
    window.close()


def test_the_window_keeps_its_size(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = make("Princess", render_mode="human", **DIFFERENT)
    sizes = set()
    for _ in range(3):
        env.reset()
        sizes.add(env.unwrapped._window.size)
    assert sizes == {(450, 450)}
    env.close()


@pytest.mark.parametrize("check", [check_env, check_env_sb3])
@pytest.mark.parametrize("name", ["Levels", "Random", "Atari", "Atari-Pong-All"])
def test_the_checkers_find_nothing_to_say(name, check, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    check(make(name, render_mode="rgb_array", **FEW.get(name, {})))


def test_inputs_have_names():
    assert make("Princess").unwrapped.get_action_meanings() == ["NOOP", "LEFT", "RIGHT", "JUMP", "UP", "DOWN"]
    batch = gymnasium.make_vec("PriorLab/KeyDoor-v0", num_envs=2)
    assert batch.unwrapped.get_action_meanings() == make("KeyDoor").unwrapped.get_action_meanings()
    pong = ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"]
    assert make("Atari-Pong").unwrapped.get_action_meanings() == pong
    assert len(make("Atari-Pong", full_action_space=True).unwrapped.get_action_meanings()) == 18


HELD = {  # held keys: the input's name in our games, in Atari's with all inputs, and in Pong
    ("LEFT",): ("LEFT", "LEFT", "LEFT"),
    ("d",): ("RIGHT", "RIGHT", "RIGHT"),
    ("UP",): ("UP", "UP", "NOOP"),
    ("SPACE",): ("JUMP", "FIRE", "FIRE"),
    ("RIGHT", "SPACE"): ("JUMP", "RIGHTFIRE", "RIGHTFIRE"),
    ("w", "a"): ("UP", "UPLEFT", "LEFT"),
    ("DOWN", "RIGHT", "SPACE"): ("JUMP", "DOWNRIGHTFIRE", "RIGHTFIRE"),
    ("LEFT", "a"): ("LEFT", "LEFT", "LEFT"),
}


@cache
def with_keys():
    """An environment of each kind in ``HELD``."""
    return [
        each.unwrapped for each in (make("Princess"), make("Atari-Pong", full_action_space=True), make("Atari-Pong"))
    ]


@pytest.mark.parametrize("held", HELD, ids="+".join)
def test_keys_give_inputs_as_at_the_window(held):
    keys = tuple(sorted(getattr(pygame, f"K_{name}") for name in held))
    for env, expected in zip(with_keys(), HELD[held]):
        assert env.get_action_meanings()[env.get_keys_to_action()[keys]] == expected


def test_keys_that_no_input_has_give_none():
    env = make("Atari-Backgammon").unwrapped
    assert env.get_action_meanings() == ["FIRE", "RIGHT", "LEFT"]
    keys = env.get_keys_to_action()
    assert (pygame.K_UP,) not in keys and keys[pygame.K_LEFT, pygame.K_UP] == 2


PLAYED = """
import sys, pygame, gymnasium, envs
from gymnasium.utils.play import play
hands = {
    1: (pygame.KEYDOWN, pygame.K_RIGHT), 3: (pygame.KEYDOWN, pygame.K_SPACE),
    5: (pygame.KEYUP, pygame.K_SPACE), 7: (pygame.KEYDOWN, pygame.K_ESCAPE),
}
def press(before, after, action, *_):
    seen.append(int(action))
    if len(seen) in hands:
        kind, key = hands[len(seen)]
        pygame.event.post(pygame.event.Event(kind, key=key))
for name in sys.argv[1:]:
    seen = []
    play(gymnasium.make(f"PriorLab/{name}-v0", render_mode="rgb_array"), callback=press, seed=0, zoom=2)
    print(name, seen)
"""


def test_gymnasiums_player_plays():
    played = {"Princess-Gravity": [0, 2, 2, 3, 3, 2, 2], "Atari-Pong-Objects": [0, 2, 2, 4, 4, 2, 2]}
    env = os.environ | {"SDL_VIDEODRIVER": "dummy", "MPLBACKEND": "Agg"}
    command = [sys.executable, "-c", PLAYED, *played]
    printed = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-len(played) :] == [f"{name} {inputs}" for name, inputs in played.items()]


def test_a_level_of_its_own_goes_through_a_spec():
    level = Level.read(TWO_SIZES[0])
    spec = make("Princess", level=level.text()).spec
    assert gymnasium.make(EnvSpec.from_json(spec.to_json())).unwrapped.games.places[0].level == level
