"""The game's picture, untouched but for its size."""

import numpy as np
import pygame

from priorlab.envs.game.rules import TILE

MANY = 0.2  # share of the tiles that changed, above which all are drawn again


class GamePanel:
    """Draws pictures of ``side`` x ``side`` tiles at ``cell`` px a tile, with clear edges of their pixels at any scale.

    Scaling all of a picture takes longer than the rest of a frame, so only tiles that changed are scaled.
    """

    def __init__(self, side: int, cell: int):
        self.side, self.cell = side, cell
        self.sheet = pygame.Surface((side * cell, side * cell))
        self.picture: np.ndarray | None = None  # as drawn

    def draw(self, picture: np.ndarray) -> pygame.Surface:
        """``picture``: uint8 (15 R, 15 R, 3). The surface is the panel's own: the next call changes it."""
        tiles = (self.side, TILE, self.side, TILE, 3)
        changed = np.ones((self.side, self.side), bool)
        if self.picture is not None:
            changed = (picture != self.picture).reshape(tiles).any((1, 3, 4))
        if changed.mean() > MANY:
            self.sheet.blit(enlarged(picture, self.cell), (0, 0))
        else:
            for row, column in np.argwhere(changed).tolist():
                part = picture[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
                self.sheet.blit(enlarged(part, self.cell), (column * self.cell, row * self.cell))
        self.picture = picture.copy()
        return self.sheet


def enlarged(picture: np.ndarray, cell: int) -> pygame.Surface:
    """A square picture of whole tiles, uint8 (S, S, 3), at ``cell`` px a tile."""
    image = pygame.image.frombuffer(np.ascontiguousarray(picture).tobytes(), picture.shape[1::-1], "RGB")
    times = -(-cell // TILE)
    if times * TILE == cell:
        return pygame.transform.scale_by(image, times)
    size = len(picture) // TILE * cell
    return pygame.transform.smoothscale(pygame.transform.scale_by(image, times + 1), (size, size))
