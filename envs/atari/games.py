"""Atari: N games of ale_py in lockstep, with masked looks.

The rules are ale_py's: the same inputs give the same rewards. Only the picture is redrawn, from the palette indices of
its screen.
"""

import hashlib
import threading
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import ale_py
import numpy as np
from ale_py import roms

from priorlab.envs.atari.atari_settings import DEFAULTS, AtariSettings, check_settings
from priorlab.envs.atari.masked_draw import WIDTH, WORD, observe
from priorlab.envs.atari.masks import build_areas, build_canvas, masks_of, paint_masks
from priorlab.envs.base.alone import Alone, in_turn
from priorlab.envs.base.settings import check_whole, complete

FPS = 60  # raw frames per second
NO_INPUT = 0
SEVERAL_PLAYERS = ("combat", "joust", "maze_craze", "warlords")  # games of ale_py for more than one player


class Outcome(NamedTuple):
    """The result of a step or a reset of N games, of which n ended and, with autoreset, started over."""

    observations: np.ndarray  # uint8 (N, R, S, stack * C)
    rewards: np.ndarray  # float64 (N,)
    terminated: np.ndarray  # bool (N,)
    truncated: np.ndarray  # bool (N,)
    lives: np.ndarray  # int64 (N,)
    inputs: np.ndarray  # int64 (N,): raw frames of the episode
    final_observations: np.ndarray  # uint8 (n, R, S, stack * C): of the games that ended, in order
    final_lives: np.ndarray  # int64 (n,)
    final_inputs: np.ndarray  # int64 (n,)


class Known(NamedTuple):
    """What all consoles with one ROM have in common."""

    legal: tuple[ale_py.Action, ...]
    minimal: tuple[ale_py.Action, ...]
    height: int  # of the screen, pixels


_known: dict[str, Known] = {}  # by the path of the ROM


