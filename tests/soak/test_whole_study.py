"""Whole studies by real keys, at three sizes of screen and in two languages: every page, and what is recorded of them.

SHOTS=FOLDER pytest tests/soak/test_whole_study.py leaves a picture of every page in that folder, to be looked at.
"""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest

from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.protocol.ready import PLACEHOLDER
from priorlab.human_study.study.study_file import Study, write_example
from tests.human_study.test_window import EASY
from tests.support.participant import Participant
from tests.support.screen import PATIENCE, ROOT, Screen, a_screen, needs_x, wait_until

SIZES = ["1024x600", "1366x768", "1920x1080"]
STILL = 0.25  # seconds without a change after which a page has come up
TOWN = "Little Rock, near the river, in a house that had five rooms and an orchard with nineteen trees"
CONSENT = {
    "en": "A long paragraph of a consent form, as ethics boards ask for it: who is responsible, and for how long. ",
    "de": "Ein langer Absatz einer Einwilligung, wie Ethikkommissionen ihn haben wollen: wer zuständig ist. ",
}
WORDS = {
    "en": {
        "debriefing": "We study how people learn games.\n\nPlease don't tell others.", "hard": "How hard was it?",
        "hards": ["very easy", "easy", "rather easy", "neither easy nor hard", "rather hard", "hard", "very hard",
                  "I would rather not say how hard or how easy it was for me, or I can't remember it any more"],
        "town": "Where did you grow up?", "decline": "I'd rather not say", "warm": "How warm is it in here, in °C?",
        "hand": "Which hand do you write with?", "hands": ["left", "right", "both"],
    },
    "de": {
        "debriefing": "Wir untersuchen, wie Menschen Spiele lernen.\n\nBitte sagen Sie es nicht weiter.",
        "hard": "Wie schwierig war es?",
        "hards": ["sehr leicht", "leicht", "eher leicht", "weder leicht noch schwierig", "eher schwierig", "schwierig",
                  "sehr schwierig", "Das möchte ich lieber nicht sagen, oder ich kann mich nicht mehr daran erinnern"],
        "town": "Wo sind Sie aufgewachsen?", "decline": "Das möchte ich nicht sagen",
        "warm": "Wie warm ist es hier (°C)?",
        "hand": "Mit welcher Hand schreiben Sie?", "hands": ["links", "rechts", "beide"],
    },
}  # fmt: skip


class Visitor(Participant):
    """Takes part in the study of a file, on the whole screen, and keeps a picture of every page."""

    def __init__(self, screen: Screen, path: Path, name: str, *settings: str):
        self.screen, self.study, self.name, self.shots = screen, Study.load(path), name, 0
        screen.env.setdefault("XDG_STATE_HOME", str(path.parent / "state"))
        self.process = screen.start("-m", "priorlab", "participate", str(path), *settings)

    def shoot(self, page: str) -> np.ndarray:
        """The picture of the page once it has come up, kept where SHOTS says."""
        time.sleep(STILL)  # until the key before has done what it does
        wait_until(self._is_still)
        picture = self.screen.picture().copy()
        if "SHOTS" in os.environ:
            image = pygame.surfarray.make_surface(picture.swapaxes(0, 1))
            Path(os.environ["SHOTS"]).mkdir(parents=True, exist_ok=True)
            pygame.image.save(image, str(Path(os.environ["SHOTS"]) / f"{self.name}-{self.shots:02d}-{page}.png"))
        self.shots += 1
        return picture

    def _is_still(self) -> bool:
        before = self.screen.picture().copy()
        time.sleep(STILL)
        return bool((self.screen.picture() == before).all())

    def see(self, page: str, *keys: str, times: int = 1) -> None:
        """The page of the session, its picture, then these keys and, if there are some, a picture before Enter."""
        self.await_page(page, times)
        self.shoot(page.replace(":", "_"))
        self.press(*keys)
        if keys:
            self.shoot(f"{page.replace(':', '_')}-answered")
        self.press("Return")

    def see_alone(self, page: str, *keys: str) -> None:
        """A page that the log does not tell of."""
        self.await_paper()
        self.shoot(page)
        self.press(*keys)
        if keys:
            self.shoot(f"{page}-answered")
        self.press("Return")

    def see_consent(self) -> None:
        """Reads on, screen by screen, until the choice to agree can be made."""
        self.await_paper()
        before = self.shoot("consent")
        for _ in range(40):
            self.press("Down")
            now = self.shoot("consent")
            if (now == before).all():
                break
            before = now
        else:
            pytest.fail("the consent page has no end")
        self.press("Up")  # from refusing to agreeing
        self.shoot("consent-agreed")
        self.press("Return")

    def type(self, text: str) -> None:
        self.screen.do("type", "--delay", "60", text)

    def leave_by_winning(self) -> None:
        wait_until(lambda: self._count("step") > 3)  # a key that is down before the first picture counts for nothing
        self.screen.do("keydown", "Right")
        wait_until(lambda: self._count("win") > 0)
        self.shoot("won")
        self.screen.do("keyup", "Right")

    def leave_at_the_end_of_time(self) -> None:
        wait_until(lambda: self._count("timeout") > 0)
        self.shoot("time_up")

    def leave_by_stopping(self) -> None:
        wait_until(lambda: self.events()[-1]["event"] == "step")
        self.press("p")
        self.shoot("paused")
        self.press("Right", "Escape")
        self.see("stop", "Down")  # no, on with it
        self.shoot("waits")
        self.press("Right", "Escape")
        self.await_page("stop", 2)
        self.press("Up", "Down", "Down", "Down", "Down")
        self.shoot("stop-chosen")
        self.press("Return")

    def _count(self, event: str) -> int:
        return sum(each["event"] == event for each in self.events())


