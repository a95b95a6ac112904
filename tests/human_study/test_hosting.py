"""A study that is built for a host: what the build holds, and that what it uploads becomes logs."""

import base64
import gzip
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from priorlab.envs.game.versions import versions
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.chunks import ChunkWriter, chunks_path, read_chunks
from priorlab.human_study.data.imported import import_study
from priorlab.human_study.data.verify import verify
from priorlab.human_study.hosting import gathering, uploaded
from priorlab.human_study.hosting.build import Uploads, build_jatos, build_static
from priorlab.human_study.hosting.gathering import Gathered, gather
from priorlab.human_study.hosting.offers import Offer, read_offers
from priorlab.human_study.study.assignment import take_place, taken_places
from priorlab.human_study.study.study_file import Study
from priorlab.scripts.run import run
from tests.envs.test_play import EASY
from tests.human_study.test_study import a_study
from tests.support.browser_participant import Journal
from tests.support.commands import refused
from tests.support.hosted_participant import Hosted

VERSIONS_PLAYED = ("masked_objects", "gravity")
STUDY = {
    "game": "princess", "level": "easy.txt", "versions": [*VERSIONS_PLAYED], "participants": 2, "before": ["age"],
    "after": ["aim"], "contact": "us",
}  # fmt: skip
ADAPTER = "export const adapter = () => ({ every: Infinity, isFile: false, send: mine });\n"
LEVELS = Path(gathering.__file__).parents[2] / "envs" / "game" / "levels"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "easy.txt").write_text(EASY, encoding="utf-8")
    return a_study(tmp_path, **STUDY)


def built(study: Study, datapipe: str = "") -> Offer:
    build_static(study.path, study.path.parent / "site", Uploads.choose(datapipe))
    (offer,) = read_offers(study).values()
    return offer


def a_journal(study: Study, version: str) -> Journal:
    journal = Journal()
    journal.read("code")
    journal.answer("age", "25_34")
    journal.play(0, study.settings(version), [2] * 13)
    journal.answer("aim", "the goal")
    journal.finish()
    return journal


def hosted(study: Study, offer: Offer, code: str, version: str = "masked_objects", **entries: object) -> Hosted:
    return Hosted.of(offer, code, (version,), a_journal(study, version), **entries)


def everything(path: Path) -> str:
    """Names and contents of what was built, decompressed, as one text."""
    if path.is_dir():
        return "\n".join(everything(each) for each in path.rglob("*") if each.is_file())
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(path.with_suffix(""))
        return everything(path.with_suffix(""))
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    text = content.decode("latin-1")
    packed = re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", text)
    parts = [gzip.decompress(each) for part in packed if (each := base64.b64decode(part))[:2] == b"\x1f\x8b"]
    games = [base64.b64decode(part) for each in parts for part in re.findall(rb"base64,([A-Za-z0-9+/=]{200,})", each)]
    parts += [gzip.decompress(game) if game[:2] == b"\x1f\x8b" else game for game in games]
    return "\n".join([path.name, text, *(part.decode("latin-1") for part in parts)])


def test_no_built_file_names_a_version_a_mask_or_a_level(tmp_path: Path):
    names, played = versions("princess"), ["gravity", "masked_semantics", "reversed_semantics", "original"]
    study = a_study(tmp_path, game="princess", versions=played, design="within", minutes=1, contact="us")
    one, site, archive = tmp_path / "one", tmp_path / "site", tmp_path / "j.jzip"
    build_static(study.path, one, Uploads.choose(), single_file=True)
    build_static(study.path, site, Uploads.choose(datapipe="x"))
    build_jatos(study.path, archive, "Study")
    words = {*names, "masked", "reversed", "princess", "key_door", "semantics", "affordance", "similarity", "held_out"}
    words |= {path.stem for path in LEVELS.glob("*.txt")}
    for path in (one, site, archive):
        text = everything(path).lower()
        assert len(text) > 1_000_000, "all games are looked into"
        assert not [word for word in words if word in text]
    host = json.loads(next(each.read_text() for each in site.rglob("*.json") if '"arms"' in each.read_text()))
    assert [*map(len, host["arms"])] == [len(played)] * len(host["arms"]) and host["arms"] == sorted(host["arms"])
    assert {name for arm in host["arms"] for name in arm} == {path.stem for path in site.rglob("*.bin")}


