"""Commands as processes: stopped at any moment, read by who leaves, on a full disk, printed on any console."""

import os
import signal
import subprocess
import sys
import time

import pytest

from priorlab.envs.plays.sessions import find_plays
from priorlab.human_study.data.video import check_complete, write_video
from tests.envs.test_sessions import a_session
from tests.support.paths import ROOT

STOPPED = "stopped"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and pipes are POSIX's")


def command(*words: object, **settings) -> subprocess.Popen:
    environment = {**os.environ, **settings.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "priorlab", *map(str, words)], cwd=ROOT, env=environment, text=True,
        stdout=settings.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=heeds_ctrl_c, **settings,
    )  # fmt: skip


def heeds_ctrl_c() -> None:
    """Also where these tests run in the background, in which a shell has every process ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("words", "moments"),
    [
        (["simulate", "--players", "4000"], [0.8, 1.2, 1.6, 2.4, 3.2]),
        (["solve"], [1.0, 3.0]),
        (["bank", "--levels", "5000"], [5.0]),
        (["lecture", "--quick", "--claims", "capacity"], [3.0, 6.0]),
        (["transfer", "--quick"], [4.0, 8.0]),
        (["study", "--quick"], [6.0]),
        (["train"], [7.0]),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) else "",
)
def test_ctrl_c_ends_a_command_and_its_workers_in_a_line(tmp_path, words, moments):
    out = [] if words[0] == "solve" else ["--out", tmp_path / ("a.npz" if words[0] == "bank" else "out")]
    for moment in moments:
        process = command(*words, *out)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130, (moment, err)
        assert len(err.splitlines()) == 1 and err.startswith(f"priorlab {words[0]}: {STOPPED}"), (moment, err)


def test_ctrl_c_ends_what_compiles(tmp_path):
    for moment in (3.0, 6.0):
        process = command("solve", env={"PRIORLAB_CACHE": str(tmp_path / str(moment))})
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130 and err == "priorlab solve: stopped\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["export", "--help"], ["solve", "tower_01"], ["plan", "--repetitions", "5"]]
)
def test_a_reader_that_leaves_is_no_error(words):
    reader, writer = os.pipe()
    process = command(*words, stdout=writer)
    os.close(writer)
    os.close(reader)
    assert process.communicate(timeout=60)[1] == "" and process.returncode in (0, 141)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16", ""])
def test_every_console_prints_everything(tmp_path, encoding):
    path = a_session(tmp_path / "größe 研究 [/a]")
    plain = (
        {"PYTHONIOENCODING": encoding} if encoding else {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    )
    for words in (["verify", path.parent], ["export", path.parent, "--out", tmp_path / "研究"], ["export", "--help"]):
        process = command(*words, env=plain, errors="replace", encoding=encoding or "utf-8")
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and not err and out
    assert (tmp_path / "研究" / "participants.csv").exists()
    assert encoding or f"to {tmp_path / '研究'}" in out or words[0] == "export"


def test_a_video_that_could_not_be_written_whole_is_an_error_and_leaves_what_was_there(tmp_path):
    (found,), _ = find_plays(a_session(tmp_path))
    write_video(found.play, tmp_path / "a.mp4")
    with pytest.raises(OSError, match=r"only 127 of 999 pictures could be written: is the disk full\?"):
        check_complete(tmp_path / "a.mp4", tmp_path / "b.mp4", 999)
    data = (tmp_path / "a.mp4").read_bytes()
    limited = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limited += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(data) // 3},) * 2); "
    limited += "import sys; from priorlab.scripts.main import main; sys.argv[0] = 'priorlab'; main()"
    words = ["replay", str(found.path), "--video", str(tmp_path / "a.mp4")]
    done = subprocess.run([sys.executable, "-c", limited, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "pictures could be written" in done.stderr and len(done.stderr.splitlines()) == 1
    assert (tmp_path / "a.mp4").read_bytes() == data
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", found.path.name}
