"""The cheapest ways over a grid as a layer of a network: costs in, costs out, and gradients along the ways."""

from typing import Any

import numpy as np
import torch

from priorlab.envs.base.compile import function, kernel

DIRECTIONS = 4  # to the left, right, above, below
ENDS = DIRECTIONS  # in place of a direction: the way ends in the cell


class Ways(torch.autograd.Function):
    """From each cell, what the cheapest way to an end costs.

    To end in a cell costs ``ends``, float32 (n, W, S, S); to go on to the cell in a direction ``steps``, float32
    (n, 4, W, S, S), all above 0. Each of n x W maps is by itself. The result is like ``ends``; its gradient goes to
    the end and the steps of each cell's way.
    """

    @staticmethod
    def forward(ctx: Any, ends: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        costs = ends.detach().clone(memory_format=torch.contiguous_format)
        heads = np.full(costs.shape, ENDS, np.uint8)
        find_ways(costs.numpy(), steps.detach().contiguous().numpy(), heads)
        ctx.heads = heads
        return costs

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        n, ways, side, _ = gradient.shape
        to_ends = gradient.detach().clone(memory_format=torch.contiguous_format)
        to_steps = torch.zeros(n, DIRECTIONS, ways, side, side)
        room = np.zeros((2, side * side), np.int32)
        go_back(to_ends.numpy(), to_steps.numpy(), ctx.heads, room)
        return to_ends, to_steps


def swept(ends: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """As ``Ways`` says."""
    return Ways.apply(ends, steps)  # pyright: ignore[reportReturnType]


@function
def next_of(cell, direction, side):
    """The number of the cell beside it in a direction."""
    return cell + (1 if direction == 1 else (-1 if direction == 0 else (-side if direction == 2 else side)))


@kernel
def find_ways(costs, steps, heads):
    """Lowers costs, float32 (n, W, S, S), to those of the cheapest ways, by sweeps to and fro until nothing changes.

    steps: float32 (n, 4, W, S, S); heads: uint8 (n, W, S, S), filled: the direction in which each way goes on.
    """
    side = costs.shape[2]
    for n in range(costs.shape[0]):
        for way in range(costs.shape[1]):
            cost, head, changed, turn = costs[n, way], heads[n, way], True, 0
            while changed:
                changed = False
                for i in range(side):
                    row = i if turn < 2 else side - 1 - i
                    for j in range(side):
                        column = j if turn % 2 == 0 else side - 1 - j
                        best = cost[row, column]
                        for direction in range(4):
                            down = (direction == 3) - (direction == 2)
                            right = (direction == 1) - (direction == 0)
                            other, beside = row + down, column + right
                            if other < 0 or beside < 0 or other >= side or beside >= side:
                                continue
                            new = steps[n, direction, way, row, column] + cost[other, beside]
                            if new < best:
                                best, changed = new, True
                                head[row, column] = direction
                        cost[row, column] = best
                turn = (turn + 1) % 4


@kernel
def go_back(to_ends, to_steps, heads, room):
    """Moves gradients, float32 (n, W, S, S) as they come in, to the ends of the ways, and notes them at their steps.

    to_steps: float32 (n, 4, W, S, S), zeros at first; room: int32 (2, S * S).
    """
    side, coming, waiting = heads.shape[2], room[0], room[1]
    for n in range(heads.shape[0]):
        for way in range(heads.shape[1]):
            head, to_end, count = heads[n, way], to_ends[n, way], 0
            for cell in range(side * side):
                coming[cell] = 0
            for cell in range(side * side):
                direction = head[cell // side, cell % side]
                if direction != 4:
                    coming[next_of(cell, direction, side)] += 1
            for cell in range(side * side):
                if coming[cell] == 0:
                    waiting[count] = cell
                    count += 1
            while count:
                count -= 1
                cell = waiting[count]
                row, column = cell // side, cell % side
                direction = head[row, column]
                if direction == 4:
                    continue
                gradient = to_end[row, column]
                to_steps[n, direction, way, row, column] = gradient
                to_end[row, column] = 0
                after = next_of(cell, direction, side)
                to_end[after // side, after % side] += gradient
                coming[after] -= 1
                if coming[after] == 0:
                    waiting[count] = after
                    count += 1
