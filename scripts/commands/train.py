"""`priorlab train`: trains an agent on one version of a game."""

from typing import Annotated

import tyro

from priorlab.agents.settings import Settings


def main(settings: Annotated[Settings, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Train an agent, and write its rows, its visits, model.zip and evaluation.json to the run's folder.

    You can stop the command at any time; started again, it resumes from the last checkpoint. The random agent has no
    checkpoints and starts from scratch. If only the evaluation was interrupted, only the evaluation is repeated.
    """
    from priorlab.agents.training import train  # imports for seconds, which --help does not need

    try:
        print(train(settings))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; the same command resumes from {settings.folder}") from None
