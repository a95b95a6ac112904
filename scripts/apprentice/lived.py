"""What a process that records lives does."""

from functools import cache
from pathlib import Path

from priorlab.agents.apprentice.recording import Recorded, record
from priorlab.agents.apprentice.settings import ApprenticeSettings
from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.weights import learned


def recorded_life(life: int, kind: str, settings: ApprenticeSettings, teacher: Path) -> Recorded:
    return record(life, kind, settings, perception(teacher))


@cache
def perception(path: Path) -> Perceive:
    """Read once in a process."""
    return learned(path)