def test_the_same_study_gives_the_same_build(study: Study, tmp_path: Path):
    first, second = (build_jatos(study.path, tmp_path / f"{n}.jzip", "T").read_bytes() for n in "ab")
    assert first == second and len(read_offers(study)) == 1
    with zipfile.ZipFile(tmp_path / "a.jzip") as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".jas")]
        content = json.loads(archive.read(name))
        data = content["data"]
        (component,) = data["componentList"]
        page = archive.read(f"{data['dirName']}/{component['htmlFilePath']}").decode()
    assert content["version"] == "3" and component["reloadable"] and data["batchList"]
    assert '<script src="jatos.js">' in page
    with pytest.raises(FileExistsError):
        build_jatos(study.path, tmp_path / "a.jzip", "T")


def test_the_consent_says_what_may_be_lost(study: Study):
    offer = built(study, datapipe="x")
    wording = json.loads((study.folder / "wordings" / f"{offer.consents['en']['wording']}.json").read_text())
    assert "If you leave in the middle of a game" in wording["consent"]
    site = everything(study.path.parent / "site")
    assert "Your record will be deleted." in site and "https://pipe.jspsych.org" in site


def imported(study: Study, paths: list[Path]) -> list[Gathered]:
    found = [*gather(study, paths)]
    assert [each.problem for each in import_study(study) if each.problem] == []
    return found


def logs(study: Study) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in study.folder.glob("*.session.jsonl")}


def test_files_in_any_order_and_twice_give_the_same_logs(study: Study, tmp_path: Path):
    offer = built(study)
    people = [hosted(study, offer, "kept2345"), hosted(study, offer, "gene2345", "gravity", began=1)]
    paths = [path for each in people for path in each.keep(tmp_path / "up")]
    found = imported(study, paths)
    assert [(each.id, each.problem) for each in found] == [("gene2345", ""), ("kept2345", "")]
    assert [line for each in verify([study.folder]) for line in each.problems] == []
    (recorded,) = read_session(study.folder / "kept2345.session.jsonl")
    assert (recorded.play.version, recorded.play.ended) == ("masked_objects", "win")
    assert {each.participant: each.versions for each in taken_places(study)} == {
        "kept2345": ("masked_objects",), "gene2345": ("gravity",)
    }  # fmt: skip
    first = logs(study)
    assert [each.new for each in imported(study, paths)] == [0, 0] and logs(study) == first
    saved, results, archive = tmp_path / "gene2345.chunks (1).jsonl", tmp_path / "results.txt", tmp_path / "r.jrzip"
    saved.write_text("\n".join(people[1].lines()) + "\n")
    results.write_text("\n".join(text for each in people for text in reversed(each.uploads(2).values())))
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("metadata.json", "{}")
        for number, each in enumerate(people):
            zipped.writestr(f"study_result_{number}/comp-result_1/data.txt", "".join(each.uploads(5).values()))
    for files in ([*reversed(paths), *paths], [results], [archive, results], [saved, *paths[:9]], [tmp_path / "up"]):
        for path in [*study.folder.rglob("*.jsonl"), *study.folder.rglob("places/*")]:
            path.unlink()
        assert not [each.problem for each in imported(study, files) if each.problem]
        assert logs(study) == first


def test_what_comes_later_continues_the_log(study: Study, tmp_path: Path):
    paths = hosted(study, built(study), "kept2345").keep(tmp_path / "up")
    before = b""
    for path in paths:
        (each,) = imported(study, [path])
        assert each.new or path == paths[0]
        (log,) = logs(study).values()
        assert log.startswith(before)
        before = log
    assert b'"event":"finish"' in before


DAMAGES: dict[str, Callable[[list[str]], list[str]]] = {
    "TornChunk": lambda texts: [*texts[:2], texts[2][:-30], *texts[3:]],
    "AlteredChunk": lambda texts: [*texts[:2], re.sub(r'(data": ".{40}).', r"\1x", texts[2]), *texts[3:]],
    "MissingChunk": lambda texts: [*texts[:2], *texts[3:]],
    "NoOpening": lambda texts: texts[1:],
    "AlteredChunk of another session": lambda texts: [texts[0].replace("kept2345", "gene2345"), *texts[1:]],
    "NotASession": lambda texts: [*texts, '{"what": "else"}\n'],
}


