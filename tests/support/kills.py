"""A play at a real window, killed again and again at random moments, each time taken up where the disk had come to."""

import json
import multiprocessing
import random
import subprocess
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread

from priorlab.envs.plays.events import SUFFIX
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.verify import verify
from tests.support.player import play_there
from tests.support.screen import PATIENCE, Screen, wait_until

KILLS_A_SESSION = 20
LONGEST = 1.5  # seconds from the first new step to the kill
KEYS = ("Left", "Right", "Up", "space")


def press_keys(screen: Screen, over: Event, seed: int) -> None:
    """Real key events of the virtual keyboard, a few a second."""
    chance = random.Random(seed)
    with subprocess.Popen(["xdotool", "-"], stdin=subprocess.PIPE, env=screen.env, text=True, bufsize=1) as hands:
        assert hands.stdin
        while not over.wait(chance.uniform(0.02, 0.2)):
            hands.stdin.write(f"key --delay {chance.randrange(10, 150)} {chance.choice(KEYS)}\n")


def kill_often(screen: Screen, folder: Path, times: int, seed: int) -> list[float]:
    """Seconds of play that each kill cost, the log cut back to what had been flushed to disk.

    Asserts that what is left opens, is a beginning of what was played, replays, and can be taken up again.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.player"])
    chance, losses, path, over = random.Random(seed), [], None, Event()
    hands = Thread(target=press_keys, args=(screen, over, seed), daemon=True)
    hands.start()
    try:
        for number in range(times):
            note = folder / "note"
            note.write_bytes(b"")
            before = steps_in(path) if path else 0
            process = context.Process(target=play_there, args=(screen.env, folder, path, note), daemon=True)
            process.start()
            wait_for_steps(folder, before, process)
            time.sleep(chance.uniform(0, LONGEST))
            assert process.is_alive(), "the play went on until it was killed"
            now = time.perf_counter()
            process.kill()
            process.join(PATIENCE)
            path = newest(folder)
            assert path
            losses.append(cut_to_disk(path, note, now))
            if number % KILLS_A_SESSION == KILLS_A_SESSION - 1 or number == times - 1:
                Recorder.resume(path).finish()
                (recorded,) = read_session(path)
                assert not recorded.play.unfinished
                path = path.rename(folder / f"{path.name}.done")
                path = None
    finally:
        over.set()
        hands.join(PATIENCE)
    return losses


def wait_for_steps(folder: Path, before: int, process: BaseProcess) -> None:
    wait_until(lambda: steps_in(newest(folder)) > before or not process.is_alive())


def newest(folder: Path) -> Path | None:
    return next(folder.glob(f"*{SUFFIX}"), None)


def steps_in(path: Path | None) -> int:
    return path.read_bytes().count(b'"event":"step"') if path else 0


def cut_to_disk(path: Path, note: Path, killed: float) -> float:
    """Cuts the log back to what was flushed; seconds of play lost: from the first step lost to the kill."""
    whole, told = path.read_bytes(), note.read_bytes()
    (all_of_it,) = read_session(path)
    path.write_bytes(whole[: int(told[:20])])
    (kept,) = read_session(path)
    assert isinstance(kept.play, Play) and isinstance(all_of_it.play, Play)
    count = len(kept.play.inputs)
    assert all_of_it.play.inputs[:count] == kept.play.inputs
    assert (all_of_it.play.states[: count + 1] == kept.play.states).all()
    assert [line for each in verify([path]) for line in each.problems] == []
    events = [json.loads(line) for line in whole.splitlines(keepends=True) if line.endswith(b"\n")]
    resumed = max((n for n, event in enumerate(events) if event["event"] == "resumed"), default=0)
    steps = [event for event in events[resumed:] if event["event"] == "step"]
    lost = [event for event in steps if event["number"] >= count]
    if not lost and (not steps or events[-1]["event"] in ("pause", "idle")):
        return 0.0
    return killed - float(told[20:]) - (lost[0]["due"] if lost else steps[-1]["done"])
