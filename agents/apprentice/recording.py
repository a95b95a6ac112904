"""Lives of the player with priors, recorded for an apprentice: one row each, from which the pictures are drawn again.

Life k follows from the seed and k alone, so lives can be added in any order, by any number of processes.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from priorlab.agents.apprentice.drawing import Drawn, draw
from priorlab.agents.apprentice.settings import ApprenticeSettings
from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.lives import live
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.base.files import to_disk, whole_lines, write_whole
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.rules import DEATHS, SOLVED
from priorlab.envs.game.versions import Rules, find_rules, find_version
from priorlab.envs.plays.play import NUMBER_OF, as_characters, hash_state
from priorlab.envs.plays.play_file import CHARACTERS

TRAINING, HELD_OUT = "training", "held_out"
DIGITS = 16  # hexadecimal, of the hash of the last state


class Recorded(NamedTuple):
    """A life: where it was lived, how it ended, and its raw inputs, of the characters of plays."""

    life: int
    drawn: Drawn
    solved: bool
    deaths: int
    last_state: str
    inputs: str

    def row(self) -> str:
        """As a line of CSV; no value holds a comma."""
        return ",".join(map(str, (self.life, *self.drawn, int(self.solved), *self[3:])))

    @classmethod
    def read(cls, line: str) -> Self:
        """Raises ValueError for a line that ``row`` did not write, and for a life that does not replay as recorded."""
        words = line.split(",")
        if len(words) != len(COLUMNS):
            raise ValueError(f"{len(words)} values: expected {len(COLUMNS)}")
        life, bank, number, look_seed, *dials, solved, deaths, last_state, inputs = words
        drawn = Drawn(bank, int(number), int(look_seed), *map(float, dials))
        recorded = cls(int(life), drawn, solved == "1", int(deaths), last_state, inputs)
        recorded.check()
        return recorded

    @property
    def numbers(self) -> np.ndarray:
        """uint8 (n,): the raw inputs."""
        return NUMBER_OF[np.frombuffer(self.inputs.encode(), np.uint8)]

    def states(self) -> np.ndarray:
        """int32 (n + 1, FIELDS): as ``replayed`` returns them."""
        scenery = self.drawn.scenery()
        return replayed(scenery.level, rules_of(scenery), self.numbers)

    def check(self) -> None:
        """ValueError if it does not replay as it was recorded."""
        if not self.inputs or set(self.inputs) - set(CHARACTERS):
            raise ValueError(f"the inputs are {self.inputs[:20]!r}: expected characters of {CHARACTERS}")
        last = self.states()[-1]
        found = bool(last[SOLVED]), int(last[DEATHS]), hash_state(last)[:DIGITS]
        if found != self[2:5]:
            raise ValueError(f"replayed, the life ends with {found}: expected {tuple(self[2:5])}")


COLUMNS = ("life", *Drawn._fields, *Recorded._fields[2:])


def rules_of(scenery: Scenery) -> Rules:
    return find_rules(find_version(scenery.level.game, scenery.version).rules)


def record(life: int, kind: str, settings: ApprenticeSettings, perceive: Perceive) -> Recorded:
    """Lives a life of that kind, training or held_out."""
    rng = np.random.default_rng([settings.lives_seed, (TRAINING, HELD_OUT).index(kind), life])
    drawn = draw(rng, kind, settings.sizes)
    seed = int(rng.integers(1 << 31))
    lived = live(drawn.scenery(), perceive, PlayerSettings(), seed, settings.life_limit)
    recorded = Recorded(life, drawn, lived.solved, lived.deaths, "", as_characters(lived.inputs))
    return recorded._replace(last_state=hash_state(recorded.states()[-1])[:DIGITS])


class LivesFile:
    """The recorded lives of one kind, a line each, in the order in which they ended."""

    def __init__(self, path: Path):
        """Reads what is there; a line that a killed process did not finish is cut off. ValueError, one line that names
        the file and its line, for anything that is not as it was written."""
        self.path, header = path, ",".join(COLUMNS)
        first, *lines = whole_lines(path).splitlines() or [header]
        if first != header:
            raise ValueError(f"{path}: its first line is {first[:80]!r}: expected {header!r}")
        self.lives: dict[int, Recorded] = {}
        for number, line in enumerate(lines, start=2):
            try:
                recorded = Recorded.read(line)
            except (ValueError, IndexError) as error:
                raise ValueError(f"{path}, line {number}: {' '.join(str(error).split())}") from None
            self.lives[recorded.life] = recorded
        self.text = "".join(f"{line}\n" for line in [header, *lines])

    def missing(self, count: int) -> list[int]:
        """Which of the first ``count`` lives are not recorded."""
        return [life for life in range(count) if life not in self.lives]

    def first(self, count: int) -> list[Recorded]:
        """The first ``count`` lives, in order; KeyError if one is missing."""
        return [self.lives[life] for life in range(count)]

    def append(self, recorded: Iterable[Recorded]) -> None:
        """Adds lives as they come; each is on disk before the next is asked for."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, self.text)
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            for each in recorded:
                line = each.row() + "\n"
                file.write(line)
                to_disk(file)
                self.lives[each.life], self.text = each, self.text + line
