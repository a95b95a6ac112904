"""Keys that are really pressed at random moments are in the log when they were pressed, not when their step was due."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from priorlab.envs.plays.courses import ChosenGame
from priorlab.scripts.experiments.key_times import measure
from tests.support.screen import Screen, a_screen, needs_x


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
def test_keys_have_the_times_at_which_they_were_pressed(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DISPLAY", screen.env["DISPLAY"])
    for name in ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    sent, logged, due, rate = measure(ChosenGame("princess"), 60, tmp_path, 0)
    late = logged - sent
    assert np.median(late) < 0.005 and (late > -0.001).all()
    places = (logged - due) * rate % 1
    assert kstest(places, "uniform").pvalue > 0.001, "all over the step, not at its begin"
