"""What only a GPU can show: the same games as on the CPU, at full size; memory that stays in place."""

import gc
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from priorlab.agents.imitation.cloning import CloningResult, measure
from priorlab.agents.imitation.demonstrations import read_demonstrations
from priorlab.agents.learners.make_ppo import make_ppo, train_ppo
from priorlab.agents.runs.run_learner import make_env
from priorlab.agents.settings import Settings
from priorlab.envs.engine.games import Games
from tests.agents.test_agents import ROOM, SMALL, StopAt
from tests.agents.test_demonstrations import save_wins
from tests.support.gpu import (
    CASES,
    a_case,
    alike,
    play_alike,
    random_actions,
    what_is_refused,
    what_waits_and_what_was_visited,
)

pytestmark = pytest.mark.skipif(
    find_spec("numba_cuda") is None or not torch.cuda.is_available(), reason="needs numba-cuda and a GPU"
)


@pytest.mark.parametrize(("settings", "threads"), CASES)
@pytest.mark.parametrize("every", [False, True])
def test_every_kind_of_game_is_the_cpus(settings, threads, every):
    """With as many threads per picture as in the simulator, and with the usual number."""
    a_case(settings, 32 if every else threads)


def test_what_is_refused_and_what_waits():
    what_is_refused()
    what_waits_and_what_was_visited()


@pytest.mark.parametrize(
    "settings",
    [
        {"random_start": 20, "max_inputs": 40},
        {"version": "masked_objects", "stack_size": 4, "frame_skip": 2, "max_inputs": 70, "screen_size": 42},
        {"level": "key_door", "version": "gravity", "grayscale_obs": False, "screen_size": 42},
    ],
)
def test_long_play_of_16384_games_is_the_cpus(settings):
    cpu, gpu = Games(16384, **settings), Games(16384, device="cuda", **settings)
    alike(cpu.reset(3), gpu.reset(3))
    ended = play_alike(cpu, gpu, random_actions(60, 16384))
    assert ended > 1000 or "level" in settings
    alike(cpu.visited(), gpu.visited())


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")  # is said to miss some: so may this test
def test_a_step_allocates_nothing_and_never_waits_for_the_gpu():
    gpu = Games(4096, device="cuda", random_start=10)
    addresses = [part.data_ptr() for part in (gpu.reset(0), gpu.state, *gpu.lanes)]
    actions = torch.as_tensor(random_actions(64, 4096), device="cuda")
    for row in actions[:3]:  # compiles, then records
        gpu.step(row)
    allocated = torch.cuda.memory_stats()["allocation.all.allocated"]
    torch.cuda.set_sync_debug_mode("error")
    try:
        for row in actions:
            observations = gpu.step(row)[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.cuda.memory_stats()["allocation.all.allocated"] == allocated
    assert [part.data_ptr() for part in (observations, gpu.state, *gpu.lanes)] == addresses


def test_steps_can_be_part_of_a_cuda_graph():
    cpu, gpu = Games(512), Games(512, device="cuda")
    cpu.reset(0), gpu.reset(0)
    actions = random_actions(41, 512)
    play_alike(cpu, gpu, actions[:1])
    given = torch.as_tensor(actions[:2], device="cuda")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        gpu.step(given[0])
        gpu.step(given[1])
    for pair in actions[1:].reshape(20, 2, 512):  # (40, 512) -> 20 pairs of steps
        given.copy_(torch.as_tensor(pair))
        graph.replay()
        for row in pair:
            cpu.step(row)
        alike(cpu.state, gpu.state)
        alike(cpu.lanes.observations, gpu.lanes.observations)
        alike(cpu.ended, gpu.ended)


def test_what_does_not_fit_is_refused_before_it_is_allocated():
    gc.collect()  # what earlier tests left
    before = torch.cuda.memory_allocated()
    with pytest.raises(ValueError, match=r"games need [\d,]+ MiB on the GPU: [\d,]+ MiB are free"):
        Games(200_000, device="cuda", screen_size=400, grayscale_obs=False)
    assert torch.cuda.memory_allocated() == before


def test_where_an_observation_last_ended_is_kept_by_lane():
    cpu, gpu = Games(64, max_inputs=20), Games(64, device="cuda", max_inputs=20)
    cpu.reset(0), gpu.reset(0)
    for row in random_actions(60, 64):
        cpu.step(row), gpu.step(torch.as_tensor(row, device="cuda"))
        if len(cpu.ended):
            alike(cpu.final_observations, gpu.last_observations[torch.as_tensor(cpu.ended, device="cuda")])
            assert np.array_equal(cpu.ended, gpu.ended.cpu().numpy())


@pytest.mark.parametrize("curiosity", ["none", "counts", "icm"])
def test_what_is_learned_from_on_a_gpu_is_what_the_cpus_games_show(curiosity, tmp_path):
    """After its checkpoint it continues as if it had not been stopped."""
    settings = Settings(
        on_device=True, device="cuda", num_games=256, n_steps=32, batch_size=1024, stack_size=3, max_inputs=150,
        inputs=3 * 256 * 32 * 4, curiosity=curiosity, progress=False, checkpoint_every=1,
    )  # fmt: skip
    env, _ = make_env(settings)
    model = make_ppo(settings, env)
    model.learn(256 * 32)  # one rollout, of seed 0
    rollout = model.rollout_buffer
    cpu = Games(**settings.game_arguments())
    cpu.reset(0)
    for step in range(32):
        chosen = torch.arange(256, device="cuda") + 256 * step
        alike(np.moveaxis(cpu.lanes.observations, -1, 1), rollout.gather(chosen).observations)
        _, _, terminated, truncated = cpu.step(rollout.actions[step].cpu().numpy())
        alike(terminated | truncated, rollout.ended[step])
    assert rollout.ended.any()
    whole, record = train_ppo(replace(settings, out=tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        train_ppo(replace(settings, out=tmp_path / "run"), StopAt(2 * 256 * 32 + 9))
    resumed, again = train_ppo(replace(settings, out=tmp_path / "run"))
    assert record.inputs == again.inputs and record.episodes == again.episodes
    ours, theirs = ((each.policy.state_dict()) for each in (whole, resumed))
    for name, values in ours.items():
        assert torch.equal(values, theirs[name]), name


def test_demonstrations_are_learned_on_a_gpu(tmp_path):
    """And the same network reads the same there as on the CPU."""
    save_wins(tmp_path / "people", 3)
    settings = replace(SMALL, level=ROOM, device="cuda", demonstrations=tmp_path / "people", out=tmp_path / "run")
    model, _ = train_ppo(settings)
    cloned, shown = CloningResult.read(settings.folder), read_demonstrations(settings)
    assert model.device.type == "cuda" and cloned and cloned.epochs > 1
    assert cloned.held_out_demonstrators == 1 and cloned.accuracy > 0.5
    on_cpu = type(model).load(settings.folder / "model.zip", device="cpu")
    assert measure(on_cpu, shown.trajectories)[1] == pytest.approx(measure(model, shown.trajectories)[1], rel=0.05)
