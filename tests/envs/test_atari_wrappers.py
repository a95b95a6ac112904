"""Wrappers made for ale_py's environments see the game as the player does: masked."""

import ale_py
import gymnasium
import numpy as np
import pytest
from ale_py import roms
from gymnasium.wrappers import AtariPreprocessing
from stable_baselines3.common.atari_wrappers import AtariWrapper

import priorlab  # noqa: F401  registers the games
from priorlab.envs.atari.games import SEVERAL_PLAYERS
from priorlab.envs.atari.table import table
from priorlab.envs.game.versions import id_of

MASKS = ("None", "Colours", "Textures", "Objects", "Background", "All")


def make(mask, **settings):
    name = "Breakout" if mask == "None" else f"Breakout-{mask}"
    return gymnasium.make(f"PriorLab/Atari-{name}-v0", **settings)


def test_every_game_and_mask_has_an_id():
    games = [game for game in roms.get_all_rom_ids() if game not in SEVERAL_PLAYERS]
    assert sorted(games) == table()["games"]
    named = [f"PriorLab/Atari-{id_of(game)}{mask}-v0" for game in games for mask in ("", *(f"-{m}" for m in MASKS[1:]))]
    assert set(named) == {name for name in gymnasium.registry if name.startswith("PriorLab/Atari-")} - {
        "PriorLab/Atari-v0"
    }
    gymnasium.register_envs(ale_py)
    theirs = {name for name in gymnasium.registry if name.startswith("ALE/")}
    assert {f"ALE/{id_of(game)}-v5" for game in games} <= theirs  # ale_py's names


@pytest.mark.parametrize("mask", MASKS)
def test_ales_screen_is_the_masked_one(mask):
    env = make(mask, mask_seed=1)
    colour, gray = (make(mask, mask_seed=1, grayscale_obs=gray, frame_skip=1) for gray in (False, True))
    for each in (env, colour, gray):
        each.reset(seed=0)
    ale = env.unwrapped.ale
    given = np.zeros((210, 160, 3), np.uint8), np.zeros((210, 160), np.uint8)
    before = colour.unwrapped.games.screen()
    for action in [1, 2, 2, 0, 3, 3] * 4:
        pictures = [each.step(action)[0] for each in (env, colour, gray)]
        ale.getScreenRGB(given[0])
        ale.getScreenGrayscale(given[1])
        assert (ale.getScreenRGB() == given[0]).all() and (ale.getScreenGrayscale() == given[1]).all()
        assert (np.maximum(before, given[0]) == pictures[1]).all()  # an observation is the maximum of two such screens
        if mask != "None":
            assert (given[0] != env.unwrapped.games.interface().getScreenRGB()).mean() > 0.1
        before = given[0].copy()


def test_ales_interface_tells_what_it_may_and_refuses_the_rest():
    env = make("All")
    env.reset(seed=0)
    ale, game = env.unwrapped.ale, env.unwrapped.games.interface()
    assert ale.lives() == env.step(0)[4]["lives"] == 5 and not ale.game_over()
    assert (ale.getRAM() == game.getRAM()).all() and ale.getEpisodeFrameNumber() == 1
    shown = {"getScreenRGB", "getScreenGrayscale"}
    refused = {name for name in dir(game) if not name.startswith("_") and not hasattr(ale, name)}
    assert {"act", "reset_game", "getScreen", "saveScreenPNG", "loadROM", "setRAM", "restoreState"} <= refused
    screens = {name for name in dir(game) if "Screen" in name}
    assert not refused & shown and screens - refused == shown | {"getScreenDims"}
    with pytest.raises(AttributeError, match=r"^ale.getScreen: not available, .* expected getScreenRGB"):
        ale.getScreen()


