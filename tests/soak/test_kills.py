"""Killed with -9 at two hundred random moments of a real window's play; the log is cut back to what was on disk."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.kills import kill_often
from tests.support.screen import Screen, a_screen, needs_x


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
def test_two_hundred_kills_cost_at_most_a_second_of_play_each(screen: Screen, tmp_path: Path):
    losses = np.array(kill_often(screen, tmp_path, 200, seed=1))
    print(
        f"seconds lost: median {np.median(losses):.3f}, 99 % {np.quantile(losses, 0.99):.3f}, most {losses.max():.3f}"
    )
    assert len(losses) == 200 and losses.max() <= 1.0
