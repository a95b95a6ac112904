"""One game's step: plain functions on integers and arrays, the only copy of the physics.

Positions are centres in half pixels; a sprite's rectangle is w x h with left = R(x) - w // 2, top = R(y) - h // 2,
where R rounds to whole pixels, halves up. A state is an int32 row with the fields named below. The rules are those
of the study's public game (Dubey et al. 2018), found by running it and checked against recordings of it. What other
games add to them is in a level's numbers.
"""

from priorlab.envs.base.compile import function

# Inputs
NONE, LEFT, RIGHT, JUMP, UP, DOWN = range(6)
INPUT_NAMES = ("none", "left", "right", "jump", "up", "down")
INPUT_COUNT = len(INPUT_NAMES)

# What a tile is made of, as bits: what a rectangle touches is the union of its tiles' bits
WALL, LADDER, DEADLY = 1, 2, 4

# Fields of a state. MONSTERS has a bit for each monster that lives; EPISODE_INPUTS to SOLVED count what the player
# did; CLOCK counts the steps of a patrol; LAST_SIDE is the last pressed of LEFT and RIGHT, or NONE; PLACE is
# the number of the place, of a batch's, that is played
X, Y, JUMPING, SPEED, ON_LADDER, MONSTERS, EPISODE_INPUTS, PLAY_INPUTS, DEATHS, UNIQUE_STATES, SOLVED = range(11)
CLOCK, LAST_SIDE, HAS_KEY, PLACE = range(11, 15)
FIELDS = 16  # one cache line

# Fields of a level's numbers, an int64 row; lengths and positions in half pixels, except the goal's, in pixels
START_X, START_Y, GOAL_LEFT, GOAL_TOP, GOAL_WIDTH, GOAL_HEIGHT, MONSTER_COUNT, MAX_INPUTS, SIDE, WALK = range(10)
PERIOD, KEYS, BOTTOM, RESTARTS, ALTERNATING, TURNED = range(10, 16)
NUMBERS = 16

# Fields of a monster, an int32 row, in half pixels: its centre, the leftmost one if it patrols; how far it patrols; and
# how many steps before clock 0 it was leftmost. A key is the row after the last monster
MONSTER_X, MONSTER_Y, SPAN, SHIFT = range(4)

# How a step ends
ONGOING, WIN, DEATH = range(3)

TILE = 15  # pixels
HALF = TILE // 2
GRID = HALF + 1  # from a centre to its rectangle's corner, relative to the tiles: R(15c + 7.5) - 7 = 15c + 1
CLIMB = 7  # half pixels per step
REACH = 4  # how far below and above the player ground, ladders and ceilings are looked for
LADDER_DROP = 6  # how far a ceiling pushes a player who steps onto a ladder
STAND = 32  # from a wall's centre to the centre of a player who stands on it or bumps into it
STOMP = 14  # how much higher than a monster the player must be to crush it
JUMP_SPEED = 7  # pixels per step
FALL_SPEED = -8


@function
def pixel(half):
    """Half pixels rounded to whole pixels, halves up."""
    return (half + 1) >> 1