@pytest.mark.parametrize("grayscale", [True, False])
def test_unmasked_gymnasiums_preprocessing_gives_what_it_gives_of_ale(grayscale):
    gymnasium.register_envs(ale_py)
    ours = AtariPreprocessing(make("None"), grayscale_obs=grayscale)
    theirs = gymnasium.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0)
    theirs = AtariPreprocessing(theirs, grayscale_obs=grayscale)
    assert (ours.reset(seed=3)[0] == theirs.reset(seed=3)[0]).all()
    rewards = 0
    for action in np.random.default_rng(0).integers(4, size=200):
        one, two = ours.step(action), theirs.step(action)
        assert (one[0] == two[0]).all() and one[1:4] == two[1:4] and one[4]["lives"] == two[4]["lives"]
        rewards += one[1]
        if one[2]:
            assert (ours.reset()[0] == theirs.reset()[0]).all()
    assert rewards


def test_masked_preprocessing_gives_masked_pictures():
    """Except for rounding, the same as our skipping and averaging."""
    theirs = AtariPreprocessing(make("Objects"), noop_max=0)
    ours = make("Objects", frame_skip=4, screen_size=84, grayscale_obs=True)
    plain = AtariPreprocessing(make("None"), noop_max=0)
    for env in (theirs, ours, plain):
        env.reset(seed=0)
    for action in [1, 2, 0, 3] * 10:
        one, two, three = (env.step(action)[0].squeeze() for env in (theirs, ours, plain))
        assert np.abs(one.astype(int) - two).max() <= 1
        assert np.abs(one.astype(int) - three).max() > 50


@pytest.mark.parametrize("wrap", [AtariWrapper, lambda env: AtariPreprocessing(env, terminal_on_life_loss=True)])
def test_the_loss_of_a_life_ends_an_episode_where_a_wrapper_wants_it(wrap):
    env = wrap(make("Textures"))
    env.reset(seed=0)
    ended = []
    for action in [1, 0] * 60:
        _, _, terminated, _, info = env.step(action)
        if terminated:
            ended.append(info["lives"])
            env.reset()
    assert ended and ended[0] == 4  # of five


def test_frames_are_not_skipped_twice():
    with pytest.raises(ValueError, match="Disable frame-skipping"):
        AtariPreprocessing(make("All", frame_skip=4))
    env = AtariPreprocessing(make("All", screen_size=84))
    with pytest.raises(ValueError, match=r"expected \(210, 160\); make the environment with screen_size=None"):
        env.reset(seed=0)


@pytest.mark.parametrize("vector", [False, True])
def test_settings_of_ales_own_environment_are_taken_or_refused(vector):
    def made(**settings):
        if vector:
            return gymnasium.make_vec("PriorLab/Atari-Pong-Objects-v0", num_envs=2, **settings)
        return gymnasium.make("PriorLab/Atari-Pong-Objects-v0", **settings)

    theirs = {"frameskip": 3, "max_num_frames_per_episode": 6, "obs_type": "rgb", "full_action_space": True}
    nothing = {"mode": None, "difficulty": None, "continuous": False, "continuous_action_threshold": 0.5}
    env = made(**theirs, **nothing, sound_obs=False, repeat_action_probability=0.25)
    env.reset(seed=0)
    for ends in (False, True):
        result = env.step([0, 17] if vector else 17)
        assert np.all(result[3] == ends)
    env.close()
    for settings, said in (
        ({"frameskip": (2, 5)}, "frame_skip is .2, 5.: expected a whole number"),
        ({"obs_type": "ram"}, "obs_type is 'ram': expected 'rgb'; .*getRAM"),
        ({"obs_type": "grayscale"}, "obs_type is 'grayscale': expected 'rgb'; grayscale_obs=True"),
        ({"mode": 1}, "mode is 1: expected None"),
        ({"difficulty": 3}, "difficulty is 3: expected None"),
        ({"continuous": True}, "continuous is True: expected False"),
        ({"sound_obs": True}, "sound_obs is True: expected False"),
    ):
        with pytest.raises(ValueError, match=said):
            made(**settings)
    with pytest.raises(TypeError, match="unexpected keyword argument 'frame_skips'"):
        made(frame_skips=4)
