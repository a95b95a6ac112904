"""What a player believes at one moment, as plain data to draw. Only this file reads its mind, and changes nothing."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from priorlab.agents.priors.deciding import PRESS
from priorlab.agents.priors.facts import WALLS, Cell
from priorlab.agents.priors.player import Player
from priorlab.agents.priors.roles import FREE, GOAL, KEY, MONSTER, ROLES
from priorlab.envs.game.foreseeing import foresee
from priorlab.envs.game.rules import (
    CLOCK,
    HAS_KEY,
    MONSTER_COUNT,
    MONSTER_Y,
    MONSTERS,
    ONGOING,
    PERIOD,
    X,
    Y,
    patrolled,
)

UNKNOWN = 1 / len(ROLES)


@dataclass(frozen=True)
class Moment:
    """Places are in half pixels, as the rules have them; cells are (row, column).

    ``chances``: float64 (R, R, 8), of each role, each cell sums to 1. ``touched``: bool (R, R), cells of which contact
    taught something; ``proved``: bool (R, R), cells that contact showed to be solid, or one thing. ``place``: where it
    takes itself to be, None while it does not know. ``way``: int32 (n, 2), where its plan leads it, input by input, and
    ``reached``, after how many it has what it goes for. ``aim``: what that is, "goal", "key", "" for a look around,
    PRESS for what it learned to press, or None without a plan; ``aim_cell``, and ``sure``, the chance that the thing is
    there.
    """

    chances: np.ndarray
    touched: np.ndarray
    proved: np.ndarray
    place: tuple[int, int] | None
    has_key: bool
    monsters: tuple[tuple[int, int], ...]
    way: np.ndarray
    reached: int
    aim: str | None
    aim_cell: Cell | None
    sure: float

    @property
    def side(self) -> int:
        return len(self.touched)

    @cached_property
    def doubt(self) -> float:
        """The entropy of all cells' roles, in bits."""
        logs = np.log2(self.chances, out=np.zeros_like(self.chances), where=self.chances > 0)
        return max(-float((self.chances * logs).sum()), 0.0)


def moment_of(player: Player) -> Moment:
    """What it believes after its last decision."""
    state = player.state
    aim, cell, sure = aim_of(player)
    ruled_out = player.facts.ruled_out
    apart = np.delete(ruled_out, [KEY, MONSTER], axis=-1)  # these are also ruled out from afar
    possible = np.array(player.facts.possible)
    single = (~ruled_out).sum(-1) == 1
    lost = player.told is None and player.tracker.found is None
    place = None if lost else (int(state[X]), int(state[Y]))
    return Moment(
        chances_of(player, ruled_out), np.asarray(apart.any(-1) & (possible != 1 << MONSTER)),
        (possible & ~WALLS == 0) | single & ruled_out[..., FREE],
        place, bool(state[HAS_KEY]), monsters_of(player, lost), *way_of(player), aim, cell, sure,
    )  # fmt: skip


def monsters_of(player: Player, lost: bool) -> tuple[tuple[int, int], ...]:
    """Where it takes the monsters to be that live; ``lost``: it does not know the time, and takes them as at first."""
    state, world = player.state, player.world
    period, there = int(world.numbers[PERIOD]), range(int(world.numbers[MONSTER_COUNT]))
    return tuple(
        (int(patrolled(world.monsters, i, int(state[CLOCK]), period)), int(world.monsters[i, MONSTER_Y]))
        for i in there
        if lost or int(state[MONSTERS]) >> i & 1
    )


def chances_of(player: Player, ruled_out: np.ndarray) -> np.ndarray:
    """Its belief when it last decided, without what contact has ruled out since; what it takes to be elsewhere, as
    monsters that it knows to move and a key in its hand, is free."""
    belief = player.belief
    chances = np.full((*ruled_out.shape[:2], len(ROLES)), UNKNOWN)
    if belief is not None:
        chances[:] = belief.posterior * (1 - np.minimum(belief.goal + belief.key, 1))[..., None]
        chances[..., GOAL], chances[..., KEY] = belief.goal, belief.key
    chances[ruled_out] = 0
    empty = chances.sum(-1) <= 0
    chances[empty] = ~ruled_out[empty]
    chances /= chances.sum(-1, keepdims=True)
    gone = [MONSTER] * player.facts.monsters_known + [KEY] * bool(player.state[HAS_KEY])
    chances[..., FREE] += chances[..., gone].sum(-1)
    chances[..., gone] = 0
    return chances


def aim_of(player: Player) -> tuple[str | None, Cell | None, float]:
    """(what it goes for, the cell, the chance that it is there)."""
    plan, belief = player.plan, player.belief
    if plan is None or belief is None:
        return None, None, 0.0
    if plan.aim != "goal":
        return PRESS if plan.aim == PRESS else "", None, 0.0
    key, goal = plan.imagined.key, plan.imagined.goal
    if key is not None and not player.state[HAS_KEY]:
        return "key", key, float(belief.key[key])
    return "goal", goal, float(belief.goal[goal])


def way_of(player: Player) -> tuple[np.ndarray, int]:
    """(int32 (n, 2), where the rest of the plan leads on the map that it was made for, from where the player is; after
    how many inputs it takes the key there, or else all of them)."""
    plan, state = player.plan, player.state.copy()
    places, reached, had_key = [(int(state[X]), int(state[Y]))], 0, bool(state[HAS_KEY])
    if plan is not None:
        for action in (*(press.action for press in player.unseen), *plan.inputs[player.at :]):
            outcome = foresee(plan.imagined.bits, plan.numbers, plan.monsters, state, int(action), plan.movement)
            places.append((int(state[X]), int(state[Y])))
            if outcome != ONGOING:
                break
            if state[HAS_KEY] and not had_key and not reached:
                reached = len(places) - 1
    return np.array(places, np.int32), reached or len(places) - 1
