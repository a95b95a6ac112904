"""Trains an agent on a version of the game."""

from typing import Annotated

import tyro

from priorlab.agents.settings import Settings
from priorlab.scripts.run import run


def main(settings: Annotated[Settings, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Trains an agent; stopped at any time, the same command goes on from the last checkpoint.

    The random agent has none, and begins anew; a run that was stopped in its evaluation is evaluated alone. Writes
    rows, visits, the trained model.zip and evaluation.json into the run's folder.
    """
    from priorlab.agents.train import train  # seconds of imports that --help does without

    try:
        print(train(settings))
    except KeyboardInterrupt:
        where = settings.folder
        raise KeyboardInterrupt(f"stopped; the same command goes on from what is kept in {where}") from None


if __name__ == "__main__":
    run("train")
