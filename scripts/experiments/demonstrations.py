"""Do demonstrations shorten learning? PPO with and without plays of simulated players of known skill.

The players know the shortest way from every state (``envs/game/solver.py``), but now and then they err and hold a
random input for a while. They are not people, and their plays say so; the experiment shows that learning from plays
works.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from scipy.stats import bootstrap

from priorlab.agents.imitation.cloning import CloningResult
from priorlab.agents.settings import Settings
from priorlab.agents.training import train
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import CLOCK, HAS_KEY, INPUT_COUNT, JUMPING, LAST_SIDE, MONSTERS, ON_LADDER, SPEED, X, Y
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules, find_version
from priorlab.envs.plays.play import Course, Play
from priorlab.envs.results.rows import is_finished
from priorlab.scripts.analysis.statistics import milestones

DECIDES = [X, Y, JUMPING, SPEED, ON_LADDER, MONSTERS, CLOCK, LAST_SIDE, HAS_KEY]  # fields that tell states apart
LONGEST_ERROR = 8  # inputs
LONGEST_PLAY = 5000  # inputs


class Player:
    """Takes a best input, except during errors, which begin at each input with probability ``error``."""

    def __init__(self, level: Level, rules: str):
        labels = Solver(level, find_rules(rules)).labels()
        self.numbers = {state.tobytes(): number for number, state in enumerate(labels.states[:, DECIDES])}
        self.best = labels.best.argmax(axis=1)

    def play(self, version: str, level: Level, error: float, seed: int) -> Play:
        random, course = np.random.default_rng(seed), Course(version, level)
        inputs: list[int] = []
        held: list[int] = []  # the rest of an error
        while not course.solved and len(inputs) < LONGEST_PLAY:
            number = self.numbers.get(course.state[DECIDES].tobytes())
            if not held and (number is None or random.random() < error):
                held = [int(random.integers(INPUT_COUNT))] * int(random.integers(1, LONGEST_ERROR + 1))
            inputs.append(held.pop() if held or number is None else int(self.best[number]))
            course.step(inputs[-1])
        name = f"errs{round(100 * error)}-{seed}"
        return Play.of(inputs, version, level=level, player="simulated", player_id=name)


def record(folder: Path, version: str, players: int, error: float) -> None:
    """Records plays of that many players, each until the win, unless the folder exists."""
    if folder.exists():
        return
    game = find_version("princess", version)
    level = Level.read(game.level)
    player = Player(level, game.rules)
    for seed in range(players):
        player.play(version, level, error, seed).save(folder / f"{seed}.play")


def ratio(others: np.ndarray, plain: np.ndarray) -> float:
    """Ratio of geometric means."""
    return float(np.exp(np.log(others).mean() - np.log(plain).mean()))


def main(
    versions: tuple[str, ...] = ("original",),
    seeds: int = 10,
    players: int = 10,
    error: float = 0.05,
    inputs: int = 60_000,
    out: Path = Path("runs/demonstrations"),
) -> None:
    """Train what is missing, and print the ratios with intervals that resample seeds.

    A run that never won counts as won at its end.
    """
    for version in versions:
        folder = out / version
        record(folder / "plays", version, players, error)
        rows = []
        for seed in range(seeds):
            for name, plays in (("ppo", None), ("ppo-demonstrations-simulated", folder / "plays")):
                run = Settings(
                    version=version, seed=seed, inputs=inputs, out=folder / name / f"seed_{seed}", progress=False,
                    evaluation_episodes=0, demonstrations=plays, demonstrators="simulated",
                )  # fmt: skip
                if not is_finished(run.folder):
                    print(train(run), flush=True)
                cloned = CloningResult.read(run.folder)
                held_out = cloned.held_out_accuracy if cloned else None
                rows.append((name, seed, *milestones(run.folder), held_out))
        table = pd.DataFrame(rows, columns=["run", "seed", "first win", "90 of 100 won", "held-out accuracy"])
        print(version, table.to_string(index=False), sep="\n")
        for column in ("first win", "90 of 100 won"):
            plain, others = (
                group[column].fillna(inputs).to_numpy(float) for _, group in table.groupby("run", sort=False)
            )
            generator = np.random.default_rng(0)
            interval = bootstrap((others, plain), ratio, method="percentile", vectorized=False, rng=generator)
            low, high = interval.confidence_interval
            print(f"{column}: {ratio(others, plain):.3f} of that without, 95 % interval {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    tyro.cli(main)
