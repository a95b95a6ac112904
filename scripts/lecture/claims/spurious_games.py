"""An agent always finds its goal. Did it learn the goal, its look, or its corner? One of them is moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from priorlab.agents.evaluation import Player, RandomPlayer, evaluate
from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.rooms import MIDDLE, WIDTH, agent_of, games_of, room

CORNER, OTHER = WIDTH - 1, 0  # columns: the goal in training, and the other end
MANY = tuple(MIDDLE + side * far for far in (3, 4, 5, 6) for side in (-1, 1))
PROBES = (  # in the order of the figure's ticks: rooms, and other changes
    (room(CORNER), {}),
    (room(CORNER), {"version": "masked_semantics"}),
    (room(CORNER, start=4), {}),
    (room(MIDDLE + 3), {}),
    (room(OTHER), {}),
)
SIDE_BY_SIDE = {"num_games": 32, "imitation_batches": 0}  # so that each minibatch contains all rooms equally
ONE, VARIED = "learned in one room", "learned in many rooms"


@dataclass(frozen=True)
class Settings:
    inputs: Annotated[int, "raw inputs of each agent's training"] = 160_000
    episodes: Annotated[int, "episodes per test"] = 50


SMALL = {"inputs": 600, "episodes": 4}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    rooms = {ONE: [room(CORNER)], VARIED: [room(goal) for goal in MANY]}
    learned = {line: agent_of(levels, settings.inputs, seed, **SIDE_BY_SIDE) for line, levels in rooms.items()}
    learner = learned[ONE][1]
    players: Mapping[str, Player] = {line: model for line, (model, _) in learned.items()} | {CHANCE: RandomPlayer(seed)}
    for line, player in players.items():
        for x, (level, changed) in enumerate(PROBES):
            games = games_of(learner, [level], settings.episodes) | changed
            yield Row("probes", line, x, evaluate(player, games, seed=seed).win_rate)
