"""What happens in a life, in words that a lecture hall can read in a second."""

from typing import Literal, NamedTuple

import numpy as np

from priorlab.agents.priors.deciding import Plan
from priorlab.agents.priors.monsters import monster_near
from priorlab.agents.priors.player import Player
from priorlab.envs.game.rules import HAS_KEY, JUMPING, MONSTERS, ON_LADDER, X, Y

Kind = Literal["found", "death", "surprise", "thought", "key", "win"]


class Happening(NamedTuple):
    """``place``: (x, y) in half pixels of the upright picture, where it happened; ``believed``: where
    the player takes itself to be."""

    kind: Kind
    headline: str
    detail: str
    place: tuple[int, int]
    believed: tuple[int, int] | None = None


def win(place: tuple[int, int]) -> Happening:
    return Happening("win", "It has won", "", place)


def found(place: tuple[int, int]) -> Happening:
    return Happening("found", "It has found itself", "that is what moves as it presses", place)


def key_taken(place: tuple[int, int]) -> Happening:
    return Happening("key", "It has the key", "now for the door", place)


def death(player: Player, place: tuple[int, int]) -> Happening:
    monster = monster_near(player.world, player.state)
    return Happening("death", "It died", "perhaps of a monster" if monster else "something here is deadly", place)


def contradicted(place: tuple[int, int]) -> Happening:
    return Happening("thought", "It changes its mind", "what it touched does not fit its plan", place)


def surprise(foreseen: np.ndarray, state: np.ndarray, plan: Plan | None, place: tuple[int, int]) -> Happening:
    """What differs between the state that the plan foresaw and the true one, both int32 (FIELDS,)."""
    return Happening("surprise", "Surprise", reason(foreseen, state, plan), place)


def reason(foreseen: np.ndarray, state: np.ndarray, plan: Plan | None) -> str:
    if foreseen[X] < 0:
        return "nothing happened where it expected to win" if plan and plan.aim == "goal" else "it is still alive"
    if foreseen[HAS_KEY] and not state[HAS_KEY]:
        return "there is no key"
    if foreseen[MONSTERS] != state[MONSTERS]:
        return "a monster was not where it expected it"
    if foreseen[X] != state[X]:
        return "something blocks the way" if foreseen[Y] == state[Y] else "it is not where it expected to be"
    if foreseen[ON_LADDER] and not state[ON_LADDER]:
        return "there is nothing to climb"
    if state[ON_LADDER] and not foreseen[ON_LADDER]:
        return "this can be climbed"
    if foreseen[Y] < state[Y]:
        return "there is nothing to stand on" if not foreseen[JUMPING] else "something is overhead"
    if foreseen[Y] > state[Y]:
        return "something holds it up"
    return "it lands where it expected to fall" if foreseen[JUMPING] else "there is nothing to stand on"


def plural(number: int, name: str) -> str:
    return f"{number:,} {name}" + ("" if number == 1 else "s")
