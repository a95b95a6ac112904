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
    headline, expected = contrast(foreseen, state, plan)
    return Happening("surprise", headline, f"surprise: it expected {expected}", place)


def contrast(foreseen: np.ndarray, state: np.ndarray, plan: Plan | None) -> tuple[str, str]:
    """(what is, in some 20 letters, so that it stays large; what the player expected instead)."""
    if foreseen[X] < 0:
        wins = plan is not None and plan.aim == "goal"
        return ("This is not the goal", "to win here") if wins else ("It is still alive", "to die")
    if foreseen[HAS_KEY] and not state[HAS_KEY]:
        return "There is no key", "to take a key"
    if foreseen[MONSTERS] != state[MONSTERS]:
        lives = int(state[MONSTERS]) & ~int(foreseen[MONSTERS])
        return ("A monster still lives", "to beat it") if lives else ("It beat a monster", "none here")
    if foreseen[X] != state[X]:
        blocked = foreseen[Y] == state[Y]
        return ("Something blocks it", "to pass") if blocked else ("It ends up elsewhere", "to move another way")
    if foreseen[ON_LADDER] and not state[ON_LADDER]:
        return "Nothing to climb", "a ladder"
    if state[ON_LADDER] and not foreseen[ON_LADDER]:
        return "This can be climbed", "no ladder"
    if foreseen[Y] < state[Y]:
        return ("Something is overhead", "to rise") if foreseen[JUMPING] else ("Nothing to stand on", "a floor")
    if foreseen[Y] > state[Y]:
        return "Something holds it up", "to come down"
    return ("It lands", "to stay in the air") if foreseen[JUMPING] else ("Nothing to stand on", "a floor")


def plural(number: int, name: str) -> str:
    return f"{number:,} {name}" + ("" if number == 1 else "s")
