"""How fast games and learning are on a card, beside the CPU's, and how speed and memory grow with the games' number."""

import gc
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from priorlab.agents.learners.ppo import make_model
from priorlab.agents.runs.run import make_env
from priorlab.agents.settings import Settings
from priorlab.envs.engine.games import Games
from priorlab.envs.engine.gpu import GPU
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.scripts.bench.rates import DIFFERENT, ROUNDS, Figure
from priorlab.scripts.bench.speed import rate_of_games

COUNTS = 1, 16, 256, 4096, 16384, 65536
WANTED = {16384: 100_000_000}  # steps a second, on an H100
LEARNING = Settings(  # the study's network, without memory, on four gray frames
    on_device=True, device="cuda", curiosity="none", network="study", stack_size=4, frame_skip=1, num_games=16384,
    n_steps=16, n_epochs=4, batch_size=32768, progress=False,
)  # fmt: skip
WANTED_LEARNING = 500_000  # decisions a second on an H200, without a bonus
WARM = 4  # steps that compile, record a graph and touch memory


def card_figures(seconds: float) -> Iterator[Figure]:
    """Each figure as soon as it is measured, about ``seconds`` each. ValueError where there is no card."""
    for count in COUNTS:
        rate, memory = on_the_card(count, seconds)
        games = f"{count} game{'s' if count > 1 else ''}, 84x84 gray"
        yield Figure(f"{games}, {torch.cuda.get_device_name()}", rate, "steps/s", WANTED.get(count))
        cpu = rate_of_games(count, seconds)
        yield Figure(f"{games}, CPU, 1 thread", cpu, "steps/s")
        yield Figure("    ratio", rate / cpu, "x")
        yield Figure("    memory on the card a game", memory, "KiB")
    for curiosity, wanted in (("none", WANTED_LEARNING), ("counts", None), ("icm", None)):
        rate = learning_on_the_card(replace(LEARNING, curiosity=curiosity), seconds)
        name = f"PPO, 16384 games, 42x42x4, curiosity {curiosity}, {torch.cuda.get_device_name()}"
        yield Figure(name, rate, "decisions/s", wanted)


def learning_on_the_card(settings: Settings, seconds: float) -> float:
    """Decisions a second, of whole rollouts and updates."""
    env, _ = make_env(settings)
    model, rollout = make_model(settings, env), settings.n_steps * settings.num_games
    model.learn(2 * rollout)  # compiles, and takes memory
    rollouts, rates = 1, []
    for round_ in range(1 + ROUNDS):  # the first finds how many rollouts fill the time
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


def on_the_card(count: int, seconds: float) -> tuple[float, float]:
    """(steps a second under uniform random actions, KiB a game, observation and scenes included)."""
    gc.collect()  # the games before these, which would be freed while these are allocated
    before = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
    batch = Games(count, device="cuda")
    memory = torch.cuda.memory_allocated() - before
    batch.reset(0)
    chosen = torch.as_tensor(np.random.default_rng(0).integers(0, INPUT_COUNT, (DIFFERENT, count)), device=GPU)
    for k in range(WARM):
        batch.step(chosen[k])
    steps, rates = DIFFERENT, []
    for round_ in range(1 + ROUNDS):  # the first finds how many steps fill the time
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
