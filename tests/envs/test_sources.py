"""What counts in a folder: each recording and run once, regardless of other files; text from any editor."""

import codecs
import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from priorlab.envs.base.files import drafted, files_under, read_json, read_text, read_toml, writing, writing_new
from priorlab.envs.base.locks import Taken, hold, release
from priorlab.envs.game.level import Level
from priorlab.envs.plays.events import SUFFIX, EventLog, read_events
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.sessions import find_play, find_plays
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import RunWriter
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.verify import verify
from priorlab.human_study.study.study_file import Study
from priorlab.scripts.commands.export import main as export
from priorlab.scripts.run import run
from tests.envs.test_results import CONFIG
from tests.envs.test_sessions import a_session

LEVEL = 'name = "größe"\n---\nS  G\n####\n'
SAVED = {  # as editors save text
    "mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32"),
    "dos": lambda text: text.replace("\n", "\r\n").encode(),
    "dos with mark": lambda text: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(),
}


def counted(folder: Path) -> tuple[list[str], list[str]]:
    """The files whose plays count, the same for all readers, and the reports about the others."""
    found, problems = find_plays(folder)
    rows = load(folder)
    assert len(rows.configs) == len(found) and sorted(rows.problems) == sorted(problems)
    assert all("\n" not in line for line in problems)
    return [str(each.path.relative_to(folder)) for each in found], problems


def test_copies_count_once_and_the_longest_sound_one_counts(tmp_path):
    path = a_session(tmp_path)
    name = path.name.removesuffix(SUFFIX)
    data = path.read_bytes()
    (tmp_path / "backup").mkdir()
    shutil.copy(path, tmp_path / "backup")
    shutil.copy(path, tmp_path / f"{name} (1){SUFFIX}")
    (tmp_path / f"a{SUFFIX}").write_bytes(b"".join(data.splitlines(keepends=True)[:40]))
    (tmp_path / f"b{SUFFIX}").write_bytes(data.replace(b'"input":2', b'"input":1', 1))
    (tmp_path / f"c{SUFFIX}").write_bytes(data.replace(b"\n", b"\r\n"))
    find_play(path).play.save(tmp_path / "one.play")
    kept, problems = counted(tmp_path)
    assert kept == [path.name] and len(problems) == 6
    assert sum("a copy of" in line and "which alone counts" in line for line in problems) == 5
    assert sum(bool(re.search(r" with 3\d of its 66 inputs, ", line)) for line in problems) == 1
    (damaged,) = [line for line in problems if "altered" in line]
    assert damaged.startswith(f"{tmp_path / f'b{SUFFIX}'}: line ") and damaged.endswith(f"a copy of it counts, {path}")
    path.write_bytes(data[:-300])  # the original was cut off: a complete copy counts
    assert counted(tmp_path)[0] == [str(Path("backup", path.name))]
    export(tmp_path, tmp_path / "export")
    assert (tmp_path / "export" / "participants.csv").read_text().count(f'"{name}"') == 1
    assert (tmp_path / "export" / "events.csv").read_text().count('"consent"') == 1


def test_names_that_hold_line_breaks_are_told_in_one_line(tmp_path, capsys):
    (tmp_path / "a\nb").mkdir()
    path = a_session(tmp_path / "a\nb")
    shutil.copy(path, tmp_path / f"c\nd{SUFFIX}")
    Path(tmp_path, "e\nf.play").write_text("x")
    assert len(counted(tmp_path)[1]) == 2
    with pytest.raises(SystemExit):
        run("verify", [str(tmp_path)])
    told = capsys.readouterr().out
    assert f"{tmp_path}/e\\nf.play: cut off" in told and "\nb" not in told and "\nf.play" not in told


def test_copies_of_plays_are_told_by_their_id_and_other_plays_of_one_name_stay(tmp_path):
    play = Play.of([2] * 9, player_id="p")
    play.save(tmp_path / "a" / "x.play")
    shutil.copy(tmp_path / "a" / "x.play", tmp_path / "a" / "x (2).play")
    Play.of([2] * 7, player_id="q").save(tmp_path / "b" / "x.play")
    kept, problems = counted(tmp_path)
    assert len(kept) == 2 and len(problems) == 1 and load(tmp_path).configs["seed"].nunique() == 2
    Play.of([1] * 20, id=play.id).save(tmp_path / "c" / "y.play")
    kept, problems = counted(tmp_path)
    assert kept == [str(Path("b", "x.play")), str(Path("c", "y.play"))]
    assert all("in its id, but not in its inputs" in line for line in problems)


