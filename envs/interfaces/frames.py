"""Rendered pictures of one size, even if an environment's levels differ in size."""

import numpy as np

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import SIDE


def frame_of(games: Games, lane: int = 0) -> np.ndarray:
    """The lane's native picture in colour, in the size of the batch's largest level; uint8 (side, side, 3).

    A smaller picture is enlarged by the largest integer factor that fits, and centred on black.
    """
    return framed(games.native_frame(lane), int(games.scenes.numbers[:, SIDE].max()))


def framed(picture: np.ndarray, side: int) -> np.ndarray:
    """uint8 (n, n, 3) -> uint8 (side, side, 3), side >= n."""
    size = len(picture)
    if size == side:
        return picture
    zoom = side // size
    frame, margin = np.zeros((side, side, 3), np.uint8), (side - zoom * size) // 2
    inside = slice(margin, margin + zoom * size)
    frame[inside, inside] = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    return frame
