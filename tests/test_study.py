"""Studies as files, who plays what, and what is left of a person who withdraws."""

import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.play import Play
from human_study.assign import Station, StudyFull, arms, capacity, is_full, place_at, places, take, williams
from human_study.paper import check_font, digits
from human_study.plates import AXES, CONES, SIDE, colours, plate
from human_study.ready import PLACEHOLDER
from human_study.recorder import GameSettings, Recorder
from human_study.study import Study, write_example
from human_study.texts import Texts, languages
from human_study.withdraw import overview, read_withdrawals, withdraw
from tests.screen import PATIENCE, ROOT

ALL = ["original", "masked_semantics", "reversed_semantics", "masked_objects", "gravity"]
TAKE = (
    "import sys\nfrom envs.play import new_id\nfrom human_study.assign import take\n"
    "from human_study.study import Study\nstudy = Study.load(sys.argv[1])\nfor _ in range(12): take(study, new_id())"
)


def a_study(folder: Path, **entries: object) -> Study:
    told = {"name": "t", "versions": ALL[:3], "participants": 4, **entries}
    path = folder / "study.toml"
    path.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in told.items()), encoding="utf-8")
    return Study.load(path)


def test_the_example_is_a_study_and_tells_every_default(tmp_path: Path):
    path = write_example(tmp_path / "new")
    found = Study.load(path)
    plain = Study(path, found.name, found.versions)
    assert found == Study(**{**vars(plain), "texts": "texts.toml", "contact": PLACEHOLDER})
    assert Texts.load(found.beside(found.texts)).ask([*found.before, *found.after, "handed"])
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
def test_a_wrong_entry_is_named_in_one_line(tmp_path: Path, entries: dict[str, object], reason: str):
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


def test_blocks_differ_and_seeds_do():
    study = [Study(Path("x"), "t", tuple(ALL), seed=seed) for seed in (0, 1)]
    sequences = [[place_at(each, number).versions for number in range(50)] for each in study]
    assert sequences[0] != sequences[1] and sequences[0][:5] != sequences[0][5:10]


