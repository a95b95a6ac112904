"""The lab's colours as the watcher uses them, and letters."""

import tomllib
from functools import cache
from pathlib import Path

import pygame

from priorlab.agents.priors.roles import ROLES
from priorlab.human_study.protocol.plates import default_font

Colour = tuple[int, int, int]
SMALLEST = 8  # px of letters
TOML = Path(__file__).parents[1] / "report" / "templates" / "colours.toml"
NAMES: dict[str, list[str]] = tomllib.loads(TOML.read_text(encoding="utf-8"))


def rgb(name: str, dark: bool = False) -> Colour:
    """A colour of the lab, on light or on dark."""
    text = NAMES[name][dark].lstrip("#")
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """``share`` of the second colour in the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second))
    return red, green, blue


PAGE, SURFACE, INK, SOFT, LINE = (rgb(name) for name in ("page", "surface", "ink", "soft", "line"))
WHITE: Colour = (255, 255, 255)
ME, ALARM, GOOD = rgb("ppo"), rgb("person"), rgb("simulated")
GLOW, GOLD = rgb("key", dark=True), rgb("key")
ROLE_INKS: dict[str, Colour] = {  # they differ in lightness, too, for who does not see red or green
    "free": SURFACE, "boundary": SOFT, "platform": rgb("soft", dark=True), "ladder": rgb("fifth"), "deadly": ALARM,
    "monster": rgb("sixth"), "goal": mixed(GOOD, INK, 0.25), "key": GLOW,
}  # fmt: skip
assert list(ROLE_INKS) == list(ROLES)


@cache
def font(size: int, bold: bool = False) -> pygame.font.Font:
    pygame.font.init()
    return pygame.font.Font(str(default_font(bold)), size)


def words(text: str, size: float, colour: Colour = INK, bold: bool = False) -> pygame.Surface:
    """A line of text; ``size`` in px."""
    return font(max(round(size), SMALLEST), bold).render(text, True, colour)


def fitted(text: str, size: float, width: int, colour: Colour = SOFT, bold: bool = False) -> pygame.Surface:
    """A line no wider than that: in smaller letters if it must be, and cut short where these would be too small."""
    line = words(text, size, colour, bold)
    if line.get_width() > width:
        size = max(size * width / line.get_width(), SMALLEST)
        line = words(text, size, colour, bold)
    while line.get_width() > width and size > SMALLEST:  # letters come in whole px
        size -= 1
        line = words(text, size, colour, bold)
    while line.get_width() > width and len(text) > 1:
        text = text[:-2].rstrip() + "…"
        line = words(text, size, colour, bold)
    return line
