"""`priorlab raise`: raises a player, whose perception learns what things look like from random worlds."""

from typing import Annotated

import tyro

from priorlab.agents.priors.settings import RaiseSettings


def main(settings: Annotated[RaiseSettings, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Raise a player: its perception learns what things look like from random levels in random looks.

    Writes to the folder: config.json, progress.csv, perception.safetensors; and appraisal.csv and reliability.csv, how
    good and how well calibrated it is on held-out levels in held-out looks. You can stop the command at any time;
    started again, it resumes from the last checkpoint.
    """
    from priorlab.scripts.priors.raised import raise_player  # imports for seconds, which --help does not need

    try:
        raise_player(settings)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; the same command resumes from {settings.folder}") from None
