"""How soon do players with priors win levels that they never saw? On large held-out levels, in held-out random looks.

Settings of players are chosen on these levels, so the figures are no result about players: they say where a player
loses time. Each life is compared with a plan by the rules, whose length is an upper bound on the shortest way.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from rich.progress import track

from priorlab.agents.priors.lives import live, told
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.weights import learned, load
from priorlab.envs.base.workers import worker_pool
from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.console import plain_console
from priorlab.scripts.report.readme import readme, table, write

LOOKS = {
    "all 1": Dials(edition=2),
    "semantics 0": Dials(semantics=0, edition=2),
    "objects 0": Dials(objects=0, edition=2),
    "affordance 0": Dials(affordance=0, edition=2),
    "similarity 0": Dials(similarity=0, edition=2),
    "all 0": Dials(0, 0, 0, 0, edition=2),
}
COMMAND = "python -m priorlab.scripts.experiments.lives"
TOLD, LEARNED = "told the roles", "learned"
COLUMNS = ("player", "look", "level", "inputs", "upper_bound", "solved", "deaths", "unique_states", "plans", "lost")


def one_life(weights: Path | None, look: str, number: int, limit: int) -> tuple:
    """A row of COLUMNS; ``weights``: of a learned player, None for one that is told the roles."""
    level, plan = Bank.read("held_out", size="large")[number]
    perceive = told(level) if weights is None else learned(weights)
    life = live(Scenery(level, looks=LOOKS[look], look_seed=number), perceive, seed=number, limit=limit)
    player = TOLD if weights is None else LEARNED
    counts = life.deaths, life.unique_states, life.plans, life.lost
    return player, look, number, len(life.inputs), len(plan), life.solved, *counts


def lives(weights: Path, numbers: range, limit: int, workers: int, path: Path) -> None:
    """Appends the rows that are missing to the file, as lives end: of the player that is told the roles, then of the
    learned one, look by look."""
    kept = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=[*COLUMNS])
    done = set(zip(kept.player, kept.look, kept.level))
    jobs = [(None, "all 1", number, limit) for number in numbers]
    jobs += [(weights, look, number, limit) for look in LOOKS for number in numbers]
    jobs = [job for job in jobs if (TOLD if job[0] is None else LEARNED, *job[1:3]) not in done]
    if not jobs:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with worker_pool(workers) as pool, path.open("a", encoding="utf-8") as file:
        if kept.empty:
            print(",".join(COLUMNS), file=file)
        for row in track(pool.map(one_life, *zip(*jobs)), "lives", total=len(jobs)):
            print(",".join(map(str, row)), file=file, flush=True)


def summary(rows: pd.DataFrame) -> Iterator[list[str]]:
    """A line of the table for each player and look. Lives that did not win count as long as they were."""
    for _, part in rows.groupby(["player", "look"], sort=False):
        times = part.inputs / part.upper_bound
        middle = f"{times.median():.2f}" if part.solved.mean() > 0.5 else f"≥ {times.median():.2f}"
        name, won = f"{part.player.iloc[0]}, {part.look.iloc[0]}", f"{part.solved.sum()} of {len(part)}"
        yield [
            name, won, middle, f"{times.mean():.2f}",
            f"{np.exp(np.log(times).mean()):.2f}", f"{part.deaths.mean():.1f}", f"{part.lost.mean():.1f}",
        ]  # fmt: skip


def page(rows: pd.DataFrame, out: Path) -> str:
    """The text of README.md."""
    learned = rows[rows.player == LEARNED]
    by_look = learned.groupby("look", sort=False).solved.mean()
    header = ["player and look", "won", "median", "mean", "geometric mean", "deaths", "lost"]
    return readme(
        "lives.md", out, title="Players with priors in random levels",
        finding=f"On levels and in looks that it never saw, the learned player won {learned.solved.mean():.0%} of "
        f"{len(learned)} lives, and {by_look.min():.0%} in its worst look, {by_look.idxmin()}",
        made=[f"{COMMAND} --weights WEIGHTS"], again=f"{COMMAND} --report-only", lives=table(header, summary(rows)),
        levels=rows.level.nunique(),
    )  # fmt: skip


def main(
    weights: Path | None = None, out: Path = Path("results/priors-on-random"), levels: int = 200, every: int = 10,
    limit: int = 54_000, workers: int = 2, report_only: bool = False,
) -> None:  # fmt: skip
    """Play the lives that are missing and write the page. It can be stopped; started again, it resumes.

    Args:
        weights: of a learned player, from `priorlab raise`
        out: folder of the rows and the page
        levels: take levels from the first so many of the bank
        every: and of these, every so many
        limit: inputs after which a life ends
        workers: lives in parallel
        report_only: write the page from the rows
    """
    if not report_only:
        if weights is None:
            raise ValueError("expected --weights FILE, from `priorlab raise`, or --report-only")
        load(weights)  # refused before anything runs
        lives(weights, range(0, levels, every), limit, workers, out / "lives.csv")
    write(out, text := page(pd.read_csv(out / "lives.csv"), out), {})
    plain_console().print(text, soft_wrap=True)


if __name__ == "__main__":
    tyro.cli(main)
