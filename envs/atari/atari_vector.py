"""Atari games with masked looks as a gymnasium VectorEnv, on any number of processes.

ale_py holds the interpreter's lock while it steps a game, so all lanes beyond the first part run in separate processes,
which take calls through a pipe.
"""

import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any, Unpack

import numpy as np
from gymnasium.vector import AutoresetMode

from priorlab import ROOT
from priorlab.envs.atari.atari_settings import AleSettings, with_ale_names
from priorlab.envs.atari.games import FPS, Atari, Outcome
from priorlab.envs.base.alone import in_turn
from priorlab.envs.base.settings import check_whole
from priorlab.envs.engine.checks import checked_actions
from priorlab.envs.engine.infos import endings, masked
from priorlab.envs.interfaces.batch import BATCH_DEFAULTS, BatchSettings, GymBatch, VectorEnv
from priorlab.envs.interfaces.limits import inputs_of


class AtariVectorSettings(AleSettings, BatchSettings, total=False):
    """All settings of ``AtariVectorEnv``."""


class AtariVectorEnv(GymBatch, VectorEnv):
    """N Atari games as one gymnasium environment, stepped by ``num_threads`` processes.

    ``num_envs`` is N, ``game`` ale_py's name of the game; the other settings are those of ``AtariSettings``, or
    ale_py's names for them, and of ``BatchSettings``. Raises ValueError, one line, for an invalid value, and TypeError
    for a setting that does not exist.

    Observations are uint8 (N, screen_size, screen_size, stack_size * C), rewards float64 (N,), the games' points. Game
    i equals the single environment seeded with seed + i, on any number of processes. Infos, ``autoreset_mode`` and
    ``copy`` are as in ``PriorLabVectorEnv``.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FPS, "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        game: str = "montezuma_revenge",
        *,
        num_threads: int = 1,
        **settings: Unpack[AtariVectorSettings],
    ):
        check_whole("num_envs", num_envs, 1)
        check_whole("num_threads", num_threads, 1)
        self._take(BATCH_DEFAULTS | {name: value for name, value in settings.items() if name in BATCH_DEFAULTS})
        others = {name: value for name, value in settings.items() if name not in BATCH_DEFAULTS}
        chosen = with_ale_names(others, ("num_envs", "game", "num_threads", *BATCH_DEFAULTS))
        limit, noop_max = chosen["max_inputs"], chosen["noop_max"]
        chosen["max_inputs"] = inputs_of(settings.get("max_episode_steps"), chosen["frame_skip"], noop_max, limit)
        chosen |= {"game": game, "autoreset": self.autoreset_mode == AutoresetMode.SAME_STEP}
        self._edges = np.linspace(0, num_envs, min(num_threads, num_envs) + 1).astype(int).tolist()
        first, *others = [{"num_games": b - a, "first_lane": a, **chosen} for a, b in pairwise(self._edges)]
        self._first = Atari(**first, copy=self.copy and not others)  # first, as it rejects invalid settings
        self._others = [RemoteAtari(partial(Atari, **each, copy=False)) for each in others]
        self._started, self._ended = False, np.zeros(num_envs, np.bool_)
        self._describe(num_envs, self._first.shape, len(self._first.actions))

    def __getstate__(self) -> dict[str, Any]:
        """Includes the games' states in the other processes; a copy starts separate processes."""
        states: list[Any] = []
        if not self.closed:
            self._check_open()
            self._first.__getstate__()  # raises here what would end the other processes
            states = self._ask("__getstate__", ())
        return {**super().__getstate__(), "_others": states}

    def __setstate__(self, state: dict[str, Any]) -> None:
        others = [RemoteAtari(partial(restored, each)) for each in state["_others"]]
        super().__setstate__({**state, "_others": others})

    @in_turn
    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts new episodes of all games, or only of those in ``options={"reset_mask": bool (N,)}``, for which alone
        the infos then hold. Seed s seeds game i with s + i; a list has one seed or None per game."""
        seeds, mask = self._check_reset(seed, options, self._started)
        calls = []
        for a, b in pairwise(self._edges):
            lanes = np.flatnonzero(mask[a:b])
            calls.append((lanes, [seeds[a + lane] for lane in lanes]))
        outcome = self._together("reset", calls)
        self._started = True
        self._ended = self._ended & ~mask
        return outcome.observations, infos_of(outcome, mask)

    @in_turn
    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self._check_open()
        if not self._started:
            raise RuntimeError("step before reset: call reset first")
        over = self._over(self._ended)
        chosen = checked_actions(actions, self.num_envs, self._first.meanings, over)
        parts = pairwise(self._edges)
        outcome = self._together("step", [(chosen[a:b], None if over is None else over[a:b]) for a, b in parts])
        infos = infos_of(outcome, self._every)
        ended = self._ended = outcome.terminated | outcome.truncated
        if self._first.autoreset and ended.any():
            last = {name: np.zeros(self.num_envs, np.int64) for name in ("lives", "inputs")}
            last["lives"][ended], last["inputs"][ended] = outcome.final_lives, outcome.final_inputs
            infos |= endings(outcome.final_observations, last, ended.copy())
        return outcome.observations, outcome.rewards, outcome.terminated, outcome.truncated, infos

    def render(self) -> tuple[np.ndarray, ...]:
        """Each game's masked picture in colour, in the size of ALE's screen: uint8 (210, 160, 3) in most games."""
        if self.render_mode is None:
            raise RuntimeError("nothing to render: make the environments with render_mode='rgb_array'")
        self._check_open()
        frames = [self._first.native_frame(lane) for lane in range(self._first.num_games)]
        for other, (a, b) in zip(self._others, pairwise(self._edges[1:])):
            for lane in range(b - a):
                other.call("native_frame", (lane,))
                frames.append(other.answer())
        return tuple(frames)

    def get_action_meanings(self) -> list[str]:
        """ale_py's names of the inputs: NOOP, FIRE, ..."""
        return self._first.meanings

    def close_extras(self, **kwargs: Any) -> None:
        for other in self._others:
            other.close()

    def _together(self, name: str, calls: list[tuple]) -> Outcome:
        """Calls a method of all parts of the batch, each with its arguments, and joins their outcomes."""
        for other, arguments in zip(self._others, calls[1:]):
            other.call(name, arguments)
        outcome = getattr(self._first, name)(*calls[0])
        if not self._others:
            return outcome
        outcomes = [outcome, *(other.answer() for other in self._others)]
        return Outcome(*(np.concatenate(parts) for parts in zip(*outcomes)))

    def _ask(self, name: str, arguments: tuple) -> list[Any]:
        """The answers of all other processes to the same call."""
        for other in self._others:
            other.call(name, arguments)
        return [other.answer() for other in self._others]

    def _check_open(self) -> None:
        """Also rejects a fork, which would share its parent's pipes."""
        super()._check_open()
        if any(other.owner != os.getpid() for other in self._others):
            raise RuntimeError("num_threads > 1, and the games are the forking process's: make them in this one")


