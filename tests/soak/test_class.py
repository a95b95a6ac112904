"""A class in real browsers, and a full lecture hall: `priorlab class` as a process of its own.

Pictures of the pages go to the folder that PRIORLAB_PICTURES names, if any.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.paths import ROOT

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZES = ((1024, 700), (1280, 800), (1920, 1080))
SHARE = """() => {
    const width = (name) => document.querySelector(name).getBoundingClientRect().width;
    return width("#chart .grid") / width("#chart");
}"""  # of the chart's width that the lines have
PHONE = (390, 844)  # where a lecturer, or a researcher, may look at what happens
PATIENCE = 120_000  # ms, on a busy computer
HALL, HALL_SECONDS = 300, 30
NAMES = ("original", "masked", "semantics", "princess", "key_door")


@contextmanager
def a_class(port: int, *words: str) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """(address, the lecturer's token, the process)."""
    code = "from priorlab.scripts.main import main; main()"
    command = [sys.executable, "-c", code, "class", "--port", str(port), *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        link, lecturer = process.stdout.readline(), process.stdout.readline()
        address = link.split()[1]
        for _ in range(600):
            try:
                httpx.get(address)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address, lecturer.split()[-1], process
    finally:
        process.send_signal(signal.SIGINT)
        assert "nothing of it was kept" in process.communicate(timeout=60)[0]


def picture(page: Any, name: str, *sizes: tuple[int, int]) -> None:
    """The page at each size, and those, on which nothing is cut off at the side."""
    folder = os.environ.get("PRIORLAB_PICTURES")
    for width, height in (*SIZES, *sizes):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(400 if folder else 50)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if folder:
            page.screenshot(path=Path(folder) / f"{name}_{width}.png")


class Connection:
    """A browser's connection, which stays open; cheap enough for hundreds in one process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    async def ask(self, path: str, content: dict[str, Any] | None = None, token: str = "") -> bytes:
        """The body of a good answer to GET, or to POST with content."""
        body = b"" if content is None else json.dumps(content).encode()
        lines = [f"{'GET' if content is None else 'POST'} /{path} HTTP/1.1", "host: 127.0.0.1"]
        lines += [f"authorization: Bearer {token}", f"content-length: {len(body)}", "", ""]
        self.writer.write("\r\n".join(lines).encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.findall(r"content-length: (\d+)", head)[0])
        answer = await self.reader.readexactly(length)
        assert head.startswith("HTTP/1.1 200 "), (head, answer)
        return answer


async def play(port: int, seconds: int, seed: int, waits: list[float]) -> None:
    """A student without a browser, who walks at random and sends once a second."""
    rng = np.random.default_rng(seed)
    await asyncio.sleep(float(rng.uniform(0, 5)))
    connection = Connection(*await asyncio.open_connection("127.0.0.1", port))
    page = (await connection.ask("")).decode()
    for name in re.findall(r'"(files/[0-9a-f]+\.\w+)"', page):
        await connection.ask(name)
    token = json.loads(await connection.ask("api/join", {"counted": True}))["token"]
    sent, began = 0, time.monotonic()
    for second in range(1, seconds + 1):
        await asyncio.sleep(max(began + second - time.monotonic(), 0))
        inputs = "".join(map(str, np.repeat(rng.choice([1, 2, 2, 3, 4], 6), 5)))
        asked = time.monotonic()
        answer = await connection.ask("api/inputs", {"n": sent, "inputs": inputs, "left": False}, token)
        waits.append(time.monotonic() - asked)
        assert json.loads(answer)["next"] == sent + 30
        sent += 30
    connection.writer.close()


async def hall(port: int, students: int, seconds: int) -> list[float]:
    """All of them at once; how long each sending took, in seconds."""
    waits: list[float] = []
    await asyncio.gather(*(play(port, seconds, seed, waits) for seed in range(students)))
    return waits


async def flood(port: int, connections: int, until: "asyncio.Future[Any]") -> int:
    """Joins and plays one input, again and again; returns how often."""

    async def over_and_over() -> int:
        connection, count = Connection(*await asyncio.open_connection("127.0.0.1", port)), 0
        while not until.done():
            token = json.loads(await connection.ask("api/join", {"counted": True}))["token"]
            with suppress(AssertionError):  # the class is full
                await connection.ask("api/inputs", {"n": 0, "inputs": "0", "left": True}, token)
            count += 1
        connection.writer.close()
        return count

    return sum(await asyncio.gather(*(over_and_over() for _ in range(connections))))


async def hall_in_a_flood(port: int, students: int, seconds: int) -> tuple[list[float], int]:
    """As ``hall``, after a flood has begun; also how many joined in the flood."""
    over = asyncio.get_running_loop().create_future()
    flooding = asyncio.create_task(flood(port, 8, over))
    await asyncio.sleep(10)
    try:
        waits = await hall(port, students, seconds)
    finally:
        over.set_result(None)
    return waits, await flooding


def run_hall(port: int, students: int, seconds: int) -> list[float]:
    """In a thread of its own: the browsers have an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(hall(port, students, seconds))).result()


def seconds_of(process: subprocess.Popen[str]) -> float:
    """The processor time that it has taken."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: subprocess.Popen[str]) -> float:
    """MB that the process has."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def test_three_students_and_the_wall():
    words = ("--versions", "original", "masked_objects", "masked_similarity", "gravity", "--minutes", "1")
    with a_class(8471, *words) as (address, token, _), sync_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        wall = browser.new_page(color_scheme="light")
        problems: list[str] = []
        wall.on("pageerror", lambda error: problems.append(str(error)))
        wall.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        wall.goto(f"{address}lecturer")
        wall.fill("input", token)
        wall.keyboard.press("Enter")
        wall.wait_for_selector("#counts:not(:empty)")
        picture(wall, "wall_invites", PHONE)
        students = [browser.new_context(locale=locale).new_page() for locale in ("en-US", "de-DE", "en-GB")]
        for page in (wall, *students):
            page.set_default_timeout(PATIENCE)
        for page in students:
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            page.set_viewport_size({"width": 1280, "height": 800})
            page.goto(address)
            page.wait_for_selector(".option")
        picture(students[0], "notice")
        picture(students[1], "notice_de")
        for page in students:
            page.set_viewport_size({"width": 1280, "height": 800})
        for page, choice in zip(students, (0, 0, 1)):  # the last one is not counted
            page.bring_to_front()
            page.locator(".option").nth(choice).click()
            page.keyboard.press("Enter")
            page.wait_for_selector(".caps")
        picture(students[0], "begin")
        for page in students:
            page.bring_to_front()
            page.wait_for_timeout(400)
            page.keyboard.press("Enter")
            page.wait_for_selector("body.plays")
            page.keyboard.down("ArrowLeft")
            page.wait_for_timeout(2500)
            page.keyboard.up("ArrowLeft")
        picture(students[2], "game")
        now = wall.evaluate("fetch('lecturer/now').then((response) => response.json())")
        assert (now["joined"], [arm["curve"] for arm in now["arms"]]) == (2, [[]] * 4), "too few for a line"
        wall.bring_to_front()
        wall.wait_for_selector("body:not(.inviting)")
        picture(wall, "wall_few", PHONE)
        run_hall(8471, 24, 10)
        wall.wait_for_selector(".curve")
        picture(wall, "wall_lines", PHONE)
        wall.emulate_media(color_scheme="dark")
        picture(wall, "wall_dark", PHONE)
        text = wall.content() + "".join(page.content() for page in students)
        assert not [name for name in NAMES if name in text.lower()]
        for page in students:
            page.bring_to_front()
            page.keyboard.press("Escape")
            page.wait_for_selector(".option")
            page.wait_for_timeout(400)
            page.keyboard.press("ArrowUp")  # stop, the last option
            page.keyboard.press("Enter")
            page.wait_for_selector("h1 + p")
            page.wait_for_timeout(500)
        picture(students[0], "far")
        assert students[0].locator(".far").count() == 1 and "%" in students[1].inner_text("#paper")
        assert students[2].locator(".far").count() == 0
        wall.bring_to_front()
        wall.keyboard.press("r")
        picture(wall, "wall_sure", PHONE)
        wall.keyboard.press("Tab")
        wall.keyboard.press("Enter")
        wall.wait_for_selector("article img")
        wall.emulate_media(color_scheme="light")
        picture(wall, "wall_revealed", PHONE)
        assert wall.evaluate(SHARE) > 0.5, "the names leave room for the lines, also on a phone"
        wall.keyboard.press("t")
        picture(wall, "wall_revealed_dark", PHONE)
        phone = browser.new_context(**started.devices["Pixel 7"]).new_page()
        phone.goto(address)
        phone.wait_for_selector("h1")
        assert "keyboard" in phone.inner_text("h1")
        students[1].reload()
        students[1].wait_for_selector(".option")
        assert students[1].locator(".option").count() == 2, "a second play is not counted"
        assert not problems
        browser.close()


def test_a_flood_keeps_nobody_out():
    with a_class(8473) as (address, token, _):
        with ThreadPoolExecutor(1) as pool:
            waits, joined = pool.submit(lambda: asyncio.run(hall_in_a_flood(8473, 40, 20))).result()
        with httpx.Client(base_url=address) as wall:
            assert wall.post("/lecturer", data={"token": token}).status_code in (200, 303)
            now = wall.get("/lecturer/now").json()
        print(f"a flood of {joined}: half of what students sent was answered within {np.median(waits):.2f} s")
        assert len(waits) == 40 * 20, "each student is counted from the first second"
        assert now["joined"] == joined + 40 and now["playing"] >= 40


def test_a_full_hall():
    with a_class(8472) as (_, _, process):
        before, began = memory(process), seconds_of(process)
        waits = run_hall(8472, HALL, HALL_SECONDS)
        after, busy = memory(process), (seconds_of(process) - began) / HALL_SECONDS
        half, late = np.percentile(waits, [50, 99]) * 1000
        print(f"{HALL} students: median {half:.0f} ms, p99 {late:.0f} ms; {before:.0f} MB before, {after:.0f} MB after")
        print(f"the server was busy {100 * busy:.0f} % of the time")
        assert len(waits) == HALL * HALL_SECONDS, "nothing is lost"
        assert after - before < 60
