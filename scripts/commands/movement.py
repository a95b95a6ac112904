"""`priorlab movement`: learns how a player moves, for players that are not given the rules."""

from typing import Annotated

import tyro

from priorlab.agents.priors.settings import MovementSettings


def main(settings: Annotated[MovementSettings, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Learn how a player moves from free play on random levels.

    Writes to the folder: config.json, movement.safetensors, and accuracy.csv, how often it predicts the outcome of an
    input correctly on held-out levels, by kind of event. You can stop the command at any time; started again, it
    resumes. The same seed gives the same result.
    """
    from priorlab.scripts.priors.moved import learn_and_score  # imports for seconds, which --help does not need

    try:
        learn_and_score(settings)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped; the same command resumes from {settings.folder}") from None
