"""The perception of a learned player, from a file of weights."""

from pathlib import Path

import numpy as np
import torch

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.perception import Gaze
from priorlab.agents.priors.weights import load


def perceiver(path: Path) -> Perceive:
    """What weights in a file perceive; ValueError or OSError, one line, for anything else."""
    network, _ = load(path)
    torch.set_num_threads(1)  # more are slower for one small picture
    gazes: dict[bytes, Gaze] = {}

    def perceive(picture: np.ndarray, ruled_out: np.ndarray) -> np.ndarray:
        seen = picture.tobytes()
        if seen not in gazes:
            gazes.clear()  # the scene changes seldom, and never back
            gazes[seen] = Gaze(network, picture)
        return gazes[seen].posterior(ruled_out)

    return perceive
