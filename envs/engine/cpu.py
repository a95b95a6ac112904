"""The engine that plays games on the CPU, on one or more threads."""

from itertools import pairwise
from typing import Any

import numpy as np

from priorlab.envs.base.compile import COMPILED
from priorlab.envs.engine.checks import checked_actions
from priorlab.envs.engine.crew import Crew
from priorlab.envs.engine.draw import Scenes, draw_whole
from priorlab.envs.engine.engine import Engine, Saved, check_fits
from priorlab.envs.engine.lockstep import START_OVER, Lanes, Pace, Part, Turn, start_over
from priorlab.envs.engine.scenes import build_scratch


class CpuEngine(Engine):
    """Steps lanes on ``num_threads`` threads. Lanes are numpy arrays; each step overwrites them."""

    def __init__(self, scenes: Scenes, lanes: Lanes, pace: Pace, num_threads: int):
        super().__init__(scenes, lanes, pace, num_threads)
        self.lanes = lanes
        self._turn = Turn(
            actions=np.zeros(self.num_games, np.int64),
            ended=np.zeros(self.num_games, np.int64),
            observations=np.empty_like(lanes.observations),  # its pages are touched only as lanes end
            states=np.empty_like(lanes.state),
        )
        self.ended, self.final_observations = self._turn.ended[:0], self._turn.observations[:0]
        threads = min(num_threads, self.num_games) if COMPILED else 1
        edges = np.linspace(0, self.num_games, threads + 1).astype(int).tolist()
        parts = [Part(start, stop, build_scratch(scenes)) for start, stop in pairwise(edges)]
        self._firsts = edges[:-1]  # the first lane of each thread
        self._crew = Crew([(scenes, lanes, self._turn, pace, part) for part in parts])

    def step(self, actions: Any, over: np.ndarray | None) -> None:
        turn = self._turn
        turn.actions[:] = checked_actions(actions, self.num_games, ignored=over)
        if over is not None:
            turn.actions[over] = START_OVER
        counts = self._crew.step()
        total = counts[0]
        for count, first in zip(counts[1:], self._firsts[1:]):  # what threads wrote apart moves together
            for rows in (turn.ended, turn.observations, turn.states):
                rows[total : total + count] = rows[first : first + count]
            total += count
        self.ended, self.final_observations = turn.ended[:total].copy(), turn.observations[:total]

    @property
    def final_states(self) -> np.ndarray:
        return self._turn.states[: len(self.ended)]

    def restart(self, lanes: Any, new_play: bool) -> None:
        if new_play:
            self.lanes.terminated[lanes] = False
        chosen = np.ascontiguousarray(lanes, np.int64)
        last = self._turn.observations, self._turn.states
        start_over(self.scenes, self.lanes, chosen, self.pace.random_start, *last, self.scratch)
        self.lanes.rewards[lanes] = 0.0
        self.lanes.terminated[lanes] = self.lanes.truncated[lanes] = False

    def put(self, array: Any, rows: Any, values: np.ndarray) -> None:
        array[rows] = values

    def put_chances(self, cumulative: np.ndarray) -> None:
        self.scenes.chances[:] = cumulative

    def save(self, lanes: Any) -> Saved:
        chosen, held = self._chosen(lanes), self.lanes
        return Saved(
            held.scene[chosen], held.state[chosen], held.visited[chosen], held.ever[chosen],
            np.stack([held.terminated[chosen], held.truncated[chosen]], axis=1), held.observations[chosen],
            held.draws[chosen], held.generators[chosen],
        )  # fmt: skip

    def restore(self, saved: Saved, lanes: Any) -> None:
        chosen, held = self._chosen(lanes), self.lanes
        check_fits(saved.scene, saved.draws, held.scene[chosen], held.draws[chosen])
        held.scene[chosen], held.draws[chosen], held.generators[chosen] = saved.scene, saved.draws, saved.generators
        held.state[chosen], held.visited[chosen], held.ever[chosen] = saved.state, saved.visited, saved.ever
        held.terminated[chosen], held.truncated[chosen] = saved.ending.T
        held.observations[chosen] = saved.observations
        for lane in chosen:
            self.redraw(int(lane))

    def redraw(self, lane: int) -> np.ndarray:
        (scene, state), held = self.now(lane), self.lanes
        draw_whole(self.scenes, scene, state, held.drawn[lane], held.pictures[lane], self.scratch)
        return held.pictures[lane].reshape(self.scenes.starts.shape[1:])  # (S, S * C) -> (S, S, C)

    def ever_visited(self) -> np.ndarray:
        return np.bitwise_or.reduce(self.lanes.ever, axis=0)

    def last(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the lanes in ``ended``."""
        return self.ended, self.final_observations, self.final_states

    def put_last(self, ended: np.ndarray, observations: np.ndarray, states: np.ndarray) -> None:
        self.ended, self.final_observations = ended.copy(), self._turn.observations[: len(ended)]
        self.final_observations[:], self._turn.states[: len(ended)] = observations, states

    def close(self) -> None:
        self._crew.close()

    def _chosen(self, lanes: Any) -> np.ndarray:
        return np.arange(self.num_games) if lanes is None else np.asarray(lanes, np.int64)
