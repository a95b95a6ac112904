"""Banks: thousands of solved random levels in one small file, to play without waiting for the generator.

A bank is a numpy archive: ``cells`` uint8 (n, side, side), characters of level.py, 0 outside; ``periods`` uint8 (n,);
``lengths`` int32 (n,) of the solutions, and ``inputs`` uint8, all of them one after another; ``name``, the prefix of
the levels' names; ``checksum``, SHA-256 of all this. Banks of levels other than princess with goals of one tile
also have ``games`` str (n,) and ``goals`` uint8 (n, 2), width and height in pixels.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from priorlab.envs.base.files import writing_new
from priorlab.envs.game.level import GOAL_SIZE, LEVELS, Level
from priorlab.envs.looks.dials import SPLITS
from priorlab.envs.random_games.generate import check_size, generate
from priorlab.envs.random_games.layouts import GAME, Solved, level_from

SIDE = 16  # tiles per side of ``cells``; more where a level is larger
PARTS = ("cells", "periods", "lengths", "inputs", "name")
FURTHER = ("games", "goals")
BANKS = (*SPLITS, *(f"large_{split}" for split in SPLITS))


class Bank:
    """Random levels, each with inputs that win it: ``bank[k]`` is a ``Solved``, ``bank.levels(n)`` are the first n.

    ``Bank.read`` reads one, ``len(bank)`` is how many levels it holds, ``upper_bounds`` how long the solutions are.
    """

    def __init__(self, parts: dict[str, np.ndarray]):
        self.parts = parts
        self.ends = np.cumsum(parts["lengths"])

    @property
    def upper_bounds(self) -> np.ndarray:
        """int32 (n,): a number of inputs with which each level can be won; in small levels the smallest."""
        return self.parts["lengths"]

    @staticmethod
    def of(solved: Sequence[Solved], name: str) -> "Bank":
        side = max(SIDE, *(max(level.height, level.width) for level, _ in solved))
        cells = np.zeros((len(solved), side, side), np.uint8)
        for kept, (level, _) in zip(cells, solved):
            kept[: level.height, : level.width] = [[ord(character) for character in row] for row in level.rows]
        parts = {
            "cells": cells,
            "periods": np.array([level.period for level, _ in solved], np.uint8),
            "lengths": np.array([len(solution) for _, solution in solved], np.int32),
            "inputs": np.concatenate([solution for _, solution in solved]).astype(np.uint8),
            "name": np.array(name),
        }
        if any(level.game != GAME or level.goal_size != GOAL_SIZE["D"] for level, _ in solved):
            parts["games"] = np.array([level.game for level, _ in solved])
            parts["goals"] = np.array([level.goal_size for level, _ in solved], np.uint8)
        return Bank(parts)

    @staticmethod
    def read(source: str | Path, size: str = "small") -> "Bank":
        """The lab's bank of that split (training, held_out) and size (small, large), or the one in that file.

        ``large_training`` and ``large_held_out`` name the large ones, too. Raises ValueError for anything else, and for
        a damaged bank.
        """
        check_size(size)
        name = f"large_{source}" if size == "large" and str(source) in SPLITS else str(source)
        path = LEVELS / f"{name}.npz" if name in BANKS else Path(source)
        if not path.exists():
            raise ValueError(f"no bank {str(source)!r}: expected {', '.join(BANKS)} or the file of a bank")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                further = FURTHER if FURTHER[0] in archive else ()
                parts = {name: archive[name] for name in (*PARTS, *further, "checksum")}
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{path}: damaged, or not a bank ({' '.join(str(error).split())})") from None
        if str(parts.pop("checksum")) != checksum(parts):
            raise ValueError(f"{path}: damaged: the checksum of its levels does not match")
        return Bank(parts)

    def write(self, path: Path) -> None:
        """Writes a new file; FileExistsError if it exists."""
        with writing_new(path) as file:
            # Any: by its type, an array could be meant for another parameter
            stored: dict[str, Any] = {"checksum": np.array(checksum(self.parts)), **self.parts}
            np.savez_compressed(file, **stored)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> Solved:
        """Level ``number`` and its solution; IndexError after the last."""
        if not 0 <= number < len(self):
            raise IndexError(f"level {number} of a bank of {len(self)}")
        cells, end = self.parts["cells"][number], int(self.ends[number])
        rows = tuple("".join(map(chr, row[row > 0])) for row in cells if row[0])
        name, period = f"{self.parts['name']}_{number}", int(self.parts["periods"][number])
        level = level_from(rows, name, period, *self._played(number))
        return Solved(level, self.parts["inputs"][end - int(self.parts["lengths"][number]) : end])

    def _played(self, number: int) -> tuple[str, tuple[int, int]]:
        """(the game, the goal's width and height) of that level."""
        if "games" not in self.parts:
            return GAME, GOAL_SIZE["D"]
        width, height = self.parts["goals"][number].tolist()
        return str(self.parts["games"][number]), (width, height)

    def levels(self, count: int) -> list[Level]:
        """The first ``count`` levels. ValueError for more than there are."""
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or not 1 <= count <= len(self):
            raise ValueError(
                f"levels is {count!r}: expected a whole number from 1 to {len(self)}, the size of the bank"
            )
        return [self[k].level for k in range(count)]


def checksum(parts: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in [each for each in (*PARTS, *FURTHER) if each in parts]:
        digest.update(f"{name} {parts[name].dtype.str} {parts[name].shape}\n".encode())
        digest.update(parts[name].tobytes())
    return digest.hexdigest()


def generated(count: int, seed: int, split: str, threads: int, size: str = "small") -> Iterator[Solved]:
    """Levels 0 to ``count`` - 1 in order, all different; the same on any number of threads."""
    seen: set[tuple[str, ...]] = set()
    pool = ThreadPoolExecutor(threads)
    try:
        for number, solved in enumerate(pool.map(lambda number: generate(number, seed, split, 0, size), range(count))):
            again = 0
            while solved.level.rows in seen:
                again += 1
                solved = generate(number, seed, split, again, size)
            seen.add(solved.level.rows)
            yield solved
    finally:
        pool.shutdown(cancel_futures=True)  # stopped early, it does not wait for the rest
