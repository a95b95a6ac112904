"""A study as plain data, for a program that shows its pages without Python."""

import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
from PIL import Image

from priorlab.envs.browser import game_file
from priorlab.envs.game.versions import versions
from priorlab.human_study.protocol.blocks import Plate
from priorlab.human_study.protocol.codes import CODES, KEYMAP
from priorlab.human_study.protocol.described import described
from priorlab.human_study.protocol.pads import reading
from priorlab.human_study.protocol.plates import plate_picture
from priorlab.human_study.study.texts import Texts
from tests.human_study.test_study import a_study
from tests.support.paths import ROOT

LANGUAGES = {"en": Texts.load("en"), "de": Texts.load("de")}
WITHIN = {
    "name": "masked_objects", "design": "within", "versions": ["masked_semantics", "masked_objects"],
    "before": ["age", "plays", "plate_1"], "practice": 20, "after_each": ["aim"], "after": ["known"],
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a study within subjects in two languages, as a browser gets it."""
    return json.loads(json.dumps(described(a_study(tmp_path_factory.mktemp("study"), **WITHIN), LANGUAGES)))


def test_the_protocol_needs_no_pygame():
    names = [path.stem for path in (ROOT / "human_study" / "protocol").glob("*.py")]
    code = f"import sys; sys.modules['pygame'] = None\nfrom priorlab.human_study.protocol import {', '.join(names)}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_every_step_has_its_page_in_every_language(data: dict[str, Any]):
    assert (data["plays"], data["limit"], data["rate"]) == (2, 30 * 60 * 30, 30)
    for language in data["languages"].values():
        assert all(step["page"] in language["pages"] for step in language["steps"] if step["kind"] == "page")
    english, german = data["languages"].values()
    assert english["steps"] == german["steps"] and english["pages"].keys() == german["pages"].keys()
    assert english["pages"]["question:age"]["options"][0] == ["under_18", "under 18"]
    assert german["pages"]["question:age"]["options"][0] == ["under_18", "unter 18"]


def test_nothing_names_the_study_or_a_version(data: dict[str, Any]):
    shown = json.dumps(data)
    assert not [name for name in versions() if f'"{name}"' in shown or ("_" in name and name in shown)]


def test_what_follows_a_stop_and_where_one_can_go_back(data: dict[str, Any]):
    steps = data["languages"]["en"]["steps"]
    logged = [step["log"] for step in steps]
    assert logged == [
        "code", "controls", "question:age", "question:plays", "question:plate_1", "practice", "begin:0", "play:0",
        "question:aim:0", "begin:1", "play:1", "question:aim:1", "question:known",
    ]  # fmt: skip
    assert [logged[at] for at, step in enumerate(steps) if step["back"]] == [
        "question:plays", "question:plate_1", "question:known",
    ]  # fmt: skip
    assert [logged[at] for at in steps[7]["after_stop"]] == ["question:aim:0", "question:known"]
    assert steps[2]["after_stop"] == [] and steps[8]["page"] == "question:aim"


def test_pages_are_filled_with_the_words_of_the_study(data: dict[str, Any], tmp_path: Path):
    pages = data["languages"]["en"]["pages"]
    assert "60 minutes" in pages["consent"]["blocks"][1]["text"]
    assert {"type": "code", "text": "{id}"} in pages["code"]["blocks"]
    assert pages["question:age"]["excludes"] == {"options": ["under_18"], "page": "too_young"}
    assert "excludes" not in pages["question:plays"] and "excludes" not in pages["consent"]
    (tmp_path / "texts.toml").write_text(
        'extends = "en"\n[questions.age]\nkind = "number"\ntext = "?"\nleast = 0\nmost = 99\ndecline = "no"\n', "utf-8"
    )
    texts = {"en": Texts.load(str(tmp_path / "texts.toml"))}
    age = described(a_study(tmp_path, before=["age"], after=[]), texts)["languages"]["en"]["pages"]["question:age"]
    assert age["excludes"] == {"below": 18, "page": "too_young"} and age["decline"] == ["not_said", "no"]
    assert (age["kind"], age["least"], age["most"], age["signed"]) == ("number", 0, 99, False)
    assert age["notes"]["outside"] == "{number} is not between 0 and 99"


def test_plates_are_the_pictures_of_the_window(data: dict[str, Any]):
    (plate,) = (each for each in data["languages"]["en"]["pages"]["question:plate_1"]["blocks"] if "picture" in each)
    head, _, content = plate["picture"].partition(",")
    assert head == "data:image/png;base64"
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
    assert np.array_equal(shown, plate_picture(Plate(12, "nobody")))


def test_keys_have_the_numbers_that_the_window_logs(data: dict[str, Any]):
    pairs = {"KeyA": pygame.KSCAN_A, "Digit0": pygame.KSCAN_0, "Slash": pygame.KSCAN_SLASH, "F12": pygame.KSCAN_F12,
             "PageDown": pygame.KSCAN_PAGEDOWN, "ArrowUp": pygame.KSCAN_UP, "NumpadEnter": pygame.KSCAN_KP_ENTER,
             "Numpad0": pygame.KSCAN_KP_0, "MetaRight": pygame.KSCAN_RGUI, "IntlBackslash": pygame.KSCAN_NONUSBACKSLASH,
             "NonConvert": pygame.KSCAN_INTERNATIONAL5}  # fmt: skip
    assert {code: CODES[code] for code in pairs} == pairs
    assert {CODES[code] for code in data["keys"]} == KEYMAP.keys() and data["keys"]["Space"] == "jump"


def test_a_study_says_how_to_read_gamepads_unless_it_takes_none(data: dict[str, Any], tmp_path: Path):
    assert data["gamepads"] == reading()
    study = a_study(tmp_path, gamepad=False, before=[], after=[])
    assert described(study, {"en": LANGUAGES["en"]})["gamepads"] is None


def test_practice_is_a_game_of_its_own(data: dict[str, Any], tmp_path: Path):
    page = data["languages"]["de"]["pages"]["practice"]
    assert (page["kind"], page["limit"]) == ("practice", 600) and "20 Sekunden" in page["blocks"][1]["text"]
    assert base64.b64decode(page["game"]) == game_file(a_study(tmp_path, **WITHIN).practice_game)
    assert page["game"] == data["languages"]["en"]["pages"]["practice"]["game"]