@pytest.mark.parametrize("error", DAMAGES)
def test_each_damage_has_its_name_and_holds_up_nobody_else(study: Study, tmp_path: Path, error: str):
    offer = built(study)
    damaged, whole = hosted(study, offer, "kept2345"), hosted(study, offer, "gene3456")
    texts = DAMAGES[error]([*damaged.uploads().values()])
    (tmp_path / "damaged.jsonl").write_text("".join(f"{text.rstrip()}\n" for text in texts))
    found = [*gather(study, [tmp_path / "damaged.jsonl", *whole.keep(tmp_path / "up")])]
    problems = [each.problem for each in found if each.problem]
    assert any(each.startswith(f"{error.split()[0]}: ") and "damaged.jsonl" in each for each in problems), problems
    assert all("\n" not in each for each in problems)
    assert not [each.problem for each in import_study(study) if each.problem]
    assert "gene3456.session.jsonl" in logs(study)


def test_an_opening_that_cannot_be_is_named_and_holds_up_nobody_else(study: Study, tmp_path: Path):
    offer = built(study)
    wrong = [
        {"language": "xx"}, {"language": ["en"]}, {"language": {}}, {"began": "now"}, {"began": True}, {"began": 1e300},
        {"began": 10**400}, {"seconds": -1}, {"seconds": [2]}, {"about": {"id": 1}}, {"about": [1]}, {"about": None},
        {"games": ["x"]}, {"games": []}, {"games": [["x"]]}, {"games": [{}]}, {"build": "0" * 16},
    ]  # fmt: skip
    for code, entries in zip("abcdefghijkmnpqrs", wrong, strict=True):
        Hosted.of(offer, f"wrng234{code}", ("masked_objects",), Journal(), **entries).keep(tmp_path / "up")
    hosted(study, offer, "kept2345").keep(tmp_path / "up")
    found = [*gather(study, [tmp_path / "up"])]
    problems = [each.problem for each in found if each.id != "kept2345"]
    assert len(problems) == len(wrong) and all(each.startswith("WrongOpening: ") for each in problems), problems
    assert [place.participant for place in taken_places(study)] == ["kept2345"]


def test_nothing_is_added_after_the_end_of_a_session(study: Study, tmp_path: Path):
    person = hosted(study, built(study), "kept2345")
    after = tmp_path / "after.jsonl"
    chunks = [*person.journal.chunks(2)]
    after.write_text(person.packed([json.dumps({"n": len(chunks), "entries": [["e", 1, "page", {}]]})]))
    paths = person.keep(tmp_path / "up")
    for files in ([*paths, after], [after], paths):
        problems = [each.problem for each in gather(study, files) if each.problem]
        assert [each.partition(":")[0] for each in problems] == ["AlteredChunk"] * (after in files)
        assert len(read_chunks(chunks_path(study.folder, "kept2345")).entries) == len(chunks)


def test_no_more_sessions_are_taken_at_once_than_the_researcher_expects(study: Study, tmp_path: Path):
    offer = built(study)
    hosted(study, offer, "kept2345").keep(tmp_path / "up")
    assert [each.problem for each in gather(study, [tmp_path / "up"], most=1)] == [""]
    inventions = [Hosted.of(offer, f"wrng234{end}", ("gravity",), Journal(), began=1) for end in "abc"]
    for each in inventions:
        each.keep(tmp_path / "up")
    found = [*gather(study, [tmp_path / "up"], most=2)]
    (line,) = (each.problem for each in found if each.problem)
    assert line.startswith("TooManySessions: ") and offer.id in line and "--most 3" in line and "\n" not in line
    assert [place.participant for place in taken_places(study)] == ["kept2345"]
    assert [each.id for each in found if each.id] == ["kept2345"], "who is here already goes on"
    assert not [each.problem for each in gather(study, [tmp_path / "up"], most=3) if each.problem]
    assert len(taken_places(study)) == 4
    with pytest.raises(ValueError, match="most is 0"):
        next(gather(study, [], most=0))


