"""`priorlab apprentice`: a recurrent network sees pixels alone, imitates the player with priors, and practises."""

from typing import Annotated

import tyro

from priorlab.agents.apprentice.settings import ApprenticeSettings


def main(settings: Annotated[ApprenticeSettings, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Raise an apprentice: a recurrent network that sees pixels alone.

    Four stages, each of which is skipped where it was done before: lives of the player with priors are recorded on
    random levels in random looks; the network imitates them, deaths included; it practises by PPO with memory on other
    random levels; it plays levels that are new to it, without learning. You can stop the command at any time; started
    again, it resumes.

    Writes to the folder: config.json; lives/training.csv and lives/held_out.csv; cloned.safetensors, cloning.csv and
    imitation.json; practised.safetensors and practice.csv; plays.csv, a row for each life at the end, with the hash of
    the weights.
    """
    from priorlab.scripts.apprentice.stages import run  # imports for seconds, which --help does not need

    try:
        run(settings)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; the same command resumes from {settings.folder}") from None
