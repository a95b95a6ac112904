"""Atari games with masked looks as a gymnasium VectorEnv, on several cores.

ale_py holds the interpreter's lock while it steps a game, so the lanes beyond the first thread's run in separate
processes, controlled through pipes.
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
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from priorlab import ROOT
from priorlab.envs.atari.ale import ours
from priorlab.envs.atari.games import FPS, Atari, Outcome, checked_actions
from priorlab.envs.base.alone import in_turn
from priorlab.envs.engine.infos import endings, masked
from priorlab.envs.interfaces.batch import Batch, VectorEnv, checked_copy, checked_mode
from priorlab.envs.interfaces.limits import inputs_of


class AtariVectorEnv(Batch, VectorEnv):
    """N games; settings are those of ``Atari``, also by ale_py's names, and ``num_threads``, the number of processes
    that step them. ``max_episode_steps``, in steps, shortens the limit that ``max_inputs`` sets.

    Observations are uint8 (N, screen_size, screen_size, stack_size * C). Game i equals the single environment seeded
    with seed + i, on any number of threads. Infos, ``autoreset_mode`` and ``copy`` are as in ``PriorLabVectorEnv``.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FPS, "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        game: str = "montezuma_revenge",
        *,
        mask: str | Sequence[str] = "none",
        mask_seed: int = 0,
        frame_skip: int = 4,
        screen_size: int | None = 84,
        grayscale_obs: bool = False,
        stack_size: int = 1,
        repeat_action_probability: float = 0.0,
        max_inputs: int = 108_000,
        noop_max: int = 0,
        full_action_space: bool = False,
        num_threads: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        copy: bool = True,
        render_mode: str | None = None,
        **ale: Any,
    ):
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}: expected None or rgb_array")
        for name, value in (("num_envs", num_envs), ("num_threads", num_threads)):
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} is {value!r}: expected a whole number, 1 or more")
        mode, copy = checked_mode(autoreset_mode), checked_copy(copy)
        settings = {
            "game": game, "mask": mask, "mask_seed": mask_seed, "frame_skip": frame_skip, "screen_size": screen_size,
            "grayscale_obs": grayscale_obs, "stack_size": stack_size, "max_inputs": max_inputs, "noop_max": noop_max,
            "repeat_action_probability": repeat_action_probability, "full_action_space": full_action_space,
            "autoreset": mode == AutoresetMode.SAME_STEP,
        } | ours(ale)  # fmt: skip
        limit, noop_max = settings["max_inputs"], settings["noop_max"]
        settings["max_inputs"] = inputs_of(max_episode_steps, settings["frame_skip"], noop_max, limit)
        self._edges = np.linspace(0, num_envs, min(num_threads, num_envs) + 1).astype(int).tolist()
        own, *others = [{"num_games": b - a, "first_lane": a, **settings} for a, b in pairwise(self._edges)]
        self._own = Atari(**own, copy=copy and not others)  # first: it refuses settings that are wrong
        self._others = [Elsewhere(partial(Atari, **each, copy=False)) for each in others]
        self._started, self._ended = False, np.zeros(num_envs, np.bool_)
        self._describe(num_envs, self._own.shape, len(self._own.actions), mode, copy, render_mode)

    def __getstate__(self) -> dict[str, Any]:
        """Games that processes step are told as they stand there; a copy has processes of its own."""
        states: list[Any] = []
        if not self.closed:
            self._check_open()
            self._own.__getstate__()  # refuses here what would end the others
            states = self._ask("__getstate__", ())
        return {**super().__getstate__(), "_others": states}

    def __setstate__(self, state: dict[str, Any]) -> None:
        others = [Elsewhere(partial(restored, each)) for each in state["_others"]]
        super().__setstate__({**state, "_others": others})

    @in_turn
    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts new episodes; with ``options={"reset_mask": bool (N,)}`` only of some games, and infos hold for those.
        Seed s seeds game i with s + i; a list has one seed, or None, per game."""
        seeds, mask = self._told(seed, options, self._started)
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
        chosen = checked_actions(actions, self.num_envs, len(self._own.actions), over)
        parts = pairwise(self._edges)
        outcome = self._together("step", [(chosen[a:b], None if over is None else over[a:b]) for a, b in parts])
        infos = infos_of(outcome, self._every)
        ended = self._ended = outcome.terminated | outcome.truncated
        if self._own.autoreset and ended.any():
            last = {name: np.zeros(self.num_envs, np.int64) for name in ("lives", "inputs")}
            last["lives"][ended], last["inputs"][ended] = outcome.final_lives, outcome.final_inputs
            infos |= endings(outcome.final_observations, last, ended.copy())
        return outcome.observations, outcome.rewards, outcome.terminated, outcome.truncated, infos

    def render(self) -> tuple[np.ndarray, ...]:
        """Each game's masked picture in colour, as large as ALE's screen: uint8 (210, 160, 3) in most games."""
        if self.render_mode is None:
            raise RuntimeError("nothing to render: make the environments with render_mode='rgb_array'")
        self._check_open()
        frames = [self._own.native_frame(lane) for lane in range(self._own.num_games)]
        for other, (a, b) in zip(self._others, pairwise(self._edges[1:])):
            for lane in range(b - a):
                other.tell("native_frame", (lane,))
                frames.append(other.answer())
        return tuple(frames)

    def get_action_meanings(self) -> list[str]:
        """What ale_py calls the inputs: NOOP, FIRE, ..."""
        return self._own.meanings

    def close_extras(self, **kwargs: Any) -> None:
        for other in self._others:
            other.close()

    def _together(self, name: str, calls: list[tuple]) -> Outcome:
        """Calls a method of all parts of the batch, each with its arguments; their outcomes side by side."""
        for other, arguments in zip(self._others, calls[1:]):
            other.tell(name, arguments)
        outcome = getattr(self._own, name)(*calls[0])
        if not self._others:
            return outcome
        outcomes = [outcome, *(other.answer() for other in self._others)]
        return Outcome(*(np.concatenate(parts) for parts in zip(*outcomes)))

    def _ask(self, name: str, arguments: tuple) -> list[Any]:
        """What all processes answer to the same call."""
        for other in self._others:
            other.tell(name, arguments)
        return [other.answer() for other in self._others]

    def _check_open(self) -> None:
        """A fork shares its parent's pipes, in which the two would talk at once."""
        super()._check_open()
        if any(other.told_by != os.getpid() for other in self._others):
            raise RuntimeError("num_threads > 1, and the games are the process's that forked: make them in this one")