def test_a_copied_run_counts_once_also_under_another_experiment_and_the_longer_one_counts(tmp_path):
    def run(experiment: str, episodes: int, seed: int = 0) -> Path:
        folder = tmp_path / experiment / "original" / "ppo" / f"seed_{seed}"
        writer = RunWriter(folder, CONFIG | {"seed": seed})
        for k in range(episodes):
            writer.episode(50 * (k + 1), 50, "death")
        writer.close()
        return folder

    short, whole = run("study", 2), run("study (1)", 3)
    run("study", 2, seed=1)
    found = load(tmp_path)
    assert set(found.configs["folder"]) == {str(whole), str(short.with_name("seed_1"))}
    assert found.problems == (f"{short}: a copy of the run in {whole} with fewer rows, which alone counts",)


def test_linked_folders_are_looked_through_once_and_circles_end(tmp_path):
    path = a_session(tmp_path / "share")
    (tmp_path / "runs").mkdir()
    try:
        (tmp_path / "runs" / "people").symlink_to(tmp_path / "share", target_is_directory=True)
        (tmp_path / "share" / "circle").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    inside = tmp_path / "runs" / "people" / path.name
    assert files_under(tmp_path / "runs", SUFFIX) == [inside]
    assert counted(tmp_path / "runs") == ([str(Path("people", path.name))], [])
    assert counted(tmp_path) == ([str(Path("share", path.name))], [])
    assert [each.plays for each in verify([tmp_path / "runs"])] == [1]
    assert len(list(verify([tmp_path / "runs", tmp_path / "runs" / "people"]))) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that are files are POSIX's")
def test_what_cannot_be_read_is_named_and_left_out(tmp_path):
    path = a_session(tmp_path)
    wrong = {
        "dangling": "No such file or directory (it is a link to /nowhere/at/all)",
        "folder": "a folder: expected a file",
        "pipe": "a pipe or a device: expected a file",
        "empty": "line 1: not a session's log",
        "garbage": "line 1: cut off or altered",
        "huge": "line 1: cut off or altered",
        "newer": "line 1: schema 2: expected 1, the only one that this Priorlab reads",
        "bare": "line 1: participant is None",
    }
    at = {name: tmp_path / f"{name}{SUFFIX}" for name in wrong}
    at["dangling"].symlink_to("/nowhere/at/all")
    at["folder"].mkdir()
    os.mkfifo(at["pipe"])
    at["empty"].touch()
    at["garbage"].write_bytes(bytes(range(256)) * 9)
    at["huge"].write_bytes(b"[" * 300_000 + b"\n")
    at["newer"].write_bytes(b'{"n":0,"t":0,"event":"session","schema":2,"hash":"0"}\n')
    EventLog.create(at["bare"], {"id": "bare"}).close()
    (tmp_path / "a\nb.play").write_bytes(b"\xff")
    kept, problems = counted(tmp_path)
    assert kept == [path.name] and len(problems) == len(wrong) + 1
    for name, reason in wrong.items():
        assert sum(line.startswith(f"{at[name]}: {reason}") for line in problems) == 1, name
    assert any("a\\nb.play" in line for line in problems)
    export(tmp_path, tmp_path / "export")
    found = {each.path.name: each.problems for each in verify([tmp_path])}
    assert sum(map(bool, found.values())) == len(wrong) + 1 and not found[path.name]


def test_a_folder_and_a_file_that_may_not_be_read_are_named(tmp_path, monkeypatch):
    path = a_session(tmp_path)
    closed, secret = tmp_path / "closed", tmp_path / f"secret{SUFFIX}"
    closed.mkdir()
    shutil.copy(path, secret)
    scandir, opened = os.scandir, Path.open

    def denied(place, *_, **__):
        if str(place) in (str(closed), str(secret)):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place) if Path(place).is_dir() else opened(place, *_, **__)

    monkeypatch.setattr("os.scandir", denied)
    monkeypatch.setattr(Path, "open", denied)
    kept, problems = counted(tmp_path)
    assert kept == [path.name] and problems == [f"{each}: Permission denied" for each in (closed, secret)]


