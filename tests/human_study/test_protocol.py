"""What participants read and are asked: checked before they come, stored with the data, shown in a preview."""

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pygame
import pytest

from priorlab.human_study.data.interrupted import check_resumable, interrupted_here, machine_id
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.wordings import FOLDER, is_stored, store_wording
from priorlab.human_study.protocol.pages import Choice, KeysPage, Page
from priorlab.human_study.protocol.ready import PLACEHOLDER, load_study, unready
from priorlab.human_study.protocol.script import Script, question_wording
from priorlab.human_study.study.study_file import Study, write_example
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import DEFAULT
from priorlab.human_study.window.forms import Form
from priorlab.human_study.window.paper import Paper
from priorlab.human_study.window.preview import CODE, GROUND, MarkedPaper, PreviewForm, label_of, scenes
from priorlab.human_study.window.show_page import form_of
from tests.human_study.test_study import a_study

MINE = 'extends = "en"\n[consent]\ntext = "Mine, {minutes}."\n[debriefing]\ntext = "Why."\n'


def a_script(folder: Path, texts: str = MINE, **entries: object) -> Script:
    (folder / "texts.toml").write_text(texts, encoding="utf-8")
    study = a_study(folder, **{"texts": "texts.toml", "game": "princess", **entries})
    return Script(study, Texts.load(study.path_to(study.texts[0])))


def a_form(page: Page | KeysPage) -> Form:
    window: Any = SimpleNamespace(controls=DEFAULT, pads=None)
    return form_of(page, Texts.load("en"), window)


def words_of(page: Page | KeysPage) -> str:
    blocks = a_form(page).blocks()
    return " ".join(str(getattr(block, "text", getattr(block, "options", ""))) for block in blocks)


def test_the_example_can_only_be_previewed_until_its_texts_are_written(tmp_path: Path):
    path = write_example(tmp_path / "lab")
    study, languages = load_study(path, is_preview=True)
    assert len(unready(Script(study, languages["en"]))) == 3
    for file, entry in (("study.toml", "contact"), ("texts.toml", "consent.text"), ("texts.toml", "debriefing.text")):
        with pytest.raises(ValueError) as caught:
            load_study(path)
        assert f"{file}: {entry} holds" in str(caught.value) and "--preview" in str(caught.value)
        edited = path.parent / file
        edited.write_text(edited.read_text("utf-8").replace(PLACEHOLDER, "Ours.", 1), encoding="utf-8")
    assert load_study(path)[0].contact == "Ours."
    (tmp_path / "lab" / "texts.toml").write_text('extends = "en"\nconsent.text = " "', encoding="utf-8")
    with pytest.raises(ValueError, match=r"consent.text is empty"):
        load_study(path)


def test_each_wording_is_stored_once_under_its_hash(tmp_path: Path):
    script = a_script(tmp_path, before=["age", "plate_1"], after=["aim"])
    wording = script.wording()
    with ThreadPoolExecutor(8) as pool:  # computers that share the folder
        names = set(pool.map(lambda _: store_wording(script.study.folder, wording), range(40)))
    (file,) = (script.study.folder / FOLDER).iterdir()
    content = file.read_bytes()
    assert names == {file.stem} == {hashlib.sha256(content).hexdigest()[:12]}
    kept = json.loads(content)
    assert list(kept) == ["language", "consent_version", "consent", "debriefing", "questions"]
    assert "Mine, 30." in kept["consent"] and "18 or older" in kept["consent"] and "Why." in kept["debriefing"]
    assert list(kept["questions"]) == ["age", "plate_1", "aim"]
    assert kept["questions"]["age"]["options"]["under_18"] == "under 18"
    assert kept["questions"]["plate_1"]["shows"] == 12 and "shows" not in kept["questions"]["aim"]

    other = a_script(tmp_path, MINE.replace("Mine", "Changed"), before=["age", "plate_1"], after=["aim"]).wording()
    assert store_wording(script.study.folder, other) != file.stem and len(list(file.parent.iterdir())) == 2
    file.write_text("{}")
    with pytest.raises(ValueError, match="was changed"):
        is_stored(script.study.folder, wording)
    with pytest.raises(ValueError, match="was changed"):
        store_wording(script.study.folder, wording)
    assert file.read_text() == "{}", "nothing is overwritten"
    file.write_bytes(content[:50])
    with pytest.raises(ValueError, match="was changed"):
        is_stored(script.study.folder, wording)


