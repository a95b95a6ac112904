"""The shortest solution of a level: breadth-first search over its exact states, by the one copy of the rules.

A state is numbered by what decides its future: the player's position, speed, jump and ladder, the monsters alive, the
key, the patrols' step and, where it matters, the last side pressed. So each number takes one bit to mark as found. A
player below the frame, or so far beside it that the fall ends before the way back, is lost and left out of the search.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.playing import position_bit
from priorlab.envs.game.rules import (
    ALTERNATING,
    CLOCK,
    DEATH,
    DOWN,
    FIELDS,
    HAS_KEY,
    INPUT_COUNT,
    JUMP,
    JUMPING,
    LADDER,
    LAST_SIDE,
    MONSTER_COUNT,
    MONSTERS,
    ON_LADDER,
    ONGOING,
    PERIOD,
    REACH,
    RESTARTS,
    RIGHT,
    SIDE,
    SPEED,
    START_X,
    TURNED,
    UP,
    WALK,
    WIN,
    X,
    Y,
    put_at_start,
    step,
    touched,
    turned,
)
from priorlab.envs.game.versions import Rules, find_rules

ABOVE = 128  # half pixels above the frame that are searched; a jump from its upper edge reaches less than half of that
LONGEST_JUMP = 24  # steps from leaving the ground until falling at full speed
FAST = 8  # pixels per step; speeds are from -8 to 7
MOST_NUMBERS = 1 << 35  # 4 GiB of bits
NO_END = 1 << 40  # decisions
FIRST_ROOM = 1 << 17  # states; a quarter more when full
LOST = -1  # the number of a state out of the frame for good
NOWHERE = -1
TO_WIN, TO_END = -1, -2  # where an input leads instead of to a state
DONE, FULL = range(2)  # why a search stopped
# counters of a search: states expanded, states found, the first state that wins, its input, decisions to the state that
# is expanded, and the first state that is one decision further
HEAD, COUNT, WON, STEPPED, DEPTH, NEXT_DEPTH = range(6)


class Search(NamedTuple):
    """Every non-terminal state found, in order of its distance from the start."""

    numbers: np.ndarray  # int64 (room,)
    parents: np.ndarray  # int32 (room,): the state from which each was found
    actions: np.ndarray  # uint8 (room,): and by which input
    found: np.ndarray  # uint8 (all numbers / 8,): a bit for each state that was found; complete words of 64 bits
    positions: np.ndarray  # uint8 (positions / 8,): a bit for each position of the player, ends included
    kept: np.ndarray  # int64 (6,)


@dataclass(frozen=True)
class Solution:
    """The result of a search.

    inputs: uint8 (n,), a shortest solution in raw inputs, or None if there is none; states: the number of reachable
    non-terminal states; positions: the number of reachable positions of the player in the frame, ends included.
    """

    inputs: np.ndarray | None
    states: int
    positions: int


@dataclass(frozen=True)
class Labels:
    """For every reachable non-terminal state, the distance to the win and the inputs that lead there soonest.

    states: int32 (n, FIELDS), all counts 0; distances: int32 (n,), decisions to the win, -1 if it is out of reach;
    best: bool (n, 6), the inputs that begin a shortest solution.
    """

    states: np.ndarray
    distances: np.ndarray
    best: np.ndarray


@function
def aside(level):
    """How many steps to the left or right of the frame a player can be and still get back before falling below it."""
    return (LONGEST_JUMP + (int(level[SIDE]) + ABOVE) // FAST) // 2 + 1


@function
def grid_of(level):
    """(the first x, how many values of x there are, one walking step apart)"""
    walk, beside = int(level[WALK]), aside(level)
    return int(level[START_X]) % walk - beside * walk, 2 * int(level[SIDE]) // walk + 1 + 2 * beside


@function
def number_of(level, grid, state):
    """The state's number, from 0, or LOST; ``grid`` is ``grid_of(level)``, computed once."""
    y, side, (first_x, columns) = int(state[Y]), 2 * int(level[SIDE]), grid
    column = (int(state[X]) - first_x) // int(level[WALK])
    if column < 0 or column >= columns or y < -ABOVE or y >= side:
        return LOST
    number = int(state[MONSTERS]) * int(level[PERIOD]) + int(state[CLOCK])
    number = number * 2 + int(state[HAS_KEY])
    number = number * (RIGHT + 1) + int(state[LAST_SIDE]) if level[ALTERNATING] else number
    number = number * columns + column
    number = number * (side + ABOVE) + y + ABOVE
    return (number * 2 * FAST + int(state[SPEED]) + FAST) * 4 + 2 * int(state[JUMPING]) + int(state[ON_LADDER])


