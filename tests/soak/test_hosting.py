"""Built studies in Chromium: on a host of files with a DataPipe of our own, from a disk, and in a JATOS of our own.

Pictures of the pages go to the folder that PRIORLAB_PICTURES names, if any. Neither is the real JATOS or DataPipe; what
these do here was read in their sources (docs/online-hosts.md).
"""

import json
import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.imported import import_study
from priorlab.human_study.data.verify import verify
from priorlab.human_study.hosting.build import ADAPTERS, Uploads, build_jatos, build_static
from priorlab.human_study.hosting.gathering import gather
from priorlab.human_study.study.study_file import Study
from tests.human_study.test_study import a_study

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
JATOS = """
window.jatos = {
  urlQueryParameters: { PROLIFIC_PID: "p1" },
  onLoad: (callback) => setTimeout(callback, 200),
  appendResultData: (text) => post("/result", text),
  endStudyWithoutRedirect: () => post("/end", ""),
  abortStudyWithoutRedirect: () => post("/abort", ""),
};
const post = (path, body) => fetch(path, { method: "POST", body }).then((answer) => {
  if (!answer.ok) throw `POST to ${path} failed`;
});
"""


class Host(SimpleHTTPRequestHandler):
    """Serves the files of a folder, and keeps what is posted: as DataPipe does, or as the result of a component."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        server: Any = self.server
        server.posts.append(self.path)
        if server.is_down:
            return self.reply(500, "")
        if self.path != "/data":
            server.result += body if self.path == "/result" else ""
            return self.reply(200, "")
        asked = json.loads(body)
        path = server.kept / asked["filename"]
        if path.exists():
            return self.reply(400, json.dumps({"error": "FILE_EXISTS"}))
        path.write_text(asked["data"])
        if len(server.posts) == 2:  # the answer gets lost
            return self.reply(500, "")
        return self.reply(201, json.dumps({"message": "Success"}))

    def reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def host(folder: Path, kept: Path) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=str(folder)))
    server.posts, server.is_down, server.result, server.kept = [], False, "", kept
    kept.mkdir(exist_ok=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Participant:
    """Uses a page by its keys, as people do."""

    def __init__(self, page: Any, address: str):
        self.page, self.errors = page, []
        page.on("pageerror", lambda error: self.errors.append(error))
        page.goto(address)

    def title(self) -> str:
        heading = "document.querySelector('#paper h1')?.textContent ?? ''"
        return self.page.evaluate(f"document.body.classList.contains('plays') ? 'GAME' : {heading}")

    def reach(self, title: str) -> None:
        for _ in range(600):
            if self.title() == title:
                break
            self.page.wait_for_timeout(100)
        assert self.title() == title and not self.errors
        self.page.wait_for_timeout(1000)  # pages can't be left at once
        if folder := os.environ.get("PRIORLAB_PICTURES"):
            self.page.screenshot(path=str(Path(folder) / f"{title[:20].replace(' ', '_')}.png"))

    def choose(self, number: int) -> None:
        self.page.locator("[role=radio], [role=option]").nth(number).click()
        self.page.keyboard.press("Enter")

    def begin(self) -> None:
        """From the consent into the game."""
        self.reach("Taking part in a study")
        self.choose(0)
        self.reach("Your code")
        self.page.keyboard.press("Enter")
        self.reach("The game begins")
        self.page.keyboard.press("Enter")
        self.play()

    def play(self) -> None:
        self.reach("GAME")
        for key in ("ArrowRight", "ArrowLeft", "Space"):
            self.page.keyboard.down(key)
            self.page.wait_for_timeout(1500)
            self.page.keyboard.up(key)

    def stop(self) -> None:
        self.page.keyboard.press("Escape")
        self.reach("Stop?")
        self.choose(1)
        self.reach("Thank you!")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return a_study(
        tmp_path, game="princess", versions=["masked_objects", "gravity"], contact="us", before=[], after=[],
        try_keys=False, minutes=5,
    )  # fmt: skip


@pytest.fixture
def page() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


def recorded(study: Study, files: list[Path]) -> Any:
    """The one play in the files, which become an intact log."""
    assert [each.problem for each in gather(study, files)] == [""]
    assert [(each.problem, each.is_finished) for each in import_study(study)] == [("", True)]
    (log,) = study.folder.glob("*.session.jsonl")
    assert [line for each in verify([log]) for line in each.problems] == []
    (play,) = read_session(log)
    return play


def test_a_host_of_files_that_fails_and_a_page_that_is_reloaded(study: Study, tmp_path: Path, page: Any):
    folder = tmp_path / "web"
    folder.mkdir()
    with host(folder, tmp_path / "kept") as server:
        address = f"http://127.0.0.1:{server.server_port}"
        folder.rmdir()
        settings = {"address": f"{address}/data", "experiment": "x"}
        build_static(study.path, folder, Uploads(ADAPTERS / "datapipe.js", settings, "after_each", is_deleted=False))
        person = Participant(page, address)
        person.begin()
        page.reload()
        person.reach("Continue?")
        person.choose(0)
        person.play()
        server.is_down = True
        page.keyboard.press("Escape")
        person.reach("Stop?")
        person.choose(1)
        person.reach("Thank you!")
        assert page.locator("#connection").is_visible()
        server.is_down = False
        page.keyboard.press("Enter")
        person.reach("Everything was sent. You can close this page now.")
    play = recorded(study, [tmp_path / "kept"])
    assert len(play.play.inputs) > 150 and play.about["resumed"] == 1
    assert len([*(tmp_path / "kept").iterdir()]) < 8


def test_one_page_from_a_disk(study: Study, tmp_path: Path, page: Any):
    build_static(study.path, tmp_path / "one", Uploads.choose(), single_file=True)
    person = Participant(page, (tmp_path / "one" / "index.html").as_uri())
    person.begin()
    person.stop()
    page.keyboard.press("Enter")
    person.reach("Save the file")
    with page.expect_download() as download:
        page.locator("button").last.click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert len(recorded(study, [saved]).play.inputs) > 80


def test_a_page_that_is_built_again_offers_what_nobody_saved(study: Study, tmp_path: Path, page: Any):
    web = tmp_path / "web"
    build_static(study.path, web, Uploads.choose())
    with host(web, tmp_path / "kept") as server:
        person = Participant(page, f"http://127.0.0.1:{server.server_port}")
        person.begin()
        shutil.rmtree(web)
        study.path.write_text(study.path.read_text("utf-8").replace('"us"', '"them"'), "utf-8")
        build_static(study.path, web, Uploads.choose())
        page.reload()
        person.reach("Not everything could be sent")
        assert page.locator("button").last.is_hidden(), "first it is saved"
        with page.expect_download() as download:
            page.locator("button").first.click()
        saved = tmp_path / download.value.suggested_filename
        download.value.save_as(saved)
        page.keyboard.press("Enter")
        person.reach("Taking part in a study")
        page.reload()
        person.reach("Taking part in a study")
    assert [each.problem for each in gather(study, [saved])] == [""]
    assert [(each.problem, each.inputs > 80) for each in import_study(study)] == [("", True)]


def in_jatos(study: Study, folder: Path) -> Path:
    """The study's folder, as JATOS would serve it."""
    with zipfile.ZipFile(build_jatos(study.path, folder / "s.jzip", "Study")) as archive:
        archive.extractall(folder)
    (content,) = (json.loads(path.read_text()) for path in folder.glob("*.jas"))
    assets = folder / content["data"]["dirName"]
    (assets / "jatos.js").write_text(JATOS)
    return assets


def test_a_session_in_jatos(study: Study, tmp_path: Path, page: Any):
    with host(in_jatos(study, tmp_path), tmp_path / "kept") as server:
        person = Participant(page, f"http://127.0.0.1:{server.server_port}")
        person.begin()
        page.wait_for_timeout(6000)
        assert server.result.count("\n") > 1, "it is sent while somebody plays"
        person.stop()
        page.keyboard.press("Enter")
        person.reach("Everything was sent. You can close this page now.")
        assert server.posts[-1] == "/end"
    results = tmp_path / "results.txt"
    results.write_text(server.result)
    play = recorded(study, [results])
    print(f"{len(server.result) / len(play.play.inputs):.1f} bytes an input")


def test_who_withdraws_leaves_nothing_in_jatos(study: Study, tmp_path: Path, page: Any):
    with host(in_jatos(study, tmp_path), tmp_path / "kept") as server:
        person = Participant(page, f"http://127.0.0.1:{server.server_port}")
        person.begin()
        person.stop()
        person.choose(1)
        person.reach("Your record will be deleted. This can't be undone.")
        person.choose(1)
        person.reach("Your record was deleted. Thank you for coming.")
        assert server.posts[-1] == "/abort"
