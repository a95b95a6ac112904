"""The cache of compiled code: it repairs itself, is never read where others can write, and reports compiling."""

import os
import stat
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from priorlab.envs.base import compile, kernel_cache
from priorlab.envs.base.kernel_cache import CHECKSUM, COMPILES, COMPILING, Kept, Said, folder, temporary, unusable

FunctionCache = pytest.importorskip("numba.core.caching").FunctionCache
NAME = "kernels-0"


def twice(number):
    return 2 * number


@pytest.fixture
def said(monkeypatch) -> Said:
    monkeypatch.delenv("PRIORLAB_QUIET")
    monkeypatch.setattr(kernel_cache, "SAID", Said())
    return kernel_cache.SAID


@pytest.fixture
def kernel(tmp_path, monkeypatch, said):
    """Makes the kernel as a new process would, cached under ``tmp_path``."""
    monkeypatch.setattr(compile, "cache_folder", lambda: (tmp_path, ""))
    return lambda: compile.kernel(twice)


def hits(made) -> int:
    return sum(made.stats.cache_hits.values())


def files(root: Path, ending: str = "") -> list[Path]:
    return [path for path in root.rglob(f"*{ending}") if path.is_file()]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(bytes(range(256)) * 8),
        lambda path: path.write_bytes(path.read_bytes()[:200] + bytes(400) + path.read_bytes()[600:]),
        lambda path: path.unlink(),
        lambda path: path.with_name(CHECKSUM).write_bytes(b"\xff"),
    ],
    ids=["empty", "cut off", "garbage", "zeros within", "gone", "checksum"],
)
@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
def test_what_is_damaged_is_compiled_again_and_kept(kernel, tmp_path, damage, ending):
    assert kernel()(3) == 6
    (path,) = files(tmp_path, ending)
    damage(path)
    healed, again = kernel(), kernel()
    assert (healed(3), hits(healed)) == (6, 0)
    assert (again(3), hits(again)) == (6, 1)


def test_what_another_process_compiles_is_waited_for(kernel, tmp_path):
    assert kernel()(3) == 6
    folder = files(tmp_path, ".nbi")[0].parent
    compiled = {path: path.read_bytes() for path in folder.iterdir()}
    for path in compiled:
        path.unlink()
    other = FileLock(folder / COMPILING, thread_local=False)
    other.acquire()

    def save():
        for path, content in compiled.items():
            path.write_bytes(content)
        other.release()

    threading.Timer(0.3, save).start()
    waiting = kernel()
    assert (waiting(3), hits(waiting)) == (6, 1) and not (folder / COMPILING).exists()


def test_nobody_waits_for_ever(kernel, tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_cache, "PATIENCE", 0.1)
    assert kernel()(3) == 6
    with FileLock(files(tmp_path, ".nbi")[0].parent / COMPILING):
        assert kernel()(3.5) == 7


def test_a_disk_that_is_full_costs_only_the_cache(kernel, tmp_path, monkeypatch, capsys, said):
    made = kernel()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(made._cache.save_overload.__self__, "save", full)
    assert made(3) == 6 and made(3.5) == 7 and not files(tmp_path)
    assert capsys.readouterr().err == (
        "priorlab: compiled code can't be cached (No space left on device), and is compiled again next time\n"
    )


def test_it_is_said_once_and_only_while_something_compiles(kernel, monkeypatch, capsys, said):
    monkeypatch.setattr(kernel_cache, "MOMENT", 0.0)
    for argument in (3, 3.5, 3j):
        assert kernel()(argument) == 2 * argument
    assert capsys.readouterr().err == f"{COMPILES}\n" and said.depth == 0
    monkeypatch.setattr(kernel_cache, "SAID", Said())
    assert kernel()(3) == 6
    assert not capsys.readouterr().err


def test_workers_say_nothing(monkeypatch, capsys, said):
    monkeypatch.setattr("multiprocessing.process.parent_process", lambda: object())
    said.say("a line")
    monkeypatch.undo()
    monkeypatch.setenv("PRIORLAB_QUIET", "1")
    said.say("a line")
    assert not capsys.readouterr().err


def test_without_any_folder_it_is_compiled_in_memory_and_said(monkeypatch, capsys, said):
    monkeypatch.setattr(compile, "cache_folder", lambda: (None, "priorlab: no room"))
    assert [compile.kernel(twice)(3) for _ in range(2)] == [6, 6]
    assert capsys.readouterr().err == "priorlab: no room\n"


def test_folders_that_cannot_be_used_are_passed_over_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("PRIORLAB_CACHE", str(tmp_path / "file"))
    found, why = folder(NAME)
    assert found and found.parent.parent == tmp_path / "temporary" and found.name == NAME
    assert why.startswith(f"priorlab: {tmp_path / 'file'} can't be written (") and str(found.parent) in why
    monkeypatch.setenv("PRIORLAB_CACHE", str(tmp_path / "mine"))
    assert folder(NAME) == (tmp_path / "mine" / NAME, "")
    monkeypatch.delenv("PRIORLAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folder(NAME) == (tmp_path / "xdg" / "priorlab" / NAME, "")

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    found, why = folder(NAME)
    assert found and found.parent.parent == tmp_path / "temporary" and "home folder" in why
    monkeypatch.setattr(kernel_cache, "unusable", lambda *_: "no")
    assert folder(NAME)[0] is None and "not cached" in folder(NAME)[1]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there, folders for temporary files are the user's own")
def test_no_folder_is_read_that_others_can_write_to(tmp_path, monkeypatch):
    assert not unusable(tmp_path / "a", NAME)
    assert (
        stat.S_IMODE((tmp_path / "a" / NAME).stat().st_mode) == stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    )
    for each in (tmp_path / "a", tmp_path / "a" / NAME):
        each.chmod(0o777)
        assert "other users can write to it" in unusable(tmp_path / "a", NAME)
        each.chmod(0o700)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert "belongs to another user" in unusable(tmp_path / "a", NAME)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = tmp_path / f"priorlab-{owner + 1}"
    own.symlink_to(tmp_path / "a")
    assert own not in list(temporary())


def test_numba_s_own_cache_stays_what_it_is(kernel):
    made = kernel()
    assert isinstance(made._cache, FunctionCache) and isinstance(made._cache.load_overload.__self__, Kept)
    assert made(3) == 6 and Path(made.stats.cache_path).is_dir()
    made._cache.flush()
    again = kernel()
    assert (again(3), hits(again)) == (6, 0)