@function
def read_number(level, grid, number, state):
    """Writes the state with that number into ``state``, int32 (FIELDS,)."""
    side, (first_x, columns) = 2 * int(level[SIDE]), grid
    state[ON_LADDER], state[JUMPING], number = number & 1, number >> 1 & 1, number >> 2
    state[SPEED], number = number % (2 * FAST) - FAST, number // (2 * FAST)
    state[Y], number = number % (side + ABOVE) - ABOVE, number // (side + ABOVE)
    state[X] = first_x + number % columns * int(level[WALK])
    number //= columns
    if level[ALTERNATING]:
        state[LAST_SIDE], number = number % (RIGHT + 1), number // (RIGHT + 1)
    state[HAS_KEY], number = number & 1, number >> 1
    state[MONSTERS], state[CLOCK] = number // int(level[PERIOD]), number % int(level[PERIOD])


@function
def numbers_of(level):
    """How many numbers there are."""
    count = (2 * int(level[SIDE]) + ABOVE) * grid_of(level)[1] * int(level[PERIOD]) << int(level[MONSTER_COUNT])
    return count * 2 * 2 * FAST * 4 * (RIGHT + 1 if level[ALTERNATING] else 1)


@function
def mark(bits, bit):
    """Sets a bit; returns whether it was clear before."""
    if bits[bit >> 3] >> (bit & 7) & 1:
        return False
    bits[bit >> 3] |= 1 << (bit & 7)
    return True


@function
def mark_position(level, state, positions):
    bit = position_bit(level, state)
    if bit >= 0:
        mark(positions, bit)


@function
def decide(tiles, level, monsters, state, action, frame_skip, positions):
    """Takes one input ``frame_skip`` times; the outcome. Marks all positions on the way except the last."""
    outcome = ONGOING
    for k in range(frame_skip):
        outcome = step(tiles, level, monsters, state, action)
        if outcome != ONGOING or k + 1 < frame_skip:
            mark_position(level, state, positions)
        if outcome != ONGOING:
            break
    return outcome


@function
def is_another(level, state, action):
    """Whether an input does what an earlier one does, off the ladder: up at most jumps, and down does nothing."""
    if level[TURNED]:
        action = turned(action)
    return action == UP or action == DOWN or (action == JUMP and state[JUMPING])


@kernel
def explore(tiles, level, monsters, frame_skip, exhaustive, deepest, search: Search, states):
    """Expands all states less than ``deepest`` decisions away (or, where not ``exhaustive``, until one wins), or until
    there is no more room; DONE or FULL.

    states: int32 (2, FIELDS), scratch memory.
    """
    current, state, grid = states[0], states[1], grid_of(level)
    kept, room = search.kept, search.numbers.shape[0]
    if not kept[COUNT]:
        put_at_start(level, state)
        search.numbers[0], kept[COUNT], kept[WON], kept[NEXT_DEPTH] = number_of(level, grid, state), 1, NOWHERE, 1
        mark(search.found, search.numbers[0])
        mark_position(level, state, search.positions)
    while kept[HEAD] < kept[COUNT] and (exhaustive or kept[WON] == NOWHERE):
        if kept[HEAD] == kept[NEXT_DEPTH]:  # all states at this depth are expanded, all at the next are found
            kept[DEPTH] += 1
            kept[NEXT_DEPTH] = kept[COUNT]
        if kept[DEPTH] >= deepest:
            return DONE
        if kept[COUNT] + INPUT_COUNT > room:
            return FULL
        head = kept[HEAD]
        kept[HEAD] += 1
        read_number(level, grid, search.numbers[head], current)
        off_ladder = frame_skip == 1 and not touched(tiles, int(current[X]), int(current[Y]) + REACH) & LADDER
        for action in range(INPUT_COUNT):
            if off_ladder and is_another(level, current, action):
                continue
            for k in range(FIELDS):
                state[k] = current[k]
            outcome = decide(tiles, level, monsters, state, action, frame_skip, search.positions)
            if outcome == WIN and kept[WON] == NOWHERE:
                kept[WON], kept[STEPPED] = head, action
            if outcome == ONGOING:
                number = number_of(level, grid, state)
                if number != LOST and mark(search.found, number):
                    at = kept[COUNT]
                    search.numbers[at], search.parents[at], search.actions[at] = number, head, action
                    kept[COUNT] += 1
                    mark_position(level, state, search.positions)
    return DONE