def infos_of(outcome: Outcome, mask: np.ndarray) -> dict[str, Any]:
    """The infos of the games in ``mask``, bool (N,)."""
    return masked({"lives": np.where(mask, outcome.lives, 0), "inputs": np.where(mask, outcome.inputs, 0)}, mask)


class RemoteAtari:
    """``Atari``, made by ``make`` in a separate process, which ends when this is closed or garbage-collected."""

    def __init__(self, make: Callable[[], Atari]):
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from priorlab.envs.atari.atari_vector import serve; serve()"],
            cwd=ROOT,  # where the process finds this package, installed or not
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.owner = os.getpid()
        self.close = weakref.finalize(self, end, self._process, self.owner)
        self._send(make)

    def call(self, name: str, arguments: tuple) -> None:
        """Calls a method; fetch its ``answer`` before the next call."""
        self._send((name, arguments))

    def answer(self) -> Any:
        assert self._process.stdout
        try:
            return pickle.load(self._process.stdout)
        except EOFError:
            raise RuntimeError("a process that stepped games ended; its last output is above") from None

    def _send(self, message: object) -> None:
        assert self._process.stdin
        pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()


def end(process: subprocess.Popen, owner: int) -> None:
    """Ends the process and waits for it; does nothing in a fork of its owner."""
    if owner != os.getpid():
        return
    assert process.stdin
    with suppress(BrokenPipeError), process:
        pickle.dump(None, process.stdin)  # sent explicitly, as a fork may hold the pipe open


def restored(state: dict[str, Any]) -> Atari:
    games = object.__new__(Atari)
    games.__setstate__(state)
    return games


def serve() -> None:
    """Runs in each process: makes the games from the first message, then answers calls."""
    read, write = sys.stdin.buffer, sys.stdout.buffer
    games = pickle.load(read)()
    while True:
        try:
            message = pickle.load(read)
        except EOFError:
            return
        if message is None:
            return
        name, arguments = message
        pickle.dump(getattr(games, name)(*arguments), write, pickle.HIGHEST_PROTOCOL)
        write.flush()
