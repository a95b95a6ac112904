"""The environments as Gymnasium and stable-baselines3 use them."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import priorlab  # noqa: F401  registers the games
from priorlab.envs.game.versions import id_of, versions
from priorlab.envs.interfaces.env import PriorLabEnv

VERSIONS = list(versions("princess"))
CORRIDOR = "---\nS  G\n####\n"


@pytest.mark.parametrize("version", ["", *(f"-{id_of(version)}" for version in VERSIONS)])
@pytest.mark.parametrize("game", ["Princess", "KeyDoor"])
def test_every_id_passes_the_checker(game, version):
    check_env(gymnasium.make(f"PriorLab/{game}{version}-v0", render_mode="rgb_array").unwrapped)


def test_settings_shape_the_observations():
    env = gymnasium.make("PriorLab/Princess-v0", screen_size=40, stack_size=4, grayscale_obs=True)
    assert env.observation_space.shape == (40, 40, 4)
    assert gymnasium.make("PriorLab/Princess-v0").observation_space.shape == (84, 84, 3)


def test_observations_are_copies():
    env = gymnasium.make("PriorLab/Princess-v0")
    first, _ = env.reset(seed=0)
    kept = first.copy()
    second = env.step(2)[0]
    assert np.array_equal(first, kept) and not np.array_equal(first, second)


def test_a_play_goes_on_after_a_death_and_ends_with_a_win_or_a_seed():
    env = gymnasium.make("PriorLab/Princess-v0", level="---\nS * G\n#####\n")
    env.reset(seed=0)
    for _ in range(3):
        _, _, terminated, _, info = env.step(2)
        if terminated:
            break
    assert info["deaths"] == 1 and info["inputs"] == 3
    _, info = env.reset()
    assert info["deaths"] == 1 and info["unique_states"] > 1 and info["inputs"] == 3
    _, info = env.reset()  # in mid-episode: a restart without a death counts as a quit
    assert info["deaths"] == 0 and info["unique_states"] == 1
    env.step(2), env.step(2)
    assert env.reset(seed=1)[1]["deaths"] == 0


def test_saved_states_are_restored():
    env = gymnasium.make("PriorLab/Princess-v0").unwrapped
    env.reset(seed=0)
    for action in [1, 3, 2, 0]:
        env.step(action)
    saved = env.save()
    after = [env.step(action) for action in [1, 1, 3, 0, 5]]
    _, info = env.restore(saved)
    assert info["inputs"] == 4
    for action, expected in zip([1, 1, 3, 0, 5], after):
        found = env.step(action)
        assert np.array_equal(found[0], expected[0]) and found[1:] == expected[1:]


def test_pictures_and_window(monkeypatch):
    env = gymnasium.make("PriorLab/Princess-v0", render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (240, 240, 3)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = gymnasium.make("PriorLab/Princess-v0", render_mode="human")
    window.reset(seed=0)
    window.step(1)
    assert window.render() is None
    window.close()


def test_wrong_use_is_refused():
    env = gymnasium.make("PriorLab/Princess-v0", level=CORRIDOR)
    with pytest.raises(RuntimeError, match="step before reset"):
        env.step(0)
    env.reset(seed=0)
    for action in (6, -1, "jump", 1.5, [6], [[1]], np.array([-1])):
        with pytest.raises(ValueError, match="expected"):
            env.step(action)
    [env.step(2) for _ in range(5)]
    with pytest.raises(RuntimeError, match="after the episode ended: call reset first"):
        env.step(0)
    env.close()
    with pytest.raises(RuntimeError, match="closed"):
        env.step(0)
    with pytest.raises(ValueError, match="human, rgb_array"):
        PriorLabEnv(render_mode="ansi")


def test_an_action_may_lie_in_an_array_of_one():
    env, other = (gymnasium.make("PriorLab/Princess-v0") for _ in range(2))
    env.reset(seed=0), other.reset(seed=0)
    for action in ([2], np.array([2]), np.array(2), np.int8(2)):
        found, expected = env.step(action), other.step(2)
        assert np.array_equal(found[0], expected[0]) and found[1:] == expected[1:]


def test_make_vec_gives_the_batch_with_final_observations_and_infos():
    batch = gymnasium.make_vec("PriorLab/Princess-v0", num_envs=3, level=CORRIDOR, version=VERSIONS[:3])
    assert type(batch.unwrapped).__name__ == "PriorLabVectorEnv"
    assert batch.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.SAME_STEP
    first, infos = batch.reset(seed=0)
    assert batch.observation_space.contains(first) and infos["inputs"].tolist() == [0, 0, 0]
    for k in range(5):
        observations, rewards, terminated, truncated, infos = batch.step(np.array([2, 0, 2 if k else 0]))
    assert rewards.tolist() == [1, 0, 0] and terminated.tolist() == [True, False, False] and not truncated.any()
    assert infos["_final_obs"].tolist() == [True, False, False]
    assert infos["final_obs"][0].shape == (84, 84, 3) and infos["final_obs"][1] is None
    assert infos["final_info"]["solved"].tolist() == [True, False, False]
    assert infos["final_info"]["_inputs"].tolist() == [True, False, False]
    assert np.array_equal(observations[0], first[0]) and not np.array_equal(infos["final_obs"][0], first[0])
    batch.reset(options={"reset_mask": np.array([False, False, True])})
    assert batch.unwrapped.games.info()["inputs"].tolist() == [0, 5, 0]
    batch.close()


def test_the_batch_equals_single_environments():
    batch = gymnasium.make_vec("PriorLab/Princess-v0", num_envs=2, max_inputs=80)
    singles = [gymnasium.make("PriorLab/Princess-v0", max_inputs=80) for _ in range(2)]
    first, _ = batch.reset(seed=4)
    for lane, env in enumerate(singles):
        assert np.array_equal(env.reset(seed=4 + lane)[0], first[lane])
    for actions in np.random.default_rng(0).integers(0, 6, (300, 2)):
        observations, rewards, terminated, truncated, infos = batch.step(actions)
        for lane, env in enumerate(singles):
            observation, reward, over, late, info = env.step(actions[lane])
            assert (reward, over, late) == (rewards[lane], terminated[lane], truncated[lane])
            if over or late:
                assert np.array_equal(observation, infos["final_obs"][lane])
                assert {key: infos["final_info"][key][lane] for key in info} == info
                observation, info = env.reset()
            assert np.array_equal(observation, observations[lane])
            assert {key: infos[key][lane] for key in info} == info


def test_stable_baselines3_meets_what_it_expects():
    from stable_baselines3 import PPO
    from stable_baselines3.common.evaluation import evaluate_policy

    from priorlab.envs.interfaces.sb3 import PriorLabVecEnv

    env = PriorLabVecEnv(2, level=CORRIDOR, screen_size=36, grayscale_obs=True, max_inputs=7)
    env.seed(3)
    first = env.reset()
    assert first.shape == (2, 36, 36, 1)
    for _ in range(5):
        observations, rewards, dones, infos = env.step(np.array([2, 0]))
    assert rewards.tolist() == [1, 0] and dones.tolist() == [True, False]
    assert infos[0]["terminal_observation"].shape == (36, 36, 1) and infos[0]["solved"] and infos[1] == {}
    assert infos[0]["TimeLimit.truncated"] is False and infos[0]["episode"]["l"] == 5
    assert np.array_equal(observations, first)
    for _ in range(2):
        _, _, dones, infos = env.step(np.array([0, 0]))
    assert dones.tolist() == [False, True] and infos[1]["TimeLimit.truncated"] is True
    model = PPO("CnnPolicy", env, n_steps=8, batch_size=8, n_epochs=1, seed=0, device="cpu")
    model.learn(16)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=2)
    assert 0 <= mean <= 1
    env.set_options({"reset_mask": [True, False]})
    with pytest.raises(ValueError, match="options has 'reset_mask': a game has no options"):
        env.reset()
    env.set_options()
    assert env.get_images()[0].shape == (60, 60, 3)
    env.close()
