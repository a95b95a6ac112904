"""A whole study: twelve participants in Chromium press keys through every page, in two languages; one is killed at each
page. Then everything that a researcher does with the data. Once with our server, once in a JATOS of our own. And one
participant in Firefox, with real keys at a real window, who meets every page.

Pictures of the pages, in three sizes, go to the folder that PRIORLAB_PICTURES names, if any, in one folder a browser.
"""

import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from priorlab.envs.plays.events import read_events
from priorlab.human_study.study.study_file import Study
from tests.support.paths import ROOT

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
pytest.importorskip("websockets", reason="needs websockets: pip install websockets")
from tests.soak.test_browser_client import STUDY, TEXTS, kill
from tests.soak.test_hosting import host, in_jatos
from tests.soak.test_serve import Served
from tests.support.browser_client import CHROMIUM
from tests.support.browser_visit import ACTS, GAME, OVER, WRONG
from tests.support.firefox import FIREFOX
from tests.support.screen import Screen, a_screen, needs_x

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="needs the program chromium")
needs_firefox = pytest.mark.skipif(not FIREFOX, reason="needs the program firefox")

PARTICIPANTS, AT_ONCE = 12, 3
PAGES = [*ACTS, GAME]
LAST = "Thank you!"  # nothing is left to come back for
BEFORE = ("Language / Sprache", "Taking part in a study", "Which hand?")  # there is a session
TRACELESS = (*BEFORE, "Continue?", LAST)  # of a kill there
KEYBOARD = (["setxkbmap", "de"], ["xmodmap", "-e", "keycode 250 = U9375"])  # with every letter that is typed
ANSWERS = {  # to what ACTS do
    "hand": "right", "age": "25_34", "sleep": 7.2, "games": ["jump", "sport"], "awake": 3, "plate_2": 57,
    "goal": "door", "aim.0": "käse, 鍵", "aim.1": "käse, 鍵", "known": "similar",
}  # fmt: skip
PATIENCE = 240  # seconds that the end of a visit may take


def stages(number: int) -> list[str]:
    """The pages at which that participant's browser is killed."""
    return PAGES[number::PARTICIPANTS]


def take_part(
    address: str, folder: Path, number: int, pages: Sequence[str] = (), browser: str = "chromium",
    env: Mapping[str, str] | None = None,
) -> tuple[set[str], int]:  # fmt: skip
    """Visits the page until the session is over, and is killed at those pages: (titles that were seen, how many kills).

    By default at the participant's own pages.
    """
    profile, chance, seen = folder / f"profile-{number}", random.Random(number), set[str]()
    left = [*pages] or stages(number)
    kills, title = 0, ""
    while True:
        words = [sys.executable, "-m", "tests.support.browser_visit", browser, address, str(profile)]
        words += ["en" if number % 2 else "de", str(number), *left]
        process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout
        with process.stdout as told:
            for line in told:
                title = line.strip()
                seen.add(title)
                if title in left:
                    time.sleep(chance.uniform(0, 1))
                    left.remove(title)
                    kill(process, profile)
                    kills += title not in TRACELESS
                    break
            else:
                assert process.wait(timeout=PATIENCE) == 0 and title == OVER
                return seen, kills
        if title == LAST:
            return seen, kills


