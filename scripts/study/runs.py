"""The runs of `priorlab study`: two agents on every version."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from priorlab.agents.settings import Settings
from priorlab.scripts.running.runner import Run, check_folders

AGENTS: dict[str, dict[str, Any]] = {"ppo": {}, "random": {"agent": "random"}}  # by method
BUDGETS = {  # raw inputs per run, by size of the study and method
    "study": {"ppo": 90_000, "random": 90_000},
    "study-quick": {"ppo": 30_000, "random": 30_000},
}
SEEDS = {"study": 3, "study-quick": 1}


def plan(folder: Path, size: str, versions: Sequence[str], seeds: int) -> list[Run]:
    """The runs of a study: all versions with the first seed, then with the next.

    Raises ValueError if a folder holds rows of a run with other settings: they are never mixed.
    """
    runs = [
        Run(Settings(
            **AGENTS[method], version=version, seed=seed, inputs=BUDGETS[size][method],
            out=folder / version / method / f"seed_{seed}", evaluation_episodes=0, progress=False,
        ))
        for seed in range(seeds)
        for method in BUDGETS[size]
        for version in versions
    ]  # fmt: skip
    check_folders(runs)
    return runs
