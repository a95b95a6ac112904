"""How many weights are needed once a network has learned: a classifier's, and a game agent's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Literal

import numpy as np
import torch
from torch import nn

from priorlab.agents.evaluate import Chance, evaluate
from priorlab.envs.looks.exemplars import DRAWINGS
from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import Examples, accuracy, classifier, eye, fit
from priorlab.scripts.lecture.objects import FAMILIES, SIDE, pictures
from priorlab.scripts.lecture.rooms import agent_of, games_of
from priorlab.scripts.tickets.runs import HEADS
from priorlab.transfer.networks.network import Network
from priorlab.transfer.pruning import WeightMask, shrink_and_learn

ROUNDS, SHARE = 4, 0.75  # removals, and how much of what is left each takes
LEVEL, LIMIT = ("tower_03",), 400  # of the agent; raw inputs of an episode
LEFT = tuple((1 - SHARE) ** k for k in range(ROUNDS + 1))
TRAINED, ANEW, AT_ONCE, ALL = "removed, then trained on", "removed, then started anew", "removed at once", "all kept"


@dataclass(frozen=True)
class Settings:
    steps: Annotated[int, "minibatches that the classifier learns from"] = 300
    again: Annotated[int, "minibatches that it learns from after each removal"] = 75
    inputs: Annotated[int, "raw inputs for which the agent learns"] = 25_000
    episodes: Annotated[int, "of each test of the agent"] = 50


SMALL = {"steps": 15, "again": 2, "inputs": 400, "episodes": 2}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    learning, testing = examples(seed)
    for line in (TRAINED, ANEW, ALL):
        values, module = shrunk(line, learning, testing, settings, seed)
        yield from (Row("classifier", line, left, value) for left, value in zip(LEFT, values))
    values = removed(Network(module), lambda: accuracy(module, *testing))  # of the one that has kept all so far
    yield from (Row("classifier", AT_ONCE, left, value) for left, value in zip(LEFT, values))
    yield from (Row("classifier", CHANCE, left, 1 / FAMILIES) for left in LEFT)

    agent, learner = agent_of(LEVEL, settings.inputs, seed, max_inputs=LIMIT)
    games = games_of(learner, LEVEL, settings.episodes)
    values = removed(Network(agent.policy, HEADS), lambda: evaluate(agent, games, seed=seed).win_rate)
    yield from (Row("agent", AT_ONCE, left, value) for left, value in zip(LEFT, values))
    luck = evaluate(Chance(seed), games, seed=seed).win_rate
    yield from (Row("agent", CHANCE, left, luck) for left in LEFT)


def examples(seed: int) -> list[Examples]:
    """Pictures of the nine families and their classes: to learn from, and of drawings never seen."""
    rng = np.random.default_rng([seed, 4])
    parts = []
    for number, split in ((4608, "training"), (1800, "held_out")):
        families = np.arange(number) % FAMILIES
        drawn = families * DRAWINGS + rng.integers(DRAWINGS, size=number)
        parts.append((pictures(drawn, split, rng), torch.from_numpy(families)))
    return parts


def shrunk(
    line: str, learning: Examples, testing: Examples, settings: Settings, seed: int
) -> tuple[list[float], nn.Module]:
    """Accuracies of a classifier that learns, loses weights, learns again, and so on, and the classifier; ANEW: each
    time from new weights, for as many steps as the others have learned by then; ALL: and loses none."""
    module = classifier(eye(SIDE, 3, seed), FAMILIES, seed)
    generator, rounds = torch.Generator().manual_seed(seed), count()

    def learn(attach: Callable[[torch.optim.Optimizer], object]) -> None:
        number = next(rounds)
        so_far = settings.steps + settings.again * number
        steps = so_far if line == ANEW or not number else settings.again
        fit(module, *learning, steps, generator, attach=attach)

    def test() -> float:
        return accuracy(module, *testing)

    if line == ALL:
        return [(learn(lambda _: None), test())[1] for _ in LEFT], module
    restart: Literal["random", "none"] = "random" if line == ANEW else "none"
    found = shrink_and_learn(Network(module), lambda mask: learn(mask.attach), test, ROUNDS, SHARE, restart, seed=seed)
    return [each.performance for each in found], module


def removed(network: Network, test: Callable[[], float]) -> list[float]:
    """What a test comes to with ever fewer of the weights, which learn no more; the smallest go first."""
    mask, values = WeightMask(network), [test()]
    for _ in range(ROUNDS):
        mask.shrink(SHARE)
        values.append(test())
    return values
