"""Participants in a real browser, with the real server: a whole session, killed browsers, no connection."""

import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

import pytest

from priorlab.envs.plays.events import read_events
from priorlab.human_study.data.chunks import read_chunks
from priorlab.human_study.data.imported import import_session
from priorlab.human_study.data.verify import verify
from priorlab.human_study.study.study_file import Study
from tests.support.paths import ROOT

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
from tests.support.browser_client import CHROMIUM

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs the program chromium")

STUDY = """
name = "soak"
versions = ["original", "masked_objects"]
design = "within"
participants = 24
texts = ["en.toml", "de.toml"]
contact = "nobody"
minutes = 20
eligible = { hand = ["right"] }
before = ["age", "sleep", "games", "awake", "plate_2"]
instructions = ["aim"]
practice = 2
checks = ["goal"]
right = { goal = "door" }
probes = [{ question = "now", every = 3, most = 1 }]
after_each = ["aim"]
after = ["known"]
"""
TEXTS = """
[instructions.aim]
title = "The aim"
text = "Reach the door."
[questions.hand]
kind = "choice"
text = "Which hand?"
options = { left = "left", right = "right" }
[questions.sleep]
kind = "number"
text = "How much sleep?"
least = 0
most = 24
decimals = 1
[questions.games]
kind = "several"
text = "Which games?"
least = 1
most = 2
options = { jump = "Jump", puzzle = "Puzzles", sport = "Sports" }
[questions.awake]
kind = "scale"
text = "How awake?"
points = 5
labels = { 1 = "not at all", 5 = "very" }
[questions.now]
kind = "scale"
text = "How awake now?"
points = 5
labels = {}
[questions.goal]
kind = "choice"
text = "What is the goal?"
options = { key = "the key", door = "the door" }
"""
KILLS = int(os.environ.get("PRIORLAB_KILLS", "20"))  # of browsers; every second one is offline
MOST_LOST = 0.5  # seconds that a kill may lose, on a machine with other work
LOCKS = ("SingletonLock", "lock")  # of a profile in Chromium and Firefox; each names the process
START = 180  # seconds within which a server answers, even if it must compile the games


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(study, address) of a server that runs."""
    folder = tmp_path_factory.mktemp("study")
    study = write_study(folder)
    port = 8000 + os.getpid() % 1000
    command = "from priorlab.scripts.main import main; main()"
    words = [sys.executable, "-c", command, "serve", str(folder / "study.toml"), "--port", str(port)]
    process = subprocess.Popen(words, cwd=ROOT)
    address, end = f"http://127.0.0.1:{port}/", time.monotonic() + START
    while True:
        with suppress(OSError):
            urllib.request.urlopen(address).close()
            break
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.3)
    yield study, address
    process.terminate()
    process.wait()


def write_study(folder):
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    for language in ("en", "de"):
        (folder / f"{language}.toml").write_text(f'extends = "{language}"\n{TEXTS}', encoding="utf-8")
    return Study.load(folder / "study.toml")


def started(address, profile, visit):
    words = [sys.executable, "-m", "tests.support.browser_client", address, str(profile), visit]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True)


def kill_soon(process, profile, seconds=0.0):
    """Kills a browser that many seconds after its game began; returns when that was."""
    with process.stdout as told:
        assert told.readline() == "playing\n"
        time.sleep(seconds)
        at = time.time()
        kill(process, profile)
    return at


def kill(process, profile):
    """Kills a browser, and what drives it."""
    lock = next(profile / name for name in LOCKS if (profile / name).is_symlink())
    browser = int(re.split("[-+]", lock.readlink().name)[-1])
    os.kill(browser, signal.SIGKILL)  # before it learns that nobody drives it, and ends as usual
    process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()
    for name in ("SingletonLock", "SingletonSocket", "SingletonCookie"):
        (profile / name).unlink(missing_ok=True)


def visited(address, profile, visit):
    """What the visitor saw."""
    process = started(address, profile, visit)
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    seen = json.loads(told.splitlines()[-1])
    assert not seen["problems"]
    print(visit, seen)
    return seen


def chunks_of(study):
    """The chunks of the session that began last."""
    paths = (study.folder / "browser").glob("*.chunks.jsonl")
    return max(map(read_chunks, paths), key=lambda each: each.opening["began"])


def events_of(study):
    """The log of the session that began last, imported and verified."""
    chunks = chunks_of(study)
    end = time.monotonic() + 60
    while True:  # the server imports it, too
        try:
            import_session(study, chunks.path)
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.5)
    path = study.folder / f"{chunks.id}.session.jsonl"
    assert not next(iter(verify([path]))).problems
    return read_events(path).events


def answers_in(events):
    return {event["question"]: event["answer"] for event in events if event["event"] == "answer"}


def test_a_whole_session(server, tmp_path):
    study, address = server
    seen = visited(address, tmp_path / "profile", "whole")
    assert seen["kept"] == 0  # nothing remains in the browser
    events = events_of(study)
    assert events[-1]["event"] == "finish"
    assert answers_in(events) == {
        "hand": "right", "age": "25_34", "sleep": 7.2, "games": ["jump", "sport"], "awake": 4, "plate_2": 57,
        "goal": "door", "aim.0": "", "aim.1": "käse, 鍵", "known": "similar",
    }  # fmt: skip
    assert [each["answer"] for each in events if each["event"] == "answer" and each["question"] == "awake"] == [3, 4]
    assert [each["answer"] for each in events if each["event"] == "probe"] == [2]
    whys = [(each["what"], each["why"]) for each in events if each["event"] == "pause"]
    ended = [(what, why) for why in ("probe", "key") for what in ("begin", "end")]
    assert whys == [*ended, ("begin", "stop"), ("begin", "stop")]  # nobody went on after a stop
    assert {each["input"] for each in events if each["event"] == "step"} >= {0, 1, 2, 3}
    controls = next(each for each in events if each["event"] == "controls")
    assert controls["chosen"] and sorted(controls["keys"].values()) == [1, 2, 3, 4, 5]
    assert [each["ended"] for each in events if each["event"] == "practice" and each["what"] == "end"] == ["limit"] * 2


def test_browsers_are_killed(server, tmp_path):
    (study, address), profile = server, tmp_path / "profile"
    chance, killed = random.Random(0), []
    for number in range(KILLS):
        process = started(address, profile, "until_killed_offline" if number % 2 else "until_killed")
        killed.append(kill_soon(process, profile, chance.uniform(0.5, 3)))
    visited(address, profile, "finishing")
    events = events_of(study)
    assert events[-1]["event"] == "finish"
    assert sum(event["event"] == "resumed" for event in events) == KILLS
    began = chunks_of(study).opening["began"]
    entries = [entry for _, entry in chunks_of(study).all()]
    returns = [number for number, entry in enumerate(entries) if entry[0] == "r"]
    lost = []
    for number, at in zip(returns, killed, strict=True):
        last = max(entry[3] if entry[0] == "s" else entry[1] for entry in entries[:number] if entry[0] in "se")
        lost.append(at - (began + last / 1e6))
    for where, seconds in (("connected", lost[::2]), ("offline", lost[1::2])):
        print(f"{len(seconds)} kills, {where}: lost {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s")
    assert max(lost) < MOST_LOST


def test_play_goes_on_without_a_connection(server, tmp_path):
    study, address = server
    assert visited(address, tmp_path / "profile", "offline")["said"]
    events = events_of(study)
    assert [each["what"] for each in events if each["event"] == "offline"] == ["begin", "end"]
    steps = [each for each in events if each["event"] == "step"]
    assert len(steps) > 100 and sum("missed" in each for each in steps) < len(steps) / 20


def test_somebody_else_at_the_same_computer_begins_anew(server, tmp_path):
    study, address = server
    profile = tmp_path / "profile"
    kill_soon(started(address, profile, "until_killed"), profile)
    before = chunks_of(study)
    kill_soon(started(address, profile, "somebody_else"), profile)
    assert chunks_of(study).id != before.id
