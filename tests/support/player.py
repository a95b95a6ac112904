"""What a process does that is killed while somebody plays in it; imported once, for all processes forked from there."""

import os
import stat
from pathlib import Path

from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.data.recorder import LIMIT, Recorder
from priorlab.human_study.window.game_loop import run
from priorlab.human_study.window.window import Window

ChosenGame().open().step(0)  # compiles


def play_there(env: dict[str, str], folder: Path, path: Path | None, note: Path) -> None:
    """What the process does that is killed: a session begun or taken up, at a window. ``note`` tells, at each moment,
    how many bytes of the log are on disk for certain, and when its times began."""
    os.environ.update(env)
    os.environ.pop("SDL_VIDEODRIVER", None)
    flush, told = os.fsync, os.open(note, os.O_CREAT | os.O_WRONLY)

    def fsync(file: int) -> None:
        found = os.fstat(file)
        flush(file)
        if stat.S_ISREG(found.st_mode):
            os.pwrite(told, b"%020d" % found.st_size, 0)

    os.fsync = fsync
    recorder = Recorder.resume(path) if path else Recorder.create(folder)
    with Window((240, 240)) as window:
        course = recorder.course or recorder.begin(ChosenGame(), LIMIT)
        os.pwrite(told, b" %20.6f" % recorder.log.began, 20)
        run(recorder, course, window)
