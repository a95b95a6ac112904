"""What remains of a participant who withdraws, and the progress of a study."""

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import os
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest

from priorlab.envs.base.locks import hold
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Play
from priorlab.human_study.data import withdraw as withdrawal
from priorlab.human_study.data import withdrawals
from priorlab.human_study.data.progress import progress
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.traces import CHUNK, holds
from priorlab.human_study.data.verify import verify
from priorlab.human_study.data.withdraw import find_record, withdraw
from priorlab.human_study.study.assignment import place_path, take_place, taken_places
from priorlab.human_study.study.study_file import Study
from priorlab.scripts.run import run
from tests.human_study.test_study import a_study

GONE, KEPT = "gene2345", "kept2345"


def take_part(study: Study, name: str, *happened: str, plays: int = 1) -> Path:
    """A session: ``happened`` ends each play in turn (a reason, or ``win``), then stop, finish, excluded or resume."""
    place = take_place(study, name)
    recorder = Recorder.create(study.folder, id=name, study=study.name, place=place.number, versions=place.versions)
    recorder.note("consent", version="1", seconds=4.5)
    for number, end in enumerate(happened[:plays]):
        recorder.begin(ChosenGame("princess", place.versions[number], EASY if end == "win" else None), 100)
        for _ in range(13 if end == "win" else 1):
            recorder.step(2, 0, 0)
        recorder.end(end)
    for end in happened[plays:]:
        if end == "stop":
            recorder.note("page", page="question:aim", what="stop")
        elif end == "excluded":
            recorder.note("excluded", why="minimum_age")
    (recorder.finish if "finish" in happened else recorder.close)()
    return recorder.path


