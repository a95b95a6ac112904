"""A study's games in experiments that are written in jsPsych: what is built, and that what it saves becomes logs."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from priorlab.envs.game.versions import versions
from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.imported import import_study
from priorlab.human_study.data.verify import verify
from priorlab.human_study.hosting.gathering import gather
from priorlab.human_study.hosting.jspsych import EXAMPLE, PLUGIN, build_jspsych
from priorlab.human_study.hosting.offers import Offer, read_offers
from priorlab.human_study.protocol.ready import PLACEHOLDER
from priorlab.human_study.study.study_file import Study
from priorlab.scripts.run import run
from tests.envs.test_play import EASY
from tests.human_study.test_hosting import LEVELS, everything, logs
from tests.human_study.test_study import a_study
from tests.support.browser_participant import Journal
from tests.support.commands import refused
from tests.support.hosted_participant import Hosted
from tests.support.javascript import evaluated
from tests.support.jspsych import BUTTON, as_csv, rows_of

VERSIONS_PLAYED = ("masked_objects", "gravity")
PANEL = '\n[panel]\ncomplete = "C1"\n'
CHECK = """
    const { check } = await load("wishes.js");
    const usual = { games: [], seed: null, seconds: null, keys: null, practice: false, language: "" };
    return given.wishes.map((wishes) => {
        try { check({ ...usual, ...wishes }, given.description, given.arms); return ""; }
        catch (error) { return error.message; }
    });
"""
KEYS = {"KeyJ": "left", "KeyL": "right", "KeyI": "up", "KeyK": "down", "Space": "jump"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study and its plugin. The experiment has a consent of its own, and asks for the panel's ids."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "easy.txt").write_text(EASY, encoding="utf-8")
    study = a_study(
        folder, game="princess", level="easy.txt", versions=[*VERSIONS_PLAYED], design="within", contact=PLACEHOLDER,
        practice=10, before=[], after=[],
    )  # fmt: skip
    study.path.write_text(study.path.read_text("utf-8") + PANEL, "utf-8")
    run("build", [str(study.path), str(folder / "plugin"), "--for", "jspsych"])
    return folder


@pytest.fixture
def study(built: Path, tmp_path: Path) -> Study:
    return Study.load(shutil.copytree(built, tmp_path / "lab") / "study.toml")


@pytest.fixture
def offer(study: Study) -> Offer:
    (offer,) = read_offers(study).values()
    return offer


def played(study: Study, offer: Offer, code: str, limit: int = 5, **entries: object) -> Hosted:
    """A session with a game that is won and one that the experiment ends after some inputs."""
    journal = Journal()
    for number, (version, inputs) in enumerate(zip(VERSIONS_PLAYED, ([2] * 13, [1] * 5))):
        journal.play(number, study.settings(version), inputs)
    journal.entries[-6].append(limit)
    journal.entries.append(["f", journal.now])
    return Hosted.of(offer, code, VERSIONS_PLAYED, journal, **entries)


def recorded(study: Study, files: list[Path]) -> list[str]:
    """The problems of importing these files."""
    problems = [each.problem for each in gather(study, files)] + [each.problem for each in import_study(study)]
    return [each for each in problems if each]


def test_json_and_csv_give_the_same_log_which_is_replayed(study: Study, offer: Offer, tmp_path: Path):
    rows = rows_of(played(study, offer, "kept2345"))
    files = {name: tmp_path / name for name in ("data.json", "lines.txt", "data.csv", "results.jrzip")}
    files["data.json"].write_text(json.dumps(rows, indent=2), encoding="utf-8-sig")
    upload = json.dumps(rows[1]["record"])  # as if another component of the same study had sent it
    files["lines.txt"].write_text("\n".join([*map(json.dumps, (rows[5:], rows[2:5])), upload]))
    files["data.csv"].write_text(as_csv(rows[5:]) + as_csv(rows[:5]), newline="")
    with zipfile.ZipFile(files["results.jrzip"], "w") as archive:
        archive.writestr("metadata.json", "[]")
        archive.writestr("study_result_1/comp-result_2/data.txt", as_csv(rows))
    found = []
    for paths in (*([path] for path in files.values()), [*files.values()]):
        for each in [*study.folder.rglob("*.jsonl"), *study.folder.rglob("places/*")]:
            each.unlink()
        assert recorded(study, paths) == []
        found.append(logs(study))
    assert found == [found[0]] * 5
    assert [line for each in verify([study.folder]) for line in each.problems] == []
    (log,) = study.folder.glob("*.session.jsonl")
    won, cut = read_session(log)
    assert [(each.play.version, each.play.ended) for each in (won, cut)] == [*zip(VERSIONS_PLAYED, ("win", "limit"))]
    events = {each["event"] for each in read_events(log).events}
    assert (cut.about["limit"], cut.about["timeline"]) == (5, "jspsych") and "finish" in events
    assert "consent" not in events, "the experiment asked for it"


def with_record(row: int, change: Callable[[Any], Any]) -> Callable[[list[dict[str, Any]]], str]:
    """The data as JSON, with one trial's record changed."""
    return lambda rows: json.dumps(
        [each | {"record": change(each["record"])} if n == row else each for n, each in enumerate(rows, 1)]
    )


