"""Levels: text files readable as a picture, and what the rules and the painter need of them.

A level's text is TOML settings, a line ``---``, then rows of characters, one character a 15x15 pixel tile:
``|`` boundary, ``#`` platform, ``H`` ladder, ``m`` monster, ``*`` fire, ``S`` start, ``G`` goal, space nothing.
"""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from envs.rules import FIRE, LADDER, TILE, WALL

BITS = {"|": WALL, "#": WALL, "H": LADDER, "*": FIRE}  # every other character stands in empty space
MEANING = {
    "|": "boundary", "#": "platform", "H": "ladder", "m": "monster", "*": "fire",
    "S": "start", "G": "goal", " ": "nothing",
}  # fmt: skip
GAMES = ("princess",)
GOAL_SIZE = (18, 25)  # the princess of the study's game, in pixels
MAX_MONSTERS = 31  # one bit each in a state's 32-bit field
MAX_TILES = 64  # keeps the area sums of drawing within 32 bits
LEVELS = Path(__file__).parent / "levels"
SETTINGS = ("name", "game", "start", "goal", "goal_size")


@dataclass(frozen=True)
class Level:
    """What stands where. Positions are centres in pixels, from the top left, multiples of one half.

    ``rows`` are strings of equal length; ``start`` and ``goal`` are (x, y); ``goal_size`` is (width, height).
    """

    name: str
    game: str
    rows: tuple[str, ...]
    start: tuple[float, float]
    goal: tuple[float, float]
    goal_size: tuple[int, int] = GOAL_SIZE

    @staticmethod
    def read(source: "str | Path | Level") -> "Level":
        """The level of that name, in that text, in that file (a Path, or a name ending in .txt), or the one given.

        Raises ValueError naming the source, the row and the column of what is wrong.
        """
        if isinstance(source, Level):
            return source
        if isinstance(source, str) and "\n" in source:
            return parse(source, "level text")
        if isinstance(source, Path) or source.endswith(".txt"):
            return parse(Path(source).read_text(encoding="utf-8"), str(source))
        if source not in level_names():
            known = ", ".join(level_names())
            raise ValueError(
                f"unknown level {source!r}: expected one of {known}, a file ending in .txt, or a level's text"
            )
        path = LEVELS / f"{source}.txt"
        return parse(path.read_text(encoding="utf-8"), path.name)

    def text(self) -> str:
        """The level as text that ``read`` takes back to an equal level."""
        settings = [f'name = "{self.name}"', f'game = "{self.game}"']
        for key, value in (("start", self.start), ("goal", self.goal), ("goal_size", self.goal_size)):
            settings.append(f"{key} = [{value[0]:g}, {value[1]:g}]")
        return "\n".join([*settings, "---", *self.rows]) + "\n"

    @property
    def height(self) -> int:
        """In tiles."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """In tiles."""
        return len(self.rows[0])

    @property
    def side(self) -> int:
        """Of the square native picture, in pixels."""
        return TILE * max(self.width, self.height)

    @cached_property
    def tiles(self) -> np.ndarray:
        """uint8 (height, width): 0 or the bits WALL, LADDER, FIRE of the rules."""
        return np.array([[BITS.get(c, 0) for c in row] for row in self.rows], np.uint8)

    def places(self, character: str) -> list[tuple[int, int]]:
        """(row, column) of every tile drawn with that character, row by row."""
        return [(r, c) for r, row in enumerate(self.rows) for c, found in enumerate(row) if found == character]

    @cached_property
    def monsters(self) -> np.ndarray:
        """int32 (n, 2): centres (x, y) in half pixels, row by row."""
        return np.array([(30 * c + 15, 30 * r + 15) for r, c in self.places("m")], np.int32).reshape(-1, 2)


def level_names() -> list[str]:
    return sorted(path.stem for path in LEVELS.glob("*.txt"))


def parse(text: str, source: str) -> Level:
    """The level written in ``text``; ``source`` names it in errors."""
    lines = text.splitlines()
    if "---" not in (line.strip() for line in lines):
        raise ValueError(
            f"{source}: no line '---' found; expected TOML settings, a line '---', then rows of characters"
        )
    split = [line.strip() for line in lines].index("---")
    try:
        settings = tomllib.loads("\n".join(lines[:split]))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source}: settings above '---' are not TOML: {error}") from None
    for key in settings:
        if key not in SETTINGS:
            raise ValueError(f"{source}: unknown setting {key!r}: expected {', '.join(SETTINGS)}")
    rows = read_rows(lines[split + 1 :], split + 2, source)
    game = settings.get("game", "princess")
    if game not in GAMES:
        raise ValueError(f"{source}: unknown game {game!r}: expected one of {', '.join(GAMES)}")
    name = settings.get("name", "unnamed")
    if not isinstance(name, str) or not name.isprintable() or set(name) & set('"\\'):
        raise ValueError(f"{source}: name is {name!r}: expected text without quotes, backslashes or line breaks")
    width, height = pair(settings, "goal_size", GOAL_SIZE, source)
    if width != int(width) or height != int(height) or min(width, height) < 1:
        raise ValueError(
            f"{source}: goal_size is [{width:g}, {height:g}]: expected two whole numbers of pixels, 1 or more"
        )
    return Level(
        name=name,
        game=game,
        rows=rows,
        start=pair(settings, "start", centre(rows, "S", "start" in settings, source), source),
        goal=pair(settings, "goal", centre(rows, "G", "goal" in settings, source), source),
        goal_size=(int(width), int(height)),
    )


def read_rows(lines: list[str], first_line: int, source: str) -> tuple[str, ...]:
    """The rows, padded with spaces to one width; empty lines after the last are no rows."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if not lines:
        raise ValueError(f"{source}: no rows after '---'; expected at least one")
    width = max(len(line) for line in lines)
    if max(width, len(lines)) > MAX_TILES:
        raise ValueError(f"{source}: {width} x {len(lines)} tiles; expected at most {MAX_TILES} x {MAX_TILES}")
    expected = ", ".join(f"{character!r} {meaning}" for character, meaning in MEANING.items())
    for r, line in enumerate(lines):
        for c, character in enumerate(line):
            if character not in MEANING:
                raise ValueError(
                    f"{source}: row {r}, column {c} (line {first_line + r}): {character!r}; expected {expected}"
                )
    if sum(line.count("m") for line in lines) > MAX_MONSTERS:
        raise ValueError(f"{source}: more than {MAX_MONSTERS} monsters; expected at most {MAX_MONSTERS}")
    return tuple(line.ljust(width) for line in lines)


