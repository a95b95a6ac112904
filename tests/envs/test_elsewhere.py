"""Everything that plays can be passed to other processes, continues on both sides of a fork, and serves one thread at a
time."""

import copy
import multiprocessing
import os
import threading

import gymnasium
import numpy as np
import pytest

from priorlab.envs.engine.games import Games
from priorlab.envs.interfaces import vector
from priorlab.envs.interfaces.env import PriorLabEnv
from tests.envs.test_copies import BATCHES, SINGLE, begun, stripped
from tests.envs.test_vector import alike
from tests.support.playing import play_there, played


def there(method, env):
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    process = context.Process(target=play_there, args=(env, answers))
    process.start()
    answer = answers.get(timeout=120)
    process.join(60)
    assert process.exitcode == 0
    return answer


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    ("method", "name"),
    [("spawn", "threads"), ("forkserver", "threads"), ("fork", "threads"), ("fork", "atari processes")],
)
def test_an_environment_plays_on_in_another_process(method, name):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    env = begun(BATCHES[name])
    told = there(method, env)
    if name == "atari processes":
        assert told == "num_threads > 1, and the games are the forking process's: make them in this one"
    else:
        alike(stripped(told), stripped(played(env, 25, 3)))
    env.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_batch_made_just_before_a_fork_steps_on_both_sides():
    batch = Games(4, num_threads=3, screen_size=10)
    child = os.fork()
    if not child:
        batch.reset(0)
        batch.step(np.zeros(4, int))
        batch.close()
        os._exit(0)
    batch.reset(0)
    batch.step(np.zeros(4, int))
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_of_gymnasium_take_copies(context):
    env = begun(SINGLE["key_door"])
    if context not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {context} here")
    batch = gymnasium.vector.AsyncVectorEnv([lambda: copy.deepcopy(env)] * 2, context=context)
    twins = [copy.deepcopy(env) for _ in range(2)]
    for actions in np.random.default_rng(0).integers(0, 6, (5, 2)):
        observations, *_ = batch.step(actions)
        for lane, twin in enumerate(twins):
            assert np.array_equal(observations[lane], twin.step(actions[lane])[0])
    batch.close()


def test_a_second_thread_is_refused(monkeypatch):
    began, go_on = threading.Event(), threading.Event()

    def slow(*_):
        began.set()
        assert go_on.wait(60)
        return {}

    one, batch = SINGLE["colour"]().unwrapped, BATCHES["colour"]()
    monkeypatch.setattr(PriorLabEnv, "_info", slow)
    monkeypatch.setattr(vector, "info_of", slow)
    for env in (one, batch):
        began.clear(), go_on.clear()
        thread = threading.Thread(target=env.reset)
        thread.start()
        assert began.wait(60)
        with pytest.raises(RuntimeError, match="another thread is stepping these games"):
            env.step(0)
        with pytest.raises(RuntimeError, match="another thread"):
            env.reset()
        go_on.set()
        thread.join()
        env.reset()
