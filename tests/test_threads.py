"""Games are stepped by one thread at a time."""

import threading

import pytest

import envs.env
import envs.vector
from tests.test_copies import BATCHES, SINGLE


def test_a_second_thread_is_refused(monkeypatch):
    began, go_on = threading.Event(), threading.Event()

    def slow(*_):
        began.set()
        assert go_on.wait(60)
        return {}

    one, batch = SINGLE["colour"]().unwrapped, BATCHES["colour"]()
    monkeypatch.setattr(envs.env.PriorLabEnv, "_info", slow)
    monkeypatch.setattr(envs.vector, "info_of", slow)
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
