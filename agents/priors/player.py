"""A player that brings knowledge: it believes in a map, plans, tries, and concludes.

It sees pictures and what is *given* (``player_settings.py``). Each input teaches facts of contact; perception turns
picture and facts into a belief; a plan is followed until something happens that its map did not foresee. A player that
learned to act (``pressing.py``) holds one input in place of a plan.
"""

from collections import deque
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.belief import Belief, Imagined, Perceive
from priorlab.agents.priors.cells import same_pixels
from priorlab.agents.priors.deciding import PRESS, Plan, World, decide, target_of, wander
from priorlab.agents.priors.facts import Facts, overlapped
from priorlab.agents.priors.hands import Hands
from priorlab.agents.priors.layers import place_of
from priorlab.agents.priors.monsters import cells_of, monster_near
from priorlab.agents.priors.movement import load_movement
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.roles import BITS_OF_ROLE
from priorlab.agents.priors.seeking import seek
from priorlab.agents.priors.senses import Seen, Told, Tracker
from priorlab.envs.game.foreseeing import KINDS, foresee
from priorlab.envs.game.rules import (
    DEATH,
    EPISODE_INPUTS,
    FIELDS,
    HAS_KEY,
    INPUT_COUNT,
    JUMPING,
    NONE,
    ON_LADDER,
    TILE,
    WIN,
    X,
    Y,
    put_at_start,
)

MOVES = [X, Y, JUMPING, ON_LADDER, HAS_KEY]  # fields that a plan foresees
NOWHERE = -(1 << 20)  # half pixels
CLOSE = 4 * TILE  # half pixels to a target, within which a failure is due to it
SURE_ENOUGH = 0.5  # chance of the likeliest goal and key, above which it goes for them rather than to search
WANDERING = (5, 40)  # least and most random inputs where no plan is found
KIND_OF_ROLE = [KINDS.index(int(bits)) for bits in BITS_OF_ROLE]
ALLOWED = np.array(  # possible roles, bits -> possible kinds, bits
    [sum(1 << kind for kind in {KIND_OF_ROLE[k] for k in range(8) if roles >> k & 1}) for roles in range(256)], np.uint8
)


class Press(NamedTuple):
    """An input that was pressed, the state, int32 (FIELDS,), that is foreseen after it, and whether it ends a plan."""

    action: int
    foreseen: np.ndarray
    final: bool