def test_a_wording_has_everything_a_question_allows(tmp_path: Path):
    texts = MINE + '[questions.n]\nkind = "number"\ntext = "?"\nleast = 0\nmost = 9\ndecline = "no"\n'
    (question,) = a_script(tmp_path, texts).texts.ask(["n"])
    assert question_wording(question) == {
        "kind": "number",
        "text": "?",
        "options": {"not_said": "no"},
        "least": 0,
        "most": 9,
    }


@pytest.mark.parametrize(
    ("minimum", "young", "old"),
    [
        (18, ["under_18", 17, 17.5, "12_17", "12-17", "17"], ["18_24", 18, "18", "not_said", "65_or_more"]),
        (16, ["under_16", 15, "12_15"], ["under_18", "16_17", 16]),
        (25, ["under_18", "18_24", 24], ["24_30", 25]),
        (0, [], ["under_18", 3]),
    ],
)
def test_answers_below_the_minimum_age_are_recognised(minimum: int, young: list[Any], old: list[Any]):
    study = Study(Path("x"), "t", ("original",), minimum_age=minimum)
    assert all(study.is_too_young("age", answer) for answer in young)
    assert not any(study.is_too_young("age", answer) for answer in old)
    assert not study.is_too_young("years_of_school", 3)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ('kind = "text"', "kind is 'text': expected choice or number"),
        (
            'kind = "choice"\noptions = { unter_18 = "unter 18", not_said = "" }',
            "option 'unter_18': expected a name such",
        ),
        ('kind = "choice"\noptions = { 16-17 = "16, 17", 18_or_more = "18", over_65 = "" }', ""),
        ('kind = "number"\nleast = 0\nmost = 120\ndecline = "no"', ""),
    ],
)
def test_an_age_that_cannot_be_compared_with_the_minimum_age_is_rejected(tmp_path: Path, entries: str, reason: str):
    study = a_script(tmp_path, MINE + f'[questions.age]\ntext = "?"\n{entries}\n', before=["age"], after=[]).study
    if not reason:
        load_study(study.path)
        return
    with pytest.raises(ValueError, match=rf"texts.toml: questions.age, which minimum_age = 18 .*: {reason}"):
        load_study(study.path)
    load_study(a_study(tmp_path, texts="texts.toml", before=["age"], after=[], minimum_age=0).path)


def test_the_consent_page_states_the_minimum_age(tmp_path: Path):
    words = "\n".join([*a_script(tmp_path, minimum_age=21).consent_words])
    assert "21" in words and "21" in a_script(tmp_path, minimum_age=21).consent_options["agree"]
    without = a_script(tmp_path, minimum_age=0)
    assert without.consent_words[2:] == [] and without.consent_options["agree"] == without.texts("consent.agree")
    for wrong in (-1, 18.5, True, 200):
        with pytest.raises(ValueError, match="minimum_age is"):
            a_study(tmp_path, minimum_age=wrong)