EASY = 'name = "easy"\ngoal_size = [15, 15]\n---\n|             |\n| *  S      G |\n|#############|\n'


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study with two participants and a wording; one of the two left many files."""
    study = a_study(tmp_path, game="princess", participants=4)
    for name in (KEPT, GONE):
        take_part(study, name, "escape", "finish")
    (study.folder / "wordings").mkdir()
    (study.folder / "wordings" / "0123456789ab.json").write_text(json.dumps({"consent": f"never mind {GONE}"}))
    return study


def left_of(study: Study, code: str) -> list[str]:
    return sorted(path.name for path in study.folder.rglob("*") if path.is_file() and is_in(path, code))


def is_in(path: Path, code: str) -> bool:
    return code in path.name or (path.parent.name != "wordings" and holds(path, [code]))


def test_only_the_withdrawal_itself_remains(study: Study):
    folder, log = study.folder, study.folder / f"{GONE}.session.jsonl"
    whole, before = log.read_bytes(), (folder / f"{KEPT}.session.jsonl").read_bytes()
    own = {
        f"{GONE} (1).session.jsonl": whole, f"{GONE}.session.jsonl.bak": whole[:-30],
        f"{GONE}-LAPTOP-conflict.jsonl": b"", f"{GONE}.session.jsonl~": whole[9:], "other name.txt": whole,
        f"backup/{GONE}.session.jsonl.gz": gzip.compress(whole), f"videos/{GONE}-0.mp4": b"\0" * 99,
        f"{GONE}/notes.tmp": b"", f"pages/{GONE.upper()}.html": b"<p>" + GONE.encode(), f"{GONE}.lock": b"",
        "places/00001 (1).json": place_path(study, 1).read_bytes(), "wordings/kept here.jsonl": whole,
    }  # fmt: skip
    table = f"participant\n{KEPT}\n{GONE}\n".encode()
    combined = {
        "table.csv": table, "steps.csv.gz": gzip.compress(table), "page.html": table, f"all but {GONE}.csv": table,
        "excel.csv": codecs.BOM_UTF16_LE + table.decode().encode("utf-16-le"), f"{GONE}.zip": zipped(table),
        "both.session.jsonl": whole + before, "remarks.txt": f"{GONE} wore glasses".encode(),
        f"without {GONE}/analysis.R": b"", f"all but {GONE}.png": b"", "capitals.csv": table.upper(),
        "withdrawals with reasons.csv": f"id;date;why\n{GONE};1;ill\n".encode(),
    }  # fmt: skip
    for name, content in (own | combined).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    Play.of("lll", player="person", player_id=GONE).save(folder / "export.play")
    Play.of("lll", player="person", id=f"{GONE}-0").save(folder / "exported.play.bak")
    (folder / "withdrawals (1).csv").write_text(f"id;date;files;\n{GONE};1.2.26;1;\n")
    unsearched = [f"{folder / '.git'}: keeps every version", f"{folder / 'somebody.MP4'}: is a video without a code"]
    (folder / ".git").mkdir()
    for name in (f".git/{GONE}", "somebody.MP4", f"{KEPT}-0.mp4"):
        (folder / name).touch()
    found = withdraw(study, GONE)
    assert len(found.unread) == 2 and all(map(str.startswith, sorted(found.unread), unsearched))
    (folder / ".git" / GONE).unlink()
    (folder / ".git").rmdir()
    (folder / "somebody.MP4").unlink()
    (folder / "withdrawals (1).csv").unlink()
    names = {path.relative_to(folder).as_posix() for path in found.files}
    assert names == {*own, "export.play", "exported.play.bak", log.name} - {f"{GONE}.lock"}
    assert {path.relative_to(folder).as_posix() for path in found.mentions} == combined.keys()
    assert (
        left_of(study, GONE) == sorted({*combined, "withdrawals.csv"} - {f"without {GONE}/analysis.R"})
        and not (folder / GONE).exists()
    )
    assert (folder / f"{KEPT}.session.jsonl").read_bytes() == before and (folder / "wordings").exists()
    (row,) = csv.DictReader(io.StringIO((folder / "withdrawals.csv").read_text()))
    assert row == {"id": GONE, "date": row["date"], "files": "14", "plays": "1", "events": row["events"]}
    assert int(row["events"]) > 3 and take_place(study, "next").number == 2, "the place stays taken"

    late = folder / f"late/{GONE}.session.jsonl"  # a copy that a service brings back
    late.parent.mkdir()
    late.write_bytes(whole)
    again = withdraw(study, f" {GONE[:4].upper()}-{GONE[4:]} ")
    assert again.withdrew and again.files == [late] and len(again.mentions) == len(combined)
    for name in combined:
        (folder / name).unlink()
    with pytest.raises(ValueError, match=rf"{GONE} withdrew on .*: nothing is left"):
        withdraw(study, GONE)
    assert len((folder / "withdrawals.csv").read_text().splitlines()) == 2
    late.write_bytes(whole)
    assert f"{GONE} withdrew, but late/{GONE}.session.jsonl still exists" in str(
        [each.problems for each in verify([folder])]
    )


def zipped(content: bytes) -> bytes:
    with zipfile.ZipFile(whole := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/table.csv", content)
    return whole.getvalue()


def test_codes_are_found_in_compressed_files_and_unsearched_files_are_reported(tmp_path: Path):
    text = b" " * (CHUNK - 4) + GONE.encode() + b" " * 99  # cut in two by the reading
    with tarfile.open(fileobj=(tar := io.BytesIO()), mode="w:gz") as archive:
        (member := tarfile.TarInfo("inner.zip")).size = len(zipped(text))
        archive.addfile(member, io.BytesIO(zipped(text)))
    with h5py.File(tmp_path / "main_data.hdf5", "w") as data:
        data.create_dataset("x/who", data=np.full(5000, GONE.encode()), compression="gzip", chunks=(5000,))
    packed = {
        "a.gz": gzip.compress(text),
        "a.bz2": bz2.compress(text),
        "a.xz": lzma.compress(text),
        "a.xlsx": zipped(text),
    }
    for name, content in {**packed, "a.tgz": tar.getvalue(), "wide.csv": text.decode().encode("utf-16-be")}.items():
        (tmp_path / name).write_bytes(content)
    for path in tmp_path.iterdir():
        assert holds(path, [GONE]) and not holds(path, [KEPT]), path
    for name, content, reason in (
        ("a.parquet", b"PAR1...", "compressed as Parquet"), ("b.gz", packed["a.gz"][:40], "damaged or encrypted"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(OSError, match=reason):
            holds(tmp_path / name, [GONE])


def test_a_code_that_is_part_of_another_deletes_nothing_of_that_one(study: Study):
    for name in (longer := [f"{GONE}_2", f"{GONE}6", f"x-{GONE}"]):
        take_part(study, name)
        (study.folder / f"{name} (1).session.jsonl").write_bytes((study.folder / f"{name}.session.jsonl").read_bytes())
        (study.folder / f"{name}-0.mp4").touch()
    found = withdraw(study, GONE)
    assert [path.name for path in found.files] == [f"{GONE}.session.jsonl"] and not found.mentions
    assert [place.participant for place in taken_places(study)] == [KEPT, "", *longer]


def test_codes_may_be_spelled_differently_and_unknown_ones_are_rejected(study: Study):
    for name in ("abcd2345", "ab-cd2345"):
        take_part(study, name, "escape")
    with pytest.raises(ValueError, match="'ABCD 2345' may be ab-cd2345 or abcd2345"):
        find_record(study, "ABCD 2345")
    assert find_record(study, "abcd2345").participant == "abcd2345"
    assert find_record(study, f"\u00a0{KEPT[:4].upper()}\u2011{KEPT[4:]}\n").participant == KEPT
    for name in ("table.csv", "pictures/a.png", "zzzz2345.csv"):
        (study.folder / name).parent.mkdir(exist_ok=True)
        (study.folder / name).write_text("zzzz2345")
    for unknown in ("nobody", "", " ", "places", "00000", "withdrawals", "table", "pictures", "wordings"):
        with pytest.raises(ValueError, match="nobody has the code"):
            find_record(study, unknown)
    with pytest.raises(ValueError, match=r"nobody has the code 'zzzz2345'.*; these contain it: .*table.csv"):
        find_record(study, "zzzz2345")
    (study.folder / "zzzz2345-0.mp4").touch()  # all that is left of a session whose log was deleted by hand
    assert [path.name for path in withdraw(study, "zzzz2345").files] == ["zzzz2345-0.mp4", "zzzz2345.csv"]


@pytest.mark.parametrize("whole", range(6))
def test_an_interrupted_withdrawal_is_completed_by_the_next(study: Study, monkeypatch, whole: int):
    """It is interrupted once before each change of a file, the list and the place."""
    log, left = study.folder / f"{GONE}.session.jsonl", whole
    (study.folder / f"{GONE}.tmp").write_bytes(log.read_bytes())
    (study.folder / "copy").write_bytes(log.read_bytes())

    def until_stopped(act):
        def stopped(*arguments, **settings):
            nonlocal left
            if not left and "lock" not in str(arguments[0]):
                raise KeyboardInterrupt
            left -= 1
            return act(*arguments, **settings)

        return stopped

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        for owner, name in ((Path, "unlink"), (withdrawals, "add"), (withdrawal, "empty_place")):
            patched.setattr(owner, name, until_stopped(getattr(owner, name)))
        withdraw(study, GONE)
        raise KeyboardInterrupt  # it was over
    if whole < 5:
        assert withdraw(study, GONE).participant == GONE
    assert left_of(study, GONE) == ["withdrawals.csv"] and [place.participant for place in taken_places(study)] == [
        KEPT,
        "",
    ]
    (row,) = csv.DictReader(io.StringIO((study.folder / "withdrawals.csv").read_text()))
    assert (row["id"], row["files"], row["plays"]) == (GONE, "3", "1")


def test_a_withdrawal_on_a_full_disk_changes_nothing(study: Study, monkeypatch):
    def fail(file) -> None:
        file.flush()  # a part of the line had room
        raise OSError(28, "No space left on device")

    path, log = study.folder / "withdrawals.csv", study.folder / f"{GONE}.session.jsonl"
    for before in (None, b"id;date"):
        if before:
            path.write_bytes(before)
        with (
            monkeypatch.context() as patched,
            pytest.raises(OSError, match=r"s.csv: No space left.*nothing was deleted"),
        ):
            patched.setattr(withdrawals, "to_disk", fail)
            withdraw(study, GONE)
        assert (path.read_bytes() if path.exists() else None) == before and log.exists()
        assert taken_places(study)[1].participant == GONE
    assert withdraw(study, GONE).files == [log] and withdrawals.read(path).keys() == {GONE}


@pytest.mark.parametrize(
    "altered", ['{"number": 1, "participant": "gene2345", "bl', '"versions": "original"', '"number": 7']
)
def test_a_damaged_place_is_emptied_and_stays_taken(study: Study, altered: str):
    path = place_path(study, 1)
    whole = json.loads(path.read_text())
    path.write_text(altered if altered[0] == "{" else json.dumps(whole | json.loads(f"{{{altered}}}")))
    assert withdraw(study, GONE).places and withdraw(study, KEPT).places
    assert (
        json.loads(path.read_text()) == whole | {"participant": "", "date": ""}
        and take_place(study, "next").number == 2
    )


def test_a_list_with_a_torn_first_line_is_begun_again(study: Study):
    (study.folder / "withdrawals.csv").write_text("id,da")
    assert not withdrawals.read(study.folder / "withdrawals.csv")
    assert withdraw(study, KEPT).places and withdrawals.read(study.folder / "withdrawals.csv").keys() == {KEPT}


def test_a_session_under_way_anywhere_in_the_folder_is_not_deleted(study: Study):
    (study.folder / "station").mkdir()
    recorder = Recorder.create(study.folder / "station", id=GONE)
    with pytest.raises(OSError, match="another process"):
        withdraw(study, GONE)
    assert not (study.folder / "withdrawals.csv").exists() and taken_places(study)[1].participant == GONE
    recorder.close()
    assert len(withdraw(study, GONE).files) == 2


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_deleted_with_their_targets(study: Study, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    whole = (study.folder / f"{GONE}.session.jsonl").read_bytes()
    (elsewhere / "copy.jsonl").write_bytes(whole)
    (elsewhere / "again").symlink_to(elsewhere)
    (study.folder / "linked").symlink_to(elsewhere)
    (study.folder / f"{GONE}.broken").symlink_to("nowhere")
    (tmp_path / "far.jsonl").write_bytes(whole)
    (study.folder / "far").symlink_to(tmp_path / "far.jsonl")
    withdraw(study, GONE)
    assert not (elsewhere / "copy.jsonl").exists() and not (tmp_path / "far.jsonl").exists()
    assert left_of(study, GONE) == ["withdrawals.csv"] and not os.path.lexists(study.folder / f"{GONE}.broken")


def test_a_wrong_list_stops_a_withdrawal_before_it_begins(study: Study):
    (study.folder / "withdrawals.csv").write_text("a letter\n")
    with pytest.raises(
        ValueError, match=r"withdrawals.csv: line 1: 'a letter': expected a table with the columns id, d"
    ):
        withdraw(study, GONE)
    for text in ('id,date\n"abcd2345,2\r\nabcd\n', f"id,date\n{'a' * 200_000},1\n"):
        (study.folder / "withdrawals.csv").write_bytes(text.encode())
        with pytest.raises(ValueError, match=r"withdrawals.csv: .*: expected a table"):
            withdraw(study, GONE)
    assert (study.folder / f"{GONE}.session.jsonl").exists()


def test_the_command_lists_what_it_deletes_and_what_remains(study: Study, capsys):
    (study.folder / "table.csv").write_text(f"{GONE}\n{KEPT}")
    (study.folder / "table.pdf").write_bytes(b"%PDF")
    with study.path.open("a") as file:
        file.write('\nlevel = "gone.txt"')  # deleting a record does not need the game
    run("withdraw", [GONE.upper(), str(study.path), "--yes"])
    out = capsys.readouterr().out
    log = study.folder / f"{GONE}.session.jsonl"
    assert f"to be deleted: {log}\n" in out and not log.exists()
    assert f"deleted 1 file of {GONE}; noted in withdrawals.csv\n" in out
    assert (
        f"make it anew or edit it: {study.folder / 'table.csv'}\n" in out and "table.pdf: is compressed as PDF" in out
    )
    run("withdraw", [GONE, str(study.path)])  # nothing to delete, nothing to ask
    out = capsys.readouterr().out
    assert f"{GONE} withdrew on" in out and "table.csv" in out and "deleted" not in out


def test_every_place_is_in_one_state(tmp_path: Path):
    study = a_study(
        tmp_path, game="princess", design="within", versions=["original", "masked_semantics"], participants=20
    )
    left, stopped = "left by the participant for the next game", "stopped by the participant"
    take_part(study, "a", left, "win", "finish", plays=2)
    take_part(study, "b", "win", "win", "finish", plays=2)
    take_part(study, "c", left, stopped, "finish", plays=2)
    take_part(study, "d", "win", "win", "stop", "finish", plays=2)
    take_part(study, "e", "win")
    take_part(study, "f", "finish", plays=0)
    take_part(study, "g", "stop", "finish", plays=0)
    take_part(study, "h", "excluded", "finish", plays=0)
    take_part(study, "i", left)
    take_part(study, "j", "win", "win", "finish", plays=2)
    withdraw(study, "j")
    lock = hold(study.folder / "i.lock", "")
    take_place(study, "k")  # a crash came before its log
    place_path(study, 11).touch()  # or before there was anything in the place
    problems: list[str] = []
    assert sum(progress(study, problems).values(), Counter()) == {
        "taken": 12, "finished": 2, "won": 2, "stopped": 2, "unfinished": 1, "not begun": 4, "too young": 1,
        "under way": 1, "withdrawn": 1,
    }  # fmt: skip
    assert len(problems) == 1 and "k.session.jsonl: there is none" in problems[0]
    assert not list(study.folder.glob("[!i].lock")), "status makes no lock"
    lock.release()


def test_status_reports_damaged_files_in_one_line_each(study: Study, capsys):
    take_part(study, "dddd2345", stopped := "stopped by the participant")
    take_part(study, "eeee2345", stopped)
    take_part(study, "ffff2345", stopped)
    log = study.folder / "dddd2345.session.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"t":', b'"t" :', 3))
    (study.folder / "eeee2345.session.jsonl").unlink()
    (study.folder / "eeee2345.session.jsonl").mkdir()
    place_path(study, 1).write_text('{"number": 1, "participant": "ge')
    (study.folder / "withdrawals.csv").write_text("id;x\n")
    run("status", [str(study.path)])
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if line.startswith("problem  ")]
    for name in (
        "00001.json: cut off",
        "withdrawals.csv: line 1",
        "dddd2345.session.jsonl: line 1: altered",
        "eeee2345.s",
    ):
        assert sum(name in line for line in lines) == 1, name
    assert len(lines) == 4
    counts = sum(progress(study, []).values(), Counter())
    assert counts == {"taken": 5, "unreadable": 3, "finished": 1, "stopped": 1}
    (study.folder / "withdrawals.csv").write_text(f"id,date\n{KEPT},2026-01-01\n")
    problems: list[str] = []
    progress(study, problems)
    assert any(f"{KEPT} withdrew: run priorlab withdraw again" in line for line in problems)
    assert withdraw(study, "ffff2345").places, "nor does it keep anybody else from withdrawing"
    assert [path.name for path in withdraw(study, GONE).mentions] == []
