"""MAML against weights that were learned without a thought of what comes: sinusoids, and pictures from few shots."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import numpy as np
import torch
from torch import nn
from torch.func import vmap
from torch.nn import functional

from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import EXAMPLES, NEW, Examples, Signs, classifier, eye, fit, signs
from priorlab.scripts.lecture.objects import labelled, some_classes
from priorlab.transfer.fewshot.episodes import draw_episode
from priorlab.transfer.fewshot.maml import MAML, Parameters, TaskBatch, distance_moved

ORDERS = {"MAML": False, "MAML, first order": True}
PLAIN = "all tasks at once"
POINTS, MOST_STEPS, TESTS, TRIED = 10, 10, 50, 20  # of a sinusoid; steps of a test; tests; tasks to choose a rate by
WAYS, QUERIES, LEARNING_RATE = 3, 10, 3e-3  # digits of a task; questions of each class; of Adam, on pictures
SINUSOID_RATE, PICTURE_RATE = 0.01, 0.1
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)  # from which who did not learn to adapt is given the best
AMPLITUDE, PHASE, REACH = (0.1, 5.0), (0.0, np.pi), 5.0  # as in the paper, section 5.1


@dataclass(frozen=True)
class Settings:
    sinusoid_steps: Annotated[int, "steps of meta-learning sinusoids"] = 1000
    picture_steps: Annotated[int, "steps of meta-learning pictures"] = 300
    tasks: Annotated[int, "sinusoids a step"] = 25
    inner_steps: Annotated[int, "steps of adapting that it learns for, on pictures"] = 3
    ways: Annotated[int, "classes of a task of drawings", NEW, 2] = 5
    shots: Annotated[int, "examples of each class that it adapts to", EXAMPLES - QUERIES] = 1
    data: Annotated[Signs, "the second set of pictures; all but digits from torchvision, in the folder data"] = "digits"


SMALL = {"sinusoid_steps": 10, "picture_steps": 2}


def check(settings: Settings) -> None:
    signs(settings.data)


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    yield from sinusoids(settings, seed)
    rng = np.random.default_rng([seed, 1])
    known = labelled(some_classes(NEW, rng), EXAMPLES, "training", rng)
    new = labelled(some_classes(NEW, rng), EXAMPLES, "held_out", rng)
    yield from few_shot("objects", known, new, settings.ways, settings, seed)
    yield from few_shot("digits", *signs(settings.data), WAYS, settings, seed)


def sinusoids(settings: Settings, seed: int) -> Iterator[Row]:
    tests = waves(torch.Generator().manual_seed(seed + 1000), TESTS)
    for name, first_order in {**ORDERS, PLAIN: False}.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
        maml = MAML(module, functional.mse_loss, SINUSOID_RATE, first_order=first_order)
        draw_waves = partial(waves, torch.Generator().manual_seed(seed), settings.tasks)
        if name == PLAIN:
            at_once(maml, draw_waves, settings.sinusoid_steps)
        else:
            maml.learn(draw_waves, settings.sinusoid_steps)
        yield from (Row("moved", name, x, distance) for x, distance in enumerate(distances(maml, tests)))
        if name == PLAIN:
            tried = waves(torch.Generator().manual_seed(seed + 2000), TESTS)
            maml = min((replace(maml, rate=rate) for rate in RATES), key=lambda one: min(errors_of(one, tried)))
        yield from (Row("sinusoids", name, step, error) for step, error in enumerate(errors_of(maml, tests)))


def errors_of(maml: MAML, tests: TaskBatch) -> list[float]:
    """Mean squared error before adapting, and after each step."""
    return [
        float(vmap(maml.loss_of)(after, tests.query_inputs, tests.query_targets).mean())
        for after in adapted(maml, tests.inputs, tests.targets)
    ]


def adapted(maml: MAML, inputs: torch.Tensor, targets: torch.Tensor) -> Iterator[Parameters]:
    """The parameters of t tasks, (t, ...) each, before adapting to inputs (t, n, ...) and after each of some steps."""
    after = {name: value.detach().expand(len(inputs), *value.shape) for name, value in maml.parameters.items()}
    yield after
    step = vmap(lambda parameters, inputs, targets: maml.adapt(parameters, inputs, targets, 1))
    for _ in range(MOST_STEPS):
        after = {name: value.detach() for name, value in step(after, inputs, targets).items()}
        yield after


def distances(maml: MAML, tests: TaskBatch) -> list[float]:
    """How far the weights move, on average, when they adapt to a task, to two at once (the sum of their losses); the
    length of the sum of the changes by which they adapt to each of the two; and its distance from both at once."""
    before = maml.parameters
    changes = [
        {name: (value - before[name]).detach() for name, value in maml.adapt(before, *one, MOST_STEPS).items()}
        for one in zip(tests.inputs, tests.targets)
    ]
    nothing = {name: torch.zeros_like(value) for name, value in before.items()}
    both = MAML(maml.module, maml.loss, 2 * maml.rate)  # twice the mean over both is the sum of the two losses
    found = []
    for k in range(0, len(changes) - 1, 2):
        together = both.adapt(
            before, tests.inputs[k : k + 2].flatten(0, 1), tests.targets[k : k + 2].flatten(0, 1), MOST_STEPS
        )
        summed = {name: changes[k][name] + changes[k + 1][name] for name in before}
        there = {name: value - before[name] for name, value in together.items()}
        found.append(
            [distance_moved(nothing, each) for each in (changes[k], there, summed)] + [distance_moved(there, summed)]
        )
    return np.mean(found, axis=0).tolist()


def waves(generator: torch.Generator, number: int) -> TaskBatch:
    """Sinusoids (number, POINTS, 1) of random amplitude and phase."""
    amplitude = torch.empty(number, 1, 1).uniform_(*AMPLITUDE, generator=generator)
    phase = torch.empty(number, 1, 1).uniform_(*PHASE, generator=generator)
    x, asked = (torch.empty(number, POINTS, 1).uniform_(-REACH, REACH, generator=generator) for _ in range(2))
    return TaskBatch(x, amplitude * torch.sin(x - phase), asked, amplitude * torch.sin(asked - phase))


def at_once(maml: MAML, draw_tasks: Callable[[], TaskBatch], steps: int) -> None:
    """Learns all tasks as one, by Adam, without adapting."""
    optimizer = torch.optim.Adam(maml.module.parameters(), 1e-3)
    for _ in range(steps):
        tasks = draw_tasks()
        inputs, targets = torch.cat([tasks.inputs, tasks.query_inputs]), torch.cat([tasks.targets, tasks.query_targets])
        loss = maml.loss_of(maml.parameters, inputs.flatten(0, 1), targets.flatten(0, 1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def few_shot(
    figure: str,
    known: Examples,
    new: Examples,
    ways: int,
    settings: Settings,
    seed: int,
) -> Iterator[Row]:
    """How well tasks of new classes are done, by steps of adapting to them."""
    side, channels = known[0].shape[-1], known[0].shape[1]
    for name, first_order in {**ORDERS, PLAIN: False}.items():
        seen = eye(side, channels, seed, units=8)
        generator = torch.Generator().manual_seed(seed)
        if name == PLAIN:
            classes = len(known[1].unique())
            fit(classifier(seen, classes, seed), *known, settings.picture_steps, generator, LEARNING_RATE)
        module = classifier(seen, ways, seed)
        maml = MAML(module, functional.cross_entropy, PICTURE_RATE, settings.inner_steps, first_order)
        if name != PLAIN:
            draw_tasks = partial(tasks_of, known, ways, settings.shots, 8, generator)
            maml.learn(draw_tasks, settings.picture_steps, LEARNING_RATE)
        else:
            seen_tasks = tasks_of(known, ways, settings.shots, TRIED, generator)
            maml = max((replace(maml, rate=rate) for rate in RATES), key=lambda one: rights(one, seen_tasks)[-1])
        right = rights(
            maml,
            tasks_of(new, ways, settings.shots, TESTS, torch.Generator().manual_seed(seed + 1000), queries=QUERIES),
        )
        for step, share in enumerate(right):
            yield Row(figure, name, step, share)
            if name == PLAIN:
                yield Row(figure, CHANCE, step, 1 / ways)


def rights(maml: MAML, tests: TaskBatch) -> list[float]:
    """Share of rightly named pictures before adapting, and after each step."""
    return [
        float((vmap(maml.outputs)(after, tests.query_inputs).argmax(-1) == tests.query_targets).float().mean())
        for after in adapted(maml, tests.inputs, tests.targets)
    ]


def tasks_of(
    examples: Examples,
    ways: int,
    shots: int,
    number: int,
    generator: torch.Generator,
    queries: int = 3,
) -> TaskBatch:
    """Tasks of ``ways`` classes, named anew in each: (number, ways shots, ...) to adapt to, and what they are asked."""
    episodes = [draw_episode(*examples, ways, shots, queries, generator) for _ in range(number)]
    return TaskBatch(
        *(
            torch.stack([getattr(each, name) for each in episodes])
            for name in ("support", "support_labels", "query", "query_labels")
        )
    )
