"""Games: N games in lockstep, the engine under every environment; on the CPU here, on a card in envs/engine/card.py."""

import threading
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from priorlab.envs.base.alone import Alone, in_turn
from priorlab.envs.base.compile import COMPILED
from priorlab.envs.base.generators import WORD, seeded
from priorlab.envs.engine.crew import Crew
from priorlab.envs.engine.draw import Scenes, Scratch, draw_whole
from priorlab.envs.engine.infos import info_of
from priorlab.envs.engine.lockstep import CHOICES, IN_ORDER, OWN, START_OVER, Lanes, build_lanes, start_over
from priorlab.envs.engine.places import gather_places
from priorlab.envs.engine.resets import checked_seeds
from priorlab.envs.engine.scenes import build_scenes, build_scratch, build_tiles
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import INPUT_NAMES, SIDE
from priorlab.envs.looks.dials import Dials

INPUTS = CHOICES
DEVICES = ("cpu", "cuda")
ORDERS = {"own": OWN, "in_order": IN_ORDER, "drawn": 1}
OBSERVATIONS = ("pixels", "tiles")
KEPT = (
    "num_games",
    "frame_skip",
    "random_start",
    "autoreset",
    "order",
    "places",
    "scenes",
    "num_threads",
    "_max_inputs",
    "started",
    "_closed",
)  # fmt: skip  what a copy takes over; all else is its lanes, or made of them


class Saved(NamedTuple):
    """Everything that makes some lanes go on as they would have; n lanes."""

    scene: np.ndarray  # int64 (n,)
    state: np.ndarray  # int32 (n, FIELDS)
    visited: np.ndarray  # uint8 (n, P)
    ever: np.ndarray  # uint8 (n, P)
    ending: np.ndarray  # bool (n, 2): terminated, truncated
    observations: np.ndarray  # uint8 (n, S, S, stack * C)
    draws: np.ndarray  # int64 (n,): of the generators that draw places
    generators: np.ndarray  # int64 (n, GENERATOR): of the random starts


