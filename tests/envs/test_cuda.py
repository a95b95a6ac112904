"""Games on a GPU without one: in numba's simulator, and compiled for an H100; tests/gpu is for a real GPU."""

import os
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from priorlab.envs.base.generators import below, seeded
from priorlab.envs.engine.games import Games


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_a_simulated_gpu_plays_as_the_cpu():
    done = run("-m", "tests.support.gpu", NUMBA_ENABLE_CUDASIM="1", PYTHONWARNINGS="error")
    assert done.stdout == "alike\n", done.stderr


def test_random_starts_draw_as_numpys_generators():
    generators = seeded([0, 1, 2**40])
    for seed, generator in zip([0, 1, 2**40], generators):
        numpys = np.random.default_rng(seed)
        for count in [31, 6, 6, 2, 2**31, 1000, 2**32 - 1, 3 * 2**30] * 20:
            assert below(generator, count) == numpys.integers(count)
        assert [below(generator, 6) for _ in range(99)] == numpys.integers(6, size=99).tolist()


@pytest.mark.skipif(bool(find_spec("torch") and __import__("torch").cuda.is_available()), reason="there is a GPU")
def test_a_missing_gpu_is_reported_at_once():
    with pytest.raises(ValueError, match=r"device is 'cuda', but (numba-cuda is not installed|torch .* finds no GPU)"):
        Games(2, device="cuda")


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device is 'tpu': expected one of cpu, cuda"):
        Games(2, device="tpu")


@pytest.mark.skipif(
    find_spec("numba_cuda") is None, reason="numba-cuda is not installed: pip install '.[cuda]' in the checkout"
)
@pytest.mark.parametrize("settings", [{}, {"grayscale_obs": False, "stack_size": 4}, {"obs": "tiles"}])
def test_every_kernel_compiles_for_a_gpu(settings, monkeypatch):
    """To PTX for an H100, for which no driver is needed."""
    import numba.cuda.dispatcher
    from numba import cuda, typeof, void

    from priorlab.envs.engine import gpu_kernels as kernels

    h100 = SimpleNamespace(compute_capability=(9, 0))
    monkeypatch.setattr(numba.cuda.dispatcher, "get_current_device", lambda: h100)
    games = Games(2, **settings)
    flags = np.zeros(2, np.bool_)
    turn = kernels.GpuTurn(np.zeros(2, np.int64), flags, games.lanes.observations, games.state)
    common = games.scenes, games.lanes
    calls = {
        kernels.play_lanes: (*common, turn, 1, True),
        kernels.draw_lanes: common,
        kernels.start_lanes: (*common, turn, flags, 5, True),
        kernels.draw_starts: (*common, turn, flags, True),
    }
    for kernel, arguments in calls.items():
        code, _ = cuda.compile_ptx(kernel.py_func, void(*map(typeof, arguments)), cc=(9, 0))
        assert ".visible .entry" in code and ".target sm_90" in code
