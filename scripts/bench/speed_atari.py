"""How fast masked Atari games are, beside ale_py's own unmasked ones in the same run."""

from collections.abc import Callable, Iterator

import gymnasium
import numpy as np

from priorlab.envs.atari.masks import MASKS
from priorlab.scripts.bench.rates import Figure, best_rate

GAME, PEER = "montezuma_revenge", "ALE/MontezumaRevenge-v5"
INPUTS = 18
GAMES = 8  # in a batch: ale_py takes a tenth of a second to seed one
TURNS = 7  # of unmasked and masked; the median of their ratios counts
SINGLE, VECTOR = 0.8, 0.7  # the least share of the unmasked speed that is wanted

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
    """The masked games' speed as a share of the unmasked ones', in turns, so that both meet the same noise."""
    slices = seconds / TURNS / 2
    rates = [[best_rate(step, games, INPUTS, slices) for step in (unmasked, masked)] for _ in range(TURNS)]
    return float(np.median([ours / theirs for theirs, ours in rates]))


def atari_figures(seconds: float) -> Iterator[Figure]:
    """Each figure as soon as it is measured; 84x84 gray, frame skip 4, no stack, on both sides."""
    unmasked = unmasked_game()
    for mask in MASKS:
        found = share(unmasked, masked_game(mask), 1, seconds)
        yield Figure(f"Atari, mask {mask}, 1 game: share of AtariPreprocessing's speed", found, "", SINGLE)
    for threads in (1, 2):
        batch = unmasked_batch(threads)
        for mask in MASKS:
            found = share(batch, masked_batch(mask, threads), GAMES, seconds)
            name = f"Atari, mask {mask}, {GAMES} games, threads {threads}: share of AtariVectorEnv's speed"
            yield Figure(name, found, "", VECTOR)
