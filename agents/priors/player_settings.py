"""How a player with priors thinks, what it is given beyond pictures, and a person's limits. Importing this is quick."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from priorlab.agents.fields import Range, annotations, check_kind, check_range, rules_of

GIVEN = {
    "rules": "the game's rules, exact, and which of the versions' rules hold",
    "contact": "the rules except movement: what contact proves, wins, keys, and which version's rules hold",
    "patrols": "where monsters that move go, and when",
    "upright": "a rotated picture, rotated back",
    "state": "its exact position, speed and state, instead of what it makes out in pictures",
}
PLANNED, LEARNED = "planned", "learned"  # how it acts
NEEDED = ("rules", "patrols", "upright")
WITHOUT_RULES = ("contact", "patrols", "upright")  # how it moves is learned
GONE = {"share_alike": 0.0}  # former settings that no player used; configurations keep them, as older ones hold them


@dataclass(frozen=True)
class PlayerSettings:
    """Raises ValueError, one line, for a value out of range."""

    given: tuple[str, ...] = NEEDED
    """what the player is given beyond pictures, names of GIVEN: the first three, or WITHOUT_RULES, at least"""
    movement: Path | None = None
    """file of how it moves, as `priorlab movement` learns it, for a player that is not given the rules; by default the
    one that comes with the package"""
    acting: Literal["planned", "learned"] | Path = PLANNED
    """how it decides what to press: by planning; or as a network learned to, the one that comes with the package or one
    in a file of `priorlab acting`. Such a player makes no plans, so maps, temper, loss and patience do nothing"""
    maps: Annotated[int, Range(1, 64)] = 6
    """maps drawn from the belief for each decision, at most three where it searches; the best plan is followed"""
    temper: Annotated[float, Range(0.1, 10)] = 1.0
    """temperature of these maps: above 1, unlikely ones are drawn more often"""
    loss: Annotated[float, Range(0)] = 60.0
    """what a death costs, in inputs, beyond the way back"""
    prefer_objects: bool = True
    """whether goal and key are looked for in what looks like them; if not, in any cell with room for them"""
    patience: Annotated[int, Range(1)] = 4
    """plans in a row that taught nothing, after which it wanders"""
    delay: Annotated[int, Range(0, 30)] = 0
    """inputs from seeing to pressing"""
    slips: Annotated[float, Range(0, 1)] = 0.0
    """probability per input of pressing something else for a while"""
    hesitation: Annotated[float, Range(0)] = 0.0
    """mean number of inputs of rest before each new plan"""

    def __post_init__(self) -> None:
        for name, (plain, _) in annotations(PlayerSettings).items():
            if name not in ("given", "acting"):
                check_kind(name, getattr(self, name), plain)
                for allowed in rules_of(self, name, Range):
                    check_range(name, getattr(self, name), allowed)
        expected = ", ".join(GIVEN)
        if not isinstance(self.given, tuple) or not set(self.given) <= set(GIVEN):
            raise ValueError(f"given is {self.given!r}: expected a tuple of {expected}")
        needed = WITHOUT_RULES if "contact" in self.given else NEEDED
        if missing := [name for name in needed if name not in self.given]:
            raise ValueError(f"given is {self.given!r}, without {missing[0]!r}: expected at least {', '.join(needed)}")
        if {"rules", "contact"} <= set(self.given):
            raise ValueError(f"given is {self.given!r}: expected either 'rules' or 'contact', which is a part of them")
        if self.movement is not None and "rules" in self.given:
            raise ValueError(f"movement is {str(self.movement)!r}: expected none for a player that is given the rules")
        if not isinstance(self.acting, Path) and self.acting not in (PLANNED, LEARNED):
            raise ValueError(f"acting is {self.acting!r}: expected {PLANNED!r}, {LEARNED!r} or a Path")
        if self.hesitation and self.acts:
            raise ValueError(f"hesitation is {self.hesitation:g}: expected 0 for a player that makes no plans")

    @property
    def acts(self) -> bool:
        """Whether it acts as a network learned to, in place of planning."""
        return self.acting != PLANNED

    @property
    def network(self) -> Path | None:
        """The file of that network; None: the one that comes with the package."""
        return self.acting if isinstance(self.acting, Path) else None

    def config(self) -> dict[str, Any]:
        """Every setting, as plain data, and GONE; ``movement`` and ``acting`` only where they are not the default, so
        that older configurations stay the same."""
        values = {field.name: getattr(self, field.name) for field in fields(self)} | {"given": list(self.given), **GONE}
        if values.pop("movement") is not None:
            values["movement"] = str(self.movement)
        if values.pop("acting") != PLANNED:
            values["acting"] = str(self.acting)
        return values