def centre(rows: tuple[str, ...], character: str, optional: bool, source: str) -> tuple[float, float]:
    """Of the one tile with that character, in pixels; where the settings say it, no tile need have it."""
    found = [(r, c) for r, row in enumerate(rows) for c, here in enumerate(row) if here == character]
    if not found and optional:
        return (0.0, 0.0)
    if len(found) != 1:
        where = ", ".join(f"row {r}, column {c}" for r, c in found) or "nowhere"
        raise ValueError(f"{source}: {MEANING[character]} {character!r} found {where}; expected exactly one")
    row, column = found[0]
    return (TILE * column + TILE / 2, TILE * row + TILE / 2)


def pair(settings: dict, key: str, default: tuple[float, float], source: str) -> tuple[float, float]:
    """Two numbers, multiples of one half, of a level's settings."""
    value = settings.get(key, default)
    if not (isinstance(value, (list, tuple)) and len(value) == 2 and all(type(v) in (int, float) for v in value)):
        raise ValueError(f"{source}: {key} is {value!r}: expected two numbers, [x, y] in pixels")
    if any(2 * v != int(2 * v) or abs(v) > TILE * MAX_TILES for v in value):
        raise ValueError(f"{source}: {key} is {list(value)}: expected multiples of 0.5 within the level")
    return (float(value[0]), float(value[1]))
