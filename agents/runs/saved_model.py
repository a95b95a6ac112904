"""The model that a finished run leaves, and what happens to one that an earlier Priorlab saved."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MODEL = "model.zip"


def load_model(learner: Any, folder: Path, **settings: Any) -> Any:
    """The trained model in a run's folder, by its class of learner; ``settings`` are those of ``learner.load``.

    ValueError for a model whose classes this Priorlab no longer has.
    """
    with unpickling(folder / MODEL):
        return learner.load(folder / MODEL, **settings)


@contextmanager
def unpickling(source: Path | str) -> Iterator[None]:
    """Turns the lack of a class or module within the block into a one-line ValueError that names the source."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Could not deserialize")  # stable-baselines3 warns, and fails later
            yield
    except (ImportError, AttributeError, UserWarning) as error:
        reason = str(error).splitlines()[-1]
        raise ValueError(
            f"{source}: must be saved by this version of Priorlab ({reason}); train the agent again, in another folder"
        ) from None
