"""A whole study: twelve participants in browsers press keys through every page, in two languages; one is killed at each
page. Then everything that a researcher does with the data. Once with our server, once in a JATOS of our own.

Pictures of the pages, in three sizes, go to the folder that PRIORLAB_PICTURES names, if any.
"""

import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from priorlab.envs.plays.events import read_events
from priorlab.human_study.study.study_file import Study
from tests.support.paths import ROOT

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
from tests.soak.test_browser_client import STUDY, TEXTS, kill
from tests.soak.test_hosting import host, in_jatos
from tests.soak.test_serve import Served
from tests.support.browser_client import CHROMIUM
from tests.support.browser_visit import ACTS, GAME, OVER

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs the program chromium")

PARTICIPANTS, AT_ONCE = 12, 3
PAGES = [*ACTS, GAME]
LAST = "Thank you!"  # nothing is left to come back for
BEFORE = ("Language / Sprache", "Taking part in a study", "Which hand?")  # there is a session
TRACELESS = (*BEFORE, "Continue?", LAST)  # of a kill there
PATIENCE = 240  # seconds that the end of a visit may take


def stages(number: int) -> list[str]:
    """The pages at which that participant's browser is killed."""
    return PAGES[number::PARTICIPANTS]


def take_part(address: str, folder: Path, number: int) -> tuple[set[str], int]:
    """Visits the page until the session is over, and is killed on the way: (titles that were seen, how many kills)."""
    profile, chance, left, seen = folder / f"profile-{number}", random.Random(number), stages(number), set[str]()
    kills, title = 0, ""
    while True:
        words = [sys.executable, "-m", "tests.support.browser_visit", address, str(profile)]
        words += ["en" if number % 2 else "de", str(number), *left]
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
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


@pytest.fixture(autouse=True)
def quick_profiles(tmp_path: Path) -> Iterator[None]:
    """Profiles of browsers are large."""
    yield
    for profile in tmp_path.glob("profile-*"):
        shutil.rmtree(profile, ignore_errors=True)


def test_with_the_server(study: Study, tmp_path: Path):
    served = Served(study)
    try:
        kills = everybody(lambda _: f"http://127.0.0.1:{served.port}/", tmp_path)
    finally:
        served.stop()
    priorlab("import", study.path)
    analysed(study, kills, tmp_path)


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