def infos_of(outcome: Outcome, mask: np.ndarray) -> dict[str, Any]:
    """Of the games in ``mask``, bool (N,)."""
    return masked({"lives": np.where(mask, outcome.lives, 0), "inputs": np.where(mask, outcome.inputs, 0)}, mask)


class Elsewhere:
    """``Atari`` in a process of its own, where ``make`` makes it. Close it, or let it go."""

    def __init__(self, make: Callable[[], Atari]):
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from priorlab.envs.atari.atari_vector import serve; serve()"],
            cwd=ROOT,  # where a process finds this package, installed or not
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.told_by = os.getpid()
        self.close = weakref.finalize(self, end, self._process, self.told_by)
        self._send(make)

    def tell(self, name: str, arguments: tuple) -> None:
        """Has a method called, whose ``answer`` is to be fetched before the next."""
        self._send((name, arguments))

    def answer(self) -> Any:
        assert self._process.stdout
        try:
            return pickle.load(self._process.stdout)
        except EOFError:
            raise RuntimeError("a process that stepped games ended; what it said last is above") from None

    def _send(self, message: object) -> None:
        assert self._process.stdin
        pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()


def end(process: subprocess.Popen, told_by: int) -> None:
    """Lets it go, and waits for it; in a fork of whoever made it, nothing."""
    if told_by != os.getpid():
        return
    assert process.stdin
    with suppress(BrokenPipeError), process:
        pickle.dump(None, process.stdin)  # said, as a fork may hold its input open


def restored(state: dict[str, Any]) -> Atari:
    games = object.__new__(Atari)
    games.__setstate__(state)
    return games


def serve() -> None:
    """What a process does: makes games as it is told first, then calls what it is told to."""
    read, write = sys.stdin.buffer, sys.stdout.buffer
    games = pickle.load(read)()
    while True:
        try:
            told = pickle.load(read)
        except EOFError:
            return
        if told is None:
            return
        name, arguments = told
        pickle.dump(getattr(games, name)(*arguments), write, pickle.HIGHEST_PROTOCOL)
        write.flush()
