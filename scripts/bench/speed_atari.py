"""How fast are masked Atari games? Compared with ale_py's unmasked ones in the same run."""

from collections.abc import Callable, Iterator

import gymnasium
import numpy as np

from priorlab.envs.atari.masks import MASKS
from priorlab.scripts.bench.rates import Measurement, best_rate

GAME, PEER = "montezuma_revenge", "ALE/MontezumaRevenge-v5"
ACTIONS = 18
GAMES = 8  # per batch: ale_py takes a tenth of a second to seed one
TURNS = 7  # of unmasked and masked games; the median of their ratios counts
SINGLE, VECTOR = 0.8, 0.7  # targets: share of the unmasked speed

Step = Callable[[np.ndarray], object]


def unmasked_batch(threads: int) -> Step:
    from ale_py.vector_env import AtariVectorEnv

    batch = AtariVectorEnv(GAME, GAMES, num_threads=threads, stack_num=1, frameskip=4, grayscale=True)
    batch.reset(seed=0)
    return batch.step


def masked_batch(mask: str, threads: int) -> Step:
    batch = gymnasium.make_vec(
        "PriorLab/Atari-v0", num_envs=GAMES, game=GAME, mask=mask, grayscale_obs=True, num_threads=threads
    )
    batch.reset(seed=0)
    return batch.step


def unmasked_game() -> Step:
    import ale_py

    gymnasium.register_envs(ale_py)
    raw = gymnasium.make(PEER, frameskip=1, repeat_action_probability=0.0)
    return one_by_one(gymnasium.wrappers.AtariPreprocessing(raw, noop_max=0, frame_skip=4, screen_size=84))


def masked_game(mask: str) -> Step:
    return one_by_one(gymnasium.make("PriorLab/Atari-v0", game=GAME, mask=mask, grayscale_obs=True))


def one_by_one(env: gymnasium.Env) -> Step:
    env.reset(seed=0)

    def step(actions: np.ndarray) -> None:
        _, _, terminated, truncated, _ = env.step(actions[0])
        if terminated or truncated:
            env.reset()

    return step


def share(unmasked: Step, masked: Step, games: int, seconds: float) -> float:
    """The speed of masked games as a share of unmasked ones, measured in turns under the same noise."""
    slices = seconds / TURNS / 2
    rates = [[best_rate(step, games, ACTIONS, slices) for step in (unmasked, masked)] for _ in range(TURNS)]
    return float(np.median([ours / theirs for theirs, ours in rates]))


def measure_atari(seconds: float) -> Iterator[Measurement]:
    """Yields each measurement as soon as it is measured; both sides use 84x84 gray, frame skip 4, no stack."""
    unmasked = unmasked_game()
    for mask in MASKS:
        part = share(unmasked, masked_game(mask), 1, seconds)
        yield Measurement(f"Atari, mask {mask}, 1 game: share of AtariPreprocessing's speed", part, "", SINGLE)
    for threads in (1, 2):
        batch = unmasked_batch(threads)
        for mask in MASKS:
            part = share(batch, masked_batch(mask, threads), GAMES, seconds)
            name = f"Atari, mask {mask}, {GAMES} games, threads {threads}: share of AtariVectorEnv's speed"
            yield Measurement(name, part, "", VECTOR)