class Player:
    """One life in one level. ``picture``: uint8 (15 R, 15 R, 3), the scene at the start, upright.

    ``plans`` counts its plans, ``surprises`` how often one failed.
    """

    def __init__(
        self, perceive: Perceive, world: World, settings: PlayerSettings, seed: int, picture: np.ndarray
    ) -> None:
        self.perceive, self.settings, self.scene = perceive, settings, picture
        self.world = world = with_movement(world, settings)
        self.rng = np.random.default_rng(seed)
        self.hands = Hands(settings, seed)
        self.facts = Facts(picture.shape[0] // TILE)
        self.facts.know_monsters(cells_of(world))
        self.alike = same_pixels(picture)
        self.state = np.zeros(FIELDS, np.int32)  # the last one seen
        self.now = np.zeros(FIELDS, np.int32)  # and the one foreseen after the inputs whose pictures are to come
        self.unseen: deque[Press] = deque()
        self.plan: Plan | None = None
        self.at = 0  # of the plan's inputs
        self.belief: Belief | None = None
        self.believed_at, self.perceived_at = (-1, False), -1
        self.perceived = np.zeros(0)
        self.random_inputs = 0
        self.rest: int | None = None  # inputs before it thinks again
        self.begun = False
        self.stale, self.decided_at, self.checked = 0, -1, 0
        self.plans = self.surprises = 0
        self.had_key = False
        self.told = Told() if "state" in settings.given else None
        self.tracker = Tracker(world, picture)
        self.pressing = None
        if settings.acts:
            from priorlab.agents.priors.acting import Learned, load_acting  # imports torch, which planning needs not
            from priorlab.agents.priors.pressing import Pressing

            self.pressing = Pressing(Learned(load_acting(settings.network), seed), world, picture.shape[0] // TILE)
        self.lets_go = False
        if self.told is None:
            self.believe()

    def act(self, picture: np.ndarray | None, ended: bool = False, state: np.ndarray | None = None) -> int:
        """The next input, 0 to 5, after an upright picture; ``ended``: it is the first after the end of an episode.

        None for a picture that the player is too slow to have seen: it comes ``settings.delay`` inputs late, with
        every input. ``state``: the true one, int32 (FIELDS,), for a player to whom it is given; ``ended`` is then any
        death.
        """
        if picture is None:
            return self.press(NONE)
        last = self.unseen.popleft() if self.begun else None
        self.begun = True
        seen = self.sense(picture, last.action if last else -1, ended, state)
        if seen is None:
            return self.press(self.tracker.search())
        self.learn(seen)
        if self.pressing:
            self.lets_go = self.pressing.notice(self.state, seen.state, seen.died)
        self.state[:] = seen.state
        holds = self.holds(last)
        if not holds:
            self.plan = None
        if not holds or self.pressing:
            self.look_ahead()
        return self.press(self.next_input())

    @property
    def expects_win(self) -> bool:
        """Whether, if the episode ends by its last input, that is rather a win than a death."""
        if not self.unseen:
            return False
        x, y = (int(each) for each in self.unseen[-1].foreseen[[X, Y]])
        if x == NOWHERE or self.belief is None:
            return x == NOWHERE
        touched = [cell for cell in overlapped(x, y) if self.facts.is_inside(cell)]
        return sum(float(self.belief.goal[cell] - self.belief.danger[cell]) for cell in touched) > 0

    def sense(self, picture: np.ndarray, action: int, ended: bool, state: np.ndarray | None) -> Seen | None:
        """What is made out after an input, -1 before the first; None while it does not know where it is."""
        if self.told is None:
            return self.tracker.sense(picture, action, ended)
        assert state is not None
        return self.told.sense(state, action, ended)

    def learn(self, seen: Seen) -> None:
        """Facts from what was seen."""
        known = self.facts.count
        for before, action, after in seen.shown:
            self.facts.lived(self.world.numbers, before, action, after)
        if seen.placed:
            self.facts.touched(self.state, seen.state)
            if seen.state[HAS_KEY]:
                self.facts.brushed.update(overlapped(int(seen.state[X]), int(seen.state[Y])))
        if seen.key:
            self.facts.took_key([seen.key])
        if seen.state[HAS_KEY] and not self.had_key:
            self.had_key = True
            self.facts.failed.clear()  # what was shut may open now
        if seen.died:
            self.plan, self.random_inputs, self.rest = None, 0, None
            if seen.fatal is not None:
                monster = any(monster_near(self.world, before) for before in seen.before)
                self.facts.died(self.world.numbers, seen.before, seen.fatal, monster)
        if self.facts.count != known:
            self.tracker.restrict(ALLOWED[self.facts.grid])

    def holds(self, last: Press | None) -> bool:
        """Whether the plan goes on: as foreseen, on a map that no fact contradicts, and not at its end."""
        if self.plan is None or last is None:
            return False
        if self.plan.aim == PRESS:
            return not (last.final or self.lets_go)
        if not self.as_foreseen(last.foreseen):
            self.surprises += 1
            if int(last.foreseen[X]) == NOWHERE:
                self.facts.brushed.add(self.plan.imagined.goal)
            self.give_up(self.plan)
            return False
        if last.final:
            return False
        if self.facts.count != self.checked:
            self.checked = self.facts.count
            return not contradicts(self.facts, self.plan.imagined)
        return True

    def give_up(self, plan: Plan) -> None:
        """Remembers that a plan failed close to where it led, or taught nothing: the next goes elsewhere, if it can."""
        row, column = target_of(plan.imagined, self.state)
        away = max(abs(int(self.state[Y]) - 2 * TILE * row - TILE), abs(int(self.state[X]) - 2 * TILE * column - TILE))
        if plan.aim == "goal" and (away < CLOSE or self.facts.count == self.decided_at):
            self.facts.failed[row, column] += 1

    def as_foreseen(self, foreseen: np.ndarray) -> bool:
        """Whether what is seen of the state is what the plan foresaw."""
        if self.told is not None:
            return bool((foreseen[MOVES] == self.state[MOVES]).all())
        return place_of(foreseen) == place_of(self.state) and bool(foreseen[HAS_KEY] == self.state[HAS_KEY])

    def look_ahead(self) -> None:
        """Foresees where it is by now, after the inputs whose pictures are to come."""
        self.now[:] = self.state
        pressed, self.unseen = self.unseen, deque()
        for action, _, _ in pressed:
            self.foresee(action)
            self.unseen.append(Press(action, self.now.copy(), False))

    def foresee(self, action: int) -> None:
        """Takes an input in mind, on the likeliest map."""
        tracker = self.tracker
        if foresee(tracker.tiles, tracker.numbers, tracker.monsters, self.now, action, tracker.movement) == DEATH:
            put_at_start(tracker.numbers, self.now)

    def next_input(self) -> int:
        """Thinks if need be, and takes the next input in mind."""
        if self.plan is None and not self.random_inputs:
            if self.rest is None:
                self.rest = self.hands.hesitate()
            if self.rest:
                self.rest -= 1
                self.foresee(NONE)
                return NONE
            self.rest = None
            self.think()
        if self.plan is not None:
            return self.follow(self.plan)
        action = NONE
        if self.random_inputs:
            self.random_inputs -= 1
            action = int(self.rng.integers(INPUT_COUNT))
        self.foresee(action)
        return action

    def follow(self, plan: Plan) -> int:
        """The plan's next input; after its last, it waits for what comes of it."""
        if self.at >= len(plan.inputs):
            self.foresee(NONE)
            return NONE
        action = int(plan.inputs[self.at])
        self.at += 1
        outcome = foresee(plan.imagined.bits, plan.numbers, plan.monsters, self.now, action, plan.movement)
        if outcome == WIN or (outcome == DEATH and plan.aim != PRESS):
            self.now[X] = NOWHERE  # if it goes on after this, that is a surprise
        return action

    def press(self, action: int) -> int:
        """Presses the input, but for slips; which one it really was."""
        really = self.hands.press(action)
        final = self.plan is not None and self.at == len(self.plan.inputs)
        self.unseen.append(Press(really, self.now.copy(), final))
        return really

    def think(self) -> None:
        """Makes a new plan."""
        settings = self.settings
        self.stale = self.stale + 1 if self.facts.count == self.decided_at else 0
        self.decided_at = self.checked = self.facts.count
        self.plan, self.at = None, 0
        self.plans += 1
        belief, loss = self.believe(), settings.loss + float(self.state[EPISODE_INPUTS])
        if self.pressing:
            self.plan = self.pressing.plan(belief, self.facts, self.now)
            return
        if self.stale < settings.patience and not sure_of(belief):
            self.plan = seek(self.world, belief, self.now, self.rng, settings.maps, settings.temper, loss)
        if self.stale < settings.patience and self.plan is None:
            self.plan = decide(self.world, belief, self.now, self.rng, settings.maps, settings.temper, loss)
        if self.plan is None:
            self.plan = wander(self.world, belief, self.now, self.rng, loss)
            self.stale = 0
        if self.plan is None:
            self.random_inputs = int(self.rng.integers(*WANDERING))

    def believe(self) -> Belief:
        """The belief by all facts so far."""
        now = (self.facts.count, bool(self.state[HAS_KEY]))
        looks = now != self.believed_at
        if self.pressing:  # it looks again only where it looks at the map anew, as it learned to
            looks = self.facts.count != self.perceived_at and self.pressing.looks_anew
        if self.belief is None or looks:
            scene = self.scene if self.told is not None else self.tracker.scene
            self.perceived, self.perceived_at = self.perceive(scene, self.facts.ruled_out), self.facts.count
        if self.belief is None or looks or now != self.believed_at:
            self.belief = Belief(self.perceived, self.facts, self.alike, now[1], self.settings.prefer_objects)
            self.believed_at = now
            tiles, logs = self.belief.kinds
            self.tracker.believe(tiles, ALLOWED[self.facts.grid], logs)
        return self.belief


def with_movement(world: World, settings: PlayerSettings) -> World:
    """The world of a player with these settings: if it is not given the rules, with what it learned of how it moves.
    Raises as ``load_movement`` does."""
    if "rules" in settings.given or world.movement is not None:
        return world
    return replace(world, movement=load_movement(settings.movement))


def sure_of(belief: Belief) -> bool:
    """Whether it is clear enough what to go for."""
    key = 1.0 if belief.has_key else max(float(belief.key.max()), 1 - float(belief.key.sum()))
    return float(belief.goal.max()) * key > SURE_ENOUGH


def contradicts(facts: Facts, imagined: Imagined) -> bool:
    """Whether a fact says that the map is wrong."""
    if not (facts.grid >> imagined.roles & 1).all():
        return True
    return any(not any(roles >> int(imagined.roles[cell]) & 1 for cell in cells) for cells, roles in facts.clauses)
