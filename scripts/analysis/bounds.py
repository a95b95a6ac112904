"""Bounds that no player can beat: the shortest solution of a level, and its reachable positions."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from priorlab.envs.base.files import write_whole
from priorlab.envs.game.level import Level
from priorlab.envs.game.solver import Solver
from priorlab.scripts.analysis.statistics import MASTERED, WINDOW, Played


@dataclass(frozen=True)
class Bounds:
    """The bounds of one level, with each action repeated ``frame_skip`` times.

    inputs: of a shortest solution; positions: number of reachable ones; games: played in parallel, in lockstep.
    """

    level: str
    frame_skip: int
    games: int
    inputs: int
    positions: int

    @property
    def first(self) -> int:
        """Inputs of all games before which none can be won, approximately: deaths in mid-action save a few."""
        return self.games * self.inputs

    @property
    def learned(self) -> int:
        """Inputs of all games before which 90 of 100 episodes can't be won, about; parallel games win together."""
        return max(round(MASTERED * WINDOW), self.games) * self.inputs


def bounds_of(runs: Sequence[Played], kept: Path) -> Bounds | None:
    """The bounds of the runs' level at the smallest of their frame skips; None if the level has no solution.

    The search can take a minute, so the result is stored in the file ``kept``.
    """
    level, skip = runs[0].level, min(run.frame_skip for run in runs)
    games = min(run.settings.get("num_games", 1) for run in runs)
    if kept.exists():
        known = Bounds(**json.loads(kept.read_text(encoding="utf-8")))
        if (known.level, known.frame_skip, known.games) == (level, skip, games):
            return known
    solution = Solver(Level.read(level), frame_skip=skip).run()
    if solution.inputs is None:
        return None
    bounds = Bounds(level, skip, games, len(solution.inputs), solution.positions)
    write_whole(kept, json.dumps(asdict(bounds), indent=2) + "\n")
    return bounds