@function
def cell_of(at):
    """``at // TILE`` of pixels, exact below 15 << 23 in size, and faster than numba's division."""
    return ((at + (TILE << 23)) * ((1 << 32) // TILE + 1) >> 32) - (1 << 23)


@function
def tile_at(tiles, row, column):
    """The bits of a tile; there is nothing outside the level."""
    if row < 0 or column < 0 or row >= tiles.shape[0] or column >= tiles.shape[1]:
        return 0
    return int(tiles[row, column])


@function
def touched(tiles, x, y):
    """The bits of all tiles that the player's rectangle overlaps at (x, y); at most four."""
    left, top = pixel(x) - GRID, pixel(y) - GRID
    row, below = cell_of(top), cell_of(top + TILE - 1)
    column, beside = cell_of(left), cell_of(left + TILE - 1)
    bits = tile_at(tiles, row, column) | tile_at(tiles, row, beside)
    if below != row:
        bits |= tile_at(tiles, below, column) | tile_at(tiles, below, beside)
    return bits


@function
def hangs(below):
    """Whether a ladder holds a player who has these bits within reach below: no wall is among them."""
    return below & LADDER and not below & WALL


@function
def step_onto_ladder(tiles, x, y, on_ladder, jumping, ceiling):
    """(y, on_ladder, jumping) after the player meets each ladder tile below, in row-major order.

    A tile whose centre is above the player's changes nothing; under a ceiling each other one pushes the player down.
    """
    left, top = pixel(x) - GRID, pixel(y + REACH) - GRID
    for row in range(cell_of(top), cell_of(top + TILE - 1) + 1):
        for column in range(cell_of(left), cell_of(left + TILE - 1) + 1):
            if tile_at(tiles, row, column) & LADDER and 2 * TILE * row + TILE >= y:
                on_ladder, jumping = 1, 0
                if ceiling:
                    y += LADDER_DROP
    return y, on_ladder, jumping


@function
def first_wall(tiles, x, y):
    """The y of the centre of the first wall touched, in row-major order. Call it only where a wall is touched."""
    left, top = pixel(x) - GRID, pixel(y) - GRID
    row = cell_of(top)
    upper = tile_at(tiles, row, cell_of(left)) | tile_at(tiles, row, cell_of(left + TILE - 1))
    return 2 * TILE * (row if upper & WALL else row + 1) + TILE


@function
def fall(tiles, x, y, jumping, speed):
    """(y, jumping, speed) after a step off the ladder: stand, start to fall, land, bump, fly."""
    if not jumping:
        if touched(tiles, x, y + REACH) & (WALL | LADDER):
            return y, jumping, speed
        jumping, speed = 1, 0
    elif touched(tiles, x, y) & WALL:
        wall = first_wall(tiles, x, y)
        if wall > y:
            return wall - STAND, 0, speed
        if wall < y:
            y, speed = wall + STAND, 0
    return y - 2 * speed, jumping, max(speed - 1, FALL_SPEED)


@function
def patrolled(monsters, i, clock, period):
    """The x of monster i's centre at that step of its patrol. It goes to the right end and back once per period."""
    x, span = int(monsters[i, MONSTER_X]), int(monsters[i, SPAN])
    if not span:
        return x
    at = clock + int(monsters[i, SHIFT])
    if at >= period:
        at -= period
    return x + 2 * span * min(at, period - at) // period


@function
def next_clock(level, clock):
    """The patrols' next step."""
    return clock + 1 if clock + 1 < level[PERIOD] else 0


@function
def meets(monsters, i, clock, period, x, y):
    """Whether the player at (x, y) overlaps monster i, or the key in that row."""
    if abs(pixel(int(monsters[i, MONSTER_Y])) - pixel(y)) >= TILE:
        return False
    return abs(pixel(patrolled(monsters, i, clock, period)) - pixel(x)) < TILE


@function
def meet_monsters(level, monsters, x, y, alive, clock):
    """(bits of the monsters still alive, whether one killed the player). Every monster that is touched disappears."""
    killed = False
    for i in range(level[MONSTER_COUNT]):
        if alive >> i & 1 and meets(monsters, i, clock, level[PERIOD], x, y):
            alive ^= 1 << i
            killed = killed or y + STOMP >= monsters[i, MONSTER_Y]
    return alive, killed


@function
def at_goal(level, x, y):
    left, top = pixel(x) - HALF, pixel(y) - HALF
    across = level[GOAL_LEFT] - TILE < left < level[GOAL_LEFT] + level[GOAL_WIDTH]
    return across and level[GOAL_TOP] - TILE < top < level[GOAL_TOP] + level[GOAL_HEIGHT]


@function
def turned(action):
    """The input in the game for a direction on the screen, where the picture is rotated 90 degrees clockwise."""
    if action == LEFT:
        return DOWN
    if action == RIGHT:
        return UP
    if action == UP:
        return LEFT
    if action == DOWN:
        return RIGHT
    return action


@function
def pressed(level, action):
    """The input that does in this game what ``action`` does where the picture is upright: the inverse of ``turned``."""
    return turned(turned(turned(action))) if level[TURNED] else action


@function
def put_at_start(level, state):
    """Puts everything back as it was at first; counts over an episode or a play stay."""
    state[X], state[Y] = level[START_X], level[START_Y]
    state[JUMPING] = state[SPEED] = state[ON_LADDER] = state[CLOCK] = state[LAST_SIDE] = state[HAS_KEY] = 0
    state[MONSTERS] = (1 << level[MONSTER_COUNT]) - 1


@function
def begin(level, state):
    """Puts the player at the start of an episode; counts over a play stay."""
    put_at_start(level, state)
    state[EPISODE_INPUTS] = 0


@function
def conclude(level, monsters, state, deadly):
    """How a step ends once the player is where it leads, and patrols go on; ONGOING, WIN or DEATH.

    ``deadly``: whether what it touches kills.
    """
    x, y = int(state[X]), int(state[Y])
    clock = next_clock(level, int(state[CLOCK]))
    alive, killed = meet_monsters(level, monsters, x, y, int(state[MONSTERS]), clock)
    state[CLOCK], state[MONSTERS] = clock, alive
    if level[KEYS] and not state[HAS_KEY]:
        state[HAS_KEY] = meets(monsters, level[MONSTER_COUNT], 0, 1, x, y)
    if (state[HAS_KEY] or not level[KEYS]) and at_goal(level, x, y):
        return WIN
    if killed or y >= level[BOTTOM] or deadly:
        return DEATH
    return ONGOING


@function
def step(tiles, level, monsters, state, action):
    """One input: changes ``state`` in place; ONGOING, WIN or DEATH.

    tiles: uint8 (rows, columns) of bits; level: int64 (NUMBERS,); monsters: int32 (n, 4); state: int32 (FIELDS,).
    """
    x, y = int(state[X]), int(state[Y])
    jumping, speed, on_ladder = int(state[JUMPING]), int(state[SPEED]), int(state[ON_LADDER])
    if level[TURNED]:
        action = turned(action)

    below = touched(tiles, x, y + REACH)
    if hangs(below):
        ceiling = touched(tiles, x, y - REACH) & WALL
        y, on_ladder, jumping = step_onto_ladder(tiles, x, y, on_ladder, jumping, ceiling)
    else:
        on_ladder = 0

    climbs = action == UP and on_ladder
    if level[ALTERNATING]:
        sideways = action == LEFT or action == RIGHT
        climbs = on_ladder and sideways and state[LAST_SIDE] == LEFT + RIGHT - action
        if sideways:
            state[LAST_SIDE] = action
        if climbs or (action == UP and on_ladder):
            action = NONE

    leaps = (action == JUMP and not on_ladder) or (action == UP and touched(tiles, x, y) & LADDER)
    if leaps and not jumping and below & WALL:
        jumping, speed = 1, JUMP_SPEED

    if action == LEFT or action == RIGHT:
        aside = x + level[WALK] if action == RIGHT else x - level[WALK]
        if not touched(tiles, aside, y) & WALL:
            x = aside
    elif climbs:
        reached = touched(tiles, x, y - CLIMB)
        if hangs(reached):
            y -= CLIMB
    elif action == DOWN and on_ladder:
        y += CLIMB

    if not on_ladder:
        y, jumping, speed = fall(tiles, x, y, jumping, speed)

    state[X], state[Y] = x, y
    state[JUMPING], state[SPEED], state[ON_LADDER] = jumping, speed, on_ladder
    return conclude(level, monsters, state, touched(tiles, x, y) & DEADLY)
