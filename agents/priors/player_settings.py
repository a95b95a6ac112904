"""How a player with priors thinks, what it is given beyond pictures, and a person's limits. Importing this is quick."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

from priorlab.agents.fields import Range, annotations, check_kind, check_range, rules_of

GIVEN = {
    "rules": "the game's rules, exact, and which of the versions' rules hold",
    "patrols": "where monsters that move go, and when",
    "upright": "a rotated picture, rotated back",
    "state": "its exact position, speed and state, instead of what it makes out in pictures",
}
NEEDED = ("rules", "patrols", "upright")  # a player that does without is not built yet


@dataclass(frozen=True)
class PlayerSettings:
    """Raises ValueError, one line, for a value out of range."""

    given: tuple[str, ...] = NEEDED
    """what the player is given beyond pictures, names of GIVEN"""
    maps: Annotated[int, Range(1, 64)] = 6
    """maps drawn from the belief for each decision; the cheapest plan among them is followed"""
    temper: Annotated[float, Range(0.1, 10)] = 1.0
    """temperature of these maps: above 1, unlikely ones are drawn more often"""
    loss: Annotated[float, Range(0)] = 60.0
    """what a death costs, in inputs, beyond the way back"""
    share_alike: Annotated[float, Range(0, 1)] = 0.0
    """how far facts at a cell are trusted for cells of the same pixels, where the perceiver does not do this"""
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
            if name != "given":
                check_kind(name, getattr(self, name), plain)
                for allowed in rules_of(self, name, Range):
                    check_range(name, getattr(self, name), allowed)
        expected = ", ".join(GIVEN)
        if not isinstance(self.given, tuple) or not set(self.given) <= set(GIVEN):
            raise ValueError(f"given is {self.given!r}: expected a tuple of {expected}")
        if missing := [name for name in NEEDED if name not in self.given]:
            raise ValueError(f"given is {self.given!r}, without {missing[0]!r}: expected at least {', '.join(NEEDED)}")

    def config(self) -> dict[str, Any]:
        """Every setting, as plain data."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"given": list(self.given)}