DAMAGES: dict[str, tuple[Callable[[list[dict[str, Any]]], str], str]] = {
    "NotASession": (with_record(4, lambda _: None), "row 4: record is empty: expected a trial that ended by itself"),
    "NotASession of anybody": (with_record(4, lambda _: {"x": 1}), "row 4: record: "),
    "AlteredChunk": (with_record(4, lambda record: record | {"data": record["data"][:-9]}), "row 4: cut off"),
    "TornChunk": (with_record(4, lambda record: json.dumps(record)[:99]), "row 4: cut off"),
    "TornChunk of the file": (lambda rows: json.dumps(rows)[:-99], ": cut off or altered"),
    "TornChunk of a table": (lambda rows: as_csv(rows)[:-150], ": cut off or altered"),
    "MissingChunk": (lambda rows: json.dumps([*rows[:3], *rows[5:]]), "chunk 1 is missing"),
    "AlteredChunk of another build": (with_record(2, lambda record: record | {"build": "x"}), "and of another session"),
    "NotASession of ours": (lambda _: json.dumps([BUTTON]), "holds no trial of the plugin"),
}  # fmt: skip


def test_each_damage_has_its_name_and_holds_up_nobody_else(study: Study, offer: Offer, tmp_path: Path):
    whole, damaged = tmp_path / "whole.json", tmp_path / "damaged"
    whole.write_text(json.dumps(rows_of(played(study, offer, "gene2345"))))
    for letter, (error, (damage, said)) in zip("abcdefghijk", DAMAGES.items()):
        damaged.write_text(damage(rows_of(played(study, offer, f"kept234{letter}"))), newline="")
        problems = [each.problem for each in gather(study, [damaged, whole]) if each.problem]
        assert any(each.startswith(f"{error.split()[0]}: ") and said in each for each in problems), (error, problems)
        assert all("damaged" in each and "\n" not in each for each in problems)
    assert sum("gene2345" in each.path.name and not each.problem for each in import_study(study)) == 1


def test_a_limit_above_the_studys_is_an_invention(study: Study, offer: Offer, tmp_path: Path):
    (tmp_path / "data.json").write_text(json.dumps(rows_of(played(study, offer, "kept2345", study.limit + 1))))
    (problem,) = recorded(study, [tmp_path / "data.json"])
    assert f"limit {study.limit + 1}: expected 1 to {study.limit} inputs" in problem


def test_the_plugin_names_no_version_and_loads_nothing(built: Path):
    plugin, example = (built / "plugin" / name for name in (PLUGIN, EXAMPLE))
    text = (everything(plugin) + example.read_text("utf-8")).lower()
    words = {*versions("princess"), "princess", "masked", *(path.stem for path in LEVELS.glob("*.txt"))}
    assert len(text) > 700_000 and not [word for word in words if word in text]
    assert not re.search(r"https?://|\bimport\b.*from", plugin.read_text("utf-8"))
    assert "practice: true" in example.read_text("utf-8")


def test_what_a_timeline_cannot_wish_is_said_in_one_line():
    description = {
        "limit": 3600, "rate": 30, "codes": dict.fromkeys([*KEYS, "KeyP", "Enter"], 1), "reserved": ["KeyP", "Enter"],
        "languages": {"en": {"pages": {}}, "de": {"pages": {}}},
    }  # fmt: skip
    arms = [["a", "b"], ["b", "a"]]
    right = [{}, {"games": ["b", "a"]}, {"seed": 0}, {"seconds": 0.5}, {"keys": KEYS}, {"language": "de"}]
    wrong = {
        'games is ["a"]: expected one of the lists in jsPsychPriorlab.arms, or none': {"games": ["a"]},
        "seed is 1.5: expected a whole number, 0 or more, or null": {"seed": 1.5},
        "seconds is 121: expected at most the study's 120, or null": {"seconds": 121},
        "seconds is 0: expected at most the study's 120, or null": {"seconds": 0},
        "a key for jump": {"keys": {code: name for code, name in KEYS.items() if name != "jump"}},
        "other keys than KeyP, by KeyboardEvent.code": {"keys": KEYS | {"KeyP": "up"}},
        "one of left, right, jump, up, down for KeyJ": {"keys": KEYS | {"KeyJ": "fire"}},
        "practice is true: expected false, as the study's practice is 0": {"practice": True},
        'language is "fr": expected one of en, de': {"language": "fr"},
    }
    found = evaluated(CHECK, {"description": description, "arms": arms, "wishes": [*right, *wrong.values()]})
    assert found[: len(right)] == [""] * len(right)
    for said, expected in zip(found[len(right) :], wrong, strict=True):
        assert said.startswith("priorlab: ") and said.endswith(expected) and "\n" not in said


def test_a_seed_draws_one_order_and_all_seeds_draw_each_about_as_often():
    code = """
        const { drawn } = await load("participation.js");
        return given.map((seed) => [drawn(4, seed), drawn(4, seed)]);
    """
    found = evaluated(code, [*range(400), 2**40 + 3])
    assert all(one == other for one, other in found)
    assert all(75 <= sum(one == order for one, _ in found[:400]) <= 125 for order in range(4))


def test_the_same_study_gives_the_same_plugin_and_nothing_is_overwritten(study: Study):
    folder = study.path.parent
    build_jspsych(study.path, folder / "again")
    assert len(read_offers(study)) == 1
    assert (folder / "again" / PLUGIN).read_bytes() == (folder / "plugin" / PLUGIN).read_bytes()
    assert "exists" in refused("build", str(study.path), str(folder / "again"), "--for", "jspsych")
    assert "only with --for static" in refused("build", str(study.path), "x", "--for", "jspsych", "--single-file")
