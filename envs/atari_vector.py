"""Atari games with masked looks as a gymnasium VectorEnv, on as many processors as wanted.

ale_py steps a game while it holds the interpreter's lock, so lanes beyond the first thread's live in processes of
their own, told what to do through a pipe.
"""

import pickle
import subprocess
import sys
import weakref
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from envs.atari import FPS, Atari, Outcome, checked_actions
from envs.atari_ale import ours
from envs.limits import inputs_of
from envs.vector import endings


class AtariVectorEnv(gymnasium.vector.VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N games; settings are those of ``Atari``, or ale_py's own names for them, and ``num_threads``, how many processes
    step them. ``max_episode_steps``, in steps, shortens what ``max_inputs`` says.

    Observations are uint8 (N, screen_size, screen_size, stack_size * C). A game that ends starts over in the same
    step; its last picture and info are in ``infos["final_obs"]`` (object array) and ``infos["final_info"]`` (arrays),
    each with a mask ``_final_obs``, ``_final_info``. Infos are arrays over the games. Game i equals the single
    environment seeded with seed + i, on any number of threads.
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
        render_mode: str | None = None,
        **ale: Any,
    ):
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}: expected None or rgb_array")
        for name, value in (("num_envs", num_envs), ("num_threads", num_threads)):
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} is {value!r}: expected a whole number, 1 or more")
        self.render_mode, self.num_envs = render_mode, num_envs
        settings = {
            "game": game, "mask": mask, "mask_seed": mask_seed, "frame_skip": frame_skip, "screen_size": screen_size,
            "grayscale_obs": grayscale_obs, "stack_size": stack_size, "max_inputs": max_inputs, "noop_max": noop_max,
            "repeat_action_probability": repeat_action_probability, "full_action_space": full_action_space,
        } | ours(ale)  # fmt: skip
        limit, noop_max = settings["max_inputs"], settings["noop_max"]
        settings["max_inputs"] = inputs_of(max_episode_steps, settings["frame_skip"], noop_max, limit)
        self._edges = np.linspace(0, num_envs, min(num_threads, num_envs) + 1).astype(int).tolist()
        own, *others = [{"num_games": b - a, "first_lane": a, **settings} for a, b in pairwise(self._edges)]
        self._own = Atari(**own)  # first: it refuses settings that are wrong
        self._others = [Elsewhere(each) for each in others]
        self._started = False
        self.single_observation_space = gymnasium.spaces.Box(0, 255, self._own.shape, np.uint8)
        self.single_action_space = gymnasium.spaces.Discrete(len(self._own.actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts new episodes; ``options={"reset_mask": bool (N,)}`` only those of some games."""
        super().reset(seed=seed if isinstance(seed, int) else None)
        self._check_open()
        mask = np.asarray((options or {}).get("reset_mask", np.ones(self.num_envs, np.bool_)))
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            raise ValueError(f"reset_mask is {mask.dtype} {mask.shape}: expected bool ({self.num_envs},)")
        if not self._started and not mask.all():
            raise RuntimeError("reset of some games before all: call reset without reset_mask first")
        single = isinstance(seed, (int, np.integer))
        seeds = range(seed, seed + self.num_envs) if single else seed or [None] * self.num_envs
        if len(seeds) != self.num_envs:
            raise ValueError(f"seed lists {len(seeds)} values for {self.num_envs} games: expected one a game")
        calls = []
        for a, b in pairwise(self._edges):
            lanes = np.flatnonzero(mask[a:b])
            calls.append((lanes, [seeds[a + lane] for lane in lanes]))
        outcome = self._together("reset", calls)
        self._started = True
        return outcome.observations, infos_of(outcome)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self._check_open()
        if not self._started:
            raise RuntimeError("step before reset: call reset first")
        chosen = checked_actions(actions, self.num_envs, len(self._own.actions))
        outcome = self._together("step", [(chosen[a:b],) for a, b in pairwise(self._edges)])
        infos = infos_of(outcome)
        ended = outcome.terminated | outcome.truncated
        if ended.any():
            last = {"lives": outcome.final_lives, "inputs": outcome.final_inputs}
            infos |= endings(self.num_envs, np.flatnonzero(ended), outcome.final_observations, last)
        return outcome.observations, outcome.rewards, outcome.terminated, outcome.truncated, infos

    def render(self) -> tuple[np.ndarray, ...]:
        """Each game's masked picture in colour, as large as ALE's screen: uint8 (210, 160, 3) in most games."""
        if self.render_mode is None:
            raise RuntimeError("nothing to render: make the environments with render_mode='rgb_array'")
        self._check_open()
        own = [self._own.native_frame(lane) for lane in range(self._own.num_games)]
        for other, (a, b) in zip(self._others, pairwise(self._edges[1:])):
            for lane in range(b - a):
                other.tell("native_frame", (lane,))
                own.append(other.answer())
        return tuple(own)

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

    def _check_open(self) -> None:
        if self.closed:
            raise RuntimeError("this environment is closed: make a new one")


def infos_of(outcome: Outcome) -> dict[str, Any]:
    every = np.ones(len(outcome.lives), np.bool_)
    return {"lives": outcome.lives, "_lives": every, "inputs": outcome.inputs, "_inputs": every}


class Elsewhere:
    """``Atari`` in a process of its own, made with ``settings``. Close it, or let it go."""

    def __init__(self, settings: dict[str, Any]):
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from envs.atari_vector import serve; serve()"],
            cwd=Path(__file__).parent.parent,  # where a process finds this package, installed or not
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.close = weakref.finalize(self, end, self._process)
        self._send(settings)

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


def end(process: subprocess.Popen) -> None:
    """Closing its input lets it go; it is waited for."""
    with process:
        pass


def serve() -> None:
    """What a process does: builds games of the settings that come first, then calls what it is told to."""
    read, write = sys.stdin.buffer, sys.stdout.buffer
    games = Atari(**pickle.load(read))
    while True:
        try:
            name, arguments = pickle.load(read)
        except EOFError:
            return
        pickle.dump(getattr(games, name)(*arguments), write, pickle.HIGHEST_PROTOCOL)
        write.flush()
