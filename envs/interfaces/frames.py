"""Rendered pictures of one size, also where an environment's levels differ in theirs."""

import numpy as np

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import SIDE


def frame_of(games: Games, lane: int = 0) -> np.ndarray:
    """The lane's native picture in colour, as large as that of the largest level in the batch; uint8 (side, side, 3).

    A smaller one is enlarged by the whole number that fits, and lies in the middle of black.
    """
    return framed(games.native_frame(lane), int(games.scenes.numbers[:, SIDE].max()))


def framed(picture: np.ndarray, side: int) -> np.ndarray:
    """uint8 (own, own, 3) -> uint8 (side, side, 3), side >= own."""
    own = len(picture)
    if own == side:
        return picture
    zoom = side // own
    frame, margin = np.zeros((side, side, 3), np.uint8), (side - zoom * own) // 2
    inside = slice(margin, margin + zoom * own)
    frame[inside, inside] = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    return frame