def own_study(folder: Path, language: str) -> Path:
    """Within subjects, three games, every kind of question, long texts."""
    words = WORDS[language]
    consent = "\n\n".join([8 * CONSENT[language]] * 3)
    quoted = {name: json.dumps(text, ensure_ascii=False) for name, text in words.items() if isinstance(text, str)}
    hards, hands = (
        "\n".join(f"{name}{number} = {json.dumps(text, ensure_ascii=False)}" for number, text in enumerate(options))
        for name, options in (("hard_", words["hards"]), ("hand_", words["hands"]))
    )
    folder.mkdir()
    (folder / "easy.txt").write_text(EASY, encoding="utf-8")
    (folder / "texts.toml").write_text(
        f"""extends = "{language}"
[consent]
text = \"\"\"{consent}\"\"\"
[debriefing]
text = {quoted["debriefing"]}
[questions.years]
kind = "number"
text = {quoted["hard"]}
least = 0
most = 10
[questions.warm]
kind = "number"
text = {quoted["warm"]}
least = -5.5
most = 40
decimals = 1
decline = {quoted["decline"]}
[questions.town]
kind = "text"
text = {quoted["town"]}
decline = {quoted["decline"]}
[questions.hard]
kind = "choice"
text = {quoted["hard"]}
[questions.hard.options]
{hards}
[questions.hand]
kind = "choice"
text = {quoted["hand"]}
[questions.hand.options]
{hands}
""",
        encoding="utf-8",
    )
    path = folder / "study.toml"
    path.write_text(
        """name = "own"
versions = ["original", "masked_objects", "masked_semantics"]
game = "princess"
level = "easy.txt"
design = "within"
minutes = 0.1
minimum_age = 18
texts = "texts.toml"
contact = "Anna Example, anna@example.org"
before = ["age", "plays", "plate_1", "plate_2", "plate_3", "warm", "town", "hand"]
after_each = ["hard", "years"]
after = ["known", "aim"]
""",
        encoding="utf-8",
    )
    return path


def example_study(folder: Path, language: str) -> Path:
    """As ``--example`` writes it, with what the lab must fill in."""
    path = write_example(folder)
    path.write_text(path.read_text("utf-8").replace(PLACEHOLDER, "Anna Example, anna@example.org"), encoding="utf-8")
    texts = folder / "texts.toml"
    words = texts.read_text("utf-8").replace(f"{PLACEHOLDER} ", "").replace(PLACEHOLDER, "It was about surprises.")
    texts.write_text(words.replace('extends = "en"', f'extends = "{language}"'), encoding="utf-8")
    return path


def lab(*arguments: str) -> str:
    """What a command of the lab prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "priorlab", *arguments], cwd=ROOT, capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def exported(study: Study, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The tables that ``priorlab export`` writes, by name."""
    lab("export", str(study.folder), "--out", str(folder))
    tables = {path.stem: path.read_text(encoding="utf-8-sig") for path in folder.glob("*.csv")}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in tables.items()}


