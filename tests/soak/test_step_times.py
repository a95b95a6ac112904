"""When steps happen in a participant's browser, beside when they are due, and when their pictures are shown; on an idle
machine, and with one core busy. PRIORLAB_SECONDS: of play, by default a minute.

Needs node with puppeteer-core, in the folder that NODE_PATH names, and chromium or Firefox.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest

from priorlab.envs.plays.sessions import Recorded, read_session
from priorlab.human_study.data.imported import import_study
from tests.human_study.test_study import a_study
from tests.soak.test_serve import Served
from tests.support.paths import ROOT

SECONDS = int(os.environ.get("PRIORLAB_SECONDS", "60"))
PLAYER = ROOT / "tests" / "support" / "timed_player.cjs"
PROGRAMS = {"chrome": ("chromium", "chromium-browser", "google-chrome"), "firefox": ("firefox-esr", "firefox")}
WITHIN = {0.95: 0.008, 0.99: 0.012}  # share of steps -> seconds after they were due
STEP = 1 / 30  # seconds
SHOWN = 0.99  # share of steps whose picture is shown within a step


def has_puppeteer() -> bool:
    look = [shutil.which("node") or "", "-e", "require('puppeteer-core')"]
    return bool(look[0]) and subprocess.run(look, capture_output=True).returncode == 0


@contextmanager
def busy_core() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def played(folder: Path, browser: str, program: str) -> Recorded:
    """A play in that browser, served, recorded and imported."""
    study = a_study(folder, game="key_door", versions=["original"], before=[], after=[], try_keys=False, minutes=30)
    served = Served(study)
    try:
        words = ["node", str(PLAYER), browser, program, f"http://127.0.0.1:{served.port}/", str(SECONDS)]
        subprocess.run(words, check=True, timeout=SECONDS + 300)
    finally:
        served.stop()
    assert [each.problem for each in import_study(study)] == [""]
    (log,) = study.folder.glob("*.session.jsonl")
    (recorded,) = read_session(log)
    return recorded


@pytest.mark.skipif(not has_puppeteer(), reason="needs node and puppeteer-core; NODE_PATH: its folder")
@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("browser", PROGRAMS)
def test_steps_are_taken_and_shown_in_time(browser: str, is_busy: bool, tmp_path: Path):
    program = next(filter(None, map(shutil.which, PROGRAMS[browser])), None)
    if program is None:
        pytest.skip(f"needs {PROGRAMS[browser][0]}")
    with busy_core() if is_busy else nullcontext():
        recorded = played(tmp_path, browser, program)
    due, done, shown = recorded.times.T
    taken = np.quantile(done - due, [*WITHIN])
    is_shown = shown - due <= STEP
    late = ", ".join(f"{1000 * each:.1f} ms (p{100 * share:.0f})" for share, each in zip(WITHIN, taken))
    where = f"{browser}, {'one core busy' if is_busy else 'idle'}"
    print(
        f"\n{where}: {len(due)} steps, {recorded.about['missed']} missed; late by {late}; "
        f"{100 * is_shown.mean():.2f} % shown within a step, {1000 * STEP:.0f} ms"
    )
    assert len(due) > 0.9 * SECONDS / STEP
    if not is_busy:  # with a busy core, it is reported
        assert (taken < [*WITHIN.values()]).all() and is_shown.mean() >= SHOWN
