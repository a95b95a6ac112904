"""`priorlab serve` as a process: killed at random moments, and with a lecture hall of participants."""

import asyncio
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.chunks import chunks_path, read_chunks
from priorlab.human_study.data.imported import import_study
from priorlab.human_study.data.recorder import LEFT, STOPPED
from priorlab.human_study.data.verify import verify
from priorlab.human_study.study.assignment import taken_places
from priorlab.human_study.study.study_file import Study
from tests.envs.test_play import EASY
from tests.human_study.test_study import a_study
from tests.soak.test_class import PHONE, picture
from tests.support.browser_participant import Journal, Post, agreed, bearer, post_all
from tests.support.paths import ROOT

EVERY = 0.4  # seconds between two chunks of a participant, as the page sends them
STEPS = 12  # inputs of a chunk
PATIENCE = 120.0  # seconds
PARTICIPANTS = int(os.environ.get("PRIORLAB_PARTICIPANTS", "200"))
SECONDS = int(os.environ.get("PRIORLAB_SECONDS", "60"))  # of play of each
KILLS = 10


@dataclass
class Connection:
    """A connection as a browser keeps it: one request after the other. A client library would need the machine."""

    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, content: object, token: str = "") -> tuple[int, dict]:
        """(status, answer); OSError if the server is gone."""
        try:
            if self.reader is None or self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            body = json.dumps(content).encode()
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
            head += f"Authorization: Bearer {token}\r\n\r\n" if token else "\r\n"
            self.writer.write(head.encode() + body)
            given = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", given)
            assert length
            return int(given.split()[1]), json.loads(await self.reader.readexactly(int(length[1])))
        except (OSError, EOFError) as error:
            self.close()
            raise OSError(str(error)) from None

    def close(self) -> None:
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None