@function
def rank_of(number, words, before):
    """How many states that were found have a smaller number. words: int64, the bits of what was found; before: int32,
    how many bits are set before each word."""
    below = int(words[number >> 6]) & ((1 << (number & 63)) - 1)
    below -= below >> 1 & 0x5555555555555555  # counts of 2 bits, of 4, of 8, of all
    below = (below & 0x3333333333333333) + (below >> 2 & 0x3333333333333333)
    below = below + (below >> 4) & 0x0F0F0F0F0F0F0F0F
    below += below >> 8
    below += below >> 16
    below += below >> 32
    return before[number >> 6] + (below & 127)


@kernel
def link(tiles, level, monsters, frame_skip, numbers, words, before, order, positions, states, leads_to):
    """Fills the states, int32 (n, FIELDS), and where each input leads, int32 (n, 6): a state, TO_WIN or TO_END.

    numbers: int64 (n,), those of the states; words, before: as in ``rank_of``; order: int32 (n,), scratch memory.
    """
    grid = grid_of(level)
    for i in range(states.shape[0]):
        order[rank_of(numbers[i], words, before)] = i
    for i in range(states.shape[0]):
        state = states[i]
        for action in range(INPUT_COUNT):
            read_number(level, grid, numbers[i], state)
            outcome = decide(tiles, level, monsters, state, action, frame_skip, positions)
            number = number_of(level, grid, state)
            if outcome == WIN:
                leads_to[i, action] = TO_WIN
            elif outcome == DEATH:
                leads_to[i, action] = 0 if level[RESTARTS] else TO_END
            else:
                leads_to[i, action] = TO_END if number == LOST else order[rank_of(number, words, before)]
        state[:] = 0
        read_number(level, grid, numbers[i], state)


@kernel
def turn_round(leads_to, first, before):
    """Fills, for every state i, before[first[i]] to before[first[i + 1] - 1] with the states that lead to it.

    leads_to: as in ``link``; first: int64 (n + 2,), zeros; before: int32 (edges,).
    """
    for i in range(leads_to.shape[0]):
        for action in range(INPUT_COUNT):
            if leads_to[i, action] >= 0:
                first[leads_to[i, action] + 2] += 1
    for i in range(2, first.shape[0]):
        first[i] += first[i - 1]
    for i in range(leads_to.shape[0]):
        for action in range(INPUT_COUNT):
            if leads_to[i, action] >= 0:
                before[first[leads_to[i, action] + 1]] = i
                first[leads_to[i, action] + 1] += 1


@kernel
def spread(first, before, distances, queue, count):
    """Spreads distances, -1 where unknown, from the ``count`` states in the queue to all states that lead to them.

    before: int32 (edges,), the states that lead to state i, from first[i] to first[i + 1]; queue: int32 (n,).
    """
    head = 0
    while head < count:
        state = queue[head]
        head += 1
        for edge in range(first[state], first[state + 1]):
            source = before[edge]
            if distances[source] < 0:
                distances[source] = distances[state] + 1
                queue[count] = source
                count += 1


