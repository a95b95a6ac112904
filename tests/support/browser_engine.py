"""The engine for browsers without a browser: in wasmtime, as ``envs/browser/engine.js`` runs it."""

import ctypes
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import wasmtime

from priorlab.envs.browser import engine, game_file
from priorlab.envs.browser.exported import DIED, EXPORTED, WON
from priorlab.envs.browser.game_files import CHANNELS, MEMORY, OPAQUE, SIDE
from priorlab.envs.game.rules import FIELDS, INPUT_COUNT
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Course

PAGE = STACK = 65536
SMALL = 16  # pixels of a picture that is not looked at
HELD_LONGER = 0.7  # how often a random input is the one before it, as of a player who holds a key


@cache
def module() -> tuple[wasmtime.Engine, wasmtime.Module]:
    """(what compiled it, the module), once."""
    machine = wasmtime.Engine()
    return machine, wasmtime.Module(machine, engine())


class Instance:
    """The engine with a memory that has room for so many bytes, which begin at STACK."""

    def __init__(self, size: int):
        machine, compiled = module()
        self.store = wasmtime.Store(machine)
        pages = 1 - (-size // PAGE)
        self.memory = wasmtime.Memory(self.store, wasmtime.MemoryType(wasmtime.Limits(pages, None)))
        changes = wasmtime.GlobalType(wasmtime.ValType.i32(), True)
        stack = wasmtime.Global(self.store, changes, wasmtime.Val.i32(STACK))
        given: dict[str, Any] = {"__linear_memory": self.memory, "__stack_pointer": stack}
        imports = [given[each.name or ""] for each in compiled.imports]
        exports = wasmtime.Instance(self.store, compiled, imports).exports(self.store)
        self.functions: dict[str, Any] = {each.__name__: exports[each.__name__] for each in EXPORTED}
        start = ctypes.addressof(self.memory.data_ptr(self.store).contents)
        self.bytes = np.ctypeslib.as_array((ctypes.c_ubyte * (pages * PAGE)).from_address(start))

    def call(self, name: str, *arguments: int) -> int:
        return self.functions[name](self.store, STACK, *arguments)


class WasmGame:
    """A game file at the start of a play."""

    def __init__(self, file: bytes):
        head = np.frombuffer(file, "<i4", SIDE + 1)
        self.side = int(head[SIDE])
        self.instance = Instance(int(head[MEMORY]))
        self.instance.bytes[STACK : STACK + len(file)] = np.frombuffer(file, np.uint8)
        self.begin()
        at = self.instance.call("state")
        self.state = self.instance.bytes[at : at + 4 * FIELDS].view("<i4")  # after the last input

    def begin(self) -> None:
        self.instance.call("begin")

    def step(self, action: int) -> tuple[bool, bool]:
        """(won, died)"""
        ended = self.instance.call("step", action)
        return bool(ended & WON), bool(ended & DIED)

    def picture(self) -> np.ndarray:
        """uint8 (side, side, CHANNELS)"""
        at = self.instance.call("draw")
        pixels = self.instance.bytes[at : at + self.side * self.side * CHANNELS]
        return pixels.reshape(self.side, self.side, CHANNELS)


class WasmKeys:
    """The key rule, as ``human_study/protocol/keys.py`` has it."""

    def __init__(self):
        self.instance = Instance(PAGE)

    def press(self, key: int, action: int) -> None:
        self.instance.call("press", key, action)

    def release(self, key: int) -> None:
        self.instance.call("release", key)

    def release_all(self) -> None:
        self.instance.call("release_all")

    @property
    def held(self) -> bool:
        return self.instance.call("held") > 0

    def take(self) -> int:
        return self.instance.call("take")


class Compared(NamedTuple):
    """How many steps and pictures were compared with Python's, and how many of them differ."""

    steps: int
    pictures: int
    other_steps: int
    other_pictures: int


def random_inputs(count: int, seed: int) -> np.ndarray:
    """int64 (count,): random inputs, most of them held for some steps."""
    generator = np.random.default_rng(seed)
    fresh = generator.random(count) >= HELD_LONGER
    fresh[:1] = True
    drawn = generator.integers(0, INPUT_COUNT, count)
    return drawn[np.maximum.accumulate(np.where(fresh, np.arange(count), 0))]


def begin_again(course: Course) -> None:
    """As if it was opened, which takes longer."""
    course.games.reset(0)
    course.state[:] = course.games.state[0]


def compared(game: ChosenGame, inputs: np.ndarray, picture_every: int, as_shown: bool = False) -> Compared:
    """Plays in both; a play that is won begins again.

    ``as_shown``: compare with the pictures that the window shows; else with those of the same states, drawn whole,
    which takes less time before the first step.
    """
    version, level, look_seed = game.drawn_level()
    course = Course(version, level, look_seed, size=None if as_shown else SMALL)
    wasm = WasmGame(game_file(game))
    pictures = other_steps = other_pictures = 0
    for number, action in enumerate(inputs.tolist()):
        if number % picture_every == 0:
            expected = course.picture if as_shown else course.games.native_frame()
            picture = wasm.picture()
            pictures += 1
            other_pictures += not (np.array_equal(picture[..., :3], expected) and (picture[..., 3] == OPAQUE).all())
        died = course.step(action)
        other_steps += wasm.step(action) != (course.solved, died) or not np.array_equal(wasm.state, course.state)
        if course.solved:
            begin_again(course)
            wasm.begin()
    return Compared(len(inputs), pictures, other_steps, other_pictures)
