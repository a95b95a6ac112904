"""Levels: text files that read as a picture, and what the rules and the painter need of them.

A level's text is TOML settings, a line ``---``, then rows of characters, one character per 15x15 pixel tile:
``|`` boundary, ``#`` platform, ``H`` ladder, ``m`` monster, ``~`` where the monster next to it patrols, ``*`` fire,
``^`` spikes, ``S`` start, ``G`` goal, ``k`` key, ``D`` door (the goal where there is a key), space nothing.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from priorlab.envs.base.files import read_text
from priorlab.envs.game.grids import groups
from priorlab.envs.game.rules import DEADLY, LADDER, TILE, WALL
from priorlab.envs.game.versions import games

BITS = {"|": WALL, "#": WALL, "H": LADDER, "*": DEADLY, "^": DEADLY}  # all other characters are empty space
MEANING = {
    "|": "boundary", "#": "platform", "H": "ladder", "m": "monster", "~": "a monster's patrol", "*": "fire",
    "^": "spikes", "S": "start", "G": "goal", "k": "key", "D": "door", " ": "nothing",
}  # fmt: skip
GOAL_SIZE = {"G": (18, 25), "D": (15, 15)}  # in pixels; the princess's is that of the study's game
PERIOD, MOST_STEPS = 60, 60  # of patrols, in steps: there and back again
MAX_MONSTERS = 30  # with a key, one bit each in a state's 32-bit field
MAX_TILES = 64  # keeps the area sums of drawing within 32 bits
LEVELS = Path(__file__).parent / "levels"
SETTINGS = ("name", "game", "start", "goal", "goal_size", "period")


@dataclass(frozen=True)
class Level:
    """A layout: what is where. Positions are centres in pixels from the top left, multiples of one half.

    ``rows`` are strings of equal length, one character per tile of 15 x 15 pixels; ``start`` and ``goal`` are (x, y);
    ``goal_size`` is (width, height) in pixels; ``period`` is the number of steps of every monster's patrol.
    """

    name: str
    game: str
    rows: tuple[str, ...]
    start: tuple[float, float]
    goal: tuple[float, float]
    goal_size: tuple[int, int] = GOAL_SIZE["G"]
    period: int = PERIOD

    @staticmethod
    def read(source: "str | Path | Level") -> "Level":
        """Reads a level by name, from its text or from a file (a Path or a name ending in .txt). A Level is returned.

        Raises ValueError, which names the source, row and column of what is wrong; OSError for a file that can't be
        read.
        """
        if isinstance(source, Level):
            return source
        if isinstance(source, str) and "\n" in source:
            return parse(source, "level text")
        if isinstance(source, Path) or source.endswith(".txt"):
            return parse(read_text(Path(source)), str(source))
        if source not in level_names():
            known = ", ".join(level_names())
            raise ValueError(
                f"unknown level {source!r}: expected one of {known}, a file ending in .txt, or a level's text"
            )
        path = LEVELS / f"{source}.txt"
        return parse(path.read_text(encoding="utf-8"), path.name)

    def text(self) -> str:
        """The level as text, from which ``read`` makes an equal level."""
        settings = [f'name = "{self.name}"', f'game = "{self.game}"']
        for key, value in (("start", self.start), ("goal", self.goal), ("goal_size", self.goal_size)):
            settings.append(f"{key} = [{value[0]:g}, {value[1]:g}]")
        if self.period != PERIOD:
            settings.append(f"period = {self.period}")
        return "\n".join([*settings, "---", *self.rows]) + "\n"

    @property
    def height(self) -> int:
        """Height in tiles."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Width in tiles."""
        return len(self.rows[0])

    @property
    def side(self) -> int:
        """Side of the square native picture, in pixels."""
        return TILE * max(self.width, self.height)

    @cached_property
    def tiles(self) -> np.ndarray:
        """uint8 (height, width): 0 or the bits WALL, LADDER, DEADLY of the rules."""
        return np.array([[BITS.get(c, 0) for c in row] for row in self.rows], np.uint8)

    @cached_property
    def places(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """(row, column) of every tile with each character, row by row."""
        places: dict[str, list[tuple[int, int]]] = {}
        for r, row in enumerate(self.rows):
            for c, here in enumerate(row):
                places.setdefault(here, []).append((r, c))
        return {character: tuple(tiles) for character, tiles in places.items()}

    def tiles_of(self, character: str) -> list[tuple[int, int]]:
        """(row, column) of every tile with that character, row by row."""
        return list(self.places.get(character, ()))

    @cached_property
    def key(self) -> tuple[int, int] | None:
        """(row, column) of the key; None if there is none."""
        return next(iter(self.tiles_of("k")), None)

    @cached_property
    def patrols(self) -> dict[tuple[int, int], tuple[int, int]]:
        """(row, column) of each monster that patrols -> (first, last column) of its patrol."""
        spans = {}
        for r, row in enumerate(self.rows):
            for run in re.finditer("[m~]*~[m~]*", row):
                spans[r, row.index("m", *run.span())] = (run.start(), run.end() - 1)
        return spans

    @cached_property
    def monsters(self) -> np.ndarray:
        """int32 (n, 4): the rules' fields of each monster, row by row, and last of the key, if there is one."""
        fields = []
        for r, c in self.tiles_of("m"):
            first, last = self.patrols.get((r, c), (c, c))
            shift = (c - first) * (self.period // 2) // max(last - first, 1)
            fields.append((30 * first + 15, 30 * r + 15, 30 * (last - first), shift))
        if self.key:
            fields.append((30 * self.key[1] + 15, 30 * self.key[0] + 15, 0, 0))
        return np.array(fields, np.int32).reshape(-1, 4)


def level_names() -> list[str]:
    """The names of the lab's levels, in alphabetical order."""
    return sorted(path.stem for path in LEVELS.glob("*.txt"))


@lru_cache(maxsize=256)  # each play of many has its level's text
def parse(text: str, source: str) -> Level:
    """Reads the level in ``text``; ``source`` names it in errors."""
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
    if game not in games():
        raise ValueError(f"{source}: unknown game {game!r}: expected one of {', '.join(games())}")
    name = settings.get("name", "unnamed")
    if not isinstance(name, str) or not name.isprintable() or set(name) & set('"\\'):
        raise ValueError(f"{source}: name is {name!r}: expected text without quotes, backslashes or line breaks")
    goal = check_key(rows, source)
    check_ladders(rows, source)
    width, height = pair(settings, "goal_size", GOAL_SIZE[goal], source)
    if width != int(width) or height != int(height) or min(width, height) < 1:
        raise ValueError(
            f"{source}: goal_size is [{width:g}, {height:g}]: expected two whole numbers of pixels, 1 or more"
        )
    return Level(
        name=name,
        game=game,
        rows=rows,
        start=pair(settings, "start", centre(rows, "S", "start" in settings, source), source),
        goal=pair(settings, "goal", centre(rows, goal, "goal" in settings, source), source),
        goal_size=(int(width), int(height)),
        period=read_period(settings, source),
    )


def read_rows(lines: list[str], first_line: int, source: str) -> tuple[str, ...]:
    """The rows, padded with spaces to one width; empty lines at the end are ignored."""
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
        for run in re.finditer("[m~]*~[m~]*", line):
            if run.group().count("m") != 1:
                raise ValueError(
                    f"{source}: row {r}, column {run.start()} (line {first_line + r}): {run.group()!r}; "
                    "expected exactly one monster 'm' in each run of patrol '~'"
                )
    if sum(line.count("m") for line in lines) > MAX_MONSTERS:
        raise ValueError(f"{source}: more than {MAX_MONSTERS} monsters; expected at most {MAX_MONSTERS}")
    return tuple(line.ljust(width) for line in lines)


def check_key(rows: tuple[str, ...], source: str) -> str:
    """The goal's character: the door 'D' where there is a key to open it, else 'G'."""
    at = {c: [(r, i) for r, row in enumerate(rows) for i, here in enumerate(row) if here == c] for c in "kDG"}
    goal = "D" if at["k"] else "G"
    other = "G" if at["k"] else "D"
    if at[other]:
        (row, column), why = at[other][0], "where there is a key" if at["k"] else "only with a key 'k'"
        raise ValueError(f"{source}: row {row}, column {column}: {other!r}; expected a door 'D' {why}")
    if len(at["k"]) > 1:
        where = ", ".join(f"row {r}, column {c}" for r, c in at["k"])
        raise ValueError(f"{source}: key 'k' found {where}; expected at most one")
    return goal


def check_ladders(rows: tuple[str, ...], source: str) -> None:
    """Each ladder must touch a platform or the boundary, if only at a corner; otherwise no player can reach it."""
    tiles = np.pad([list(row) for row in rows], 1, constant_values=" ")
    for ladder in groups(tiles == "H"):
        if not any(np.isin(tiles[r - 1 : r + 2, c - 1 : c + 2], ("#", "|")).any() for r, c in ladder):
            row, column = ladder[0] - 1
            raise ValueError(
                f"{source}: row {row}, column {column}: a ladder that leads nowhere; "
                "expected a platform '#' or boundary '|' next to it"
            )


def read_period(settings: dict, source: str) -> int:
    """The period of the patrols, in steps."""
    period = settings.get("period", PERIOD)
    if type(period) is not int or period % 2 or not 2 <= period <= MOST_STEPS:
        raise ValueError(f"{source}: period is {period!r}: expected an even whole number of steps, 2 to {MOST_STEPS}")
    return period


def centre(rows: tuple[str, ...], character: str, optional: bool, source: str) -> tuple[float, float]:
    """The centre of the one tile with that character, in pixels; optional where the settings give it."""
    cells = [(r, c) for r, row in enumerate(rows) for c, here in enumerate(row) if here == character]
    if not cells and optional:
        return (0.0, 0.0)
    if len(cells) != 1:
        where = ", ".join(f"row {r}, column {c}" for r, c in cells) or "nowhere"
        raise ValueError(f"{source}: {MEANING[character]} {character!r} found {where}; expected exactly one")
    row, column = cells[0]
    return (TILE * column + TILE / 2, TILE * row + TILE / 2)


def pair(settings: dict, key: str, default: tuple[float, float], source: str) -> tuple[float, float]:
    """Two numbers of a level's settings, multiples of one half."""
    value = settings.get(key, default)
    if not (isinstance(value, (list, tuple)) and len(value) == 2 and all(type(v) in (int, float) for v in value)):
        raise ValueError(f"{source}: {key} is {value!r}: expected two numbers, [x, y] in pixels")
    if any(2 * v != int(2 * v) or abs(v) > TILE * MAX_TILES for v in value):
        raise ValueError(f"{source}: {key} is {list(value)}: expected multiples of 0.5 within the level")
    return (float(value[0]), float(value[1]))
