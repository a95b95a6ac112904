"""The chunks of a session in a browser: what is wrong with a file of them, and the log that they become."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from priorlab.envs.base.locks import held
from priorlab.envs.plays.events import SUFFIX, read_events
from priorlab.envs.plays.play import CHARACTERS
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data import chunks as chunks_module
from priorlab.human_study.data import imported
from priorlab.human_study.data.chunks import (
    AlteredChunk,
    ChunkDiffers,
    ChunkError,
    ChunkWriter,
    DuplicateChunk,
    MissingChunk,
    NoOpening,
    OtherSession,
    ReorderedChunk,
    TornChunk,
    chunks_path,
    read_chunks,
)
from priorlab.human_study.data.imported import TooLong, WrongEntry, WrongLog, import_session
from priorlab.human_study.data.interrupted import interrupted_here
from priorlab.human_study.data.verify import verify
from priorlab.human_study.data.withdraw import withdraw
from priorlab.human_study.study.assignment import take_place
from priorlab.human_study.study.study_file import Study
from priorlab.scripts.run import run
from tests.envs.test_play import EASY
from tests.human_study.test_study import a_study
from tests.support.browser_participant import ABOUT, Journal
from tests.support.commands import refused

CODE = "kept2345"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "easy.txt").write_text(EASY, encoding="utf-8")
    versions = ["original", "masked_semantics"]
    return a_study(tmp_path, game="princess", level="easy.txt", versions=versions, design="within")


def a_journal(study: Study) -> Journal:
    """Two plays: one that the participant leaves, with a reload in the middle, and one that is won."""
    journal = Journal()
    journal.read("code")
    journal.play(0, study.settings("original"), [0] * 40 + [1] * 5)
    before = len(journal.entries)
    journal.play(0, study.settings("original"), [0] * 40 + [1] * 12)
    again = [entry for entry in journal.entries[before:] if entry[0] in "sh"][46:]
    del journal.entries[before:]
    journal.resume()
    journal.note("pause", what="begin", why="resumed")
    journal.note("pause", what="end", why="resumed")
    for entry in again:
        journal.now += 40_000
        journal.entries.append(["s", entry[1], journal.now, journal.now + 900, None])
    journal.entries.append(["q", journal.now, "left by the participant for the next game"])
    journal.play(1, study.settings("masked_semantics"), [2] * 13)
    journal.answer("aim", "the goal ☺")
    journal.finish()
    return journal


def written(study: Study, journal: Journal, size: int = 8, code: str = CODE) -> Path:
    """The file of chunks of a participant with a place."""
    take_place(study, code)
    opening = {
        "id": code, "client": "0" * 64, "language": "en", "began": 0.0, "date": "2026-01-02",
        "software": {"python": "3"}, "about": ABOUT,
        "settings": {"design": study.design, "minutes": study.minutes, "wasm": "0" * 64},
        "consent": {"version": "1", "language": "English", "minimum_age": 18, "seconds": 2.0, "text": "0" * 64},
    }  # fmt: skip
    writer = ChunkWriter.create(chunks_path(study.folder, code), opening)
    for chunk in journal.chunks(size):
        writer.add(chunk["n"], chunk["entries"])
    return writer.path


def test_cut_off_anywhere_it_is_the_beginning_of_the_same_log(study: Study):
    """As the server leaves it when it is killed at any line, and takes it up again."""
    path = written(study, a_journal(study))
    whole = path.read_bytes()
    import_session(study, path)
    log = study.folder / f"{CODE}{SUFFIX}"
    complete = log.read_bytes()
    log.unlink()
    lines, grown = whole.splitlines(keepends=True), b""
    for count in range(1, len(lines) + 1):
        path.write_bytes(b"".join(lines[:count]) + (lines[count][:20] if count < len(lines) else b""))
        for has_news in (True, False):  # the second time there is nothing new
            before = log.read_bytes() if log.exists() else b""
            result = import_session(study, path)
            assert result.has_news == (log.read_bytes() != before) and (has_news or not result.has_news)
            assert result.is_finished == (count == len(lines))
        assert log.read_bytes().startswith(grown) and complete.startswith(log.read_bytes())
        assert [line for each in verify([log]) for line in each.problems] == []
        grown = log.read_bytes()
    assert grown == complete and len(whole) > 3000
    first, second = read_session(log)
    assert (first.play.inputs, first.play.ended) == ("." * 40 + CHARACTERS[1] * 12, "quit")
    assert (second.play.ended, first.about["resumed"], first.about["missed"]) == ("win", 1, 0)
    assert first.about["quit_reason"] == "left by the participant for the next game"
    assert not [*interrupted_here(study.folder, "any")]


def test_practice_is_replayed_and_is_no_play(tmp_path: Path):
    study = a_study(tmp_path, game="princess", practice=5)
    journal = Journal()
    journal.note("practice", what="begin")
    journal.note("practice", what="end", ended="quit", inputs=[2, 2, 0, 3], late=1)
    path = written(study, journal)
    import_session(study, path)
    begun, ended = read_events(study.folder / f"{CODE}{SUFFIX}").events[2:]
    assert begun["limit"] == 150 and begun["first_picture"] and (ended["inputs"], ended["late"]) == ("rr.j", 1)
    assert [line for each in verify([study.folder]) for line in each.problems] == []
    assert not read_session(study.folder / f"{CODE}{SUFFIX}")


def test_practice_ends_at_its_limit(tmp_path: Path):
    study = a_study(tmp_path, game="princess", practice=5)
    journal = Journal()
    journal.note("practice", what="begin")
    journal.note("practice", what="end", ended="limit", inputs=[0] * 151, late=0)
    with pytest.raises(WrongEntry, match="151 inputs: expected at most 150"):
        import_session(study, written(study, journal))


def test_practice_is_not_replayed_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study = a_study(tmp_path, game="princess", practice=5)
    monkeypatch.setattr(imported, "MOST_PRACTICES", 2)
    begin = ["e", 1, "practice", {"what": "begin"}]
    end = ["e", 1, "practice", {"what": "end", "ended": "quit", "inputs": [2], "late": 0}]
    path = written(study, Journal([begin, begin, end]))
    assert not import_session(study, path).problem
    for code, entries in (("gene2345", [begin, begin, begin]), ("sift2345", [begin, end, end])):
        with pytest.raises(WrongEntry, match="at most 2"):
            import_session(study, written(study, Journal(entries), code=code))


def test_a_session_that_takes_hours_to_replay_is_given_up(study: Study, monkeypatch: pytest.MonkeyPatch):
    path = written(study, a_journal(study))
    monkeypatch.setattr(imported, "PATIENCE", -1.0)
    with pytest.raises(TooLong, match=r"line \d+: over"):
        import_session(study, path)
    assert not list(study.folder.glob("*.jsonl*"))


def test_a_file_of_chunks_begins_with_its_whole_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "browser" / "kept2345.chunks.jsonl"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("os.fsync", killed)
        ChunkWriter.create(path, {"id": CODE})
    assert not path.exists()
    whole = ChunkWriter.create(path, {"id": CODE}).path.read_bytes()
    with pytest.raises(FileExistsError):
        ChunkWriter.create(path, {"id": "other"})
    assert path.read_bytes() == whole


@pytest.mark.parametrize("apart", [1, 3, 64])
def test_a_chunk_sent_again_is_compared_without_reading_all(study: Study, monkeypatch: pytest.MonkeyPatch, apart: int):
    monkeypatch.setattr(chunks_module, "APART", apart)
    path = written(study, a_journal(study))
    chunks = read_chunks(path)
    monkeypatch.setattr(chunks_module, "read_bytes", None)
    writer = ChunkWriter.reopen(chunks)
    assert writer.add(writer.next, [["f", 1]]) == len(chunks.entries) + 1
    for number, entries in enumerate([*chunks.entries, [["f", 1]]]):
        assert writer.add(number, entries) == number + 1
        with pytest.raises(ChunkDiffers):
            writer.add(number, [["f", 2]])
    path.unlink()
    with pytest.raises(FileNotFoundError):
        writer.add(0, chunks.entries[0])


@pytest.mark.parametrize("damage", [False, True])
def test_withdrawal_deletes_chunks_that_name_somebody_else(study: Study, damage: bool):
    journal = a_journal(study)
    journal.answer("aim", "as gene2345 said")
    path, other = written(study, journal), written(study, a_journal(study), code="gene2345")
    take_place(study, "01")  # at a window; every file of chunks contains it
    both, copy = study.folder / "both.txt", study.folder / "a copy.txt"
    both.write_bytes(path.read_bytes() + other.read_bytes())
    copy.write_bytes(path.read_bytes())
    if damage:
        path.write_bytes(path.read_bytes()[9:])
    found = withdraw(study, CODE)
    assert {*found.files} == {path, copy} and found.mentions == [both] and not path.exists() and other.exists()


DAMAGES: dict[type[ChunkError], Callable[[list[bytes]], list[bytes]]] = {
    DuplicateChunk: lambda lines: [*lines[:3], lines[2], *lines[3:]],
    MissingChunk: lambda lines: [*lines[:3], *lines[4:]],
    ReorderedChunk: lambda lines: [*lines[:5], lines[2], *lines[5:]],
    TornChunk: lambda lines: [*lines[:3], lines[3][:50], *lines[4:]],
    AlteredChunk: lambda lines: [*lines[:3], lines[3].replace(b":[", b": [", 1), *lines[4:]],
    NoOpening: lambda lines: [lines[0][:-1]],
}


@pytest.mark.parametrize("error", DAMAGES)
def test_each_damage_has_its_name_and_changes_nothing(study: Study, error: type[ChunkError]):
    path = written(study, a_journal(study))
    lines = path.read_bytes().splitlines(keepends=True)
    import_session(study, path)
    log = (study.folder / f"{CODE}{SUFFIX}").read_bytes()
    path.write_bytes(b"".join(DAMAGES[error](lines)))
    with pytest.raises(error, match=r"line \d+: ") as caught:
        import_session(study, path)
    assert type(caught.value) is error and "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert (study.folder / f"{CODE}{SUFFIX}").read_bytes() == log


def test_another_session_is_not_taken_for_this_one(study: Study):
    path = written(study, a_journal(study))
    other = written(study, a_journal(study), code="gene2345")
    lines, others = (each.read_bytes().splitlines(keepends=True) for each in (path, other))
    path.write_bytes(b"".join([*lines[:3], *others[3:]]))
    with pytest.raises(AlteredChunk, match="of another session"):
        read_chunks(path)
    path.write_bytes(other.read_bytes())
    with pytest.raises(OtherSession):
        import_session(study, path)
    for name in ("../../etc", "kept2345/x", "KEPT2345", ""):
        with pytest.raises(ValueError, match="expected the 8 characters"):
            chunks_path(study.folder, name)


@pytest.mark.parametrize(
    "entries",
    [
        [["x", 1]], [["s", 1, 1, 2, None]], [["p", 1, 1]], [["p", 1, 0], ["p", 2, 0]], [["q", 1, ""]], [["p", -1, 0]],
        [["p", 1, 0], ["s", 6, 1, 2, None]], [["p", 1, 0], ["s", 0, 5, 6, 4]], [["p", 1, 0], ["s", 0, 1]],
        [["p", 1, 0], ["s", 0, 9, 9, None], ["s", 0, 8, 9, None]], [["p", 1, 0], ["h", 1, [0] * 16]],
        [["p", 1, 0], ["h", 0, [0] * 16]], [["e", 1, "finish", {}]], [["e", 1, "state", {}]], [["e", 1, "page", 3]],
        [["e", 1, "page", {"hash": ""}]], [["e", 1, "../x", {}]], [["f", 1], ["q", 2, ""]], [["e", None, "page", {}]],
        [["e", 1.5, "page", {}]], [["p", True, 0]], [["p", 1, 0], ["q", 1, "won"]], [["e", 1, "page", {"sync": True}]],
    ],
    ids=json.dumps,
)  # fmt: skip
def test_an_entry_that_cannot_be_is_named(study: Study, entries: list[Any]):
    path = written(study, Journal(entries))
    with pytest.raises(WrongEntry, match="line 2: ") as error:
        import_session(study, path)
    assert "\n" not in str(error.value) and not list(study.folder.glob("*.draft"))


def test_a_log_of_something_else_is_kept(study: Study):
    path = written(study, a_journal(study))
    log = study.folder / f"{CODE}{SUFFIX}"
    log.write_text("mine")
    with pytest.raises(WrongLog):
        import_session(study, path)
    assert log.read_text() == "mine"


def test_what_a_browser_saved_as_a_file_is_added(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    chunks = [json.dumps(chunk) for chunk in a_journal(study).chunks()]
    path = written(study, Journal(a_journal(study).entries[:24]))
    saved = tmp_path / f"{CODE}.chunks.jsonl"
    saved.write_text("\n".join(chunks) + "\n", encoding="utf-8")
    run("import", [str(study.path), str(saved)])
    assert f"{len(chunks) - 3} chunks were new" in " ".join(capsys.readouterr().out.split())
    assert read_events(study.folder / f"{CODE}{SUFFIX}").events[-1]["event"] == "finish"
    run("import", [str(study.path)])
    assert "0 logs are new or longer" in capsys.readouterr().out
    with held(path.parent / "server.lock", ""):
        assert "a server is running" in refused("import", str(study.path), str(saved))
    saved.write_text('{"n": 0, "entries": []}')
    with pytest.raises(SystemExit):
        run("import", [str(study.path), str(saved)])
    assert "line 1: chunk 0 differs from the one in" in " ".join(capsys.readouterr().out.split())
    path.write_bytes(path.read_bytes()[10:])
    with pytest.raises(SystemExit):
        run("import", [str(study.path)])
    assert "line 1" in capsys.readouterr().out
