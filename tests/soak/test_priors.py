"""`priorlab priors` in processes of its own, killed while it plays: what is recorded is whole, and it goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from priorlab.scripts.priors.fixed import read_fixed
from priorlab.scripts.priors.sealed import sealed_rows
from tests.scripts.test_priors import AGAIN, begun
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
