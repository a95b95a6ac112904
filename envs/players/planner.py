"""Simulated players: a noisy planner that plays by the exact rules, and whose knowledge is a dial.

What a player knows (``Knowledge``) decides where it goes; how it plays (``Person``) decides how well it gets there.
It can find out everything that it does not know as people do, by trying.

- *Going.* Towards a target it takes inputs of a shortest way (``atlas.py``), as far as it believes that the ladders on
  it can be climbed. Its view of its position is DELAY inputs old, extrapolated by what it meant to press since: a slip
  is not corrected before it is seen. It stands still now and then, more often the less it knows: choosing among
  unknown things takes time.
- *Semantics.* A player that knows the goal and the key goes there. One that does not tries things, near ones first,
  until one does something; one that half knows is drawn to them now and then. A player that does not know that a thing
  kills walks into it and dies, a few times, until it notices what kills. A misled player goes for what kills, avoids
  everything else, ladders included, and takes longer to notice.
- *Objects.* A player that can't tell objects from what fills the screen also tries meaningless spots.
- *Affordances.* A ladder is part of no way until the player knows, by trying, that it can be climbed.
- *Similarity.* What is learned about one ladder, danger or monster holds for all of them, or for that one alone.
- *Interaction.* A player that does not know how inputs act climbs with the wrong keys and, where the picture is
  rotated, sometimes presses what would be right if it were not.
"""

from dataclasses import astuple, dataclass

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.rules import (
    ALTERNATING,
    DEATH,
    FIELDS,
    HAS_KEY,
    INPUT_COUNT,
    JUMP,
    MONSTER_COUNT,
    MONSTERS,
    NONE,
    SOLVED,
    TURNED,
    WIN,
    put_at_start,
    step,
    turned,
)
from priorlab.envs.players.atlas import ARRIVED, DANGER, LADDER_TO_CLIMB, MONSTER, Atlas
from priorlab.envs.players.mind import (
    AVOIDED,
    CLIMBED,
    DELAY,
    FEARED,
    KNOWS_KEYS,
    RING,
    TRIED,
    Mind,
    believed,
    choose,
    climbable,
    draw,
    evade,
    learn,
    press,
    reopen,
    try_out,
    waiting,
    wake,
    watched,
    way,
)

CHECK = 3  # inputs between two checks for monsters
REST = 1 / 12  # probability per input of starting a rest
CAUTION = 2.5  # how much more often, for each dial that is at 0
RESTED = 75.0  # inputs of a rest, on average, times the person's pace
TRIAL = 60.0  # inputs for which something is tried, times the person's pace
SHOCK = 24.0  # inputs until it continues after a death, times the person's pace
SLIP = 4.0  # inputs of a slip after its first, on average
HELD = 0.6  # share of slips that are a key held too long; otherwise a random key
PATIENCE = 900  # inputs after which it gives up a target that it has not reached
INSIGHT = 1 / 16  # probability, per trial of a ladder, of finding out that it is climbed with left and right
MISTAKE = 0.35  # probability, at a change of input, of pressing as if the picture were not rotated
ADAPTED = 1 / 150  # probability, per mistake, that it was the last


@dataclass(frozen=True)
class Knowledge:
    """Dials: from 0 to 1, the probability of having such knowledge, piece by piece; from -1 to 0, of believing the
    opposite.

    What the goal and the key are is drawn at each choice of a target, everything else once, at the start.
    """

    semantics: float = 1.0  # what the goal is, what the key is for, what kills; below 0 dangers seem treats
    objects: float = 1.0  # what is an object among all that fills the screen
    affordances: float = 1.0  # what can be climbed
    similarity: float = 1.0  # that what looks alike acts alike
    interaction: float = 1.0  # how inputs act


@dataclass(frozen=True)
class Person:
    """How one player differs from others."""

    pace: float = 1.0  # factor on how long it rests and tries things
    slips: float = 0.01  # probability per input of starting a slip


