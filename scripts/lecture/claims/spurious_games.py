"""What an agent that always finds its goal has learned: the goal, its looks, or its corner? One of them is moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from priorlab.agents.evaluate import Chance, Player, evaluate
from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.rooms import MIDDLE, WIDTH, agent_of, games_of, room

CORNER, OTHER = WIDTH - 1, 0  # columns: where the goal is in training, and the other end
MANY = tuple(MIDDLE + side * far for far in (3, 4, 5, 6) for side in (-1, 1))
PROBES = (  # in the order of the figure's ticks: rooms, and what else is changed
    (room(CORNER), {}),
    (room(CORNER), {"version": "masked_semantics"}),
    (room(CORNER, start=4), {}),
    (room(MIDDLE + 3), {}),
    (room(OTHER), {}),
)
SIDE_BY_SIDE = {"num_games": 32, "imitation_batches": 0}  # so that each minibatch holds all rooms, and none is favoured
ONE, VARIED = "learned in one room", "learned in many rooms"


@dataclass(frozen=True)
class Settings:
    inputs: Annotated[int, "raw inputs for which each agent learns"] = 160_000
    episodes: Annotated[int, "of each test"] = 50


SMALL = {"inputs": 600, "episodes": 4}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    rooms = {ONE: [room(CORNER)], VARIED: [room(goal) for goal in MANY]}
    learned = {line: agent_of(own, settings.inputs, seed, **SIDE_BY_SIDE) for line, own in rooms.items()}
    learner = learned[ONE][1]
    players: Mapping[str, Player] = {line: model for line, (model, _) in learned.items()} | {CHANCE: Chance(seed)}
    for line, player in players.items():
        for x, (level, changed) in enumerate(PROBES):
            games = games_of(learner, [level], settings.episodes) | changed
            yield Row("probes", line, x, evaluate(player, games, seed=seed).win_rate)
