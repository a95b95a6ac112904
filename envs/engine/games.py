"""Games: N games in lockstep, under every environment; an engine plays them on the CPU or on a GPU."""

import threading
from collections.abc import Sequence
from typing import Any, Self, Unpack

import numpy as np

from priorlab.envs.base.alone import Alone, in_turn
from priorlab.envs.base.generators import WORD, seeded
from priorlab.envs.base.settings import check_choice, check_whole, complete
from priorlab.envs.engine.checks import checked_seeds
from priorlab.envs.engine.cpu import CpuEngine
from priorlab.envs.engine.draw import Scenes, Scratch, draw_whole
from priorlab.envs.engine.engine import Engine, Saved, on_cpu
from priorlab.envs.engine.game_settings import DEFAULTS, GameSettings, check_settings
from priorlab.envs.engine.infos import info_of
from priorlab.envs.engine.lockstep import IN_ORDER, OWN, Lanes, Pace, build_lanes
from priorlab.envs.engine.places import gather_places
from priorlab.envs.engine.scenes import build_scenes, build_scratch, build_tiles
from priorlab.envs.game.rules import SIDE

DEVICES = ("cpu", "cuda")
FIRST_DRAW = {"own": OWN, "in_order": IN_ORDER, "drawn": 1}  # by which a lane chooses its scenes, until it is seeded
KEPT = (  # by a copy; all else is its lanes, or made of them
    "num_games", "frame_skip", "random_start", "autoreset", "order", "places", "scenes", "num_threads", "device",
    "_max_inputs", "started", "_closed",
)  # fmt: skip