class Solver:
    """Searches a level by the given rules, or by those of its game; a decision is an input taken ``frame_skip`` times.

    Raises ValueError, one line, for a level with too many states.
    """

    def __init__(self, level: Level, rules: Rules | None = None, frame_skip: int = 1):
        self.level, self.frame_skip = level, frame_skip
        self.numbers = level_numbers(level, rules or find_rules(level.game))
        size = int(numbers_of(self.numbers))
        if size > MOST_NUMBERS:
            raise ValueError(
                f"level {level.name!r}: {size:,} states; expected at most {MOST_NUMBERS:,}: "
                "fewer monsters or a shorter period"
            )
        self.tiles, self.monsters = level.tiles, level.monsters.reshape(-1, 4)
        side = 2 * int(self.numbers[SIDE])
        positions = (side // int(self.numbers[WALK]) + 1) * side
        self.search = Search(
            numbers=np.zeros(FIRST_ROOM, np.int64), parents=np.zeros(FIRST_ROOM, np.int32),
            actions=np.zeros(FIRST_ROOM, np.uint8), found=np.zeros((size // 64 + 1) * 8, np.uint8),
            positions=np.zeros(positions // 8 + 1, np.uint8), kept=np.zeros(6, np.int64),
        )  # fmt: skip

    def run(self, exhaustive: bool = True, deepest: int = NO_END, most_states: int = NO_END) -> Solution:
        """Searches all states at most ``deepest`` decisions away, or only until the first win where not ``exhaustive``.

        ``most_states``: how many states are kept at most; with more, the search stops. A later call continues it.
        """
        played = self.tiles, self.numbers, self.monsters, self.frame_skip
        states = np.zeros((2, FIELDS), np.int32)
        while explore(*played, exhaustive, deepest, self.search, states) == FULL:
            if len(self.search.numbers) >= most_states:
                break
            room = len(self.search.numbers) * 5 // 4
            for grown in (self.search.numbers, self.search.parents, self.search.actions):
                grown.resize(room, refcheck=False)  # in place, if possible: no second copy
        kept = self.search.kept
        positions = int(np.bitwise_count(self.search.positions).sum())
        return Solution(self.way() if kept[WON] != NOWHERE else None, int(kept[COUNT]), positions)

    def way(self) -> np.ndarray:
        """uint8 (n,): the raw inputs up to the first win."""
        actions, at = [int(self.search.kept[STEPPED])], int(self.search.kept[WON])
        while at:
            actions.append(int(self.search.actions[at]))
            at = int(self.search.parents[at])
        inputs, state = np.repeat(np.array(actions[::-1], np.uint8), self.frame_skip), np.zeros(FIELDS, np.int32)
        if self.frame_skip == 1:
            return inputs
        put_at_start(self.numbers, state)
        outcomes = (step(self.tiles, self.numbers, self.monsters, state, int(action)) for action in inputs)
        return inputs[: 1 + next(number for number, outcome in enumerate(outcomes) if outcome == WIN)]

    def labels(self) -> Labels:
        """The best inputs in every reachable state; where a death restarts the play, they may lead through one."""
        self.run()
        count = int(self.search.kept[COUNT])
        numbers, words = self.search.numbers[:count], self.search.found.view(np.int64)
        ranks = np.zeros(len(words) + 1, np.int32)
        np.cumsum(np.bitwise_count(words.view(np.uint64)), out=ranks[1:])
        states, leads_to = np.zeros((count, FIELDS), np.int32), np.zeros((count, INPUT_COUNT), np.int32)
        arrays = numbers, words, ranks, np.zeros(count, np.int32), self.search.positions, states, leads_to
        link(self.tiles, self.numbers, self.monsters, self.frame_skip, *arrays)
        first, before = np.zeros(count + 2, np.int64), np.zeros(int((leads_to >= 0).sum()), np.int32)
        turn_round(leads_to, first, before)
        won = np.flatnonzero((leads_to == TO_WIN).any(axis=1))
        distances, queue = np.full(count, -1, np.int32), np.zeros(count, np.int32)
        distances[won], queue[: len(won)] = 1, won
        spread(first, before, distances, queue, len(won))
        after = np.where(leads_to >= 0, distances[leads_to], -1)
        after[leads_to == TO_WIN] = 0
        return Labels(states, distances, (after >= 0) & (after == distances[:, None] - 1))
