"""Settings of games have one list of names, under every interface; the public names of the room are documented."""

import inspect
import subprocess
import sys
from typing import get_type_hints

import gymnasium
import pytest

import priorlab.envs
from priorlab.envs.atari import atari_settings
from priorlab.envs.atari.atari_env import AtariEnv
from priorlab.envs.atari.atari_sb3 import AtariVecEnv
from priorlab.envs.atari.atari_vector import AtariVectorEnv
from priorlab.envs.atari.games import Atari
from priorlab.envs.engine import game_settings
from priorlab.envs.engine.games import Games
from priorlab.envs.interfaces.batch import BATCH_DEFAULTS, BatchSettings
from priorlab.envs.interfaces.env import PriorLabEnv
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from priorlab.envs.interfaces.vector import PriorLabVectorEnv

EXPECTED = {
    Games: "num_games, version, autoreset, device, still, game, level",
    PriorLabEnv: "version, render_mode, game, level",
    PriorLabVectorEnv: "num_envs, version, game, level",
    PriorLabVecEnv: "num_envs, version, num_games, device, game, level",
    Atari: "num_games, game, autoreset, first_lane, copy, mask, mask_seed",
    AtariEnv: "game, render_mode, mask, mask_seed",
    AtariVectorEnv: "num_envs, game, num_threads, max_episode_steps, autoreset_mode, copy, render_mode, mask",
    AtariVecEnv: "num_envs, game, clip_rewards, num_games, mask, mask_seed",
}


@pytest.mark.parametrize("make", EXPECTED, ids=lambda make: make.__name__)
def test_an_unknown_setting_is_named_with_those_that_exist(make):
    with pytest.raises(TypeError) as caught:
        make(screensize=84)
    message = str(caught.value)
    assert message.startswith(f"unexpected keyword argument 'screensize': expected {EXPECTED[make]}")
    assert "screen_size" in message and "\n" not in message


@pytest.mark.parametrize("id", ["Princess-v0", "Random-v1", "Atari-v0"])
def test_gymnasium_passes_on_what_is_wrong(id):
    for make in (gymnasium.make, lambda id, **settings: gymnasium.make_vec(id, num_envs=2, **settings)):
        with pytest.raises(TypeError, match="unexpected keyword argument 'screensize': expected "):
            make(f"PriorLab/{id}", screensize=84)


def test_every_setting_has_a_default():
    assert set(get_type_hints(game_settings.GameSettings)) == set(game_settings.DEFAULTS)
    assert set(get_type_hints(BatchSettings)) == set(BATCH_DEFAULTS)
    assert set(get_type_hints(atari_settings.AtariSettings)) == set(atari_settings.DEFAULTS)


def test_public_names_are_documented_and_imported_when_used():
    for name in priorlab.envs.__all__:
        public = getattr(priorlab.envs, name)
        assert not callable(public) or inspect.getdoc(public), name
    code = "import sys, priorlab.envs as e; assert 'numba' not in sys.modules; e.Games; assert 'numba' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
