"""What a simulated player has in mind: what it knows, what it would try next, where it believes itself to be.

Plain functions for the kernel of ``envs/players/planner.py``, which states what is assumed of a player, and why.
"""

from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function
from priorlab.envs.base.generators import WORD, next_draw
from priorlab.envs.game.rules import (
    ALTERNATING,
    CLOCK,
    DOWN,
    HAS_KEY,
    INPUT_COUNT,
    JUMP,
    KEYS,
    LAST_SIDE,
    LEFT,
    MONSTER_COUNT,
    MONSTER_Y,
    MONSTERS,
    NONE,
    PERIOD,
    RIGHT,
    TILE,
    TURNED,
    UP,
    meet_monsters,
    next_clock,
    patrolled,
    turned,
)
from priorlab.envs.players.atlas import ARRIVED, DANGER, GOAL, KEY, LADDER_TO_CLIMB, MONSTER, SPOT, Atlas

DELAY = 8  # inputs from seeing to pressing: 267 ms at 30 per second; people take 250 to 300 (docs/simulated.md)
RING = 16  # inputs remembered, more than DELAY
AHEAD = 24  # inputs for which a player foresees a monster that it fears
IMMINENT = 7  # inputs: a death farther off is not avoided yet, or no player would get near a monster that stands still
HOLD = 10  # inputs for which a player tries to get out of the way
WATCH = (10 * TILE, 5 * TILE)  # half pixels beside and above within which a monster is watched
REACH_OUT = 8.0 * TILE  # half pixels: at this distance a thing is half as likely to be tried next as one close by
NOTICED = 0.2  # probability of noticing, by a death, what killed
DISBELIEF = 0.11  # the same for a player who takes it for a treat
LURE = 12.0  # how much more likely apparent treats are tried, and less likely apparent dangers


class Mind(NamedTuple):
    """What a player keeps in mind while it plays; int64."""

    random: np.ndarray  # (1,): the generator's state
    nodes: np.ndarray  # (RING,): where it was
    meant: np.ndarray  # (RING,): what it meant to press there
    open: np.ndarray  # (T,): for each target, NO_TARGET, OPEN or TRIED
    known: np.ndarray  # (3,): bits of the monsters that it fears, the dangers that it fears, the ladders that it climbs
    alike: np.ndarray  # (3,): whether one of a kind stands for all
    facts: np.ndarray  # (2,): whether it knows how to climb and turn; whether looks mislead it


SEMANTICS = 0  # its index in ``Knowledge``
NO_TARGET, OPEN, TRIED = range(3)  # of Mind.open
FEARED, AVOIDED, CLIMBED = range(3)  # of Mind.known and Mind.alike
KNOWS_KEYS, MISLED = range(2)  # of Mind.facts


@function
def draw(random):
    """A random number from 0 to 1."""
    random[0] = next_draw(int(random[0]))
    return random[0] / (WORD + 1)


@function
def waiting(random, mean):
    """A random number of inputs, 0 or more, geometric with about that mean."""
    return int(-np.log(1.0 - draw(random)) * mean)


@function
def wake(atlas: Atlas, mind: Mind, dials):
    """Draws what a player knows at the start; dials: float64 (5,), those of ``Knowledge``."""
    semantics, objects, affordances, similarity, interaction = dials
    random = mind.random
    mind.facts[KNOWS_KEYS] = draw(random) < interaction
    mind.facts[MISLED] = draw(random) < -semantics
    for k, dial, kind in (
        (FEARED, semantics, MONSTER),
        (AVOIDED, semantics, DANGER),
        (CLIMBED, affordances, LADDER_TO_CLIMB),
    ):
        mind.alike[k], mind.known[k] = draw(random) < similarity, 0
        known = draw(random) < dial
        for number in range(atlas.counts[kind]):
            if not mind.alike[k]:
                known = draw(random) < dial
            mind.known[k] |= known << number
    for t in range(atlas.targets.shape[0]):
        is_spot = atlas.targets[t, 0] == SPOT
        mind.open[t] = NO_TARGET if is_spot and draw(random) < objects * affordances else OPEN


@function
def learn(mind: Mind, atlas: Atlas, k, kind, number):
    """What it learned about one of a kind, it knows of that one, or of all that look alike."""
    if k != CLIMBED and draw(mind.random) >= (DISBELIEF if mind.facts[MISLED] else NOTICED):
        return
    mind.known[k] |= (1 << atlas.counts[kind]) - 1 if mind.alike[k] else 1 << number


@function
def climbable(atlas: Atlas, mind: Mind):
    """The row of the atlas for the ladders that it knows how to climb."""
    knows_how = mind.facts[KNOWS_KEYS] or not atlas.level[ALTERNATING]
    return atlas.row_of[mind.known[CLIMBED] if knows_how else 0]


@function
def way(atlas: Atlas, mind: Mind, row, target, node):
    """The bits of the inputs that it believes lead there."""
    danger, number = int(atlas.near[node, 0]), int(atlas.near[node, 1])
    if danger >= 0 and not mind.known[AVOIDED] >> danger & 1:
        return int(atlas.naive[row, target, number])
    return int(atlas.ways[row, target, node])