class Games(Alone):
    """N games in lockstep. ``version``, ``game``, ``level`` and ``look_seed`` are one for all or a list of one a lane.

    Observations are uint8 (N, S, S, stack_size * C), C = 1 in gray and 3 in colour, the newest frame last; what
    ``reset`` and ``step`` return are views, valid until the next step. Lane i equals a single game seeded with
    seed + i, bit for bit, on any number of threads.

    - game: princess, key_door; None is the level's, and Princess where no level is given.
    - level: a level's name, its text or a Level; None is the version's own.
    - order: ``own``: each lane keeps its game. Otherwise the lists hold as many games as they like, and each episode of
      each lane is played in the next of them (``in_order``), or in one that the lane draws by ``chances`` (``drawn``);
      ``info["place"]`` tells in which of ``places``. Every episode is then a play of its own.
    - looks: dials (a Dials or a dict of its settings) by which random looks are drawn, instead of the version's look;
      ``split``: training or held_out, from which of their pictures.
    - obs: ``pixels``, or ``tiles``: no pictures but, in each cell of T x T, numbers that envs/engine/tiles.py tells.
    - frame_skip: how often an action is taken in a step; inputs are counted raw.
    - look_seed: which drawing of the version.
    - max_inputs: raw inputs after which an episode is truncated; None is as many as the game's rules say.
    - random_start: each episode begins with 0 to this many uniformly random inputs, which count as inputs.
    - autoreset: a lane that ends starts over within the same step; until the next one ``ended`` names such lanes,
      ``final_observations`` and ``final_info`` are theirs.
    - device: ``cpu``, or ``cuda``: an NVIDIA card, where all arrays are torch tensors (see ``CudaGames``).
    """

    lanes: Any  # Lanes
    state: Any  # int32 (N, FIELDS), as the rules name its fields
    ended: Any  # int64 (n,): the lanes that ended in the last step and started over
    final_observations: Any  # uint8 (n, S, S, stack * C): their last

    def __new__(cls, *_: object, device: str = "cpu", **__: object) -> Self:
        if device == "cuda" and cls is Games:
            from priorlab.envs.engine.card import CudaGames  # torch and numba's CUDA cost seconds

            return object.__new__(CudaGames)  # pyright: ignore[reportReturnType]  a Games, and so it is initialised
        return super().__new__(cls)

    def __init__(
        self,
        num_games: int = 1,
        version: str | Sequence[str] = "original",
        *,
        game: str | Sequence[str] | None = None,
        level: "str | Level | Sequence[str | Level | None] | None" = None,
        order: str = "own",
        looks: Dials | Mapping[str, float] | None = None,
        split: str = "training",
        obs: str = "pixels",
        screen_size: int = 84,
        grayscale_obs: bool = True,
        stack_size: int = 1,
        frame_skip: int = 1,
        look_seed: int | Sequence[int] = 0,
        max_inputs: int | None = None,
        random_start: int = 0,
        num_threads: int = 1,
        autoreset: bool = True,
        device: str = "cpu",
    ):
        for name, value, least in (
            ("num_games", num_games, 1), ("screen_size", screen_size, 1), ("stack_size", stack_size, 1),
            ("frame_skip", frame_skip, 1), ("max_inputs", 1 if max_inputs is None else max_inputs, 1),
            ("random_start", random_start, 0), ("num_threads", num_threads, 1),
        ):  # fmt: skip
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name} is {value!r}: expected a whole number, {least} or more")
        for name, value, options in (("order", order, ORDERS), ("obs", obs, OBSERVATIONS), ("device", device, DEVICES)):
            if value not in options:
                raise ValueError(f"{name} is {value!r}: expected one of {', '.join(options)}")
        self.num_games, self.frame_skip, self.random_start = num_games, frame_skip, random_start
        self.autoreset, self.order = autoreset, order
        listed = (value for value in (game, version, level, look_seed) if isinstance(value, (list, tuple, range)))
        count = num_games if order == "own" else max((len(value) for value in listed), default=1)
        self.places, numbers = gather_places(count, game, version, level, look_seed, looks, split)
        self.scenes = (
            build_tiles(self.places, max_inputs)
            if obs == "tiles"
            else build_scenes(self.places, screen_size, grayscale_obs, max_inputs)
        )
        self._max_inputs = max_inputs
        self._native: dict[int, tuple[Scenes, Scratch]] = {}
        lanes = build_lanes(self.scenes, num_games, stack_size)
        lanes.scene[:] = numbers if order == "own" else len(self.places) - 1
        lanes.draws[:] = ORDERS[order]
        self.started, self._closed = False, False
        self.num_threads, self.turn = num_threads, threading.Lock()
        self._settle(lanes)
        self._seed(np.arange(num_games), range(num_games))

    def _settle(self, lanes: Lanes) -> None:
        """Makes these the games' lanes, and who steps them."""
        self.lanes, self.state, self.scratch = lanes, lanes.state, build_scratch(self.scenes)
        self._last_observations = np.empty_like(lanes.observations)  # its pages are touched only as lanes end
        self._last_states = np.empty_like(self.state)
        self._actions, self._ended = np.zeros((2, self.num_games), np.int64)
        self.ended, self.final_observations = self._ended[:0], self._last_observations[:0]
        threads = min(self.num_threads, self.num_games) if COMPILED else 1
        edges = np.linspace(0, self.num_games, threads + 1).astype(int).tolist()
        settings = self.frame_skip, self.random_start, self.autoreset
        kept = self._ended, self._last_observations, self._last_states
        jobs = [
            (self.scenes, lanes, self._actions, *settings, a, b, build_scratch(self.scenes), *kept)
            for a, b in pairwise(edges)
        ]
        self._firsts = edges[:-1]  # the first lane of each thread
        self._crew = Crew(jobs)

    def __getstate__(self) -> dict[str, Any]:
        """All but who steps the lanes. A copy, or what was pickled, goes on from here as these games would have."""
        kept = {name: getattr(self, name) for name in KEPT}
        return kept | {"lanes": Lanes(*map(on_cpu, self.lanes)), "last": self._last()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({name: state[name] for name in KEPT} | {"_native": {}})
        scenes = Scenes(*(np.require(each, requirements="W") for each in self.scenes))  # never written, but for
        self.scenes = scenes._replace(chances=scenes.chances.copy())
        lanes = Lanes(*(np.array(each) for each in state["lanes"]))
        if lanes.observations.size == lanes.pictures.size:  # nothing is stacked: one memory
            lanes = lanes._replace(observations=lanes.pictures.reshape(lanes.observations.shape))
        self._settle(lanes)
        self._put_last(*state["last"])
        if self._closed:
            self.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = object.__new__(type(self))
        other.__setstate__(self.__getstate__())
        return other

    def _last(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The lanes that ended in the last step, and what was theirs: observations and states."""
        return self.ended, self.final_observations, self.final_states

    def _put_last(self, ended: np.ndarray, observations: np.ndarray, states: np.ndarray) -> None:
        self.ended, self.final_observations = ended.copy(), self._last_observations[: len(ended)]
        self.final_observations[:], self._last_states[: len(ended)] = observations, states

    @in_turn
    def reset(self, seed: int | Sequence[int | None] | None = None, lanes: Any = None) -> Any:
        """Starts a new play in every lane, or in these; all observations.

        Seed s seeds lane i with s + i. A list holds a seed a lane; None lets a lane draw on as it did.
        """
        self._check_open()
        chosen = np.arange(self.num_games) if lanes is None else np.asarray(lanes, np.int64)
        seeds = checked_seeds(seed, self.num_games)
        told = [lane for lane in chosen.tolist() if seeds[lane] is not None]
        if told:
            self._seed(np.array(told), [seeds[lane] for lane in told])
        self.lanes.ever[chosen] = 0
        self.restart(chosen)
        return self.lanes.observations

    def _seed(self, lanes: np.ndarray, seeds: Sequence[int | None]) -> None:
        """Has lanes draw places and first inputs by these seeds, or go through the places from the first one on."""
        if self.order == "drawn":
            words = [np.random.SeedSequence(seed).generate_state(1)[0] % WORD + 1 for seed in seeds]
            self._put(self.lanes.draws, lanes, np.array(words, np.int64))
        elif self.order == "in_order":
            self.lanes.scene[lanes] = len(self.places) - 1
        if self.random_start:
            self._put(self.lanes.generators, lanes, seeded(seeds))

    def _put(self, held: Any, rows: Any, values: np.ndarray) -> None:
        """Overwrites rows of an array that the games hold."""
        held[rows] = values

    @property
    def chances(self) -> np.ndarray:
        """float64 (places,): how likely an episode that draws its place is played in each.

        A curriculum may set them, to any weights, at any time between steps.
        """
        return np.diff(self.scenes.chances, prepend=0.0)

    @chances.setter
    def chances(self, weights: Sequence[float] | np.ndarray) -> None:
        new = np.asarray(weights, np.float64)
        if new.shape != (len(self.places),) or not np.isfinite(new).all() or (new < 0).any() or not new.any():
            raise ValueError(f"chances: expected {len(self.places)} numbers, 0 or more and not all 0, one a place")
        upto = np.cumsum(new) / new.sum()
        upto[np.flatnonzero(new)[-1] :] = 1.0  # whatever rounding did
        self._put_chances(upto)

    def _put_chances(self, upto: np.ndarray) -> None:
        self.scenes.chances[:] = upto

    def restart(self, lanes: Any, new_play: bool = True) -> None:
        """Puts these lanes at the start; where it is not a new play, a play that died goes on."""
        if new_play:
            self.lanes.terminated[lanes] = False
        chosen = np.ascontiguousarray(lanes, np.int64)
        kept = self._last_observations, self._last_states
        start_over(self.scenes, self.lanes, chosen, self.random_start, *kept, self.scratch)
        self.lanes.rewards[lanes] = 0.0
        self.lanes.terminated[lanes] = self.lanes.truncated[lanes] = False
        self.started = True

    @in_turn
    def step(self, actions: Any, over: np.ndarray | None = None) -> tuple[Any, Any, Any, Any]:
        """(observations, rewards float32 (N,), terminated bool (N,), truncated bool (N,)) after an action each.

        Lanes in ``over``, bool (N,), start over instead, and are then those that ``ended`` names. Raises ValueError for
        actions that are not N whole numbers from 0 to 5.
        """
        self._check_started()
        self._actions[:] = checked_actions(actions, self.num_games, over)
        if over is not None:
            self._actions[over] = START_OVER
        counts = self._crew.step()
        total = counts[0]
        for count, first in zip(counts[1:], self._firsts[1:]):  # what threads wrote apart moves together
            for kept in (self._ended, self._last_observations, self._last_states):
                kept[total : total + count] = kept[first : first + count]
            total += count
        self.ended, self.final_observations = self._ended[:total].copy(), self._last_observations[:total]
        return self.lanes.observations, self.lanes.rewards, self.lanes.terminated, self.lanes.truncated

    @property
    def final_states(self) -> Any:
        """int32 (n, FIELDS): the last ones of the lanes that ended in the last step and started over."""
        return self._last_states[: len(self.ended)]

    @property
    def final_info(self) -> dict[str, np.ndarray]:
        """What ``info`` was of the lanes that ended in the last step: arrays over them."""
        return info_of(on_cpu(self.final_states))

    def info(self) -> dict[str, np.ndarray]:
        """Arrays over the lanes; deaths, unique_states and inputs count over the play, x and y are in pixels."""
        return info_of(on_cpu(self.state))

    def visited(self) -> np.ndarray:
        """bool (2 * side, columns): the positions visited since reset by any lane of any play.

        Row y is half a pixel, a column one step of walking. Only for lanes that share a level.
        """
        if len({place.level.text() for place in self.places}) > 1:
            raise ValueError("visited: the lanes play different levels, whose positions have nothing in common")
        bits = np.unpackbits(self._ever(), bitorder="little")
        height = 2 * int(self.scenes.numbers[0, SIDE])
        # (columns * height + padding,) -> (columns, height) -> (height, columns)
        return bits[: len(bits) // height * height].reshape(-1, height).T.astype(bool)

    def _ever(self) -> np.ndarray:
        """uint8 (P,): a bit for each position that any lane visited."""
        return np.bitwise_or.reduce(self.lanes.ever, axis=0)

    def save(self, lanes: Any = None) -> Saved:
        """A copy of these lanes (None: all), for ``restore``."""
        chosen = np.arange(self.num_games) if lanes is None else np.asarray(lanes, np.int64)
        own = self.lanes
        return Saved(
            own.scene[chosen], own.state[chosen], own.visited[chosen], own.ever[chosen],
            np.stack([own.terminated[chosen], own.truncated[chosen]], axis=1), own.observations[chosen],
            own.draws[chosen], own.generators[chosen],
        )  # fmt: skip

    def restore(self, saved: Saved, lanes: Any = None) -> Any:
        """Puts what was saved into these lanes (None: all); the observations. With order own a lane keeps its game."""
        chosen = np.arange(self.num_games) if lanes is None else np.asarray(lanes, np.int64)
        own = self.lanes
        check_fits(saved.scene, saved.draws, own.scene[chosen], own.draws[chosen])
        own.scene[chosen], own.draws[chosen], own.generators[chosen] = saved.scene, saved.draws, saved.generators
        own.state[chosen], own.visited[chosen], own.ever[chosen] = saved.state, saved.visited, saved.ever
        own.terminated[chosen], own.truncated[chosen] = saved.ending.T
        own.observations[chosen] = saved.observations
        for lane in chosen:
            self.redraw(int(lane))
        self.started = True
        return own.observations

    def redraw(self, lane: int) -> np.ndarray:
        """Draws a lane's picture anew from its state alone; uint8 (S, S, C)."""
        (scene, state), own = self._now(lane), self.lanes
        draw_whole(self.scenes, scene, state, own.drawn[lane], own.pictures[lane], self.scratch)
        return own.pictures[lane].reshape(self.scenes.starts.shape[1:])  # (S, S * C) -> (S, S, C)

    def native_frame(self, lane: int = 0) -> np.ndarray:
        """The lane's picture in colour, 15 pixels a tile; uint8 (side, side, 3)."""
        scene, state = self._now(lane)
        if scene not in self._native:
            native = build_scenes([self.places[scene]], None, False, self._max_inputs)
            self._native[scene] = native, build_scratch(native)
        scenes, scratch = self._native[scene]
        frame = np.zeros_like(scenes.empty[0])
        draw_whole(scenes, 0, state, np.zeros(4, np.int32), frame, scratch)
        return frame.reshape(scenes.starts.shape[1:])  # (side, side * 3) -> (side, side, 3)

    def _now(self, lane: int) -> tuple[int, np.ndarray]:
        """(scene, state) of a lane."""
        return int(self.lanes.scene[lane]), self.state[lane]

    def close(self) -> None:
        self._crew.close()
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this environment is closed: make a new one")

    def _check_started(self) -> None:
        self._check_open()
        if not self.started:
            raise RuntimeError("step before reset: call reset first")


def on_cpu(array: Any) -> np.ndarray:
    """What games hold, wherever they hold it, as a numpy array: the same memory, or a copy of a card's."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def check_fits(saved_scene: Any, saved_draws: Any, scene: Any, draws: Any) -> None:
    """ValueError where lanes that were saved are of other games than those that shall become them."""
    same = len(saved_scene) == len(scene) and ((saved_draws == OWN) == (draws == OWN)).all()
    if not same or ((draws == OWN) & (saved_scene != scene)).any():
        raise ValueError("restore: what was saved is of other games; expected the same levels, looks and lanes")


def checked_actions(actions: object, count: int, ignored: np.ndarray | None = None) -> np.ndarray:
    """The actions as int64 (count,), 0 where they are ignored, bool (count,); ValueError says what is wrong."""
    array = np.asarray(actions)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise ValueError(f"actions are {array.dtype} {array.shape}: expected {count} whole numbers, shape ({count},)")
    if ignored is not None:
        array = np.where(ignored, 0, array)
    if count and (array.min() < 0 or array.max() >= INPUTS):
        lane = int(np.flatnonzero((array < 0) | (array >= INPUTS))[0])
        names = ", ".join(f"{number} {name}" for number, name in enumerate(INPUT_NAMES))
        raise ValueError(f"action {array[lane]} of game {lane}: expected 0 to {INPUTS - 1} ({names})")
    return np.ascontiguousarray(array, np.int64)
