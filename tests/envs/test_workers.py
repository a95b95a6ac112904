"""Worker processes end when the process that they work for is killed."""

import subprocess
import sys

from filelock import FileLock

from tests.support.screen import wait_until

WORK = """
import sys, time
from filelock import FileLock
from priorlab.envs.base.workers import worker_pool

def work(path):
    with FileLock(path):
        open(path + ".begun", "w").close()
        time.sleep(600)

if __name__ == "__main__":
    worker_pool(1).submit(work, sys.argv[1])
    time.sleep(600)
"""


def test_workers_end_when_the_process_they_work_for_is_killed(tmp_path):
    script, lock = tmp_path / "main.py", tmp_path / "held"
    script.write_text(WORK)
    with subprocess.Popen([sys.executable, script, lock]) as process:
        wait_until((tmp_path / "held.begun").exists)
        process.kill()
    with FileLock(lock, timeout=30):  # the worker let go of it
        pass