def test_a_log_that_an_editor_saved_is_sound_and_goes_on_as_it_was(tmp_path):
    path = a_session(tmp_path)
    data = path.read_bytes()
    for save in [*SAVED.values(), lambda text: (text + "\n").encode(), lambda text: (text + " \r\n\r\n").encode()]:
        path.write_bytes(save(data.decode()))
        (found,) = verify([path])
        assert not found.problems and found.plays == 1 and "editor" in found.notes[0]
        assert path.read_bytes() == save(data.decode())
    recorder = Recorder.create(tmp_path / "b")
    recorder.close()
    recorder.path.write_bytes(recorder.path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    Recorder.resume(recorder.path).finish()
    assert [event["event"] for event in read_events(recorder.path).events] == ["session", "resumed", "finish"]
    assert b"\r" not in recorder.path.read_bytes()


@pytest.mark.parametrize("save", SAVED.values(), ids=SAVED)
def test_text_is_read_as_any_editor_saves_it(tmp_path, save):
    (tmp_path / "level.txt").write_bytes(save(LEVEL))
    assert Level.read(tmp_path / "level.txt") == Level.read(LEVEL)
    (tmp_path / "study.toml").write_bytes(save('name = "s"\nversions = ["original"]\ngame = "princess"\n'))
    assert Study.load(tmp_path / "study.toml").versions == ("original",)
    play = Play.of([2] * 9)
    (tmp_path / "a.play").write_bytes(save(play.text()))
    assert Play.load(tmp_path / "a.play") == play
    (tmp_path / "a.json").write_bytes(save(json.dumps({"a": "ü"})))
    assert read_json(tmp_path / "a.json") == {"a": "ü"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("a = 1\nname = 'größe'\n".encode("latin-1"), "line 2: not UTF-8 text"),
        ("name = 1".encode("utf-16-le"), "contains zero bytes: expected text saved as UTF-8"),
        (codecs.BOM_UTF16_LE + b"a", "not UTF-16-LE text"),
        (b"name = ", "not TOML"),
        (b"a = " + b"[" * 3000, "not TOML"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_said_in_a_line_that_tells_what_to_do(tmp_path, data, reason):
    path = tmp_path / "a.toml"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        read_toml(path)
    assert str(caught.value).startswith(f"{path}: ") and reason in str(caught.value)
    with pytest.raises(OSError, match=r"a folder: expected a file"):
        read_text(tmp_path)


def test_a_draft_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")
    for how in (writing, drafted):
        with pytest.raises(KeyboardInterrupt), how(path) as draft:
            draft.write(b"half") if how is writing else draft.write_text("half")
            raise KeyboardInterrupt
        assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_new_file_exists_only_when_it_is_complete_and_overwrites_none(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(PermissionError("no links here")))
    path, text = tmp_path / "a" / "new", "exists: expected a new name; nothing was overwritten"
    with writing_new(path) as file:
        file.write(b"complete")
        file.flush()
        assert not path.exists()  # a process that is killed here leaves no empty file to be taken for what it wrote
    with pytest.raises(FileExistsError, match=text), writing_new(path):
        pass
    path.unlink()
    with pytest.raises(FileExistsError, match=text), writing_new(path) as file:
        path.write_text("of another process")
        file.write(b"late")
    assert path.read_text() == "of another process" and list(path.parent.iterdir()) == [path]
    path.unlink()
    with pytest.raises(KeyboardInterrupt), writing_new(path):
        raise KeyboardInterrupt
    assert not list(path.parent.iterdir())


def test_a_lock_that_is_released_leaves_the_next_holder_alone(tmp_path, monkeypatch):
    path, unlock, next_one = tmp_path / "a.lock", FileLock.release, []

    def unlock_and_hold(lock, force=False):
        unlock(lock, force)
        monkeypatch.undo()
        next_one.append(hold(path, "taken"))  # as a process that waited for this moment

    first = hold(path, "taken")
    monkeypatch.setattr(FileLock, "release", unlock_and_hold)
    release(first)
    with pytest.raises(Taken, match="taken"):
        hold(path, "taken")
    release(next_one[0])
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows forbids")
def test_names_of_folders_are_only_names(tmp_path, capsys):
    for name in ('q [/a] "x"', "[red]", "-rf", "wave [pilot] 1", "研究", "x" * 200):
        a_session(tmp_path / name)
        export(tmp_path / name, tmp_path / "out" / name)
        assert f"exported 1 play to {tmp_path / 'out' / name}" in capsys.readouterr().out
