"""What a player that learned to act sees of its belief: planes over the grid, and how its body moves.

All numbers are bytes. A view is flat: the planes, PLANES x SIDE x SIDE, 255 for a chance of 1, and then the body, BODY
bytes, 255 for what holds. A level smaller than SIDE cells a side fills the upper left corner.
"""

import numpy as np

from priorlab.agents.priors.belief import Belief
from priorlab.agents.priors.deciding import World
from priorlab.agents.priors.facts import ANY, Facts
from priorlab.agents.priors.roles import BOUNDARY, KEY, LADDERS, MONSTER, PLATFORM
from priorlab.agents.priors.settings import MOST
from priorlab.envs.game.rules import (
    CLOCK,
    GRID,
    HAS_KEY,
    INPUT_COUNT,
    JUMPING,
    MONSTER_COUNT,
    MONSTER_Y,
    MONSTERS,
    ON_LADDER,
    PERIOD,
    SPEED,
    TILE,
    WALK,
    X,
    Y,
    patrolled,
    pixel,
)

SIDE = MOST  # cells
PLANES = (
    "inside", "wall", "ladder", "deadly", "goal", "key", "closed", "touched", "been", "patrols", "monsters", "soon",
)  # fmt: skip
INSIDE, WALLS, LADDERS_AT, DANGERS, GOAL_ODDS, KEY_ODDS, CLOSED, TOUCHED, BEEN, PATROLS, MONSTERS_NOW, SOON = range(12)
AFAR = ANY & ~(1 << KEY | 1 << MONSTER)  # roles that only contact rules out
HALF_BEEN = 16  # inputs in a cell after which it counts as half known
AHEAD = 8  # inputs until the monsters are where the plane "soon" has them
SPEEDS = 16
ROW, COLUMN, ACROSS, DOWN = 0, 1, 2, 2 + TILE  # of the body: its cell; how far into the cell, each pixel a number
RISE, FLIES, HANGS, HOLDS_KEY, STRIDE, LAST = (DOWN + TILE + k for k in (0, SPEEDS, SPEEDS + 1, *range(18, 21)))
BODY = LAST + INPUT_COUNT
LENGTH = len(PLANES) * SIDE * SIDE + BODY
LONG_STRIDE = 8  # half pixels of a step, above which a game's steps are long
FULL = 255


class Sight:
    """What one life sees. ``been``: float64 (R, R), for how many inputs the player's centre was in each cell.

    Raises ValueError, one line, for a level of more than SIDE cells a side.
    """

    def __init__(self, world: World, side: int):
        if side > SIDE:
            raise ValueError(f"the level has {side} cells a side: expected at most {SIDE} for one that learned to act")
        self.world, self.side = world, side
        self.been = np.zeros((side, side))
        self.planes = np.zeros((len(PLANES), SIDE, SIDE), np.uint8)
        self.planes[INSIDE, :side, :side] = FULL
        for clock in range(int(world.numbers[PERIOD])):
            self.mark_monsters(PATROLS, clock, -1)

    def believe(self, belief: Belief, facts: Facts) -> None:
        """Takes in a new belief, and what contact taught."""
        part = self.planes[:, : self.side, : self.side]
        walls = belief.posterior[..., BOUNDARY] + belief.posterior[..., PLATFORM]
        for plane, chances in (
            (WALLS, walls), (LADDERS_AT, belief.posterior[..., LADDERS]), (DANGERS, belief.danger),
            (GOAL_ODDS, np.sqrt(belief.goal)), (KEY_ODDS, np.sqrt(belief.key)),
        ):  # fmt: skip
            part[plane] = np.rint(FULL * np.minimum(chances, 1))
        part[TOUCHED] = FULL * ((facts.grid & AFAR) != AFAR)
        part[CLOSED] = 0
        for cell in facts.closed:
            if facts.is_inside(cell):
                part[CLOSED][cell] = FULL

    def stay(self, state: np.ndarray) -> None:
        """Notes where the player, int32 (FIELDS,), is for one input more."""
        cell = pixel(int(state[Y])) // TILE, pixel(int(state[X])) // TILE
        if 0 <= cell[0] < self.side and 0 <= cell[1] < self.side:
            self.been[cell] += 1

    def view(self, state: np.ndarray, last: int, out: np.ndarray) -> np.ndarray:
        """The view of a player in that state, int32 (FIELDS,), after the input ``last``, into uint8 (LENGTH,)."""
        numbers, clock, alive = self.world.numbers, int(state[CLOCK]), int(state[MONSTERS])
        self.planes[BEEN, : self.side, : self.side] = FULL * self.been / (self.been + HALF_BEEN)
        self.planes[[MONSTERS_NOW, SOON]] = 0
        self.mark_monsters(MONSTERS_NOW, clock, alive)
        self.mark_monsters(SOON, (clock + AHEAD) % int(numbers[PERIOD]), alive)
        out[:-BODY] = self.planes.ravel()
        body = out[-BODY:]
        body[:] = 0
        left, top = pixel(int(state[X])) - GRID, pixel(int(state[Y])) - GRID
        body[ROW], body[COLUMN] = np.clip([(top + GRID) // TILE, (left + GRID) // TILE], 0, SIDE - 1)
        body[[ACROSS + left % TILE, DOWN + top % TILE, LAST + last]] = FULL
        if state[JUMPING]:
            body[[FLIES, RISE + min(max(int(state[SPEED]) + SPEEDS // 2, 0), SPEEDS - 1)]] = FULL
        body[[HANGS, HOLDS_KEY]] = FULL * state[ON_LADDER], FULL * state[HAS_KEY]
        body[STRIDE] = FULL * (numbers[WALK] >= LONG_STRIDE)
        return out

    def mark_monsters(self, plane: int, clock: int, alive: int) -> None:
        """Marks the cells that living monsters, bits, overlap at that step of their patrols."""
        world = self.world
        for i in range(int(world.numbers[MONSTER_COUNT])):
            if alive >> i & 1:
                x = int(patrolled(world.monsters, i, clock, int(world.numbers[PERIOD])))
                row, left = int(world.monsters[i, MONSTER_Y]) // (2 * TILE), pixel(x) - GRID
                for column in {left // TILE, (left + TILE - 1) // TILE}:
                    if 0 <= row < SIDE and 0 <= column < SIDE:
                        self.planes[plane, row, column] = FULL
