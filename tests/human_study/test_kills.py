"""A crash costs next to nothing; at length in soak/test_kills.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kills import kill_often
from tests.support.screen import Screen, a_screen, needs_x


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
def test_a_kill_costs_at_most_a_second_of_play(screen: Screen, tmp_path: Path):
    assert max(kill_often(screen, tmp_path, 3, seed=0)) <= 1.0
