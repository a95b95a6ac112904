"""Looks: text files that define what each thing is drawn as.

A look's text is TOML settings, then grids: a line ``--- name`` and rows of characters, one character per pixel. A
character is a colour of ``[palette]``, or ``.`` where the background shows through. ``[things]`` gives each kind of
thing a colour (``"#rrggbb"``), a grid, a family of textures, or ``"block"``; from a list, the look seed picks one.
``base`` names another look, which provides everything that is not given.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.textures import PATTERNS, Colour, Family

LOOKS = Path(__file__).parent
OBJECTS = ("fire", "monster", "goal", "spikes", "key", "door")
THINGS = ("ground", "platform", "ladder", "boundary", "fire", "monster", "goal", "player", "spikes", "key", "door")
SETTINGS = ("base", "pieces", "own_textures", "things", "palette", "families", "blocks")
BLOCK_PLACES = ("platforms", "everywhere")
CLEAR = "."


@dataclass(frozen=True)
class Blocks:
    """Plain coloured blocks: objects drawn as ``"block"``, and the distractors around them."""

    colours: tuple[Colour, ...]
    place: str  # one of BLOCK_PLACES
    patches: float  # of distractors that hide no object, per 100 tiles of the level


@dataclass(frozen=True)
class Look:
    """What each thing is drawn as. ``grids``: uint8 (height, width, 4), red, green, blue, and 255 where opaque."""

    name: str
    things: dict[str, tuple[str, ...]]
    pieces: bool  # whether free space is cut into pieces that imitate platforms and ladders
    own_textures: bool  # whether each platform, ladder and piece of free space has a unique texture
    families: dict[str, Family]
    blocks: Blocks | None
    grids: dict[str, np.ndarray]

    @property
    def has_drawings(self) -> bool:
        """Whether look seeds give different pictures."""
        drawn = self.blocks is not None or self.pieces or any(len(each) > 1 for each in self.things.values())
        return drawn or any(name in self.families for each in self.things.values() for name in each)

    @staticmethod
    def read(name: str) -> "Look":
        """The look of that name. Raises ValueError, which names the file, row and column of what is wrong."""
        if name not in look_names():
            raise ValueError(f"unknown look {name!r}: expected one of {', '.join(look_names())}")
        return read_file(name)


def look_names() -> list[str]:
    """The names of the lab's looks, in alphabetical order."""
    return sorted(path.stem for path in LOOKS.glob("*.txt"))


@lru_cache
def read_file(name: str) -> Look:
    return parse(LOOKS.joinpath(f"{name}.txt").read_text(encoding="utf-8"), f"{name}.txt")


def parse(text: str, source: str) -> Look:
    """The look in ``text``; ``source`` names its file in errors."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("---")]
    try:
        settings = tomllib.loads("\n".join(lines[: starts[0]] if starts else lines))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source}: settings are not TOML: {error}") from None
    expect_keys(settings, SETTINGS, "setting", source)
    for key in ("things", "palette", "families", "blocks"):
        if not isinstance(settings.get(key, {}), dict):
            raise ValueError(f"{source}: {key} is {settings[key]!r}: expected a table, [{key}]")
    base = Look.read(settings["base"]) if "base" in settings else None
    palette = {key: colour(value, f"palette {key!r}", source) for key, value in settings.get("palette", {}).items()}
    if bad := [key for key in palette if len(key) != 1 or key in CLEAR + " -"]:
        raise ValueError(f"{source}: palette has {bad[0]!r}: expected single characters other than '.', '-' and space")
    grids = dict(base.grids) if base else {}
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        grids[lines[start][3:].strip()] = read_grid(lines[start + 1 : end], start + 2, palette, source)
    families = dict(base.families) if base else {}
    for key, value in settings.get("families", {}).items():
        families[key] = read_family(key, value, source)
    look = Look(
        name=source.removesuffix(".txt"),
        things=(base.things if base else {}) | read_things(settings.get("things", {}), source),
        pieces=flag(settings, "pieces", base.pieces if base else False, source),
        own_textures=flag(settings, "own_textures", base.own_textures if base else False, source),
        families=families,
        blocks=read_blocks(settings["blocks"], source) if "blocks" in settings else base.blocks if base else None,
        grids=grids,
    )
    check(look, source)
    return look


def check(look: Look, source: str) -> None:
    """Checks that every thing is drawn as something that exists and fits."""
    for thing in THINGS:
        if not look.things.get(thing):
            raise ValueError(f"{source}: things has no {thing!r}: expected all of {', '.join(THINGS)}")
        for value in look.things[thing]:
            known = value.startswith("#") or value in look.grids or value in look.families
            if not known and not (value == "block" and look.blocks and thing in OBJECTS):
                names = ", ".join(sorted({*look.grids, *look.families}))
                raise ValueError(f"{source}: {thing} = {value!r}: expected '#rrggbb', 'block' or one of {names}")
            if value in look.grids and thing not in ("goal", "door") and look.grids[value].shape != (TILE, TILE, 4):
                height, width = look.grids[value].shape[:2]
                raise ValueError(
                    f"{source}: grid {value!r} is {width} x {height}: expected {TILE} x {TILE} for {thing}"
                )
    ground = look.things["ground"]
    alike = ground == look.things["platform"] == look.things["ladder"] and len(ground) == 1
    if look.pieces and not (alike and ground[0] in look.families):
        raise ValueError(f"{source}: pieces = true: expected ground, platform and ladder of one family of textures")
    for name, family in look.families.items():
        if look.pieces and min(len(family.patterns), len(family.colours)) < 3:
            raise ValueError(f"{source}: pieces = true: expected 3 or more patterns and colours in family {name!r}")


def read_grid(lines: list[str], first_line: int, palette: dict[str, Colour], source: str) -> np.ndarray:
    """uint8 (height, width, 4); empty lines at the end are ignored."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if not lines:
        raise ValueError(f"{source}: line {first_line}: no rows after '---'; expected a grid")
    width = max(len(lines[0]), 1)
    grid = np.zeros((len(lines), width, 4), np.uint8)
    for r, line in enumerate(lines):
        if len(line) != width:
            raise ValueError(
                f"{source}: row {r}, column {min(len(line), width)} (line {first_line + r}): "
                f"the row has {len(line)} characters; expected {width}, as the grid's first row"
            )
        for c, character in enumerate(line):
            if character == CLEAR:
                continue
            if character not in palette:
                expected = " ".join([CLEAR, *sorted(palette)])
                raise ValueError(
                    f"{source}: row {r}, column {c} (line {first_line + r}): {character!r}; "
                    f"expected one of the palette: {expected}"
                )
            grid[r, c] = (*palette[character], 255)
    return grid


