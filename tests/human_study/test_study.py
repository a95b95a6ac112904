"""Studies as files, and who plays what."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priorlab.human_study.protocol.plates import AXES, CONES, SIDE, colours, digits, plate
from priorlab.human_study.protocol.ready import PLACEHOLDER
from priorlab.human_study.study.assignment import (
    Station,
    StudyFull,
    StudyPlace,
    arms,
    capacity,
    changes_since,
    is_full,
    old_rule_of,
    place_at,
    take_place,
    taken_places,
    williams,
)
from priorlab.human_study.study.study_file import Study, write_example
from priorlab.human_study.study.texts import Texts, languages
from priorlab.human_study.window.paper import check_font
from tests.envs.test_play import EASY
from tests.support.in_toml import in_toml
from tests.support.screen import PATIENCE, ROOT

A_NUMBER = 'extends = "en"\n[questions.a]\nkind = "number"\ntext = "?"\n'
ALL = ["original", "masked_semantics", "reversed_semantics", "masked_objects", "gravity"]
TAKE = (
    "import sys\nfrom priorlab.envs.plays.play import new_id\n"
    "from priorlab.human_study.study.assignment import take_place\n"
    "from priorlab.human_study.study.study_file import Study\nstudy = Study.load(sys.argv[1])\n"
    "for _ in range(12): take_place(study, new_id())"
)


def a_study(folder: Path, **entries: object) -> Study:
    path = folder / "study.toml"
    path.write_text(in_toml({"name": "t", "versions": ALL[:3], "participants": 4, **entries}), encoding="utf-8")
    return Study.load(path)


def test_the_example_is_a_study_and_states_every_default(tmp_path: Path):
    path = write_example(tmp_path / "new")
    found = Study.load(path)
    plain = Study(path, found.name, found.versions)
    assert found == Study(**{**vars(plain), "texts": ("texts.toml",), "contact": PLACEHOLDER})
    assert Texts.load(found.path_to(found.texts[0])).ask([*found.before, *found.after, "handed"])
    with pytest.raises(FileExistsError):
        write_example(tmp_path / "new")


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"nmae": "x"}, "unknown entry 'nmae'"),
        ({"name": "A B"}, "name is 'A B': expected 1 to 40"),
        ({"versions": []}, "versions is []"),
        ({"versions": ["original", "original"]}, "different versions"),
        ({"versions": ["nonesuch"]}, "unknown version 'nonesuch': expected one of original"),
        ({"game": "chess"}, "unknown game 'chess': expected princess"),
        ({"game": "atari/nonesuch"}, "nonesuch"),
        ({"minutes": 0}, "minutes is 0: expected a number above 0"),
        ({"participants": True}, "participants is True"),
        ({"after_each": ["more"]}, "after_each: expected only with design"),
        ({"before": ["aim"]}, "asked in two lists"),
    ],
)
def test_a_wrong_entry_gets_a_one_line_error(tmp_path: Path, entries: dict[str, object], reason: str):
    with pytest.raises(ValueError) as caught:
        a_study(tmp_path, **entries)
    assert reason in str(caught.value) and "study.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_games_of_every_kind_can_be_studied(tmp_path: Path):
    assert a_study(tmp_path, game="atari/breakout", versions=["none", "colours"]).limit == 30 * 60 * 60
    assert a_study(tmp_path, game="atari/pong", versions=["colours+objects"]).versions == ("colours+objects",)
    assert a_study(tmp_path, game="random", versions=["random", "masked_semantics"]).limit == 30 * 60 * 30
    assert a_study(tmp_path, game="princess", minutes=1).limit == 1800


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.sampled_from(["between", "within"]), st.integers(0, 99), st.integers(0, 20))
def test_each_block_is_balanced_and_follows_from_the_seed(versions: int, design: str, seed: int, block: int):
    study = Study(Path("x"), "t", tuple(ALL[:versions]), design=design, seed=seed)
    size = len(arms(study))
    held = [place_at(study, number) for number in range(block * size, block * size + size)]
    assert {place.block for place in held} == {block}
    assert Counter(place.versions for place in held) == Counter(arms(study)), "each arm once"
    assert held == [place_at(study, place.number) for place in held]


def test_blocks_and_seeds_differ():
    study = [Study(Path("x"), "t", tuple(ALL), seed=seed) for seed in (0, 1)]
    sequences = [[place_at(each, number).versions for number in range(50)] for each in study]
    assert sequences[0] != sequences[1] and sequences[0][:5] != sequences[0][5:10]


@pytest.mark.parametrize("n", range(1, 11))
def test_orders_are_balanced_for_position_and_for_carry_over(n: int):
    rows = np.array(williams(n))
    for column in rows.T:
        assert set(Counter(column.tolist()).values()) == {len(rows) // n}
    follows = Counter(pair for row in rows.tolist() for pair in pairwise(row))
    assert len(follows) == n * (n - 1) and len(set(follows.values())) <= 1


def test_many_processes_never_share_a_place(tmp_path: Path):
    study = a_study(tmp_path, participants=12)
    running = [subprocess.Popen([sys.executable, "-c", TAKE, str(study.path)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(PATIENCE) for process in running] == [0, 0, 0]
    taken = taken_places(study)
    assert [place.number for place in taken] == list(range(36))
    assert len({place.participant for place in taken}) == 36
    assert set(Counter(place.versions for place in taken).values()) == {12}
    assert is_full(study)
    with pytest.raises(StudyFull, match="all 36 places are taken"):
        take_place(study, "late")
    more = a_study(tmp_path, participants=12, when_full="continue")
    assert not is_full(more) and take_place(more, "more").block == 12
    names = [path.name for path in study.folder.rglob("*")]
    assert not any(version in name for version in study.versions for name in names)


def test_on_a_full_disk_no_place_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study = a_study(tmp_path)

    def full(place: StudyPlace) -> str:
        raise OSError(28, "No space left on device")  # as writing does, once the file is there

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr("priorlab.human_study.study.assignment.place_json", full)
        take_place(study, "a")
    assert taken_places(study) == [] and take_place(study, "b").number == 0


def test_stations_without_a_common_folder_take_separate_places(tmp_path: Path):
    taken = []
    for number in (1, 2, 3):
        (tmp_path / str(number)).mkdir()
        study = a_study(tmp_path / str(number))
        taken += [take_place(study, f"{number}{turn}", Station.read(f"{number}/3")) for turn in range(4)]
        assert is_full(study, Station(number, 3)) and not is_full(study)
    assert sorted(place.number for place in taken) == list(range(capacity(study)))
    for wrong in ("0/3", "4/3", "3", ""):
        with pytest.raises(ValueError, match="such as 3/12"):
            Station.read(wrong)


def test_a_changed_level_is_rejected_also_by_old_places(tmp_path: Path):
    level = tmp_path / "own.txt"
    level.write_text(EASY, encoding="utf-8")
    study = a_study(tmp_path, level="own.txt", game="princess")
    place = take_place(study, "one")
    level.write_bytes(EASY.replace("\n", "\r\n").encode())
    assert take_place(a_study(tmp_path, level="own.txt", game="princess"), "two").number == 1, "an editor's line breaks"
    level.write_text(EASY.replace("S", " ", 1).replace("  ", " S", 1), encoding="utf-8")
    with pytest.raises(ValueError, match=r"level's content was \"\w{12}\" and is \"\w{12}\""):
        take_place(a_study(tmp_path, level="own.txt", game="princess"), "three")
    for number in (0, 1):  # places as they were written before: their rule is a hash
        old = {**asdict(place), "number": number, "rule": old_rule_of(study)}
        (study.folder / "places" / f"0000{number}.json").write_text(json.dumps(old))
    with pytest.raises(ValueError, match=r"changed after .*: game, level, looks, versions, design or seed;"):
        take_place(a_study(tmp_path, level="own.txt", game="princess", seed=4), "three")
    assert take_place(a_study(tmp_path, level="own.txt", game="princess", minutes=3), "three").number == 2


def test_a_changed_study_is_rejected(tmp_path: Path):
    take_place(a_study(tmp_path), "one")
    with pytest.raises(ValueError, match=r"changed after .*: versions was \[.* and is \[.*; seed was 0 and is 5;"):
        take_place(a_study(tmp_path, versions=ALL[1:4], seed=5), "two")
    with pytest.raises(
        ValueError, match=r"study.toml: .*: minutes was 30 and is 20; expected the old values, .*00000.json"
    ):
        take_place(a_study(tmp_path, minutes=20), "two")
    with pytest.raises(ValueError, match="practice was 0 and is 20; expected the old values"):
        take_place(a_study(tmp_path, practice=20), "two")
    assert take_place(a_study(tmp_path, participants=9), "two").number == 1, "more participants change nothing"
    place = tmp_path / "data" / "places" / "00001.json"
    rule = json.loads(place.read_text())
    del rule["rule"]["practice"]
    place.write_text(json.dumps(rule))
    assert taken_places(a_study(tmp_path))[1].number == 1, "places of before practice was part of the rule"
    assert changes_since(taken_places(a_study(tmp_path))[1], a_study(tmp_path, practice=20)) == []
    (tmp_path / "data" / "places" / "00002.json").touch()  # a crash left it empty
    assert take_place(a_study(tmp_path, participants=9), "three").number == 3
    (tmp_path / "data" / "places" / "00003.json").write_text('{"number": 3, "bl')  # it is being written, or damaged
    with pytest.raises(ValueError, match=r"minutes was 30 and is 20; .*00001.json"):
        take_place(a_study(tmp_path, participants=9, minutes=20), "four")
    assert take_place(a_study(tmp_path, participants=9), "four").number == 4
    (tmp_path / "data" / "places" / "00003.json").write_text("{")
    with pytest.raises(ValueError, match=r"00003.json: cut off or altered"):
        taken_places(a_study(tmp_path))


@pytest.mark.parametrize("language", languages())
def test_every_language_is_complete_and_can_be_drawn(language: str):
    texts, model = Texts.load(language), Texts.load("en")
    check_font(texts)
    assert texts.questions.keys() == model.questions.keys()
    for name, question in texts.questions.items():
        assert question.options.keys() == model.questions[name].options.keys(), "the same answers in every language"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ('extends = "en"\n[page]\nnxet = "x"', "page.nxet"),
        ('extends = "xx"', "extends 'xx': expected one of de, en"),
        ('language = "x"', 'begins: extends = "en"'),
        ('extends = "en"\n[thanks]\ntext = "{name}"', "thanks.text holds {name}: expected of these: {contact}, {id}"),
        ('extends = "en"\n[questions.a]\nkind = "essay"', "questions.a: kind is 'essay'"),
        ('extends = "en"\n[questions.a]\nkind = "text"', "questions.a.text is missing"),
        ('extends = "en"\n[questions.a]\nkind = "number"\ntext = "?"\nleast = 3\nmost = 1', "least is more than most"),
        ('extends = "en"\n[begin]\ntext = "{minutes:.1f}"', "begin.text: {minutes:.1f}: expected {minutes:one|more}"),
        (A_NUMBER + "least = 0\nmost = 0.5", "questions.a.most is 0.5: expected a whole number, or decimals = 1"),
        (A_NUMBER + "least = 0.25\nmost = 1\ndecimals = 1", "questions.a.least is 0.25: expected at most 1 decimals"),
        (A_NUMBER + "least = 0\nmost = inf\ndecimals = 1", "questions.a.most is inf: expected"),
        (A_NUMBER + "least = 0\nmost = 1\ndecimals = 7", "questions.a.decimals is 7: expected 0 (whole numbers) to 6"),
        (A_NUMBER + 'least = 0\nmost = "9"', "questions.a.most is missing, unknown or of the wrong kind"),
        ('extends = "en"\n[consent]\ntext = "同意"', "DejaVuSans.ttf lacks 同 意: expected another"),
        ('extends = "en"\n[font]\nfile = "Nonesuch"', "font 'Nonesuch': expected an installed font"),
    ],
)
def test_wrong_texts_get_a_one_line_error(tmp_path: Path, changes: str, reason: str):
    (tmp_path / "mine.toml").write_text(changes, encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        check_font(Texts.load(str(tmp_path / "mine.toml")))
    assert reason in str(caught.value) and "mine.toml" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("language", "minutes", "words"),
    [("en", 1, "at most 1 minute."), ("en", 1.0, "at most 1 minute."), ("en", 30.0, "at most 30 minutes."),
     ("en", 0.5, "at most 0.5 minutes."), ("de", 1, "höchstens 1 Minute."), ("de", 0.5, "höchstens 0,5 Minuten.")],
)  # fmt: skip
def test_minutes_follow_the_language(language: str, minutes: float, words: str):
    assert Texts.load(language)("begin.text", minutes=minutes).endswith(words)


@pytest.mark.parametrize("cones", ["L", "M"])
def test_a_plate_differs_for_the_named_cones_alone(cones: str):
    figure, ground = colours(cones)
    assert ((figure > 0) & (figure < 1) & (ground > 0) & (ground < 1)).all()
    response = CONES @ (figure - ground)
    assert np.flatnonzero(np.abs(response) > 1e-9).tolist() == [AXES[cones].index(1)]
    number = digits(57)
    shown = plate(number, cones, 0) / 255.0
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4) @ CONES.T
    within = np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE / 2)) < SIDE * 0.3
    within &= (abs(shown - shown[0, 0]) > 0.02).any(axis=2)  # dots, not what is between them
    seen, ground_seen = linear[number & within].mean(0), linear[~number & within].mean(0)
    others = [axis for axis in range(3) if axis != AXES[cones].index(1)]
    assert abs(seen / ground_seen - 1)[AXES[cones].index(1)] > 0.1
    assert (abs(seen / ground_seen - 1)[others] < 0.05).all(), "the others see dots of the same brightness"