@pytest.mark.parametrize("n", range(1, 11))
def test_orders_are_balanced_for_place_and_for_what_came_before(n: int):
    rows = np.array(williams(n))
    for column in rows.T:
        assert set(Counter(column.tolist()).values()) == {len(rows) // n}
    follows = Counter(pair for row in rows.tolist() for pair in pairwise(row))
    assert len(follows) == n * (n - 1) and len(set(follows.values())) <= 1


def test_many_processes_never_share_a_place(tmp_path: Path):
    study = a_study(tmp_path, participants=12)
    running = [subprocess.Popen([sys.executable, "-c", TAKE, str(study.path)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(PATIENCE) for process in running] == [0, 0, 0]
    taken = places(study)
    assert [place.number for place in taken] == list(range(36))
    assert len({place.participant for place in taken}) == 36
    assert set(Counter(place.versions for place in taken).values()) == {12}
    assert is_full(study)
    with pytest.raises(StudyFull, match="all 36 places are taken"):
        take(study, "late")
    more = a_study(tmp_path, participants=12, when_full="continue")
    assert not is_full(more) and take(more, "more").block == 12
    names = [path.name for path in study.folder.rglob("*")]
    assert not any(version in name for version in study.versions for name in names)


def test_stations_without_a_common_folder_have_places_of_their_own(tmp_path: Path):
    taken = []
    for number in (1, 2, 3):
        (tmp_path / str(number)).mkdir()
        study = a_study(tmp_path / str(number))
        taken += [take(study, f"{number}{turn}", Station.read(f"{number}/3")) for turn in range(4)]
        assert is_full(study, Station(number, 3)) and not is_full(study)
    assert sorted(place.number for place in taken) == list(range(capacity(study)))
    for wrong in ("0/3", "4/3", "3", ""):
        with pytest.raises(ValueError, match="such as 3/12"):
            Station.read(wrong)


def test_a_study_that_changed_meanwhile_is_refused(tmp_path: Path):
    take(a_study(tmp_path), "one")
    with pytest.raises(ValueError, match="changed after"):
        take(a_study(tmp_path, versions=ALL[1:4], seed=5), "two")
    assert take(a_study(tmp_path, participants=9), "two").number == 1, "more participants change nothing"
    (tmp_path / "data" / "places" / "00002.json").touch()  # a crash came between the file and what is in it
    assert take(a_study(tmp_path, participants=9), "three").number == 3
    (tmp_path / "data" / "places" / "00003.json").write_text("{")
    with pytest.raises(ValueError, match=r"00003.json: cut off or altered"):
        places(a_study(tmp_path))


def test_who_withdraws_leaves_nothing_but_that(tmp_path: Path):
    study = a_study(tmp_path, game="princess", participants=1)
    kept, gone = "keptkept", "gonegone"
    for name in (kept, gone):
        place = take(study, name)
        recorder = Recorder.create(study.folder, id=name, study=study.name)
        recorder.begin(GameSettings("princess", place.versions[0]), 100)
        recorder.end("stopped")
        recorder.finish()
    Play.of("lll", player="person", player_id=gone).save(study.folder / "export.play")
    (study.folder / "table.csv").write_text(f"participant\n{gone}\n")
    before = (study.folder / f"{kept}.session.jsonl").read_bytes()
    found = withdraw(study, gone)
    assert sorted(path.name for path in found.files) == ["export.play", f"{gone}.session.jsonl"]
    assert [path.name for path in found.mentions] == ["table.csv"], "for the researcher to make anew"
    left = {path for path in study.folder.rglob("*") if path.is_file() and gone in path.name + path.read_text("utf-8")}
    assert {path.name for path in left} == {"table.csv", "withdrawals.csv"}
    assert read_withdrawals(study).keys() == {gone} and (study.folder / f"{kept}.session.jsonl").read_bytes() == before
    assert sum(overview(study, []).values(), Counter()) == {"taken": 2, "finished": 1, "stopped": 1, "withdrawn": 1}
    with pytest.raises(ValueError, match="withdrew on"):
        withdraw(study, gone)
    for unknown in ("nobody", "", "places", "00000", "withdrawals", "table"):
        with pytest.raises(ValueError, match="nobody has the code"):
            withdraw(study, unknown)
    assert take(study, "next").number == 2, "the place stays taken"


def test_a_session_that_goes_on_is_not_deleted(tmp_path: Path):
    study = a_study(tmp_path)
    recorder = Recorder.create(study.folder, id="busybusy")
    with pytest.raises(OSError, match="another process"):
        withdraw(study, "busybusy")
    recorder.close()
    assert recorder.path.exists()


@pytest.mark.parametrize("language", languages())
def test_every_language_is_whole_and_can_be_drawn(language: str):
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
        ('extends = "en"\n[consent]\ntext = "同意"', "DejaVuSans.ttf lacks 同 意: expected another"),
        ('extends = "en"\n[font]\nfile = "Nonesuch"', "font 'Nonesuch': expected one installed"),
    ],
)
def test_wrong_texts_are_named_in_one_line(tmp_path: Path, changes: str, reason: str):
    (tmp_path / "mine.toml").write_text(changes, encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        check_font(Texts.load(str(tmp_path / "mine.toml")))
    assert reason in str(caught.value) and "mine.toml" in str(caught.value) and "\n" not in str(caught.value)


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
    within &= (abs(shown - shown[0, 0]) > 0.02).any(axis=2)  # dots, not what lies between them
    seen, ground_seen = linear[number & within].mean(0), linear[~number & within].mean(0)
    others = [axis for axis in range(3) if axis != AXES[cones].index(1)]
    assert abs(seen / ground_seen - 1)[AXES[cones].index(1)] > 0.1
    assert (abs(seen / ground_seen - 1)[others] < 0.05).all(), "the others see dots of the same brightness"
