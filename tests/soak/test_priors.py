"""`priorlab priors` in processes of its own, killed while it plays: what is recorded is whole, and it goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from priorlab.scripts.priors.fixed import read_fixed
from priorlab.scripts.priors.sealed import read_lives, sealed_rows
from tests.scripts.test_priors import AGAIN, begun
from tests.support.lived_again import ROWS, different
from tests.support.paths import ROOT

SCRIPT = """
import sys
from pathlib import Path
from rich.console import Console
from priorlab.scripts.priors.fixed import read_fixed
from priorlab.scripts.priors.plan import Chosen
from priorlab.scripts.priors.playing import Where, play
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    where = Where(folder, folder / "raised", folder / "none", "c0ffee")
    assert not play(read_fixed(folder), where, Chosen(), Console())
"""
PATIENCE = 300  # seconds
EVERY, MOST_INPUTS = 7, 4000  # of the sealed lives that are lived again
DIFFERENT = 0.05  # of lives, how many may differ on another processor


def start(folder: Path) -> subprocess.Popen:
    script = folder.parent / "play.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, script, folder], env=environment, start_new_session=True)


def lines(folder: Path) -> int:
    path = folder / "lives.csv"
    return path.read_text().count("\n") if path.exists() else 0


def rows_of(folder: Path) -> list[list[tuple[str, str]]]:
    rows = sealed_rows(folder, read_fixed(folder).hash)
    return sorted([(name, value) for name, value in row.items() if name not in AGAIN] for row in rows)


def test_killed_at_any_row_it_goes_on_and_gives_the_rows_of_one_go(tmp_path):
    whole, killed = begun(tmp_path / "whole"), begun(tmp_path / "killed")
    assert start(whole).wait(PATIENCE) == 0
    for rows in (1, 4, 8):
        process, until = start(killed), time.monotonic() + PATIENCE
        while lines(killed) <= rows and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        rows_of(killed)  # whole as far as they go
    assert start(killed).wait(PATIENCE) == 0
    assert rows_of(killed) == rows_of(whole)
    perceived = [sorted((folder / "perception.csv").read_text().splitlines()) for folder in (whole, killed)]
    assert perceived[0] == perceived[1]


COMPILED = """
import gc
from numba.core.dispatcher import Dispatcher
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.scripts.priors import lived
from priorlab.scripts.priors.plan import Life

def kernels():
    found = [each for each in gc.get_objects() if isinstance(each, Dispatcher)]
    return {(each.py_func.__qualname__, str(types)) for each in found for types in each.signatures}

in_life = lived.live_it
def watched(*job):
    before = kernels()
    ended = in_life(*job)
    assert kernels() == before, kernels() - before
    return ended

lived.live_it = watched
for kind, weights in (("told", None), ("random", None), ("shipped", shipped())):
    for version in ("original", "gravity", "all_masked"):
        life = Life(kind, 0, "level-003", version, 0)
        lived.lived(lived.Job(life, kind, 1, 0, 3000, PlayerSettings(), weights, "", True, ""))
"""


def test_nothing_is_compiled_while_a_life_is_timed():
    subprocess.run([sys.executable, "-c", COMPILED], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


def test_sealed_lives_are_lived_again():
    """Lives of the told player, and those of the shipped one by the last commit. A network rounds differently on other
    processors, which changes few lives."""
    rows = read_lives(ROWS)
    rows = rows[rows["player"].isin(["full", "told"]) & (rows["seed"] == 0)]
    is_told = rows["player"] == "told"
    is_current = is_told | (rows["commit"] == rows.loc[~is_told, "commit"].iloc[-1])
    rows = rows[is_current & (rows["inputs"] < MOST_INPUTS)].iloc[::EVERY]
    found = different(rows)
    assert all(life.player != "told" for life in found) and len(found) <= DIFFERENT * len(rows), found
