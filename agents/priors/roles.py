"""Roles: what a cell of a picture can be to a player. A cell is one tile, 15 x 15 pixels of the native picture.

Grids are square, (R, R), R = the picture's side / 15; cells outside a level that is not square are free, as the rules
have it.
"""

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import DEADLY, LADDER, TILE, WALL

ROLES = ("free", "boundary", "platform", "ladder", "deadly", "monster", "goal", "key")
FREE, BOUNDARY, PLATFORM, LADDERS, DANGER, MONSTER, GOAL, KEY = range(len(ROLES))
BITS_OF_ROLE = np.array([0, WALL, WALL, LADDER, DEADLY, 0, 0, 0], np.uint8)  # what the rules make of each
CHARACTERS = {"|": BOUNDARY, "#": PLATFORM, "H": LADDERS, "*": DANGER, "^": DANGER, "m": MONSTER, "k": KEY}


def roles_of(level: Level) -> np.ndarray:
    """uint8 (R, R): the role of each cell at the start; a goal or door is the one cell that holds its centre."""
    grid = np.zeros((level.side // TILE,) * 2, np.uint8)
    for character, role in CHARACTERS.items():
        for cell in level.tiles_of(character):
            grid[cell] = role
    column, row = (int(at // TILE) for at in level.goal)
    grid[row, column] = GOAL
    return grid