def test_a_thousand_inventions_do_not_hide_a_problem(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gathering, "MOST_PROBLEMS", 2)
    offer = built(study)
    for end in "abcde":
        Hosted.of(offer, f"wrng234{end}", ("gravity",), Journal(), build=end * 16).keep(tmp_path / "up")
    problems = [each.problem for each in gather(study, [tmp_path / "up"])]
    assert [each.partition(":")[0] for each in problems[:2]] == ["WrongOpening"] * 2
    assert problems[2].startswith("3 more sessions are left out") and len(problems) == 3


def test_a_full_study_keeps_what_was_played(study: Study, tmp_path: Path):
    offer = built(study)
    while len(taken_places(study)) < 4:
        take_place(study, "")
    imported(study, hosted(study, offer, "kept2345").keep(tmp_path / "up"))
    (place,) = [each for each in taken_places(study) if each.participant]
    assert place.versions == ("masked_objects",) and place.number in (4, 5)


def test_who_withdrew_is_not_imported_again(study: Study, tmp_path: Path):
    offer = built(study)
    person = hosted(study, offer, "kept2345")
    paths = person.keep(tmp_path / "up")
    imported(study, paths)
    withdrawal = tmp_path / "up" / "kept2345-withdrawn.jsonl"
    withdrawal.write_text(json.dumps({"build": offer.id, "id": "kept2345", "withdrawn": True}) + "\n")
    for files in ([*paths, withdrawal], paths):
        (each,) = gather(study, files)
        assert "withdrew: delete" in each.note and not logs(study)


def test_only_a_build_of_its_own_withdraws_a_session(study: Study, tmp_path: Path):
    offer = built(study)
    person, other = hosted(study, offer, "kept2345"), hosted(study, offer, "gene2345")
    paths = person.keep(tmp_path / "up")
    imported(study, paths)
    at_server = chunks_path(study.folder, "serv2345")  # as the study's own server records it
    ChunkWriter.create(at_server, {"id": "serv2345", "consent": {}})
    before = {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()}
    attacks = [
        json.dumps({"build": build, "id": code, "withdrawn": True}) + "\n"
        for build, code in [("nonsense", "kept2345"), ("", "kept2345"), ("", "serv2345"), (offer.id, "serv2345")]
    ]
    attacks += [other.packed([json.dumps({"build": offer.id, "id": "kept2345", "withdrawn": True})])]
    attacks += [other.packed([json.dumps(person.opening | {"began": 1})])]
    for attack in attacks:
        (tmp_path / "attack.jsonl").write_text(attack)
        found = [*gather(study, [*paths, tmp_path / "attack.jsonl"])]
        assert [each.problem for each in found if each.id == "kept2345"][-1] == "" and any(e.problem for e in found)
        assert {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()} == before


def test_no_file_adds_to_the_session_of_another_build(study: Study, tmp_path: Path):
    offer = built(study)
    paths = hosted(study, offer, "kept2345").keep(tmp_path / "up")
    imported(study, paths[:2])
    at_server = chunks_path(study.folder, "serv2345")
    ChunkWriter.create(at_server, {"id": "serv2345", "consent": {}})
    before = at_server.read_bytes()
    by_name, attack = tmp_path / "kept2345.jsonl", tmp_path / "attack.jsonl"
    by_name.write_text('{"n": 3, "entries": [["f", 1]]}\n')
    attack.write_text(hosted(study, offer, "serv2345").packed(['{"n": 0, "entries": [["f", 1]]}']))
    found = [*gather(study, [by_name, attack, *paths])]
    assert [each.problem.partition(":")[0] for each in found if each.problem] == ["OtherSession"] * 2
    assert at_server.read_bytes() == before and sum(each.new for each in found) > 3
    at_server.unlink()
    imported(study, paths)
    assert b'"event":"finish"' in logs(study)["kept2345.session.jsonl"]


