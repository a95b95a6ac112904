"""The window of `priorlab watch` on a real screen: it takes keys, and leaving it prints the life so far."""

from collections.abc import Iterator

import numpy as np
import pytest

from priorlab.scripts.watch.screen import TITLE
from tests.support.screen import PATIENCE, Screen, a_screen, needs_x, wait_until


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
def test_the_window_takes_keys(screen: Screen):
    process = screen.start("-m", "priorlab", "watch", "--number", "23", "--speed", "0.25", title=TITLE)
    window = screen.focused()
    wait_until(lambda: len(np.unique(screen.part(window).reshape(-1, 3), axis=0)) > 50)  # something is drawn
    screen.do("key", "s", "Down", "Up", "Right", "space", "r", "n", "Escape")
    printed, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not errors
    assert "inputs" in printed
