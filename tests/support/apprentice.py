"""An apprentice's plays on a GPU compared with the same on the CPU. As a program: in numba's simulator of a GPU."""

import numpy as np
import torch

from priorlab.agents.apprentice.plays import Plays
from tests.agents.test_apprentice import a_life_with_deaths, life
from tests.support.gpu import alike, random_actions

PLACES = [each.drawn.scenery() for each in (a_life_with_deaths(), life(3), life(0, "large_training"))]


def plays_alike(games: int, steps: int, screen_size: int = 84) -> int:
    """Asserts that both show and report the same through deaths and moves; how many deaths there were."""
    ours, theirs = (Plays(PLACES, games, screen_size, 3, torch.device(name)) for name in ("cpu", "cuda"))
    rng, deaths = np.random.default_rng(0), 0
    for step, actions in enumerate(random_actions(steps, games)):
        if step % 20 == 0:
            lanes = np.flatnonzero(rng.random(games) < 0.3)
            places = rng.integers(len(PLACES), size=len(lanes))
            ours.move(lanes, places), theirs.move(lanes, places)
        if step % 25 == 0:
            ours.back(np.array([0])), theirs.back(np.array([0]))
        if step == steps // 2:
            saved = ours.save()
            assert all(torch.equal(each, saved[name]) for name, each in theirs.save().items())
            ours.restore(saved), theirs.restore(saved)
        given = torch.as_tensor(actions, device=theirs.pictures.device)
        for one, other in zip(ours.step(actions), theirs.step(given)):
            alike(one, other)
            deaths += int(one.sum())
        alike(ours.pictures, theirs.pictures)
        alike(ours.inputs, theirs.inputs)
        for name, values in ours.infos(np.arange(games)).items():
            alike(values, theirs.infos(np.arange(games))[name])
    return deaths


if __name__ == "__main__":
    assert plays_alike(4, 70, 16)
    print("alike")