def everybody(address_of: Callable[[int], str], folder: Path) -> list[int]:
    """All take part; how often each was killed during the session."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = [*pool.map(lambda number: take_part(address_of(number), folder, number), range(PARTICIPANTS))]
    assert set.union(*(seen for seen, _ in done)) >= {*PAGES, OVER}
    return [kills for _, kills in done]


def priorlab(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "priorlab", *map(str, words)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def analysed(study: Study, kills: list[int], out: Path) -> None:
    """What a researcher does with the data of everybody."""
    logs = sorted(study.folder.glob("*.session.jsonl"))
    events = [read_events(log).events for log in logs]
    assert len(logs) == PARTICIPANTS and all(each[-1]["event"] == "finish" for each in events)
    assert sorted(sum(event["event"] == "resumed" for event in each) for each in events) == sorted(kills)
    print(priorlab("verify", study.folder))
    priorlab("compare", study.folder, "--out", out / "compare")
    assert (out / "compare" / "index.html").exists()
    priorlab("export", study.folder, "--out", out / "export")
    plays, wordings = (pd.read_csv(out / "export" / f"{name}.csv") for name in ("participants", "wordings"))
    assert len({*plays["participant"]}) == PARTICIPANTS and min(plays["inputs"]) > 0
    assert set(wordings["language"]) == {"English", "Deutsch"}
    code = logs[0].name.partition(".")[0]
    priorlab("withdraw", code, study.path, "--yes")
    assert not any(code in path.name for path in study.folder.rglob("*"))
    priorlab("verify", study.folder)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "study.toml").write_text(STUDY.replace('"soak"', '"twelve"'), encoding="utf-8")
    for language in ("en", "de"):
        (tmp_path / f"{language}.toml").write_text(f'extends = "{language}"\n{TEXTS}', encoding="utf-8")
    return Study.load(tmp_path / "study.toml")


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """One that a window of 1920x1080 and a browser's bars fit on."""
    (tmp_path / "screen").mkdir()
    for found in a_screen(tmp_path / "screen", "1920x1280"):
        for command in KEYBOARD:
            subprocess.run(command, env=found.env, check=True)
        yield found


@pytest.fixture(autouse=True)
def quick_profiles(tmp_path: Path) -> Iterator[None]:
    """Profiles of browsers are large."""
    yield
    for profile in tmp_path.glob("profile-*"):
        shutil.rmtree(profile, ignore_errors=True)


@needs_chromium
def test_with_the_server(study: Study, tmp_path: Path):
    served = Served(study)
    try:
        kills = everybody(lambda _: f"http://127.0.0.1:{served.port}/", tmp_path)
    finally:
        served.stop()
    priorlab("import", study.path)
    analysed(study, kills, tmp_path)


@needs_chromium
def test_in_jatos(study: Study, tmp_path: Path):
    assets, archive = in_jatos(study, tmp_path), tmp_path / "results.zip"
    with ExitStack() as stack:
        servers = [stack.enter_context(host(assets, tmp_path / "kept")) for _ in range(PARTICIPANTS)]
        kills = everybody(lambda number: f"http://127.0.0.1:{servers[number].server_port}", tmp_path)
    with zipfile.ZipFile(archive, "w") as file:
        for number, server in enumerate(servers, 1):
            file.writestr(f"study_result_{number}/comp-result_{number}/data.txt", server.result)
    priorlab("import", study.path, archive)
    analysed(study, kills, tmp_path)


@needs_x
@needs_firefox
@pytest.mark.skipif(not shutil.which("xmodmap"), reason="not installed: xmodmap")
@pytest.mark.parametrize("number", [1, 2])
def test_in_firefox(study: Study, tmp_path: Path, number: int, screen: Screen):
    """In English in a window of 1920x1080, and in German in one of 1024x700."""
    served = Served(study)
    try:
        address = f"http://127.0.0.1:{served.port}/"
        seen, kills = take_part(address, tmp_path, number, [WRONG, GAME], "firefox", screen.env)
    finally:
        served.stop()
    assert seen >= {*PAGES, OVER} and kills == 2
    priorlab("import", study.path)
    (log,) = study.folder.glob("*.session.jsonl")
    events = read_events(log).events
    assert events[-1]["event"] == "finish" and events[0]["browser"].startswith("Firefox")
    assert sum(event["event"] == "resumed" for event in events) == kills
    answers = {event["question"]: event["answer"] for event in events if event["event"] == "answer"}
    assert answers == ANSWERS
    assert {0, 1, 2, 3} >= {event["input"] for event in events if event["event"] == "step"} > {0}
    print(priorlab("verify", study.folder))