class Atari(Alone):
    """N games of ale_py in lockstep. Lane i is seeded with seed + i.

    - num_games: N.
    - game: its name in ale_py, such as montezuma_revenge.
    - autoreset: whether a lane that ends starts over within the same step.
    - first_lane: the number of the first lane, where these games are part of a batch.
    - copy: whether observations are the caller's; otherwise read-only views, valid until the next step.
    - settings: see ``AtariSettings``.

    Raises ValueError, one line, for an invalid value, and TypeError for a setting that does not exist.
    """

    def __init__(
        self,
        num_games: int = 1,
        game: str = "montezuma_revenge",
        *,
        autoreset: bool = True,
        first_lane: int = 0,
        copy: bool = True,
        **settings: Unpack[AtariSettings],
    ):
        chosen = complete(settings, DEFAULTS, ("num_games", "game", "autoreset", "first_lane", "copy"))
        check_whole("num_games", num_games, 1)
        check_settings(chosen)
        grayscale, screen_size, stack_size = (chosen[name] for name in ("grayscale_obs", "screen_size", "stack_size"))
        frame_skip, max_inputs, noop_max = (chosen[name] for name in ("frame_skip", "max_inputs", "noop_max"))
        self.num_games, self.frame_skip, self.max_inputs, self.noop_max = num_games, frame_skip, max_inputs, noop_max
        self.autoreset, self._first_lane, self._copy, self.turn = autoreset, first_lane, copy, threading.Lock()
        self._rom, self._repeated = find_rom(game), float(chosen["repeat_action_probability"])
        self._games = [self._console() for _ in range(num_games)]
        self._every = np.arange(num_games)
        self._generators: list[np.random.Generator | None] = [None] * num_games  # of the lanes seeded so far
        legal, minimal, height = self._about()
        self.actions = [action.value for action in (legal if chosen["full_action_space"] else minimal)]
        self.meanings: list[str] = [ale_py.Action(action).name for action in self.actions]  # NOOP, FIRE, ...
        self._masks, self._mask_seed, self._height = masks_of(chosen["mask"]), int(chosen["mask_seed"]), height
        self._look = paint_masks(self._masks, self._mask_seed, height, grayscale)
        self._areas = build_areas(height, screen_size, grayscale)
        self._canvas = build_canvas(height, self._areas, grayscale)
        rows, columns, channels = self._canvas.picture.shape
        self._observations = np.zeros((num_games, rows, columns, stack_size * channels), np.uint8)
        self.shape = self._observations.shape[1:]
        self._rewards = np.zeros(num_games)
        self._terminated, self._truncated = np.zeros((2, num_games), np.bool_)
        self._lives, self._inputs = np.zeros((2, num_games), np.int64)
        self._none, self._running = self._every[:0], False
        self._settle(np.zeros((num_games, 2, height, WIDTH), np.uint8))

    def _about(self) -> Known:
        """Seeds a lane only to ask about a ROM for the first time; as it takes ale_py a tenth of a second, the others
        wait until they are reset."""
        rom = str(self._rom)
        if rom not in _known:
            ale = self.interface()
            height, _ = ale.getScreenDims()
            _known[rom] = Known(tuple(ale.getLegalActionSet()), tuple(ale.getMinimalActionSet()), height)
        return _known[rom]

    def _settle(self, frames: np.ndarray) -> None:
        """Takes these as the last two frames of each lane, the older one first."""
        self._frames = frames
        self._screens = {}  # what draws a screen in its native size, by whether it is gray
        self._words = frames.view(np.uint64).reshape(*frames.shape[:3], WIDTH // WORD)  # 8 pixels per word
        self._slots = [list(pair) for pair in frames]  # views, the older of a lane's two first

    def _console(self) -> ale_py.ALEInterface:
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        ale = ale_py.ALEInterface()
        ale.setFloat("repeat_action_probability", self._repeated)
        return ale

    def __getstate__(self) -> dict[str, Any]:
        """Everything, and the console state of each lane seeded so far. A copy, or what was pickled, continues from
        here.

        Raises RuntimeError for running games with sticky actions: ALE's states lack the input that it may repeat.
        """
        if self._repeated and self._running:
            raise RuntimeError(
                f"repeat_action_probability is {self._repeated:g}: running games can't be copied, as ALE's states "
                "lack the input that it may repeat; copy them before the first reset"
            )
        kept = {
            name: value
            for name, value in vars(self).items()
            if name not in ("turn", "_games", "_words", "_slots", "_screens")
        }
        consoles = [
            None if generator is None else ale.cloneState(include_rng=True)
            for ale, generator in zip(self._games, self._generators)
        ]
        return kept | {"_frames": np.array(self._slots), "_consoles": consoles}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        consoles, frames = state.pop("_consoles"), state.pop("_frames")
        super().__setstate__({name: writable(value) for name, value in state.items()})
        self._games = [self._console() for _ in consoles]
        for ale, console in zip(self._games, consoles):
            if console is not None:
                ale.loadROM(self._rom)
                ale.restoreState(console)
        self._settle(np.array(frames))

    @in_turn
    def reset(self, lanes: np.ndarray | None = None, seeds: Sequence[int | None] | None = None) -> Outcome:
        """Starts new episodes in these lanes (None: all), seeded if ``seeds``, one per lane, gives a seed."""
        lanes = self._every if lanes is None else lanes
        for lane, seed in zip(lanes.tolist(), seeds or [None] * len(lanes)):
            if seed is not None:
                self._seed(lane, seed)
            self.interface(lane)
        self._restart(lanes)
        return self._outcome(self._none)

    @in_turn
    def step(self, actions: np.ndarray, over: np.ndarray | None = None) -> Outcome:
        """Each game takes its action, int64 (N,), and with autoreset starts over if it ended. Games in ``over``, bool
        (N,), start over instead."""
        waiting = self._none if over is None else np.flatnonzero(over)
        playing = self._every if over is None else np.flatnonzero(~over)
        for lane in playing.tolist():
            self._advance(lane, self.actions[actions[lane]])
        self._observe(playing, fresh=False)
        if len(waiting):
            self._restart(waiting)
        if not self.autoreset:
            return self._outcome(self._none)
        ended = np.flatnonzero(self._terminated | self._truncated)
        if not len(ended):
            return self._outcome(ended)
        finals = self._observations[ended], self._lives[ended], self._inputs[ended]
        for lane in ended.tolist():
            self._begin(lane)
        self._observe(ended, fresh=True)
        return self._outcome(ended)._replace(
            final_observations=finals[0], final_lives=finals[1], final_inputs=finals[2]
        )

    def native_frame(self, lane: int = 0) -> np.ndarray:
        """The lane's picture in colour, in the size of ALE's screen; uint8 (H, 160, 3)."""
        return self._show(self._frames[lane], False)

    def screen(self, lane: int = 0, grayscale: bool = False) -> np.ndarray:
        """Only the lane's last raw frame, masked, in the size of ALE's screen; uint8 (H, 160, C)."""
        return self._show(np.stack([self._slots[lane][1]] * 2), grayscale)

    def _show(self, frames: np.ndarray, grayscale: bool) -> np.ndarray:
        """The picture, uint8 (H, 160, C), of two raw frames, uint8 (2, H, 160)."""
        if grayscale not in self._screens:
            areas = build_areas(self._height, None, grayscale)
            look = paint_masks(self._masks, self._mask_seed, self._height, grayscale)
            self._screens[grayscale] = look, areas, build_canvas(self._height, areas, grayscale)
        look, areas, canvas = self._screens[grayscale]
        picture = np.zeros((1, *canvas.picture.shape), np.uint8)
        words = frames.view(np.uint64)  # (2, H, 160) -> (2, H, 160 / WORD)
        observe(frames[None], words[None], np.zeros(1, np.int64), True, look, areas, canvas, picture)
        return picture[0]

    def interface(self, lane: int = 0) -> ale_py.ALEInterface:
        """ale_py's interface to the lane's game, without masks; seeds the lane if nothing else has."""
        if self._generators[lane] is None:
            self._seed(lane, self._first_lane + lane)
        return self._games[lane]

    def memory(self, lane: int = 0) -> np.ndarray:
        """The lane's console memory, uint8 (128,)."""
        return self.interface(lane).getRAM()

    def rom_hash(self) -> str:
        """SHA-256 of the game's ROM."""
        return hashlib.sha256(Path(self._rom).read_bytes()).hexdigest()

    def _seed(self, lane: int, seed: int) -> None:
        ale = self._games[lane]
        ale.setInt("random_seed", int(np.random.SeedSequence(seed).generate_state(1)[0] >> 1))
        ale.loadROM(self._rom)  # the seed takes effect here
        self._generators[lane] = np.random.default_rng(seed)

    def _restart(self, lanes: np.ndarray) -> None:
        """Starts new episodes in these lanes, and clears their rewards and ends."""
        self._running = True
        for lane in lanes.tolist():
            self._begin(lane)
        self._rewards[lanes] = 0.0
        self._terminated[lanes] = self._truncated[lanes] = False
        self._observe(lanes, fresh=True)

    def _begin(self, lane: int) -> None:
        """Starts a new episode of a lane, up to the player's first input."""
        generator = self._generators[lane]
        assert generator is not None
        self._start(lane)
        self._inputs[lane] = 0
        for _ in range(int(generator.integers(self.noop_max + 1))):
            self._take_input(lane, NO_INPUT)
            if self._games[lane].game_over():
                self._start(lane)
        self._lives[lane] = self._games[lane].lives()

    def _start(self, lane: int) -> None:
        self._games[lane].reset_game()
        for frame in self._slots[lane]:
            self._games[lane].getScreen(frame)

    def _take_input(self, lane: int, action: int) -> int:
        """Plays one raw frame of a lane and keeps it; its reward."""
        ale, slots = self._games[lane], self._slots[lane]
        reward = ale.act(action)
        ale.getScreen(slots[0])
        slots.reverse()
        self._inputs[lane] += 1
        return reward

    def _advance(self, lane: int, action: int) -> None:
        ale = self._games[lane]
        reward, over, late = 0, False, False
        for _ in range(self.frame_skip):
            reward += self._take_input(lane, action)
            over = ale.game_over()
            late = bool(self._inputs[lane] >= self.max_inputs)
            if over or late:
                break
        self._rewards[lane], self._lives[lane] = reward, ale.lives()
        self._terminated[lane], self._truncated[lane] = over, late and not over

    def _observe(self, lanes: np.ndarray, fresh: bool) -> None:
        observe(self._frames, self._words, lanes, fresh, self._look, self._areas, self._canvas, self._observations)

    def _outcome(self, ended: np.ndarray) -> Outcome:
        observations = self._observations.copy() if self._copy else self._observations.view()
        observations.flags.writeable = self._copy
        return Outcome(
            observations, self._rewards.copy(), self._terminated.copy(), self._truncated.copy(),
            self._lives.copy(), self._inputs.copy(), self._observations[ended], self._lives[ended], self._inputs[ended],
        )  # fmt: skip


def writable(value: Any) -> Any:
    """Makes arrays, also those of a named tuple, writable; unpickled ones may not be."""
    if isinstance(value, np.ndarray):
        return np.require(value, requirements="W")
    return value._make(map(writable, value)) if hasattr(value, "_make") else value


def find_rom(game: str) -> Any:
    """The path of a game's ROM; ValueError, which names similar games, if there is none."""
    names = [name for name in roms.get_all_rom_ids() if name not in SEVERAL_PLAYERS]
    if game not in names:
        near = get_close_matches(str(game), names, 3, 0.5) or ["breakout", "montezuma_revenge", "pong"]
        raise ValueError(f"game is {game!r}: expected one of ale_py's {len(names)}, such as {', '.join(near)}")
    return roms.get_rom_path(game)
