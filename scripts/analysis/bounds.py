"""What the best possible play comes to: the shortest solution of a level, and the positions that there are."""

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
    """Of one level, each action repeated ``frame_skip`` times.

    inputs: of a shortest solution; positions: that can be reached; games: played side by side, in step.
    """

    level: str
    frame_skip: int
    games: int
    inputs: int
    positions: int

    @property
    def first(self) -> int:
        """Inputs of all games, about, before which none can be won: deaths in mid-action save a few."""
        return self.games * self.inputs

    @property
    def learned(self) -> int:
        """Inputs of all games, about, before which 90 of 100 episodes can't be won; games side by side win together."""
        return max(round(MASTERED * WINDOW), self.games) * self.inputs


def bounds_of(runs: Sequence[Played], kept: Path) -> Bounds | None:
    """Those of the runs' level at the least of their frame skips; searched once, which can take a minute, and ``kept``.

    None where the level has no solution.
    """
    level, skip = runs[0].level, min(run.frame_skip for run in runs)
    games = min(run.settings.get("num_games", 1) for run in runs)
    if kept.exists():
        known = Bounds(**json.loads(kept.read_text(encoding="utf-8")))
        if (known.level, known.frame_skip, known.games) == (level, skip, games):
            return known
    found = Solver(Level.read(level), frame_skip=skip).run()
    if found.inputs is None:
        return None
    bounds = Bounds(level, skip, games, len(found.inputs), found.positions)
    write_whole(kept, json.dumps(asdict(bounds), indent=2) + "\n")
    return bounds