def test_an_archive_that_cannot_be_read_holds_up_nothing_else(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uploaded, "LARGEST", 1 << 16)
    text = "".join(hosted(study, built(study), "kept2345").uploads().values())
    with zipfile.ZipFile(tmp_path / "r.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [("bomb", " " * (1 << 17)), ("locked", text), ("strange", text), ("good", text)]:
            archive.writestr(f"{name}/data.txt", content)
    data = bytearray((tmp_path / "r.zip").read_bytes())
    central = data.index(b"PK\x01\x02")
    for name, field, value in [(b"locked", 8, 1), (b"strange", 10, 99)]:  # encrypted; an unknown way to compress
        for header, at in ((b"PK\x03\x04", field - 2), (b"PK\x01\x02", field)):
            start = data.rindex(header, 0, data.index(name, 0 if header == b"PK\x03\x04" else central))
            data[start + at] |= value
    (tmp_path / "r.zip").write_bytes(data)
    found = imported(study, [tmp_path / "r.zip"])
    problems = [each.problem for each in found if each.problem]
    assert len(problems) == 3 and all(each.startswith("NotASession: ") and "\n" not in each for each in problems)
    assert "kept2345.session.jsonl" in logs(study)
    monkeypatch.setattr(uploaded, "MOST_BYTES", 700)
    assert any(
        "session kept2345 is larger than" in str(each) for each in uploaded.read_uploads([tmp_path / "r.zip"]).problems
    )


def test_the_command_says_what_it_found(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run("build", [str(study.path), str(tmp_path / "web"), "--for", "static", "--post", "https://h.example/up/"])
    (offer,) = read_offers(study).values()
    hosted(study, offer, "kept2345").keep(tmp_path / "up")
    run("import", [str(study.path), str(tmp_path / "up")])
    out = " ".join(capsys.readouterr().out.split())
    assert "1 sessions in the files" in out and "1 finished" in out
    (tmp_path / "up" / "x.jsonl").write_text("x")
    with pytest.raises(SystemExit):
        run("import", [str(study.path), str(tmp_path / "up")])
    assert "TornChunk" in capsys.readouterr().out
    assert "expected at most one of" in refused("build", str(study.path), "x", "--for", "static", "--datapipe", "x",
                                                "--post", "https://x")  # fmt: skip
    assert "only with --for static" in refused("build", str(study.path), "x.jzip", "--for", "jatos", "--datapipe", "x")
    assert "ending in .jzip" in refused("build", str(study.path), "x", "--for", "jatos")


def test_an_adapter_of_ones_own_takes_the_place_of_ours(study: Study, tmp_path: Path):
    (tmp_path / "my-adapter.js").write_text(ADAPTER)
    build_static(study.path, tmp_path / "web", Uploads.choose(adapter=tmp_path / "my-adapter.js"))
    script = max((path.read_text() for path in (tmp_path / "web").rglob("*.js")), key=len)
    assert "send: mine" in script and "const { adapter } =" in script and "export const" not in script


def test_a_study_that_is_too_long_for_jatos_is_refused(tmp_path: Path):
    study = a_study(tmp_path, contact="us", minutes=90)
    with pytest.raises(ValueError, match="expected at most 69, as JATOS"):
        build_jatos(study.path, tmp_path / "x.jzip", "T")
    assert not (tmp_path / "x.jzip").exists()


def test_a_panels_ids_are_kept_apart(study: Study, tmp_path: Path):
    path = study.path
    path.write_text(path.read_text() + '\n[panel]\ncomplete = "C1"\nredirect = "https://p.example/?cc={code}"\n')
    study = Study.load(path)
    offer = built(study)
    assert '"PROLIFIC_PID"' in everything(path.parent / "site") and "https://p.example/?cc=C1" in everything(
        path.parent / "site"
    )
    with_ids = hosted(study, offer, "kept2345", panel={"PROLIFIC_PID": "5f2a9c", "STUDY_ID": "", "SESSION_ID": ""})
    imported(study, with_ids.keep(tmp_path / "up"))
    (each,) = gather(study, hosted(study, offer, "gene2345").keep(tmp_path / "without"))
    assert each.problem.startswith("WrongOpening: ") and "PROLIFIC_PID is missing" in each.problem
    holding = [each.name for each in study.folder.rglob("*") if each.is_file() and b"5f2a9c" in each.read_bytes()]
    assert holding == ["panel.csv"]
