"""Rough distances between the cells of a level, in microseconds of computing; the solver then finds exact ones.

Costs are tenths of an input at walking steps of 7 px. Monsters are ignored; deadly tiles are impassable.
"""

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.rules import DEADLY, LADDER, TILE, WALL

WALK_COST = 10 * TILE // 7
CLIMB_COST = 20 * TILE // 7
FALL_COST = 10 * TILE // 8
HOP_COST = 60  # onto a block one tile higher
FARTHEST_JUMP, LOW_JUMP = 5, 3  # tiles; under a ceiling two tiles above the floor
FAR = 1 << 30


@function
def at(tiles, row, column):
    """The bits of a tile; outside the level there are walls."""
    if row < 0 or column < 0 or row >= tiles.shape[0] or column >= tiles.shape[1]:
        return WALL
    return int(tiles[row, column])


@function
def offer(costs, queue, count, row, column, cost):
    """Records a way to a cell if it is the best so far; the length of the queue afterwards."""
    if cost < costs[row, column]:
        costs[row, column] = cost
        queue[count % queue.shape[0]] = row * costs.shape[1] + column
        return count + 1
    return count


@kernel
def spread_from(tiles, row, column, costs, queue):
    """Fills costs, int32 (rows, columns), with the cost from that cell to each, FAR where no way was found.

    queue: int64 (n,), with space for every cell several times.
    """
    shut = WALL | DEADLY
    costs[:] = FAR
    count, head = offer(costs, queue, 0, row, column, 0), 0
    while head < count:
        row, column = queue[head % queue.shape[0]] // costs.shape[1], queue[head % queue.shape[0]] % costs.shape[1]
        head += 1
        cost, here, below = costs[row, column], at(tiles, row, column), at(tiles, row + 1, column)
        climbs, stands = here & LADDER, below & WALL
        if climbs and not at(tiles, row - 1, column) & shut:
            count = offer(costs, queue, count, row - 1, column, cost + CLIMB_COST)
        if below & LADDER:
            count = offer(costs, queue, count, row + 1, column, cost + CLIMB_COST)
        elif not stands and not below & shut:
            count = offer(costs, queue, count, row + 1, column, cost + FALL_COST)
        for side in (-1, 1):
            beside = at(tiles, row, column + side)
            if climbs or stands or below & LADDER:
                if not beside & shut:
                    count = offer(costs, queue, count, row, column + side, cost + WALK_COST)
            elif not beside & shut and not at(tiles, row + 1, column + side) & shut:
                count = offer(costs, queue, count, row + 1, column + side, cost + WALK_COST)
            above = at(tiles, row - 1, column) | at(tiles, row - 2, column) | at(tiles, row - 2, column + side)
            if stands and not above & WALL and not at(tiles, row - 1, column + side) & shut:
                count = offer(costs, queue, count, row - 1, column + side, cost + HOP_COST)
            if stands:
                farthest = FARTHEST_JUMP
                for far in range(1, FARTHEST_JUMP + 1):
                    along = column + side * far
                    if at(tiles, row - 2, along) & WALL or at(tiles, row - 2, column) & WALL:
                        farthest = LOW_JUMP
                    if far > farthest or (at(tiles, row, along) | at(tiles, row - 1, along)) & WALL:
                        break
                    if not at(tiles, row, along) & DEADLY:
                        count = offer(costs, queue, count, row, along, cost + far * WALK_COST)


def estimates(tiles: np.ndarray, cells: list[tuple[int, int]]) -> np.ndarray:
    """int32 (n, n): about how many inputs from each of n cells, (row, column), to each; FAR where no way was found.

    tiles: uint8 (rows, columns), bits of the rules.
    """
    costs, queue = np.zeros(tiles.shape, np.int32), np.zeros(4 * tiles.size, np.int64)
    answer = np.full((len(cells), len(cells)), FAR, np.int32)
    rows, columns = np.array(cells).T
    for i, (row, column) in enumerate(cells):
        spread_from(tiles, row, column, costs, queue)
        answer[i] = costs[rows, columns]
    return np.where(answer < FAR, answer // 10, FAR)