def check_export(tables: dict[str, list[dict[str, Any]]], language: str) -> None:
    """What was pressed and typed in ``test_a_study_within_subjects`` stands in the tables, with what was asked."""
    words, rows = WORDS[language], tables["participants"]
    given = {
        "age": "25_34", "plays": "not_said", "plate_1": "12", "plate_2": "nothing", "plate_3": "3", "warm": "-5.5",
        "town": TOWN, "hand": "hand_0", "hard.0": "hard_7", "hard.1": "hard_6", "hard.2": "hard_5", "years.0": "0",
        "years.1": "1", "years.2": "2", "known": "no", "aim": "The star",
    }  # fmt: skip
    for row in rows:
        assert {name: row[f"answer_{name}"] for name in given} == given
    assert [row["ended"] for row in rows] == ["win", "limit", "quit"] and {row["wording"] for row in rows} != {""}
    assert 6 <= float(rows[1]["play_seconds"]) < 7 and float(rows[2]["paused_seconds"]) > 0
    answers = [json.loads(row["details"]) for row in tables["events"] if row["event"] == "answer"]
    assert {each["question"]: str(each["answer"]) for each in answers} == given and len(answers) == len(given)
    assert all(0 < each["seconds"] < PATIENCE for each in answers)
    said = {row["name"] or row["kind"]: row for row in tables["wordings"]}
    assert said["warm"]["text"] == words["warm"] and json.loads(said["warm"]["settings"])["least"] == -5.5
    assert list(json.loads(said["hard"]["options"]).values()) == words["hards"]
    assert CONSENT[language].strip() in said["consent"]["text"] and "18" in said["consent"]["text"]
    assert said["debriefing"]["text"].endswith(words["debriefing"])


@pytest.fixture(params=SIZES)
def screen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"), request.param)


@needs_x
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_study_within_subjects(screen: Screen, language: str, tmp_path: Path):
    high, wide = screen.picture().shape[:2]
    person = Visitor(screen, own_study(tmp_path / "lab", language), f"own-{language}-{wide}x{high}")
    person.see_consent()
    person.see("code")
    person.see("controls", "Down")
    person.see("question:age", "Down", "Down", "Down")
    person.see("question:plays", *6 * ["Down"])
    person.await_page("question:plate_1")
    person.type("12")
    person.see("question:plate_1")
    person.see("question:plate_2", "Down")
    person.see("question:plate_3", "3", "x")
    person.see("question:warm", "minus", "6")  # out of range, and said so
    person.shoot("warm-outside")
    person.press("BackSpace", "5", "comma", "5")
    person.see("question:warm")
    person.await_page("question:town")
    person.type(TOWN)
    screen.do("keydown", "Escape")
    person.await_page("stop")
    time.sleep(1)
    person.shoot("stop-escape-held")
    screen.do("keyup", "Escape")
    assert person.events()[-1]["page"] == "stop", "a key that is held does not leave the page that it called"
    person.press("Escape")
    person.see("question:town")
    person.see("question:hand", "Down")
    for play, leave in enumerate([person.leave_by_winning, person.leave_at_the_end_of_time, person.leave_by_stopping]):
        person.see(f"begin:{play}")
        leave()
        person.see(f"question:hard:{play}", *(8 - play) * ["Down"])
        person.see(f"question:years:{play}", str(play))
    person.see("question:known", "Down")
    person.await_page("question:aim")
    person.type("The star")
    person.see("question:aim")
    person.await_page("debriefing")
    person.see_alone("debriefing")
    person.see_alone("thanks", "Down")
    person.see_alone("sure", "Down")  # no, keep it
    person.see_alone("thanks_again")
    assert "saved" in person.end()

    recorded = read_session(next(person.study.folder.glob("*.jsonl")))
    assert [each.play.ended for each in recorded] == ["win", "limit", "quit"]
    lab("verify", str(person.study.folder))
    assert "stopped" in lab("status", str(person.study.path))
    check_export(exported(person.study, tmp_path / "tables"), language)


@needs_x
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_example_study_stopped_and_withdrawn(screen: Screen, language: str, tmp_path: Path):
    high, wide = screen.picture().shape[:2]
    person = Visitor(screen, example_study(tmp_path / "lab", language), f"example-{language}-{wide}x{high}")
    person.see_consent()
    person.see("code")
    person.await_page("controls")
    person.press("Tab", "s", "f")
    person.shoot("controls-asked")
    person.press("f")
    person.shoot("controls-taken")
    person.press("p")
    person.shoot("controls-reserved")
    person.press("e", "d", "g")
    person.shoot("controls-changed")
    person.press("BackSpace", "Return")
    person.see("question:age", *8 * ["Down"])
    person.see("question:plays", "Down")
    for number in (1, 2, 3):
        person.see(f"question:plate_{number}", "Down")
    person.see("begin:0")
    person.leave_by_stopping()
    person.see("question:known", "Down", "Down")
    person.see("question:aim")
    person.await_page("debriefing")
    person.see_alone("debriefing")
    person.see_alone("thanks", "Down")
    person.see_alone("sure", "Down", "Down")
    person.see_alone("deleted")
    assert "withdrew" in person.end()