@kernel
def live(atlas: Atlas, mind: Mind, dials, pace, slips, state, inputs):
    """Plays until the win, or for n inputs; how many it took. It won if ``state``, int32 (FIELDS,), is solved.

    dials: float64 (5,), those of ``Knowledge``; inputs: uint8 (n,), filled with what it pressed.
    """
    random, node, since, slipped = mind.random, int(atlas.start), 0, -RING
    wake(atlas, mind, dials)
    hesitation = REST * (1 + CAUTION * (dials.shape[0] - dials.sum()))
    put_at_start(atlas.level, state)
    rest, last, before = waiting(random, SHOCK * pace), NONE, NONE
    target, sought, trial, length, evading, evasion, slipping, slip = -1, 0, 0, 0, 0, NONE, 0, NONE
    for at in range(inputs.shape[0]):
        if node < 0:  # falling out of the frame: a death soon, or, where no rule makes it one, no way back
            if step(atlas.tiles, atlas.level, atlas.monsters, state, NONE) == DEATH:
                put_at_start(atlas.level, state)
                node, since, rest = int(atlas.start), at + 1, DELAY + waiting(random, SHOCK * pace)
            continue
        mind.nodes[at % RING] = node
        seen, row = believed(atlas, mind, since, slipped, at), climbable(atlas, mind)
        alarmed = watched(atlas, mind, state, seen)
        intended = NONE
        if evading:
            intended, evading = evasion, evading - 1
        elif trial:
            intended, trial = try_out(atlas, state, trial, length, mind.facts[KNOWS_KEYS]), trial - 1
            if not trial:
                conclude(atlas, mind, target)
                target = -1
        elif rest and not alarmed:
            rest -= 1
        else:
            rest, sought = 0, sought + 1
            if target >= 0 and sought > PATIENCE:
                mind.open[target], target = TRIED, -1
            if target < 0:
                target, sought = choose(atlas, mind, dials, state, row, seen), 0
            bits = way(atlas, mind, row, target, seen) if target >= 0 else 0
            if bits & ARRIVED and atlas.grounded[seen]:
                trial = length = 1 + waiting(random, TRIAL * pace)
            elif bits & ~ARRIVED:
                intended = press(bits, last, random)
            elif not bits:
                target = -1
            if atlas.grounded[seen] and not alarmed and draw(random) < hesitation:
                rest = waiting(random, RESTED * pace)
        if alarmed and not evading and at % CHECK == 0:
            evasion, evading = evade(atlas, mind, state, row, max(target, 0), seen, intended)
            intended = evasion

        confused = atlas.level[TURNED] and not mind.facts[KNOWS_KEYS] and intended not in (NONE, JUMP, before)
        if confused and draw(random) < MISTAKE:
            slipping, slip = DELAY, turned(intended)
            mind.facts[KNOWS_KEYS] = draw(random) < ADAPTED
        elif not slipping and not rest and draw(random) < slips:
            slipping, slip = 1 + waiting(random, SLIP), last if draw(random) < HELD else int(draw(random) * INPUT_COUNT)
        mind.meant[at % RING] = before = intended
        last = slip if slipping else intended
        if slipping:
            slipping, slipped = slipping - 1, at

        inputs[at] = last
        had_key, alive = state[HAS_KEY], int(state[MONSTERS])
        outcome = step(atlas.tiles, atlas.level, atlas.monsters, state, last)
        if outcome == WIN:
            state[SOLVED] = 1
            return at + 1
        if atlas.climbs[node, last] >= 0:
            learn(mind, atlas, CLIMBED, LADDER_TO_CLIMB, atlas.climbs[node, last])
        if state[HAS_KEY] and not had_key:
            reopen(mind)
            target, trial = -1, 0
        if outcome == DEATH:
            mourn(atlas, mind, node, alive & ~int(state[MONSTERS]))
            put_at_start(atlas.level, state)
            node, since, slipped, last = int(atlas.start), at + 1, -RING, NONE
            rest, target, trial, evading, slipping = DELAY + waiting(random, SHOCK * pace), -1, 0, 0, 0
        else:
            node = int(atlas.leads[node, last])
            if node < 0:
                slipped, last, target, trial, evading, slipping = -RING, NONE, -1, 0, 0, 0
    return inputs.shape[0]


@function
def conclude(atlas: Atlas, mind: Mind, target):
    """Learns from a trial: that this target did nothing, or how a ladder is climbed."""
    kind, number = int(atlas.targets[target, 0]), int(atlas.targets[target, 1])
    mind.open[target] = TRIED
    if kind == LADDER_TO_CLIMB and atlas.level[ALTERNATING] and draw(mind.random) < INSIGHT:
        mind.facts[KNOWS_KEYS] = 1
        learn(mind, atlas, CLIMBED, kind, number)


@function
def mourn(atlas: Atlas, mind: Mind, node, gone):
    """Learns from a death: to fear the monster that it met, a bit of ``gone``, or else the danger nearby."""
    for i in range(atlas.level[MONSTER_COUNT]):
        if gone >> i & 1:
            learn(mind, atlas, FEARED, MONSTER, i)
    if not gone and atlas.near[node, 0] >= 0:
        learn(mind, atlas, AVOIDED, DANGER, atlas.near[node, 0])


def new_mind(atlas: Atlas, seed: int) -> Mind:
    ints = {"random": 1, "nodes": RING, "meant": RING, "open": len(atlas.targets), "known": 3, "alike": 3, "facts": 2}
    mind = Mind(**{name: np.zeros(size, np.int64) for name, size in ints.items()})
    mind.random[0] = np.random.SeedSequence(seed).generate_state(1)[0] | 1  # never 0
    return mind


def inputs_of(atlas: Atlas, knowledge: Knowledge, person: Person, seed: int, limit: int) -> tuple[np.ndarray, bool]:
    """(uint8 (n,) inputs, whether they win): one player's play of at most ``limit`` inputs; same seed, same play."""
    state, inputs = np.zeros(FIELDS, np.int32), np.zeros(limit, np.uint8)
    dials = np.array(astuple(knowledge), np.float64)
    taken = live(atlas, new_mind(atlas, seed), dials, person.pace, person.slips, state, inputs)
    return inputs[:taken], bool(state[SOLVED])
