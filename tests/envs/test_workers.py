"""Processes that work for another end when it is killed."""

import subprocess
import sys

import pytest
from filelock import FileLock

from tests.support.paths import ROOT
from tests.support.screen import wait_until

WORK = """
import sys, time
from filelock import FileLock

def work(path):
    with FileLock(path):
        open(path + ".begun", "w").close()
        time.sleep(600)
"""
POOL = """
from priorlab.envs.base.workers import worker_pool

if __name__ == "__main__":
    worker_pool(1).submit(work, sys.argv[1])
    time.sleep(600)
"""
COMMAND = """
from types import SimpleNamespace
from priorlab.scripts import run
from priorlab.scripts.running.runner import start

if sys.argv[2:]:
    run.load = lambda name: SimpleNamespace(main=lambda: work(sys.argv[1]))
    run.run("train", [])
else:
    from pathlib import Path
    folder = Path(sys.argv[1]).parent
    start(SimpleNamespace(folder=folder, log=folder / "log"), [sys.executable, *sys.argv, "as a run"])
    time.sleep(600)
"""


@pytest.mark.parametrize("rest", [POOL, COMMAND], ids=["pool", "command"])
def test_what_works_for_a_process_ends_when_it_is_killed(tmp_path, rest):
    script, lock = tmp_path / "main.py", tmp_path / "held"
    script.write_text(WORK + rest)
    with subprocess.Popen([sys.executable, script, lock], cwd=ROOT) as process:
        wait_until((tmp_path / "held.begun").exists)
        process.kill()
    with FileLock(lock, timeout=30):  # the worker let go of it
        pass