@function
def appeal(atlas: Atlas, mind: Mind, target, node):
    """The weight with which it tries that target next."""
    kind, number, x, y = atlas.targets[target]
    weight = 1.0
    if kind == MONSTER or kind == DANGER:
        if mind.known[FEARED if kind == MONSTER else AVOIDED] >> number & 1:
            return 0.0
        weight = LURE if mind.facts[MISLED] else 1.0
    elif kind == LADDER_TO_CLIMB and mind.known[CLIMBED] >> number & 1:
        weight = LURE if atlas.level[ALTERNATING] and not mind.facts[KNOWS_KEYS] else 0.0
    elif kind != SPOT and mind.facts[MISLED]:
        weight = 1.0 / LURE
    away = abs(x - atlas.place[node, 0]) + abs(y - atlas.place[node, 1])
    return weight / (1.0 + away / REACH_OUT)


@function
def choose(atlas: Atlas, mind: Mind, dials, state, row, node):
    """The next target, or -1 where there is nothing to go for."""
    needs_key = atlas.level[KEYS] and not state[HAS_KEY]
    for t in range(atlas.targets.shape[0]):
        kind = atlas.targets[t, 0]
        sought = kind == (KEY if needs_key else GOAL) and draw(mind.random) < dials[SEMANTICS]
        if sought and way(atlas, mind, row, t, node):
            return t
    for _ in range(2):
        total, chosen = 0.0, -1
        for t in range(atlas.targets.shape[0]):
            gone = atlas.targets[t, 0] == KEY and state[HAS_KEY]
            gone = gone or (atlas.targets[t, 0] == MONSTER and not state[MONSTERS] >> atlas.targets[t, 1] & 1)
            if mind.open[t] == OPEN and not gone and way(atlas, mind, row, t, node):
                weight = appeal(atlas, mind, t, node)
                total += weight
                if weight and draw(mind.random) * total < weight:
                    chosen = t
        if chosen >= 0:
            return chosen
        reopen(mind)
    return -1


@function
def reopen(mind: Mind):
    """Everything that was tried may be worth another try."""
    for t in range(mind.open.shape[0]):
        mind.open[t] = OPEN if mind.open[t] else NO_TARGET


@function
def press(bits, last, random):
    """One of the inputs of a way: the one already held, if it is among them."""
    if bits >> last & 1:
        return last
    first = int(draw(random) * INPUT_COUNT)
    for k in range(INPUT_COUNT):
        action = (first + k) % INPUT_COUNT
        if bits >> action & 1:
            return action
    return NONE


@function
def survives(atlas: Atlas, mind: Mind, state, row, target, node, first, hold):
    """For how many inputs it foresees no death: ``first`` held for ``hold`` inputs, and then its way."""
    clock, alive, last = int(state[CLOCK]), int(state[MONSTERS]), first
    for k in range(AHEAD):
        bits = 1 << first if k < hold else way(atlas, mind, row, target, node)
        if not bits & (ARRIVED - 1):
            bits = 1
        if not bits >> last & 1:
            last = 0
            while not bits >> last & 1:
                last += 1
        node = int(atlas.leads[node, last])
        if node < 0:
            return k
        clock = next_clock(atlas.level, clock)
        x, y = int(atlas.place[node, 0]), int(atlas.place[node, 1])
        alive, killed = meet_monsters(atlas.level, atlas.monsters, x, y, alive, clock)
        if killed:
            return k
    return AHEAD


@function
def watched(atlas: Atlas, mind: Mind, state, node):
    """Whether a monster that it fears is close by."""
    for i in range(atlas.level[MONSTER_COUNT]):
        if mind.known[FEARED] & int(state[MONSTERS]) & 1 << i:
            x = patrolled(atlas.monsters, i, int(state[CLOCK]), atlas.level[PERIOD])
            beside = abs(x - atlas.place[node, 0]) < 2 * WATCH[0]
            if beside and abs(atlas.monsters[i, MONSTER_Y] - atlas.place[node, 1]) < 2 * WATCH[1]:
                return True
    return False


@function
def evade(atlas: Atlas, mind: Mind, state, row, target, node, intended):
    """(input, for how many more inputs) with which it expects to survive longest; its way, unless death is imminent.

    A jump over the monster is preferred to waiting.
    """
    best, action, hold = survives(atlas, mind, state, row, target, node, intended, 1), intended, 0
    if best > IMMINENT:
        return action, hold
    first = int(draw(mind.random) * INPUT_COUNT)
    for k in range(-1, INPUT_COUNT):
        other = JUMP if k < 0 else (first + k) % INPUT_COUNT
        length = 1 if other == JUMP else HOLD
        lives = survives(atlas, mind, state, row, target, node, other, length)
        if lives > best:
            best, action, hold = lives, other, length
    return action, hold


@function
def believed(atlas: Atlas, mind: Mind, since, slipped, at):
    """Where it believes itself to be: where it was DELAY inputs ago, moved by what it meant to press since."""
    if at - slipped > DELAY or at - since < DELAY:
        return int(mind.nodes[at % RING])
    node = int(mind.nodes[(at - DELAY) % RING])
    for k in range(at - DELAY, at):
        to = int(atlas.leads[node, mind.meant[k % RING]])
        if to < 0:
            break
        node = to
    return node


@function
def try_out(atlas: Atlas, state, left, length, knows_how):
    """What it presses to find out what something does: up for most of the time, then jump, then down."""
    if atlas.level[ALTERNATING] and knows_how:
        return LEFT + RIGHT - state[LAST_SIDE] if state[LAST_SIDE] else LEFT
    action = UP if 3 * left > length else (JUMP if 6 * left > length else DOWN)
    return untwisted(action) if atlas.level[TURNED] else action


@function
def untwisted(action):
    """The input on a rotated screen that is this one in the game."""
    for pressed in range(INPUT_COUNT):
        if turned(pressed) == action:
            return pressed
    return action
