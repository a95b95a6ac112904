"""What a player foresees and explains: a step on a map that it believes in, by the one copy of the rules, or by what
it learned of how it moves.

Where a step ends elsewhere than foreseen, the map is wrong in one or two of the cells around the player: ``explain``
takes the step on every such map, and keeps the ends that agree with where the player is seen.
"""

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.movement import move
from priorlab.envs.game.playing import copy
from priorlab.envs.game.rules import (
    DEADLY,
    DEATH,
    GRID,
    JUMPING,
    LADDER,
    ON_LADDER,
    ONGOING,
    REACH,
    SPEED,
    TILE,
    WALK,
    WALL,
    X,
    Y,
    pixel,
)

KINDS = (0, WALL, LADDER, DEADLY)  # what a cell can be to the rules: kind k is 1 << k >> 1
PASSES, HOLDS_UP, IS_CLIMBED = 1, 2, 4  # how a plan uses a cell
DIES = -(1 << 20)  # in place of where a player is seen who died
ANYWHERE = DIES + 1  # in place of where a player is seen who is not seen
UP_TO, DOWN_TO = 16, 20  # half pixels above and below the player's centre within which cells decide a step


@kernel
def foresee(tiles, level, monsters, state, action, movement):
    """Takes one input in place; ONGOING, WIN or DEATH. The arguments are those of ``movement.move``."""
    return move(tiles, level, monsters, state, action, movement)


@function
def same(one, other):
    """Whether two states differ in nothing that matters to what follows."""
    moves = one[X] == other[X] and one[Y] == other[Y] and one[JUMPING] == other[JUMPING]
    return moves and one[ON_LADDER] == other[ON_LADDER] and (not one[JUMPING] or one[SPEED] == other[SPEED])


@function
def try_step(tiles, level, monsters, movement, before, action, left, top, chance, ends, chances, count):
    """How many ends there are after this one was added, if it lives and is seen at (left, top), or dies for DIES."""
    end = ends[count]
    copy(before, end)
    outcome = move(tiles, level, monsters, end, action, movement)
    if left == DIES:
        return 1 if outcome == DEATH else count
    if outcome != ONGOING:
        return count
    if left != ANYWHERE and (pixel(int(end[X])) - GRID != left or pixel(int(end[Y])) - GRID + 1 != top):
        return count
    for k in range(count):
        if same(ends[k], end):
            chances[k] = max(chances[k], chance)
            return count
    if count + 1 >= ends.shape[0]:
        return count
    chances[count] = chance
    return count + 1


@kernel
def explain(tiles, allowed, logs, level, monsters, movement, before, action, left, top, most, ends, chances):
    """How many different ends of a step agree with the player being seen at (left, top) of the upright picture.

    tiles: uint8 (R, C), the likeliest map; allowed: uint8 (R, C), a bit for each of KINDS that a cell may be; logs:
    float32 (R, C, 4), the logarithms of their chances; before: int32 (FIELDS,). The step is taken on all maps that
    differ from ``tiles`` in at most ``most`` cells, 0 to 2. ends: int32 (m, FIELDS) and chances: float64 (m,), filled:
    the logarithm of how much likelier than ``tiles`` the likeliest map is that ends so. ``left`` is DIES for a player
    who died: 1 if it does on any of the maps, else 0. It is ANYWHERE for one who lives and may be anywhere.
    """
    count = try_step(tiles, level, monsters, movement, before, action, left, top, 0.0, ends, chances, 0)
    if most == 0:
        return count
    x, y, walk = int(before[X]), int(before[Y]), int(level[WALK])
    first_row, last_row = (pixel(y - UP_TO) - GRID) // TILE, (pixel(y + DOWN_TO) + GRID) // TILE
    first_column, last_column = (pixel(x - walk) - GRID) // TILE, (pixel(x + walk) + GRID - 2) // TILE
    first_row, first_column = max(first_row, 0), max(first_column, 0)
    width = min(last_column, tiles.shape[1] - 1) - first_column + 1
    cells = width * (min(last_row, tiles.shape[0] - 1) - first_row + 1)
    for one in range(cells):
        row, column = first_row + one // width, first_column + one % width
        was, known = int(tiles[row, column]), kind_of(tiles[row, column])
        for kind in range(4):
            if kind == known or not allowed[row, column] >> kind & 1:
                continue
            tiles[row, column] = 1 << kind >> 1
            chance = logs[row, column, kind] - logs[row, column, known]
            count = try_step(tiles, level, monsters, movement, before, action, left, top, chance, ends, chances, count)
            for two in range(one + 1, cells if most > 1 else 0):
                other_row, other_column = first_row + two // width, first_column + two % width
                other, other_known = int(tiles[other_row, other_column]), kind_of(tiles[other_row, other_column])
                for second in range(4):
                    if second == other_known or not allowed[other_row, other_column] >> second & 1:
                        continue
                    tiles[other_row, other_column] = 1 << second >> 1
                    both = chance + logs[other_row, other_column, second] - logs[other_row, other_column, other_known]
                    count = try_step(
                        tiles, level, monsters, movement, before, action, left, top, both, ends, chances, count
                    )
                tiles[other_row, other_column] = other
            tiles[row, column] = was
    return count


@function
def kind_of(bits):
    """The number of a tile's kind: bits 0, 1, 2, 4 -> 0, 1, 2, 3."""
    return 3 if bits & DEADLY else (2 if bits & LADDER else (1 if bits & WALL else 0))


@kernel
def relied_on(tiles, level, monsters, movement, state, inputs, uses):
    """Marks the cells that a plan relies on: uint8 (R, C) bits PASSES, HOLDS_UP, IS_CLIMBED.

    state: int32 (FIELDS,), where the plan begins, which is changed; inputs: uint8 (n,).
    """
    for i in range(inputs.shape[0]):
        if move(tiles, level, monsters, state, int(inputs[i]), movement) != ONGOING:
            return
        x, y = int(state[X]), int(state[Y])
        mark(tiles, x, y, PASSES, uses)
        if state[ON_LADDER]:
            mark(tiles, x, y, IS_CLIMBED, uses)
        if not state[JUMPING]:
            mark(tiles, x, y + REACH, HOLDS_UP, uses)


@function
def mark(tiles, x, y, use, uses):
    """Marks the cells at (x, y) that can be so used: all but walls pass, walls and ladders hold up."""
    left, top = pixel(x) - GRID, pixel(y) - GRID
    for row in range(max(top // TILE, 0), min((top + TILE - 1) // TILE, tiles.shape[0] - 1) + 1):
        for column in range(max(left // TILE, 0), min((left + TILE - 1) // TILE, tiles.shape[1] - 1) + 1):
            bits = int(tiles[row, column])
            fits = (use == PASSES and not bits & WALL) or (use == HOLDS_UP and bits & (WALL | LADDER))
            if fits or (use == IS_CLIMBED and bits & LADDER):
                uses[row, column] |= use