def test_only_sessions_begun_on_this_computer_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("priorlab.human_study.data.interrupted.state_folder", lambda: tmp_path / "state" / "priorlab")
    mine = machine_id()
    assert mine and mine == machine_id()
    with monkeypatch.context() as patched:
        patched.setattr("platform.node", lambda: "another-computer")  # which shares the home folder
        assert machine_id() not in ("", mine)

    def interrupted(name: str, **header: str) -> Path:
        recorder = Recorder.create(tmp_path, id=name, study="t", **header)
        recorder.note("consent", sync=True)
        recorder.close()
        return recorder.path

    path = interrupted("minemine", machine=mine)
    old = interrupted("oldoldol", machine=mine)
    then = time.time() - 13 * 3600
    os.utime(old, (then, then))
    ahead = interrupted("aheadddd", machine=mine)  # of a clock that was set back by more than a day
    later = time.time() + 30 * 3600
    os.utime(ahead, (later, later))
    interrupted("elsewher", machine="otherone")
    interrupted("nomachin")
    unsure = interrupted("unmarked", machine="")
    (found,) = interrupted_here(tmp_path, mine)
    assert found.path == path and 0 <= (found.ended - found.began).total_seconds() < 60
    assert not list(interrupted_here(tmp_path, ""))
    assert replace(found, ended=found.ended + timedelta(days=1)).day == "today", "the clock was set back meanwhile"
    script = Script(a_study(tmp_path, contact=" "), Texts.load("en"))
    assert script.contact == "the person who runs this study"
    page = script.resume(found)
    said = words_of(page)
    assert "minemine" not in said and script.texts("resume.mine") in said and found.began.strftime("%H:%M") in said

    check_resumable(unsure, tmp_path, "t")
    with pytest.raises(ValueError, match="study is 't': expected 'other'"):
        check_resumable(unsure, tmp_path, "other")
    with pytest.raises(ValueError, match="expected a session of this study"):
        check_resumable(unsure, tmp_path / "state", "t")
    (tmp_path / "file").touch()
    monkeypatch.setattr("priorlab.human_study.data.interrupted.state_folder", lambda: tmp_path / "file" / "priorlab")
    assert machine_id() == "", "a folder that can't be written stops no session"


@pytest.mark.parametrize(("design", "is_within"), [("between", False), ("within", True)])
def test_a_preview_shows_every_page_and_every_version(tmp_path: Path, design: str, is_within: bool):
    script = a_script(tmp_path, design=design, before=["age"], after_each=["known"] if is_within else [], after=["aim"])
    window: Any = SimpleNamespace(controls=DEFAULT, pads=None)
    shown = scenes(script, window)
    assert [scene.version for scene in shown if scene.version] == list(script.study.versions)
    paper, surface = MarkedPaper(script.texts), pygame.Surface((1024, 600))
    said = {}
    for scene in shown:
        if not scene.page:
            continue
        page = scene.page()
        paper.draw(surface, a_form(page).blocks(), a_form(page).hint(), (0, 0))
        assert surface.get_at((5, 597))[:3] == GROUND, f"{scene.name} is marked"
        said[scene.name] = words_of(page)
    assert CODE in said["code"] and CODE in said["thanks"] and CODE not in said["an interrupted session"]
    questions = [scene.name for scene in shown if scene.name.startswith("question")]
    assert len(questions) == 2 + 3 * is_within
    assert {"consent", "consent, refused", "all places taken", "too young", "debriefing", "failure"} <= said.keys()


def test_enter_always_continues_a_preview_and_other_keys_work():
    texts = Texts.load("en")
    paper = Paper(texts)

    def preview(page: Page | KeysPage) -> PreviewForm:
        return PreviewForm(a_form(page))

    def press(page: PreviewForm, *keys: int) -> bool:
        paper.draw(pygame.Surface((640, 480)), page.blocks(), "", (0, 0))
        for key in keys:
            page.take(pygame.Event(pygame.KEYDOWN, key=key, scancode=0), paper)
        return page.done

    choice = a_form(Choice([], options={"a": "a", "b": "b"}))
    assert not press(PreviewForm(choice), pygame.K_DOWN) and choice.given() == "a"
    assert press(preview(Choice([], options={"a": "a"})), pygame.K_RETURN), "without an answer"
    assert press(preview(KeysPage({"left": "left"}, remap=True)), pygame.K_RETURN)
    page = preview(Choice([], options={"a": "a"}))
    press(page, pygame.K_LEFT)
    assert page.back


@pytest.mark.parametrize("wide", [160, 210, 400])
def test_the_mark_of_a_game_fits_its_picture(wide: int):
    pygame.font.init()
    label = label_of("PREVIEW 20/26: game, masked_affordances", wide)
    assert label.shape[1] <= wide and label.shape[0] < 20 and (label == np.array(GROUND)).all(axis=2).any()