class Games(Alone):
    """N games in lockstep: lane i plays game i.

    Observations are uint8 (N, S, S, stack_size * C), C = 1 in gray and 3 in colour, the newest frame last. What
    ``reset`` and ``step`` return are views, valid until the next step. Lane i equals a single game seeded with
    seed + i, bit for bit, on any number of threads and on any device.

    - num_games: N.
    - version: of the game, one for all lanes or a sequence of one per lane.
    - autoreset: whether a lane that ends starts over within the same step. Until the next one ``ended`` names such
      lanes, and ``final_observations`` and ``final_info`` are theirs.
    - device: ``cpu``, or ``cuda``: an NVIDIA GPU, where all arrays are torch tensors that never leave it, and a step
      does not wait for it (see ``GpuEngine``). ``ended``, what is final, infos, frames and ``visited`` wait for the
      GPU; infos, frames and ``visited`` are numpy arrays.
    - still: draw the pictures that make steps fast, once and for all. They cost more than a thousand steps: False for
      short plays.
    - settings: see ``GameSettings``.

    Raises ValueError, one line, for an invalid value, and TypeError for a setting that does not exist.
    """

    def __init__(
        self,
        num_games: int = 1,
        version: str | Sequence[str] = "original",
        *,
        autoreset: bool = True,
        device: str = "cpu",
        still: bool = True,
        **settings: Unpack[GameSettings],
    ):
        chosen = complete(settings, DEFAULTS, ("num_games", "version", "autoreset", "device", "still"))
        check_whole("num_games", num_games, 1)
        check_choice("device", device, DEVICES)
        check_settings(chosen)
        self.num_threads, self.device = chosen["num_threads"], device
        engine_for(device).check(self.num_threads)
        self.num_games, self.autoreset, self.order = num_games, autoreset, chosen["order"]
        self.frame_skip, self.random_start = chosen["frame_skip"], chosen["random_start"]
        self._max_inputs: int | None = chosen["max_inputs"]
        columns = {"version": version} | {name: chosen[name] for name in ("game", "level", "look_seed", "looks")}
        listed = (value for value in columns.values() if isinstance(value, (list, tuple, range)))
        count = num_games if self.order == "own" else max((len(value) for value in listed), default=1)
        self.places, numbers = gather_places(count, **columns, split=chosen["split"])
        self.scenes = (
            build_tiles(self.places, self._max_inputs)
            if chosen["obs"] == "tiles"
            else build_scenes(self.places, chosen["screen_size"], chosen["grayscale_obs"], self._max_inputs, still)
        )
        self._native: dict[int, tuple[Scenes, Scratch]] = {}
        lanes = build_lanes(self.scenes, num_games, chosen["stack_size"])
        lanes.scene[:] = numbers if self.order == "own" else len(self.places) - 1
        lanes.draws[:] = FIRST_DRAW[self.order]
        self.started, self._closed, self.turn = False, False, threading.Lock()
        self._start_engine(lanes)
        self._seed(np.arange(num_games), range(num_games))

    def _start_engine(self, lanes: Lanes) -> None:
        """Has an engine of the device take over these lanes."""
        pace = Pace(self.frame_skip, self.random_start, self.autoreset)
        self.engine = engine_for(self.device)(self.scenes, lanes, pace, self.num_threads)
        self.lanes, self.state, self.scratch = self.engine.lanes, self.engine.lanes.state, self.engine.scratch

    def __getstate__(self) -> dict[str, Any]:
        """The settings and the lanes. A copy, or what was pickled, starts an engine of its own from there."""
        kept = {name: getattr(self, name) for name in KEPT}
        return kept | {"lanes": Lanes(*map(on_cpu, self.lanes)), "last": self.engine.last()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({name: state[name] for name in KEPT} | {"_native": {}})
        engine_for(self.device).check(self.num_threads)
        scenes = Scenes(*(np.require(each, requirements="W") for each in self.scenes))  # shared: only chances change
        self.scenes = scenes._replace(chances=scenes.chances.copy())
        lanes = Lanes(*(np.array(each) for each in state["lanes"]))
        if lanes.observations.size == lanes.pictures.size:  # nothing is stacked: one memory
            lanes = lanes._replace(observations=lanes.pictures.reshape(lanes.observations.shape))
        self._start_engine(lanes)
        self.engine.put_last(*state["last"])
        if self._closed:
            self.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = object.__new__(type(self))
        other.__setstate__(self.__getstate__())
        return other

    @in_turn
    def reset(self, seed: int | Sequence[int | None] | None = None, lanes: Any = None) -> Any:
        """Starts a new play in every lane, or in these; returns all observations.

        Seed s seeds lane i with s + i. A list has one seed per lane; with None a lane's random draws continue.
        """
        self._check_open()
        chosen = np.arange(self.num_games) if lanes is None else np.asarray(lanes, np.int64)
        seeds = checked_seeds(seed, self.num_games)
        seeded_lanes = [lane for lane in chosen.tolist() if seeds[lane] is not None]
        if seeded_lanes:
            self._seed(np.array(seeded_lanes), [seeds[lane] for lane in seeded_lanes])
        self.lanes.ever[chosen] = 0
        self.restart(chosen)
        return self.lanes.observations

    def _seed(self, lanes: np.ndarray, seeds: Sequence[int | None]) -> None:
        """Seeds the draws of places and first inputs of these lanes; with order in_order, they restart at the first
        place."""
        if self.order == "drawn":
            words = [np.random.SeedSequence(seed).generate_state(1)[0] % WORD + 1 for seed in seeds]
            self.engine.put(self.lanes.draws, lanes, np.array(words, np.int64))
        elif self.order == "in_order":
            self.lanes.scene[lanes] = len(self.places) - 1
        if self.random_start:
            self.engine.put(self.lanes.generators, lanes, seeded(seeds))

    @property
    def chances(self) -> np.ndarray:
        """float64 (places,): the probabilities with which an episode draws its place.

        A curriculum may set them, as any weights, at any time between steps.
        """
        return np.diff(self.scenes.chances, prepend=0.0)

    @chances.setter
    def chances(self, weights: Sequence[float] | np.ndarray) -> None:
        new = np.asarray(weights, np.float64)
        if new.shape != (len(self.places),) or not np.isfinite(new).all() or (new < 0).any() or not new.any():
            raise ValueError(f"chances: expected {len(self.places)} numbers, 0 or more and not all 0, one per place")
        upto = np.cumsum(new) / new.sum()
        upto[np.flatnonzero(new)[-1] :] = 1.0  # whatever rounding did
        self.engine.put_chances(upto)

    def restart(self, lanes: Any, new_play: bool = True) -> None:
        """Puts these lanes at the start; unless ``new_play``, a play continues after a death."""
        self.engine.restart(lanes, new_play)
        self.started = True

    @in_turn
    def step(self, actions: Any, over: np.ndarray | None = None) -> tuple[Any, Any, Any, Any]:
        """Takes an action in each lane; (observations, rewards float32 (N,), terminated bool (N,), truncated bool
        (N,)).

        Lanes in ``over``, bool (N,), start over instead, and are then those in ``ended``. Raises ValueError for actions
        that are not N whole numbers from 0 to 5.
        """
        self._check_started()
        self.engine.step(actions, over)
        lanes = self.lanes
        return lanes.observations, lanes.rewards, lanes.terminated, lanes.truncated

    @property
    def ended(self) -> Any:
        """int64 (n,): the lanes that ended in the last step and started over."""
        return self.engine.ended

    @property
    def final_observations(self) -> Any:
        """uint8 (n, S, S, stack * C): the last ones of the lanes in ``ended``."""
        return self.engine.final_observations

    @property
    def final_states(self) -> Any:
        """int32 (n, FIELDS): the last ones of the lanes in ``ended``."""
        return self.engine.final_states

    @property
    def last_observations(self) -> Any:
        """On a GPU only, uint8 (N, S, S, stack * C): row i is what lane i had when it last ended."""
        return self.engine.last_observations

    @property
    def last_states(self) -> Any:
        """On a GPU only, int32 (N, FIELDS): row i is lane i's state when it last ended."""
        return self.engine.last_states

    @property
    def final_info(self) -> dict[str, np.ndarray]:
        """The ``info`` of the lanes that ended in the last step, from before they started over: arrays over them."""
        return info_of(on_cpu(self.engine.final_states))

    def info(self) -> dict[str, np.ndarray]:
        """Arrays over the lanes: x and y in pixels, on_ladder, jumping, speed in pixels per step upwards,
        enemies_alive, has_key, solved, place; and deaths, unique_states and inputs, counted over the play."""
        return info_of(on_cpu(self.state))

    def visited(self) -> np.ndarray:
        """bool (2 * side, columns): the positions that any lane visited in any play since its reset.

        A row is half a pixel, a column one walking step. Raises ValueError if the lanes have different levels.
        """
        if len({place.level.text() for place in self.places}) > 1:
            raise ValueError("visited: the lanes play different levels, whose positions have nothing in common")
        bits = np.unpackbits(self.engine.ever_visited(), bitorder="little")
        height = 2 * int(self.scenes.numbers[0, SIDE])
        # (columns * height + padding,) -> (columns, height) -> (height, columns)
        return bits[: len(bits) // height * height].reshape(-1, height).T.astype(bool)

    def save(self, lanes: Any = None) -> Saved:
        """A copy of these lanes (None: all), for ``restore``; on a GPU, tensors there."""
        return self.engine.save(lanes)

    def restore(self, saved: Saved, lanes: Any = None) -> Any:
        """Puts what was saved into these lanes (None: all); returns all observations. With order own a lane keeps its
        game."""
        self.engine.restore(saved, lanes)
        self.started = True
        return self.lanes.observations

    def redraw(self, lane: int) -> np.ndarray:
        """A lane's picture drawn again from its state alone; uint8 (S, S, C)."""
        return self.engine.redraw(lane)

    def native_frame(self, lane: int = 0) -> np.ndarray:
        """The lane's picture in colour, 15 pixels per tile; uint8 (side, side, 3)."""
        scene, state = self.engine.now(lane)
        if scene not in self._native:
            native = build_scenes([self.places[scene]], None, False, self._max_inputs, still=False)
            self._native[scene] = native, build_scratch(native)
        scenes, scratch = self._native[scene]
        frame = np.zeros_like(scenes.empty[0])
        draw_whole(scenes, 0, state, np.zeros(4, np.int32), frame, scratch)
        return frame.reshape(scenes.starts.shape[1:])  # (side, side * 3) -> (side, side, 3)

    def close(self) -> None:
        self.engine.close()
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this environment is closed: make a new one")

    def _check_started(self) -> None:
        self._check_open()
        if not self.started:
            raise RuntimeError("step before reset: call reset first")


def engine_for(device: str) -> type[Engine]:
    if device == "cpu":
        return CpuEngine
    from priorlab.envs.engine.gpu import GpuEngine  # torch and numba's CUDA cost seconds

    return GpuEngine
