"""What a player makes out of pictures: where it is and how it moves, when it died, when it took a key.

``Tracker`` finds itself (``sprites.py``) and then follows itself. What a picture does not show (whether it flies and
how fast, whether a ladder holds it) follows from the rules: after each input it keeps every state that some map,
different from the believed one in at most two cells nearby, leads to from one of the states before, if it would be seen
where the player is seen. Facts are drawn only from what all states that are left agree in.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.deciding import World
from priorlab.agents.priors.facts import Cell, overlapped
from priorlab.agents.priors.layers import Layer, anyhow, motion, place_of
from priorlab.agents.priors.sprites import SCRIPT, SHOWS, TILE, Found, Place, Sprite, find, same_colours, within
from priorlab.envs.game.foreseeing import ANYWHERE, DIES, explain, foresee
from priorlab.envs.game.rules import (
    CLOCK,
    EPISODE_INPUTS,
    FIELDS,
    GOAL_LEFT,
    GRID,
    HAS_KEY,
    JUMPING,
    KEYS,
    MONSTER_COUNT,
    MONSTER_Y,
    ON_LADDER,
    PERIOD,
    SPEED,
    TURNED,
    WALK,
    X,
    Y,
    patrolled,
    pixel,
    pressed,
    put_at_start,
    turned,
)

MOST_STATES = 24  # that are kept
PATIENCE = 16  # inputs for which states may disagree before what they could teach is given up
MOST_ENDS = 64
MOST_WRONG = 2  # cells nearby in which the likeliest map may be wrong at once
KIND_OF_BITS = np.array([0, 1, 2, 0, 3])  # of a tile, as in KINDS of foreseeing.py
VISIBLE = 6  # pixels of a cell that must have changed for something there to have vanished
FAR = 4 * TILE  # pixels, farther than anything but a death takes the player
LEARNED = 400  # inputs for which it still learns what it looks like
REACH_DOWN = 10  # pixels: how far a step falls at most, and a bit

Shown = tuple[np.ndarray, int, np.ndarray]  # state before, input, state after: exact but for LADDER_UNKNOWN


class Seen(NamedTuple):
    """What a player makes out after an input."""

    state: np.ndarray  # int32 (FIELDS,), the likeliest
    died: bool
    shown: list[Shown]  # what is certain by now of inputs so far
    fatal: int | None = None  # at a death: the input
    before: tuple[np.ndarray, ...] = ()  # and the states, each int32 (FIELDS,), that may have been its own before
    key: Cell | None = None  # where a key was taken
    placed: bool = False  # whether its position is certain, however it moves


class Tracker:
    """Follows the player through upright pictures, uint8 (S, S, 3), S = 15 R."""

    def __init__(self, world: World, picture: np.ndarray):
        numbers = world.numbers.copy()
        numbers[[KEYS, GOAL_LEFT]] = 0, -(1 << 20)
        self.numbers, self.monsters, self.movement = numbers, world.monsters, world.movement
        self.side, rows = picture.shape[0], picture.shape[0] // TILE
        self.tiles, self.allowed = np.zeros((rows, rows), np.uint8), np.full((rows, rows), 15, np.uint8)
        self.logs = np.zeros((rows, rows, 4), np.float32)
        self.ends, self.chances = np.zeros((MOST_ENDS, FIELDS), np.int32), np.zeros(MOST_ENDS)
        self.pictures, self.inputs = [picture], []  # until it is found
        self.scene = picture.copy()
        self.found: Found | None = None
        self.layers: list[Layer] = []
        self.place: Place = (0, 0)
        self.foreseen = np.zeros(FIELDS, np.int32)
        self.lost = self.steps = self.asked = self.waited = 0
        self.patrols: dict[int, list[Place]] = {}  # where monsters are drawn, by step of their patrols

    def believe(self, tiles: np.ndarray, allowed: np.ndarray, logs: np.ndarray) -> None:
        """The likeliest map, uint8 (R, R); what cells may be, uint8 (R, R), and how likely, float32 (R, R, 4)."""
        self.tiles, self.logs = tiles.copy(), logs
        self.restrict(allowed)

    def restrict(self, allowed: np.ndarray) -> None:
        """New facts: what cells may be. Where the likeliest map is none of it, the next likeliest takes its place."""
        self.allowed = allowed
        may = allowed[..., None] >> np.arange(4) & 1
        likely = np.where(may, self.logs, -np.inf).argmax(axis=-1)
        kinds = KIND_OF_BITS[self.tiles]
        wrong = np.take_along_axis(may, kinds[..., None], axis=-1)[..., 0] == 0
        self.tiles[wrong] = 1 << likely[wrong] >> 1

    def search(self) -> int:
        """The next input while it does not know where it is."""
        self.asked += 1
        return int(pressed(self.numbers, SCRIPT[(self.asked - 1) % len(SCRIPT)]))

    def sense(self, picture: np.ndarray, action: int, ended: bool) -> Seen | None:
        """What is made out in the picture after that input; None while it does not know where it is.

        ``ended``: whether the episode ended by that input, and this is the first picture of the next.
        """
        if self.found is None:
            return self.look_for_itself(picture, action, ended)
        self.steps += 1
        self.expect(action)
        lost = self.lost
        if ended:
            return self.die(action)
        place, after = self.follow(picture, action)
        if place and after.states:
            if self.leaves(place) and self.is_at_start(picture):
                return self.die(action)  # out of sight it fell to its death
            self.layers.append(after)
            self.prune()
        elif self.is_at_start(picture):
            return self.die(action)
        else:
            if place is None:
                place = self.sprite.near(picture, *self.place, self.side, self.side) or self.place
                if max(abs(place[0] - self.place[0]), abs(place[1] - self.place[1])) > FAR:
                    self.found = self.found._replace(place=place)  # where it starts, if it was found later
                    return self.die(action)
            self.recover(action, place)
        shown = len({place_of(state) for state in self.layers[-1].states}) == 1
        if shown:
            if self.steps < LEARNED:
                self.sprite.learn(picture, self.previous, self.scene, self.unsure(*place), *place)
            self.uncover(picture, place)
        self.place = place
        if self.steps < LEARNED:
            self.previous = picture.copy()
        sure = shown and self.lost == lost and not self.layers[-1].states[0][HAS_KEY]
        key = self.vanished(picture) if sure else None
        if key:
            for state in self.layers[-1].states:
                state[HAS_KEY] = 1
        placed = self.lost == lost and self.layers[-1].placed()
        return Seen(self.layers[-1].likeliest(), False, self.certain(), key=key, placed=placed)

    def look_for_itself(self, picture: np.ndarray, action: int, ended: bool) -> Seen | None:
        if ended:  # and the patrols begin anew
            self.pictures, self.inputs, self.waited = [picture.copy()], [], 0
            return None
        if action >= 0:
            self.pictures.append(picture.copy())
            self.inputs.append(turned(action) if self.numbers[TURNED] else action)
        if len(self.inputs) < 2:
            return None
        if len(self.inputs) > len(SCRIPT):  # it may have fallen meanwhile: anew from here
            self.waited += len(self.inputs)
            self.pictures, self.inputs = [picture.copy()], []
            return None
        hidden = self.hidden(range(self.waited, self.waited + len(self.pictures)))
        found = find(self.pictures, self.inputs, int(self.numbers[WALK]), hidden, self.movement)
        if found is None:
            return None
        pictures, inputs = self.pictures, [int(pressed(self.numbers, each)) for each in self.inputs]
        self.found, self.sprite = found, Sprite(pictures, found, hidden)
        self.place, self.previous = found.place, pictures[0]
        self.layers = [self.beginning()]
        for state in self.layers[0].states:
            state[CLOCK] = self.waited % int(self.numbers[PERIOD])
        self.covered = np.ones((TILE, TILE), bool)
        self.pictures = []
        seen, shown = None, []
        for each, pressed_then in zip(pictures[1:], inputs):
            seen = self.sense(each, pressed_then, False)
            assert seen
            shown += seen.shown
        return seen._replace(shown=shown) if seen else None

    def beginning(self) -> Layer:
        """The possible states at the start."""
        assert self.found
        (left, top), path = self.found
        states = []
        for y in (2 * (top + GRID - 1) - 1, 2 * (top + GRID - 1)) if path.fell else (2 * (top + GRID - 1) - 1,):
            state = np.zeros(FIELDS, np.int32)
            put_at_start(self.numbers, state)
            state[X], state[Y] = 2 * (left + GRID) - path.parity, y
            states.append(state)
        return Layer(-1, states, [0.0] * len(states), [[] for _ in states], [False] * len(states))

    def follow(self, picture: np.ndarray, action: int) -> tuple[Place | None, Layer]:
        """Where the player shows, None for nowhere, and the states that the input may have led to there, if any.

        Near the frame little of it may show, so it is where most of that shows, of all places that some map explains.
        """
        if self.may_leave():
            after = self.after(action, ANYWHERE, ANYWHERE)
            shares = [self.sprite.share(picture, *place_of(state)) for state in after.states]
            best = max(shares, default=0.0)
            if best >= SHOWS:
                after.keep([k for k, share in enumerate(shares) if share == best])
                return place_of(after.likeliest()), after
        place = self.locate(picture)
        return place, self.after(action, *place) if place else Layer(action)

    def locate(self, picture: np.ndarray) -> Place | None:
        """Where the player shows: where it is expected, or near where it was."""
        expected = place_of(self.foreseen)
        if self.sprite.share(picture, *expected) == 1:
            return expected
        across = int(self.numbers[WALK]) // 2 + 1
        return self.sprite.near(picture, *self.place, across, REACH_DOWN)

    def may_leave(self) -> bool:
        """Whether the player may not be wholly in the picture by now."""
        return min(self.place) < REACH_DOWN or max(self.place) > self.side - TILE - REACH_DOWN

    def is_at_start(self, picture: np.ndarray) -> bool:
        """Whether what shows where the player started looks like it."""
        assert self.found
        return self.sprite.share(picture, *self.found.place) >= SHOWS

    def leaves(self, place: Place) -> bool:
        """Whether a player there is not wholly in the picture."""
        return min(place) < 0 or max(place) > self.side - TILE

    def expect(self, action: int) -> None:
        """Where the likeliest state would be after that input, on the likeliest map."""
        self.foreseen[:] = self.layers[-1].likeliest()
        foresee(self.tiles, self.numbers, self.monsters, self.foreseen, action, self.movement)

    def after(self, action: int, left: int, top: int) -> Layer:
        """The states to which the input leads from any state, on some map, and which are seen there."""
        layer, names, after = self.layers[-1], {}, Layer(action)
        for i, (state, score, falls) in enumerate(zip(layer.states, layer.scores, layer.falls)):
            count = explain(
                self.tiles, self.allowed, self.logs, self.numbers, self.monsters, self.movement, state, action,
                left, top, MOST_WRONG, self.ends, self.chances,
            )  # fmt: skip
            for end, chance in zip(self.ends[:count], self.chances[:count].tolist()):
                if falls and not (end[JUMPING] and end[SPEED] == state[SPEED] - 1):
                    continue  # what would have caught it was not there before
                begins = not state[JUMPING] and bool(end[JUMPING]) and int(end[SPEED]) == -1
                name = (*motion(end), int(end[ON_LADDER]), begins)
                at = names.setdefault(name, len(after.states))
                if at < len(after.states):
                    after.scores[at] = max(after.scores[at], score + chance)
                    after.parents[at].append(i)
                    continue
                after.states.append(end.copy())
                after.states[-1][EPISODE_INPUTS] += 1
                after.scores.append(score + chance)
                after.parents.append([i])
                after.falls.append(begins)
        return after

    def prune(self) -> None:
        """Forgets states that led nowhere, and the unlikeliest of too many."""
        last = self.layers[-1]
        best = max(last.scores)
        if len(last.states) > 1:
            last.keep(sorted(range(len(last.states)), key=lambda k: -last.scores[k])[:MOST_STATES])
        last.scores = [score - best for score in last.scores]
        for at in range(len(self.layers) - 1, 0, -1):
            parents = sorted({k for each in self.layers[at].parents for k in each})
            if len(parents) == len(self.layers[at - 1].states):
                break
            self.layers[at - 1].keep(parents)
            number = {k: i for i, k in enumerate(parents)}
            self.layers[at].parents = [[number[k] for k in each] for each in self.layers[at].parents]

    def certain(self) -> list[Shown]:
        """The inputs, from the oldest on, around which all states agree; and the last, if they agree in the places."""
        shown = []
        if len(self.layers) > 1:
            before, after = self.layers[-2].seen(), self.layers[-1].seen()
            if before is not None and after is not None:
                shown.append((before, self.layers[-1].action, after))
        while len(self.layers) > 1:
            before, after = self.layers[0].agreed(), self.layers[1].agreed()
            if before is not None and after is not None:
                shown.append((before, self.layers[1].action, after))
            elif len(self.layers) <= PATIENCE:
                break
            self.layers.pop(0)
        return shown

    def die(self, action: int) -> Seen:
        """Back at the start; the input before killed."""
        assert self.found
        layer = self.layers[-1]
        fatal = [k for k, state in enumerate(layer.states) if self.may_die(state, action)]
        layer.keep(fatal or list(range(len(layer.states))))
        self.prune()
        shown, before = self.certain(), tuple(layer.states)
        self.layers = [self.beginning()]
        self.place = self.found.place
        self.previous = self.scene
        return Seen(self.layers[-1].likeliest(), True, shown, action, before)

    def may_die(self, state: np.ndarray, action: int) -> bool:
        """Whether that input kills in that state, on a map that differs from the likeliest one in a few cells."""
        world = self.tiles, self.allowed, self.logs, self.numbers, self.monsters, self.movement
        return explain(*world, state, action, DIES, DIES, MOST_WRONG, self.ends, self.chances) > 0

    def recover(self, action: int, place: Place) -> None:
        """Nothing explains what is seen: every way of moving is possible."""
        self.lost += 1
        assert self.found
        first = 2 * (self.found.place[0] + GRID) - self.found.path.parity
        self.layers = [anyhow(action, self.layers[-1].likeliest(), place, first, self.numbers)]

    def uncover(self, picture: np.ndarray, place: Place) -> None:
        """Learns what is behind the place where the player was first."""
        assert self.found
        (left, top), side = self.found.place, self.side
        if not self.covered.any() or left < 0 or top < 0 or max(left, top) > side - TILE:
            return
        rows, columns = np.arange(top, top + TILE), np.arange(left, left + TILE)
        free = ((rows < place[1]) | (rows >= place[1] + TILE))[:, None]
        free = (free | (columns < place[0]) | (columns >= place[0] + TILE)) & self.covered
        part = (slice(top, top + TILE), slice(left, left + TILE))
        self.scene[part][free] = picture[part][free]
        self.covered &= ~free

    def unsure(self, left: int, top: int) -> np.ndarray:
        """bool (TILE, TILE): the pixels of the cell there at which it is not known how the ground looks now."""
        assert self.found
        mask = np.zeros((TILE, TILE), bool)
        for place in self.monsters_at(0, int(self.layers[-1].likeliest()[CLOCK])):
            mask[within(place, left, top)] = True
        start, side = self.found.place, self.side
        if min(start) >= 0 and max(start) <= side - TILE:
            mask[within(start, left, top)] |= self.covered[within((left, top), *start)]
        return mask

    def vanished(self, picture: np.ndarray) -> Cell | None:
        """The cell at the player's from which something vanished that was no monster."""
        state = self.layers[-1].likeliest()
        inside = overlapped(int(state[X]), int(state[Y]))
        (top, left), (bottom, right) = inside[0], inside[-1]
        if top < 0 or left < 0:
            return None
        part = (slice(TILE * top, TILE * (bottom + 1)), slice(TILE * left, TILE * (right + 1)))
        changed = ~same_colours(picture[part], self.scene[part])
        starts = [self.found.place] if self.found and self.covered.any() else []
        for place in (self.place, *starts, *self.monsters_at(0, int(state[CLOCK]))):
            if abs(place[0] - TILE * left) < 2 * TILE and abs(place[1] - TILE * top) < 2 * TILE:
                changed[within(place, TILE * left, TILE * top)] = False
        if not changed.any():
            return None
        counts = {
            (row, column): int(np.count_nonzero(changed[within((TILE * column, TILE * row), TILE * left, TILE * top)]))
            for row, column in inside
        }
        cell = max(counts, key=lambda each: counts[each])
        return cell if counts[cell] >= VISIBLE else None

    def hidden(self, clocks: Iterable[int]) -> np.ndarray:
        """bool (S, S): the pixels that a monster can cover at these steps of its patrol."""
        mask = np.zeros((self.side, self.side), bool)
        for place in self.monsters_at(*clocks):
            mask[within(place, 0, 0)] = True
        return mask

    def monsters_at(self, *clocks: int) -> list[Place]:
        """Where monsters are drawn at these steps of their patrols."""
        for clock in clocks:
            if clock not in self.patrols:
                self.patrols[clock] = places_of_monsters(self.numbers, self.monsters, clock)
        return [place for clock in clocks for place in self.patrols[clock]]


def places_of_monsters(numbers: np.ndarray, monsters: np.ndarray, clock: int) -> list[Place]:
    """Where monsters are drawn at that step of their patrols."""
    places, period = [], int(numbers[PERIOD])
    for i in range(int(numbers[MONSTER_COUNT])):
        x, y = patrolled(monsters, i, clock % period, period), int(monsters[i, MONSTER_Y])
        places.append((pixel(int(x)) - GRID, pixel(y) - GRID))
    return places


class Told:
    """The senses of a player who is given its state."""

    def __init__(self) -> None:
        self.before = np.zeros(FIELDS, np.int32)

    def sense(self, state: np.ndarray, action: int, died: bool) -> Seen:
        """What is made out after that input, -1 before the first; state: int32 (FIELDS,)."""
        before, self.before = self.before, state.copy()
        happened = (before, action, self.before)
        if action < 0:
            return Seen(self.before, False, [])
        return Seen(self.before, True, [], action, (before,)) if died else Seen(self.before, False, [happened])
