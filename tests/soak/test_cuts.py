"""Participants in a real browser, whose network is cut, or whose computer and server lose their power at once.

Both at random moments: at most a second of play is lost, and nothing is there twice.
"""

import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from priorlab.human_study.data.chunks import Entry
from priorlab.human_study.data.verify import verify
from priorlab.human_study.study.study_file import Study
from tests.support.cut_network import WAYS, CutNetwork
from tests.support.paths import ROOT
from tests.support.power import put_back

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
from tests.soak.test_browser_client import START, chunks_of, events_of, kill, started, visited, write_study
from tests.support.browser_client import CHROMIUM

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs the program chromium"),
    pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which file is flushed"),
]
CUTS = int(os.environ.get("PRIORLAB_CUTS", "20"))  # of the network, and of the power
MOST_LOST = 1.0  # seconds of play


class Server:
    """`priorlab serve` in a process that notes what it flushes; ``lose_power`` kills it."""

    def __init__(self, folder: Path):
        self.study, self.notes = write_study(folder), folder / "notes"
        self.notes.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        words = [self.study.folder, self.notes, "serve", self.study.path, "--port", self.port]
        command = [sys.executable, "-m", "tests.support.power", *map(str, words)]
        self.process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        end = time.monotonic() + START
        while True:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/").close()
                return
            assert self.process.poll() is None and time.monotonic() < end
            time.sleep(0.2)

    def kill(self) -> None:
        """With the processes that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path):
    served = Server(tmp_path)
    yield served
    served.stop()


def all_entries(study: Study) -> list[Entry]:
    return [entry for _, entry in chunks_of(study).all()]


def check(study: Study) -> None:
    """The session ended, and everything in the data folder is as it should be."""
    assert events_of(study)[-1]["event"] == "finish"
    assert not [line for each in verify([study.folder]) for line in each.problems]


def gaps(entries: list[Entry]) -> list[float]:
    """Seconds between two steps of a play between which nothing else happened that lets it wait."""
    found, last = [], None
    for entry in entries:
        if entry[0] == "s":
            found += [(entry[2] - last) / 1e6] if last is not None else []
            last = entry[2]
        elif entry[0] in "pqr" or (entry[0] == "e" and entry[2] in ("pause", "idle", "page")):
            last = None
    return found


def test_the_network_is_cut(server: Server, tmp_path: Path):
    network, chance = CutNetwork(server.port), random.Random(0)
    process = started(f"http://127.0.0.1:{network.port}/", tmp_path / "profile", "until_told")
    assert process.stdout and process.stdin and process.stdout.readline() == "playing\n"
    began = time.monotonic()
    for number in range(CUTS):
        time.sleep(chance.uniform(0.1, 2))
        network.cut(WAYS[number % len(WAYS)], chance.uniform(0.1, 2.5))
    seconds = time.monotonic() - began
    process.communicate("\n", timeout=300)
    network.close()
    assert process.returncode == 0 and network.broken >= CUTS / 2
    check(server.study)
    entries = all_entries(server.study)
    steps = sum(entry[0] == "s" for entry in entries)
    print(f"{CUTS} cuts in {seconds:.0f} s, {network.broken} broken connections: {steps} steps, no two of which are ")
    print(f"further apart than {max(gaps(entries)):.2f} s")
    assert steps > 30 * seconds * 0.9 and max(gaps(entries)) < MOST_LOST
    offline = [entry[3]["what"] for entry in entries if entry[0] == "e" and entry[2] == "offline"]
    assert offline and offline == ["begin", "end"] * (len(offline) // 2)


def test_the_power_fails(server: Server, tmp_path: Path):
    """Of the server and of the participant's computer at once."""
    profile, chance, study = tmp_path / "profile", random.Random(1), server.study
    address, failed, began, bytes_lost = f"http://127.0.0.1:{server.port}/", [], 0.0, 0
    for _ in range(CUTS):
        process = started(address, profile, "until_killed")
        assert process.stdout and process.stdout.readline() == "playing\n"
        began = began or float(process.stdout.readline()) / 1000
        time.sleep(chance.uniform(0, 3))
        failed.append(time.time())
        server.kill()
        kill(process, profile)
        process.stdout.close()
        bytes_lost += put_back(study.folder, server.notes)
        server.start()
    visited(address, profile, "finishing")
    check(study)
    entries = all_entries(study)
    returns = [number for number, entry in enumerate(entries) if entry[0] == "r"]
    lasts = [
        max(entry[3] if entry[0] == "s" else entry[1] for entry in entries[:number] if entry[0] in "se")
        for number in returns
    ]
    lost = [at - began - last / 1e6 for at, last in zip(failed, lasts, strict=True)]
    print(
        f"{CUTS} power cuts: lost {statistics.median(lost):.2f} s of play, at most {max(lost):.2f} s, and {bytes_lost} "
    )
    print("bytes that were not flushed yet")
    assert max(lost) < MOST_LOST
