"""The learning curves that docs/training.md claims; minutes on one core."""

from pathlib import Path

import numpy as np
import pytest

from agents.ppo import train_ppo
from agents.settings import Settings
from agents.train import play_at_random

SEEDS = range(5)


@pytest.mark.parametrize("random_start", [0, 30])
def test_princess_is_learned_within_100_000_inputs(tmp_path: Path, random_start: int):
    learned = []
    for seed in SEEDS:
        settings = Settings(seed=seed, random_start=random_start, out=tmp_path / str(seed), progress=False)
        _, record = train_ppo(settings)
        learned.append(record.learned or np.inf)
    assert np.median(learned) <= 100_000, learned


def test_chance_does_not_win_in_as_many_inputs(tmp_path: Path):
    for seed in SEEDS:
        settings = Settings(agent="random", seed=seed, out=tmp_path / str(seed))
        assert play_at_random(settings).first_win is None
