"""The players of the experiment, in words."""

from collections.abc import Iterable
from typing import NamedTuple

from priorlab.envs.looks.dials import DIALS

RULES = "rules, patrols, upright"
FULL, TOLD, MATRIX_FULL, RANDOM = "full", "told", "matrix-full", "random"
LIMITS, CONTACT, AIMLESS, ACTING = "full-limits", "full-contact", "full-no-objects", "full-acting"
WITHOUT = {f"without-{dial}": dial for dial in DIALS}  # players of the matrix, and the dial that was 0


class Member(NamedTuple):
    """``given``: what the player gets beyond pictures; ``about``: what it is."""

    given: str
    about: str


CAST = {
    FULL: Member(RULES, "learned what things look like from random worlds, whose four dials are drawn anew each time"),
    TOLD: Member(f"roles, {RULES}", "hand-designed: told the role of every tile; its seed seeds only what it draws"),
    "meaningless": Member(RULES, "raised in worlds without meaning: all four dials at 0"),
    "untrained": Member(RULES, "sees cells through features that stay as they were drawn at first"),
    RANDOM: Member("nothing", "presses a random input each step and sees nothing"),
    **{name: Member(RULES, f"raised with the dial of {dial} at 0") for name, dial in WITHOUT.items()},
    MATRIX_FULL: Member(RULES, "as full, raised on as many pictures as the four without a prior"),
    "no-look-alikes": Member(RULES, "cells do not exchange what they know with cells that look alike"),
    "no-appearance": Member(RULES, "sees only which cells have the same pixels"),
    "no-evidence": Member(RULES, "what contact shows at one cell says nothing about others"),
    "no-objects": Member(RULES, "does not prefer things as aims: goal and key may be anywhere"),
    LIMITS: Member(RULES, "as full, with a person's delay, slips and hesitation"),
    CONTACT: Member("contact, patrols, upright", "as full, but how it moves is learned, too"),
    ACTING: Member("contact, patrols, upright", "as full-contact, but acts as it learned to, and does not plan"),
    AIMLESS: Member(RULES, "as full, but does not prefer things as aims: goal and key may be anywhere"),
}
CONTROLS = (TOLD, "meaningless", "untrained", RANDOM)
ABLATIONS = ("no-look-alikes", "no-appearance", "no-evidence", "no-objects")


def given_to(player: str) -> str:
    """What the player gets beyond pictures."""
    return CAST[player].given if player in CAST else "unknown"


def named(player: str) -> str:
    """The player, and what it is given, as it stands in tables."""
    return f"{player} ({given_to(player)})"


def givens(players: Iterable[str]) -> str:
    """What these players get beyond pictures, for a table whose header has no room: such as "All are given rules"."""
    of_given: dict[str, list[str]] = {}
    for player in players:
        of_given.setdefault(given_to(player), []).append(player)
    if len(of_given) == 1:
        return f"All are given {next(iter(of_given))}"
    return "; ".join(f"{', '.join(own)}: given {given}" for given, own in of_given.items())


def in_order(players: set[str]) -> list[str]:
    """Those of the cast first, in its order."""
    return [name for name in CAST if name in players] + sorted(players - CAST.keys())