class Served:
    """The server's process, which can be killed and started again."""

    def __init__(self, study: Study):
        self.study = study
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "priorlab", "serve", str(self.study.path), "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout and "participants:" in self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def status(self, name: str) -> int:
        """An entry of the process's status, such as VmRSS in kB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(rf"{name}:\s+(\d+)", text)
        assert match
        return int(match[1])

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def the_study(folder: Path, participants: int, **entries: object) -> Study:
    (folder / "easy.txt").write_text(EASY, encoding="utf-8")
    about = {"level": "easy.txt", "versions": ["original"], "participants": participants, **entries}
    return a_study(folder, game="princess", **about)


def journal_of(study: Study, seconds: float, seed: int) -> list[dict]:
    """The chunks of somebody who plays for that long: left and right, so that the goal is never reached."""
    journal = Journal()
    journal.read("code")
    chance = np.random.default_rng(seed)
    journal.play(0, study.settings("original"), chance.integers(0, 2, round(30 * seconds)).tolist(), STOPPED)
    journal.finish()
    return list(journal.chunks(STEPS))


async def take_part(port: int, chunks: list[dict], number: int, waits: list[float], every: float = EVERY) -> str:
    """Posts the chunks in order, each until it is acknowledged; returns the code."""
    connection = Connection(port)
    await asyncio.sleep(every * random.Random(number).random())
    begun = await until_answered(connection, "/api/begin", agreed(client=f"participant-{number:06}"))
    due = time.perf_counter()
    for chunk in chunks:
        due += every
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        sent = time.perf_counter()
        answer = await until_answered(connection, "/api/chunk", chunk, begun["token"])
        waits.append(time.perf_counter() - sent)
        assert answer == {"next": chunk["n"] + 1}
    await until_answered(connection, "/api/finish", {"chunks": len(chunks)}, begun["token"])
    connection.close()
    return begun["code"]


async def until_answered(connection: Connection, path: str, content: object, token: str = "") -> dict:
    for _ in range(round(PATIENCE / 0.1)):
        try:
            status, answer = await connection.post(path, content, token)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        if status == 429:
            await asyncio.sleep(0.5)
            continue
        assert status == 200, answer
        return answer
    raise AssertionError(f"{path}: no answer")


def check(study: Study, chunks: list[list[dict]], codes: list[str]) -> None:
    """Nothing is lost, nothing is there twice, and every session is a log that replays."""
    assert sorted(place.participant for place in taken_places(study)) == sorted(codes) and len({*codes}) == len(codes)
    for expected, code in zip(chunks, codes):
        assert read_chunks(chunks_path(study.folder, code)).entries == [chunk["entries"] for chunk in expected]
    assert [each.problem for each in import_study(study) if each.problem] == []
    assert [line for each in verify([study.folder]) for line in each.problems] == []


def test_a_server_that_is_killed_loses_and_doubles_nothing(tmp_path: Path):
    study = the_study(tmp_path, 8)
    served, chance = Served(study), random.Random(1)
    chunks = [journal_of(study, 60, seed) for seed in range(8)]

    async def all_of_it() -> tuple[list[str], int]:
        playing = [
            asyncio.create_task(take_part(served.port, each, number, [], every=0.1))
            for number, each in enumerate(chunks)
        ]
        kills = 0
        while not all(task.done() for task in playing):
            await asyncio.sleep(chance.uniform(0.05, 1.5))
            if kills < KILLS:
                await asyncio.to_thread(served.kill)
                await asyncio.to_thread(served.start)
                kills += 1
        return [task.result() for task in playing], kills

    try:
        codes, kills = asyncio.run(all_of_it())
    finally:
        served.stop()
    assert kills >= 5
    check(study, chunks, codes)
    print(f"{kills} kills, {sum(map(len, chunks))} chunks of {len(codes)} participants: nothing lost, nothing twice")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process uses")
def test_a_lecture_hall_takes_part_at_once(tmp_path: Path):
    study = the_study(tmp_path, PARTICIPANTS)
    journals = [journal_of(study, SECONDS, seed) for seed in range(10)]
    chunks = [journals[number % len(journals)] for number in range(PARTICIPANTS)]
    served, waits, memory = Served(study), list[float](), list[float]()

    async def note_memory() -> None:
        while True:
            await asyncio.sleep(1)
            memory.append(served.status("VmRSS") / 1024)

    async def all_of_them() -> list[str]:
        noting = asyncio.create_task(note_memory())
        parts = (take_part(served.port, each, number, waits) for number, each in enumerate(chunks))
        codes = await asyncio.gather(*parts)
        noting.cancel()
        return codes

    began, cpu = time.perf_counter(), served.cpu_seconds()
    try:
        codes = asyncio.run(all_of_them())
        seconds, cpu = time.perf_counter() - began, served.cpu_seconds() - cpu
    finally:
        served.stop()
    p50, p99 = (1000 * float(each) for each in np.quantile(waits, [0.5, 0.99]))
    print(
        f"{PARTICIPANTS} participants, {len(waits)} chunks in {seconds:.0f} s: p50 {p50:.0f} ms, p99 {p99:.0f} ms, "
        f"the longest {1000 * max(waits):.0f} ms; {1000 * cpu / len(waits):.2f} ms of the processor for each; at most "
        f"{', '.join(f'{max(each):.0f}' for each in np.array_split(memory, 10))} MB in the tenths of the time"
    )
    check(study, chunks, codes)
    assert all(read_session(study.folder / f"{code}.session.jsonl") for code in codes[:3])


HAND = """extends = "en"
[questions.hand]
kind = "choice"
text = "Which hand?"
options = { left = "left", right = "right" }
"""
HOURS = 13  # later, when no browser offers its own session any more


def post_sessions(study: Study, post: Post) -> None:
    """Somebody who finished, who stopped, who plays, was too young, sent a wrong state, and withdrew."""
    chance = np.random.default_rng(0)
    for number, state in enumerate(("finished", "stopped", "under way", "excluded", "damaged", "withdrawn")):
        admission = post("/api/begin", json=agreed(client=f"participant-{number:06}")).json()
        journal = Journal()
        if state == "excluded":
            journal.note("excluded", why="minimum_age")
        else:
            for play in range(len(study.versions)):
                game, inputs = study.settings(study.versions[play]), chance.integers(0, 2, 30).tolist()
                journal.play(play, game, inputs, STOPPED if state == "stopped" else LEFT)
        if state == "damaged":
            next(numbers for kind, *_, numbers in journal.entries if kind == "h")[0] += 1
        if state in ("finished", "stopped", "excluded", "damaged"):
            journal.finish()
        post_all(post, admission, journal)
        if state == "withdrawn":
            assert post("/api/withdraw", json={}, headers=bearer(admission)).status_code == 200


def test_the_researcher_sees_everybody_on_any_screen(tmp_path: Path):
    playwright = pytest.importorskip("playwright.sync_api", reason="the soak's clients install it")
    versions = ["original", "masked_semantics", "masked_objects"]
    study = the_study(tmp_path, 6, versions=versions, design="within")
    served = Served(study)
    try:
        assert served.process.stdout
        token = served.process.stdout.readline().split()[-1]
        with httpx.Client(base_url=f"http://127.0.0.1:{served.port}") as client:
            post_sessions(study, client.post)
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{served.port}/researcher")
            picture(page, "researcher_login", PHONE)
            page.fill("input", token)
            page.keyboard.press("Enter")
            page.locator(".problem").wait_for(timeout=1000 * PATIENCE)  # renews itself until the import said so
            picture(page, "researcher", PHONE)
            problem = page.locator(".problem").inner_text()
            states = page.locator("td.state").all_inner_texts()
            browser.close()
    finally:
        served.stop()
    assert problem.startswith(f"WrongEntry: {study.folder}") and "the state differs from the replayed one" in problem
    assert sorted(states) == sorted(["finished", "stopped", "under way", "excluded", "finished", "withdrawn"])


def choose_first(page: Any) -> None:
    page.get_by_role("radio").first.click()
    time.sleep(1)  # as long as nobody reads a page
    page.keyboard.press("Enter")


def agree(page: Any) -> None:
    """To the study, as somebody whose answers let them take part."""
    choose_first(page)
    page.get_by_text("Which hand?").wait_for()
    choose_first(page)


@pytest.mark.parametrize("hours", [0, HOURS], ids=["at once", "hours later"])
def test_a_participant_of_a_panel_goes_on_with_another_browser(hours: int, tmp_path: Path):
    playwright = pytest.importorskip("playwright.sync_api", reason="the soak's clients install it")
    (tmp_path / "en.toml").write_text(HAND, encoding="utf-8")
    study = the_study(tmp_path, 2, texts="en.toml", eligible={"hand": ["left"]}, panel={"complete": "C1"})
    served = Served(study)
    address = f"http://127.0.0.1:{served.port}/?PROLIFIC_PID=5f2a"
    try:
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            here, there = browser.new_context(), browser.new_context()
            page = here.new_page()
            page.goto(address)
            agree(page)
            page.locator(".code").wait_for()
            code = page.locator(".code").inner_text().strip()
            assert "5f2a" not in page.url
            time.sleep(1)
            page.keyboard.press("Enter")
            page.get_by_text("The keys").wait_for()
            time.sleep(2)
            here.close()
            there.add_init_script(f"const now = Date.now; Date.now = () => now() + 3600e3 * {hours}")
            page = there.new_page()
            page.goto(address)
            with page.expect_event("load"):
                agree(page)
            choose_first(page)  # the session that was interrupted is theirs
            page.get_by_text("The keys").wait_for()
            time.sleep(2)
            browser.close()
    finally:
        served.stop()
    (place,) = taken_places(study)
    assert place.participant == code and [each.problem for each in import_study(study)] == [""]
    events = read_events(study.folder / f"{code}.session.jsonl").events
    names = [event["event"] for event in events]
    assert names.count("consent") == names.count("resumed") == 1
    assert [(each["question"], each["answer"]) for each in events if each["event"] == "answer"] == [("hand", "left")]
    assert [line for each in verify([study.folder]) for line in each.problems] == []