def read_things(things: dict, source: str) -> dict[str, tuple[str, ...]]:
    expect_keys(things, THINGS, "thing", source)
    drawn = {}
    for thing, value in things.items():
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(v, str) for v in values):
            raise ValueError(f"{source}: {thing} is {value!r}: expected a text or a list of texts")
        for v in values:
            if v.startswith("#"):
                colour(v, thing, source)
        drawn[thing] = tuple(values)
    return drawn


def read_family(name: str, table: object, source: str) -> Family:
    if not isinstance(table, dict):
        raise ValueError(f"{source}: family {name!r} is {table!r}: expected a table, [families.{name}]")
    expect_keys(table, ("patterns", "colours", "depth"), f"setting of family {name!r}:", source)
    patterns = table.get("patterns", list(PATTERNS))
    for pattern in patterns:
        if pattern not in PATTERNS:
            raise ValueError(f"{source}: family {name!r} has pattern {pattern!r}: expected {', '.join(PATTERNS)}")
    colours = tuple(colour(value, f"family {name!r}", source) for value in table.get("colours", []))
    if not colours or not patterns:
        raise ValueError(f"{source}: family {name!r} is empty: expected patterns and colours, at least one each")
    return Family(tuple(patterns), colours, number(table, "depth", 0.5, 0, 1, source))


def read_blocks(table: dict, source: str) -> Blocks:
    expect_keys(table, ("colours", "place", "patches"), "setting of blocks:", source)
    place = table.get("place", "platforms")
    if place not in BLOCK_PLACES:
        raise ValueError(f"{source}: blocks place is {place!r}: expected one of {', '.join(BLOCK_PLACES)}")
    colours = tuple(colour(value, "blocks", source) for value in table.get("colours", []))
    if len(set(colours)) < 4:
        raise ValueError(f"{source}: blocks has {len(set(colours))} colours: expected at least 4 different ones")
    return Blocks(colours, place, number(table, "patches", 4.0, 0, 100, source))


def number(table: dict, key: str, default: float, low: float, high: float, source: str) -> float:
    value = table.get(key, default)
    if type(value) not in (int, float) or not low <= value <= high:
        raise ValueError(f"{source}: {key} is {value!r}: expected a number from {low} to {high}")
    return float(value)


def flag(table: dict, key: str, default: bool, source: str) -> bool:
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise ValueError(f"{source}: {key} is {value!r}: expected true or false")
    return value


def colour(value: object, where: str, source: str) -> Colour:
    """(red, green, blue), 0 to 255 each, from '#rrggbb'."""
    if not isinstance(value, str) or not re.fullmatch("#[0-9a-fA-F]{6}", value):
        raise ValueError(f"{source}: {where}: colour {value!r}: expected '#rrggbb'")
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def expect_keys(table: dict, expected: tuple[str, ...], what: str, source: str) -> None:
    for key in table:
        if key not in expected:
            raise ValueError(f"{source}: unknown {what} {key!r}: expected {', '.join(expected)}")
