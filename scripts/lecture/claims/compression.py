"""How many weights does a trained network need? A classifier and a game agent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Literal

import numpy as np
import torch
from torch import nn

from priorlab.agents.evaluation import RandomPlayer, evaluate
from priorlab.envs.looks.exemplars import DRAWINGS
from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import Examples, accuracy, classifier, eye, fit
from priorlab.scripts.lecture.objects import FAMILIES, SIDE, pictures
from priorlab.scripts.lecture.rooms import agent_of, games_of
from priorlab.scripts.tickets.runs import HEADS
from priorlab.transfer.networks.network import Network
from priorlab.transfer.pruning import WeightMask, shrink_and_learn

ROUNDS, SHARE = 4, 0.75  # removals, and the share of the remaining weights that each takes
LEARNED, TESTED = 4608, 1800  # pictures
LEVEL, LIMIT = ("tower_03",), 400  # of the agent; raw inputs per episode
LEFT = tuple((1 - SHARE) ** k for k in range(ROUNDS + 1))
TRAINED, ANEW, AT_ONCE, ALL = "removed, then trained on", "removed, then started anew", "removed at once", "all kept"


@dataclass(frozen=True)
class Settings:
    steps: Annotated[int, "minibatches of the classifier's training"] = 300
    again: Annotated[int, "minibatches of training after each removal"] = 75
    inputs: Annotated[int, "raw inputs of the agent's training"] = 25_000
    episodes: Annotated[int, "episodes per test of the agent"] = 50


SMALL = {"steps": 15, "again": 2, "inputs": 400, "episodes": 2}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    learning, testing = examples(seed)
    for line in (TRAINED, ANEW, ALL):
        values, module = shrunk(line, learning, testing, settings, seed)
        yield from (Row("classifier", line, left, value) for left, value in zip(LEFT, values))
    values = removed(Network(module), lambda: accuracy(module, *testing))  # of the one with all weights
    yield from (Row("classifier", AT_ONCE, left, value) for left, value in zip(LEFT, values))
    yield from (Row("classifier", CHANCE, left, 1 / FAMILIES) for left in LEFT)

    agent, learner = agent_of(LEVEL, settings.inputs, seed, max_inputs=LIMIT)
    games = games_of(learner, LEVEL, settings.episodes)
    values = removed(Network(agent.policy, HEADS), lambda: evaluate(agent, games, seed=seed).win_rate)
    yield from (Row("agent", AT_ONCE, left, value) for left, value in zip(LEFT, values))
    luck = evaluate(RandomPlayer(seed), games, seed=seed).win_rate
    yield from (Row("agent", CHANCE, left, luck) for left in LEFT)


def examples(seed: int) -> list[Examples]:
    """Pictures of the nine families with their classes: for training, and of new drawings."""
    rng = np.random.default_rng([seed, 4])
    parts = []
    for number, split in ((LEARNED, "training"), (TESTED, "held_out")):
        families = np.arange(number) % FAMILIES
        drawn = families * DRAWINGS + rng.integers(DRAWINGS, size=number)
        parts.append((pictures(drawn, split, rng), torch.from_numpy(families)))
    return parts


def shrunk(
    line: str, learning: Examples, testing: Examples, settings: Settings, seed: int
) -> tuple[list[float], nn.Module]:
    """Trains a classifier, removes weights, trains it again, and so on; returns the accuracies and the classifier.

    ANEW: each training starts from new weights, for as many steps as the others have had by then. ALL: no weights are
    removed.
    """
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
    rounds_done = shrink_and_learn(
        Network(module), lambda mask: learn(mask.attach), test, ROUNDS, SHARE, restart, seed=seed
    )
    return [each.performance for each in rounds_done], module


def removed(network: Network, test: Callable[[], float]) -> list[float]:
    """The results of a test with fewer and fewer weights, smallest removed first, without further training."""
    mask, values = WeightMask(network), [test()]
    for _ in range(ROUNDS):
        mask.shrink(SHARE)
        values.append(test())
    return values
