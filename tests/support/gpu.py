"""Games on a GPU compared with the same games on the CPU. As a program: short plays in numba's simulator of a GPU."""

import copy
import pickle
import sys

import numpy as np
import torch

from priorlab.envs.engine import gpu as gpu_engine
from priorlab.envs.engine.games import Games
from tests.support.levels import BUSY

SHORT = ["---\nS  G\n####\n", "---\nG m~S\n#####\n", "---\nS * G\n#####\n"]
# (what is played, threads per picture)
CASES = [
    ({"version": ["original", "masked_objects", "gravity"], "screen_size": 24}, 16),
    ({"random_start": 12, "stack_size": 2, "frame_skip": 3, "grayscale_obs": False, "max_inputs": 30}, 16),
    ({"level": "key_door", "version": ["original", "ladder_interaction", "all_masked"], "screen_size": 20}, 4),
    ({"level": BUSY, "screen_size": 31, "grayscale_obs": False}, 4),
    ({"level": SHORT, "order": "drawn", "max_inputs": 9, "random_start": 4, "looks": {"semantics": 0.5}}, 4),
    ({"level": SHORT, "order": "in_order", "max_inputs": 5, "obs": "tiles", "stack_size": 2}, 4),
]
WARM, STEPS = 400, 14  # steps only on the CPU, which spread the games; steps on both


def alike(ours: object, theirs: object) -> None:
    """Asserts that arrays on the CPU and tensors on the GPU are the same, including their types."""
    theirs = theirs.cpu().numpy() if isinstance(theirs, torch.Tensor) else np.asarray(theirs)
    ours = np.asarray(ours)
    assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)


def play_alike(cpu: Games, gpu: Games, actions: np.ndarray, on_gpu: bool = True) -> int:
    """Asserts that both are the same after each row of actions; how many episodes ended."""
    ended = 0
    for row in actions:
        given = torch.as_tensor(row, device=gpu.state.device) if on_gpu else row
        for ours, theirs in zip(cpu.step(row), gpu.step(given)):
            alike(ours, theirs)
        alike(cpu.state, gpu.state)
        alike(cpu.ended, gpu.ended)
        if len(cpu.ended):
            alike(cpu.final_observations, gpu.final_observations)
            for name, values in cpu.final_info.items():
                alike(values, gpu.final_info[name])
        ended += len(cpu.ended)
    return ended


def random_actions(steps: int, games: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 6, (steps, games))


def a_case(settings: dict, drawers: int) -> None:
    """Compares everything that games return, from the start and from where games are after a while."""
    gpu_engine.DRAWERS = gpu_engine.STARTERS = drawers
    settings = {"screen_size": 12} | settings
    cpu, gpu = Games(3, **settings), Games(3, device="cuda", **settings)
    alike(cpu.reset(5), gpu.reset(5))
    actions = random_actions(WARM + STEPS, 3)
    play_alike(cpu, gpu, actions[:3], on_gpu=False)
    for row in actions[:WARM]:
        cpu.step(row)
    gpu.restore(cpu.save())
    before = cpu.save()
    ended = play_alike(cpu, gpu, actions[WARM:])
    assert ended or "max_inputs" not in settings
    alike(cpu.redraw(1), gpu.redraw(1))
    for saved in (cpu.save(), gpu.save()):
        for ours, theirs in zip(saved, cpu.save()):
            alike(theirs, ours)
    was = cpu.ended.copy()
    cpu.restart(np.array([1])), gpu.restart(np.array([1]))
    alike(was, gpu.ended)
    alike(cpu.lanes.observations, gpu.lanes.observations)
    gpu.restore(before, [0, 1, 2]), cpu.restore(before)
    play_alike(cpu, gpu, actions[:2])
    for name, values in cpu.info().items():
        alike(values, gpu.info()[name])


def what_is_refused() -> None:
    gpu = Games(2, level=SHORT[0], device="cuda", screen_size=8, autoreset=False)
    refused = [
        (lambda: gpu.step([0, 0]), RuntimeError, "step before reset"),
        (lambda: (gpu.reset(0), gpu.step([0, 6])), ValueError, "action 6 of game 1: expected 0 to 5"),
        (lambda: gpu.step([0, 0], np.ones(2, bool)), ValueError, "over: expected None with device='cuda'"),
        (lambda: gpu.step(torch.zeros(2)), ValueError, "expected 2 whole numbers, shape (2,)"),
        (lambda: gpu.step(torch.zeros(3, dtype=torch.int64)), ValueError, "expected 2 whole numbers, shape (2,)"),
        (lambda: Games(2, device="cuda", num_threads=2), ValueError, "num_threads is 2: expected 1"),
        (lambda: gpu.restore(Games(3, level=SHORT[0]).save()), ValueError, "expected the same levels"),
        (lambda: (gpu.close(), gpu.step([0, 0])), RuntimeError, "closed"),
    ]
    for call, kind, said in refused:
        try:
            call()
        except kind as error:
            assert said in str(error), error
        else:
            raise AssertionError(said)


def what_waits_and_what_was_visited() -> None:
    """Without autoreset lanes wait; chances take effect; visited positions are counted over lanes and plays."""
    settings = {"level": SHORT[0], "screen_size": 8, "autoreset": False}
    cpu, gpu = Games(3, **settings), Games(3, device="cuda", **settings)
    cpu.reset(0), gpu.reset(0)
    play_alike(cpu, gpu, np.array([[2, 0, 1]] * 6))
    assert cpu.lanes.terminated.tolist() == [True, False, False]
    cpu.restart(np.array([0])), gpu.restart(np.array([0]))
    play_alike(cpu, gpu, np.array([[2, 2, 3]]))
    alike(cpu.visited(), gpu.visited())
    alike(cpu.native_frame(1), gpu.native_frame(1))
    settings = {"level": SHORT, "order": "drawn", "screen_size": 8, "max_inputs": 2}
    cpu, gpu = Games(3, **settings), Games(3, device="cuda", **settings)
    cpu.chances = gpu.chances = [1, 0, 3]
    cpu.reset(1), gpu.reset(1)
    assert play_alike(cpu, gpu, random_actions(8, 3)) >= 12


def what_is_copied() -> None:
    """Copies and unpickled games continue from where the games are, and share nothing."""
    settings = {"level": SHORT, "order": "drawn", "screen_size": 8, "max_inputs": 3, "random_start": 2, "stack_size": 2}
    cpu, gpu = Games(3, **settings), Games(3, device="cuda", **settings)
    cpu.reset([4, None, 5]), gpu.reset([4, None, 5])
    assert play_alike(cpu, gpu, random_actions(3, 3))
    for copied in (copy.copy, copy.deepcopy, lambda games: pickle.loads(pickle.dumps(games))):
        ours, theirs = copied(cpu), copied(gpu)
        assert type(theirs) is type(gpu)
        alike(ours.ended, theirs.ended)
        alike(ours.final_observations, theirs.final_observations)
        ours.chances = theirs.chances = [0, 1, 1]
        play_alike(ours, theirs, random_actions(4, 3))
        ours.reset(3, np.array([0, 2])), theirs.reset(3, np.array([0, 2]))
        play_alike(ours, theirs, random_actions(2, 3))
    assert play_alike(cpu, gpu, random_actions(4, 3))


if __name__ == "__main__":
    sys.setswitchinterval(1e-4)  # lets the simulator's threads wait less for each other
    for case, threads in CASES:
        a_case(case, threads)
    what_is_refused()
    what_waits_and_what_was_visited()
    what_is_copied()
    print("alike")
