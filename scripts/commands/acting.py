"""`priorlab acting`: learns to act on what is believed, for players that don't plan."""

from typing import Annotated

import tyro

from priorlab.agents.priors.settings import ActSettings


def main(settings: Annotated[ActSettings, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Learn to act on what is believed, by PPO on random levels in random looks.

    Writes to the folder: config.json, progress.csv, acting.safetensors, and lives.csv, how players that act by it fare
    on held-out levels. You can stop the command at any time; started again, it resumes from the last checkpoint. The
    same seed gives the same result on the same machine.
    """
    from priorlab.scripts.priors.acted import learn_and_live  # imports for seconds, which --help does not need

    try:
        learn_and_live(settings)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; the same command resumes from {settings.folder}") from None
