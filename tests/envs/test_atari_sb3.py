"""Atari's games for stable-baselines3: the same as in any other batch, with the infos that a learner needs."""

import numpy as np
import pytest

from priorlab.envs.atari.atari_sb3 import AtariVecEnv
from priorlab.envs.atari.games import Atari
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv

SETTINGS = {"game": "breakout", "screen_size": 42, "stack_size": 2, "grayscale_obs": True, "max_inputs": 400}


def test_games_are_those_of_every_batch_and_infos_tell_how_episodes_ended():
    plain, env = Atari(3, **SETTINGS), AtariVecEnv(3, **SETTINGS)
    env.seed(5)
    seen = env.reset()
    assert np.array_equal(seen, plain.reset(seeds=[5, 6, 7]).observations) and seen.shape == (3, *plain.shape)
    generator, score, ended = np.random.default_rng(0), np.zeros(3), 0
    for _ in range(230):
        actions = generator.integers(len(plain.actions), size=3)
        outcome = plain.step(actions)
        seen, rewards, dones, infos = env.step(actions)
        assert np.array_equal(seen, outcome.observations) and np.array_equal(rewards, np.sign(outcome.rewards))
        assert np.array_equal(dones, outcome.terminated | outcome.truncated)
        score += outcome.rewards
        for k, lane in enumerate(np.flatnonzero(dones)):
            info, ended = infos[lane], ended + 1
            assert info["episode"]["r"] == score[lane] and info["inputs"] == outcome.final_inputs[k]
            assert info["TimeLimit.truncated"] == outcome.truncated[lane]
            assert np.array_equal(info["terminal_observation"], outcome.final_observations[k])
            score[lane] = 0
        assert all(not infos[lane] for lane in np.flatnonzero(~dones))
    assert ended >= 6 and env.env_is_wrapped(object) == [False] * 3


def test_rewards_are_points_where_they_are_asked_for():
    env = AtariVecEnv(1, "ms_pacman", clip_rewards=False, screen_size=42)
    env.seed(0)
    env.reset()
    paid = {float(env.step(np.array([k % 9]))[1][0]) for k in range(120)}
    assert max(paid) >= 10


@pytest.mark.parametrize("kind", [PriorLabVecEnv, AtariVecEnv])
def test_a_batch_is_told_its_size_as_environments_are_or_as_the_engine_is(kind):
    assert [kind().num_envs, kind(2).num_envs, kind(num_envs=2).num_envs, kind(num_games=2).num_envs] == [1, 2, 2, 2]
    with pytest.raises(ValueError, match="num_envs is 2 and num_games is 3: expected one of them"):
        kind(num_envs=2, num_games=3)
