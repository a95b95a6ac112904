"""How fast are games and learning on a GPU? Compared with the CPU, and by number of games."""

import gc
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from priorlab.agents.learners.make_ppo import make_ppo
from priorlab.agents.runs.run_learner import make_env
from priorlab.agents.settings import Settings
from priorlab.envs.engine.games import Games
from priorlab.envs.engine.gpu import GPU
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.scripts.bench.rates import DIFFERENT, ROUNDS, Measurement
from priorlab.scripts.bench.speed import rate_of_games

COUNTS = 1, 16, 256, 4096, 16384, 65536
TARGETS = {16384: 100_000_000}  # steps per second, on an H100
LEARNING = Settings(  # the study's network, without memory, on four gray frames
    on_device=True, device="cuda", curiosity="none", network="study", stack_size=4, frame_skip=1, num_games=16384,
    n_steps=16, n_epochs=4, batch_size=32768, progress=False,
)  # fmt: skip
LEARNING_TARGET = 500_000  # decisions per second on an H200, without a bonus
WARM = 4  # steps that compile, record a graph and touch memory


def measure_gpu(seconds: float) -> Iterator[Measurement]:
    """Yields each measurement as soon as it is measured, after about ``seconds`` each. ValueError without a GPU."""
    for count in COUNTS:
        rate, memory = on_gpu(count, seconds)
        games = f"{count} game{'s' if count > 1 else ''}, 84x84 gray"
        yield Measurement(f"{games}, {torch.cuda.get_device_name()}", rate, "steps/s", TARGETS.get(count))
        cpu = rate_of_games(count, seconds)
        yield Measurement(f"{games}, CPU, 1 thread", cpu, "steps/s")
        yield Measurement("    ratio", rate / cpu, "x")
        yield Measurement("    GPU memory per game", memory, "KiB")
    for curiosity, target in (("none", LEARNING_TARGET), ("counts", None), ("icm", None)):
        rate = learning_on_gpu(replace(LEARNING, curiosity=curiosity), seconds)
        name = f"PPO, 16384 games, 42x42x4, curiosity {curiosity}, {torch.cuda.get_device_name()}"
        yield Measurement(name, rate, "decisions/s", target)


def learning_on_gpu(settings: Settings, seconds: float) -> float:
    """Decisions per second, over complete rollouts and updates."""
    env, _ = make_env(settings)
    model, rollout = make_ppo(settings, env), settings.n_steps * settings.num_games
    model.learn(2 * rollout)  # compiles, and allocates memory
    rollouts, rates = 1, []
    for round_ in range(1 + ROUNDS):  # the first round finds how many rollouts fill the time
        torch.cuda.synchronize()
        began = time.perf_counter()
        model.learn(rollouts * rollout, reset_num_timesteps=False)
        torch.cuda.synchronize()
        passed = time.perf_counter() - began
        if round_:
            rates.append(rollouts * rollout / passed)
        else:
            rollouts = max(1, int(seconds / ROUNDS / passed))
    return max(rates)


def on_gpu(count: int, seconds: float) -> tuple[float, float]:
    """Steps per second under uniform random actions, and KiB per game, observation and scenes included."""
    gc.collect()  # frees the games before these, which would distort the memory of these
    before = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
    batch = Games(count, device="cuda")
    memory = torch.cuda.memory_allocated() - before
    batch.reset(0)
    chosen = torch.as_tensor(np.random.default_rng(0).integers(0, INPUT_COUNT, (DIFFERENT, count)), device=GPU)
    for k in range(WARM):
        batch.step(chosen[k])
    steps, rates = DIFFERENT, []
    for round_ in range(1 + ROUNDS):  # the first round finds how many steps fill the time
        torch.cuda.synchronize()
        began = time.perf_counter()
        for k in range(steps):
            batch.step(chosen[k % DIFFERENT])
        torch.cuda.synchronize()
        passed = time.perf_counter() - began
        if round_:
            rates.append(count * steps / passed)
        else:
            steps = max(1, int(steps * seconds / ROUNDS / passed))
    return max(rates), memory / count / 1024
