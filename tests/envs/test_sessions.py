"""Sessions: recorded as they happen, on disk within a second, rejected when altered, resumed after a crash."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priorlab.envs.game.rules import CLOCK, HAS_KEY
from priorlab.envs.plays.courses import ChosenGame, reopen
from priorlab.envs.plays.events import SUFFIX, EventLog, encode, link, read_events, sealed
from priorlab.envs.plays.play import CHARACTERS, Play
from priorlab.envs.plays.sessions import find_plays, read_session
from priorlab.envs.results.load import load
from priorlab.human_study.data.recorder import Recorder, unfinished
from priorlab.human_study.data.verify import verify
from tests.envs.test_play import DEATH, EASY, RESTARTING
from tests.support.damage import damaged, told
from tests.support.paths import ROOT

STEP = 1 / 30


def feed(recorder: Recorder, inputs: str) -> list:
    """Plays as a person would, without pauses; how each input ended the play."""
    ends = []
    for character in inputs:
        now = time.perf_counter()
        ends.append(recorder.step(CHARACTERS.index(character), now, now))
        recorder.shown(time.perf_counter())
    return ends


def a_session(folder: Path, inputs: str = DEATH + "l" * 60, **settings) -> Path:
    """The log of a complete session with one play, which is quit."""
    recorder = Recorder.create(folder, study="s", window=[720, 720])
    recorder.note("consent", sync=True, version="1")
    recorder.begin(ChosenGame(**settings), 1000)
    feed(recorder, inputs)
    recorder.end("escape")
    recorder.note("answer", sync=True, question="knew", answer="no")
    recorder.finish()
    return recorder.path


def rewritten(path: Path, change) -> None:
    """As a forger who knows how lines are chained: changes the events and chains them again."""
    chain, lines = "", []
    for number, event in enumerate(change(read_events(path).events)):
        body = encode({**{name: value for name, value in event.items() if name != "hash"}, "n": number})
        chain = link(chain, body)
        lines.append(sealed(body, chain))
    path.write_bytes(b"".join(lines))


def test_a_session_tells_what_was_played(tmp_path):
    path = a_session(tmp_path, version="masked_objects", look_seed=2)
    (recorded,) = read_session(path)
    play, expected = recorded.play, Play.of(DEATH + "l" * 60, "masked_objects", look_seed=2)
    assert (play.inputs, play.version, play.last_state) == (expected.inputs, "masked_objects", expected.last_state)
    assert (play.ended, play.unfinished, play.player, play.redrawn) == ("quit", False, "person", False)
    assert play.measure().total_deaths == 1 and (play.states == expected.states).all()
    assert recorded.times.shape == (66, 3) and (np.diff(recorded.times, axis=1) >= 0).all()
    assert (recorded.study, recorded.number, recorded.answers) == ("s", 0, {"knew": "no"})
    about = recorded.about
    assert (about["quit_reason"], about["resumed"], about["limit"]) == ("escape", 0, 1000)
    assert about["wall_seconds"] >= recorded.times[-1, 2] - recorded.times[0, 0] and about["paused_seconds"] == 0
    assert path.name == f"{recorded.participant}{SUFFIX}" and [file.name for file in tmp_path.iterdir()] == [path.name]
    assert [event["number"] for event in read_events(path).events if event["event"] == "state"] == [30, 60]


def test_a_play_within_a_session_equals_its_exchange_file(tmp_path):
    (recorded,) = read_session(a_session(tmp_path))
    loaded = Play.load(recorded.play.save(tmp_path / "a.play"))
    assert loaded == recorded.play


@pytest.mark.parametrize("game", ["princess", "key_door", "random", "atari/breakout"])
def test_every_game_is_recorded_replayed_and_taken_up_again_alike(tmp_path, game):
    """Even where the recorder stops in the middle, the session continues as if nothing had happened."""
    settings = ChosenGame(game, "colours" if game.startswith("atari") else None, seed=5)
    actions = np.random.default_rng(0).integers(0, len(settings.open().action_names), 200).tolist()
    recorder = Recorder.create(tmp_path)
    course = recorder.begin(settings, 1000)
    for number, action in enumerate(actions):
        if number == 90:
            recorder.close()
            recorder = Recorder.resume(recorder.path)
            course = recorder.course
            assert course and unfinished(tmp_path) == [recorder.path]
        recorder.step(action, time.perf_counter(), time.perf_counter())
        recorder.shown(time.perf_counter())
    last, picture = course.hash(), course.picture.copy()
    recorder.finish()
    (recorded,) = read_session(recorder.path)
    assert list(recorded.play.frames())[-1].tolist() == picture.tolist() and recorded.play.last_state == last
    assert len(recorded.play.inputs) == 200 and recorded.about["resumed"] == 1 and not recorded.play.redrawn
    straight = settings.open()
    for action in actions:
        straight.step(action)
    assert straight.hash() == last and reopen(straight.about()).hash() != last
    found = load(tmp_path)
    assert found.problems == () and set(found.configs["player"]) == {"person"}
    assert found.configs["inputs"].tolist() == [200] and found.configs["settings"].iloc[0]["resumed"] == 1
    assert not [line for each in verify([tmp_path]) for line in each.problems] and unfinished(tmp_path) == []


def test_a_lost_life_at_atari_is_told_and_a_game_over_goes_on(tmp_path):
    recorder = Recorder.create(tmp_path)
    course = recorder.begin(ChosenGame("atari/breakout", seed=1), 100_000)
    count = 0
    while not count or all(event != "reset" for event, _ in course.happened):
        recorder.step(1, 0, 0)  # the button serves each ball, and nobody hits it
        count += 1
    recorder.step(1, 0, 0)
    recorder.finish()
    (recorded,) = read_session(recorder.path)
    told = [event for number in recorded.play.happenings for event, _ in recorded.play.happenings[number]]
    assert told.count("reset") == 1 and told.count("lives") == 5
    rows = load(tmp_path).episodes
    assert rows["outcome"].tolist() == ["death", "quit"] and rows["length"].tolist() == [count, 1]


def test_the_clock_and_the_key_are_taken_up_again_through_a_death(tmp_path):
    recorder = Recorder.create(tmp_path)
    course = recorder.begin(ChosenGame(level=RESTARTING, seed=3), 1000)
    feed(recorder, "l")
    feed(recorder, "r" * 12 + ".")
    assert course.state[HAS_KEY] and course.state[CLOCK] == 3, "the clock goes on from the death"  # type: ignore
    recorder.close()
    again = Recorder.resume(recorder.path)
    assert (again.course.state == course.state).all()  # type: ignore
    again.finish()
    (recorded,) = read_session(recorder.path)
    assert recorded.play.measure().events.tolist() == [True] + [False] * 13


def test_a_play_ends_with_the_win_or_the_limit_and_a_session_may_hold_several(tmp_path):
    recorder = Recorder.create(tmp_path, "p7")
    recorder.begin(ChosenGame(level=EASY), 1000)
    assert feed(recorder, "r" * 13) == [None] * 12 + ["win"]
    with pytest.raises(RuntimeError, match="no play is under way"):
        recorder.step(0, 0, 0)
    recorder.begin(ChosenGame(), 3)
    with pytest.raises(RuntimeError, match="a play is under way"):
        recorder.begin(ChosenGame(), 3)
    assert feed(recorder, "...") == [None, None, "limit"]
    recorder.finish()
    first, second = read_session(recorder.path)
    assert [first.play.ended, second.play.ended] == ["win", "limit"] and first.play.id != second.play.id
    assert {first.play.player_id, second.participant} == {"p7"}
    assert load(tmp_path).configs["settings"].map(lambda told: told["number"]).tolist() == [0, 1]


def test_a_crash_between_a_step_and_what_came_of_it_is_made_good(tmp_path):
    """Cut off right after the winning step: the win is written when the session resumes."""
    recorder = Recorder.create(tmp_path)
    recorder.begin(ChosenGame(level=EASY), 1000)
    feed(recorder, "r" * 13)
    recorder.close()
    lines = recorder.path.read_bytes().splitlines(keepends=True)
    assert b'"win"' in lines[-1]
    recorder.path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    assert [found.play.ended for found in read_session(recorder.path)] == ["win"]
    again = Recorder.resume(recorder.path)
    assert again.course is None, "nothing is left to play"
    again.finish()
    (recorded,) = read_session(recorder.path)
    assert recorded.play.ended == "win" and not recorded.play.unfinished
    (resumed,) = [event for event in read_events(recorder.path).events if event["event"] == "resumed"]
    assert resumed["torn"] == lines[-1][:20].decode(), "even what was torn is kept"


def test_one_writes_at_a_time_and_nothing_is_written_after_the_end(tmp_path):
    recorder = Recorder.create(tmp_path)
    with pytest.raises(OSError, match="another process is recording this session"):
        Recorder.resume(recorder.path)
    recorder.finish()
    with pytest.raises(OSError, match="is closed"):
        recorder.note("page")
    with pytest.raises(ValueError, match="the session is finished"):
        Recorder.resume(recorder.path)
    with pytest.raises(FileExistsError, match="nothing was overwritten"):
        EventLog.create(recorder.path, {})


def test_a_player_is_known_by_a_code_only(tmp_path):
    with pytest.raises(ValueError, match="player_id"):
        Recorder.create(tmp_path, "Ann Example <ann@example.org>")
    recorder = Recorder.create(tmp_path, contact="ann@example.org")
    with pytest.raises(ValueError, match="limit is 0"):
        recorder.begin(ChosenGame(), 0)
    recorder.note("answer", question="aim", answer="mail me: ann@example.org")
    recorder.note("page", name="Ann")
    recorder.finish()
    (found,) = verify([tmp_path])
    assert len(found.problems) == 2 and "line 1: session: contact contains an e-mail" in found.problems[0]
    assert "line 3: page has a field 'name'" in found.problems[1]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_an_altered_log_is_refused_in_one_line_or_a_truthful_beginning(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "altered"
    if not folder.exists():
        a_session(folder)
    (whole,) = folder.glob(f"*{SUFFIX}")
    path = tmp_path_factory.getbasetemp() / whole.name
    path.write_bytes(damaged(whole.read_bytes(), data.draw(st.integers(0, 2**32))))
    assert told(path, whole)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda events: [{**e, "input": 3} if e.get("number") == 8 else e for e in events],
            "input 30: the state",
        ),
        (lambda events: [e for e in events if e["event"] != "death"], "input 6: the replay has other"),
        (lambda events: [e for e in events if e.get("number") != 7], "line 12: step 8: expected step 7"),
        (lambda events: [{**e, "inputs": 9} if e["event"] == "quit" else e for e in events], "ended after 9 inputs"),
        (lambda events: [{**e, "limit": 9} if e["event"] == "play" else e for e in events], "at most the limit, 9"),
        (lambda events: [{**e, "event": "win"} if e["event"] == "quit" else e for e in events], "is not won"),
        (lambda events: [e for e in events if e["event"] != "play"], "line 3: 'step' outside a play"),
        (lambda events: [{**e, "t": 0.0} if e["event"] == "finish" else e for e in events], "t goes back"),
        (lambda events: [*events, events[-1]], "nothing after its finish"),
        (lambda events: [{k: e[k] for k in e if k != "shown"} for e in events], "an event lacks 'shown'"),
    ],
)
def test_a_forged_log_is_refused_with_the_place_and_the_reason(tmp_path, change, reason):
    path = a_session(tmp_path)
    rewritten(path, change)
    with pytest.raises(ValueError, match=r"^[^\n]*session\.jsonl: [^\n]*$") as caught:
        read_session(path)
    assert reason in str(caught.value)
    assert find_plays(tmp_path)[1] == [str(caught.value)] and load(tmp_path).problems == (str(caught.value),)
    (found,) = verify([tmp_path])
    assert reason in found.problems[0]


def test_a_copied_log_and_a_place_without_one_are_named(tmp_path):
    path = a_session(tmp_path)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "places").mkdir()
    for number, who in enumerate((path.name.split(".")[0], "nobodyxx")):
        (tmp_path / "places" / f"0000{number}.json").write_text(json.dumps({"participant": who}))
    problems = [f"{each.path.name}: {line}" for each in verify([tmp_path]) for line in each.problems]
    assert len(problems) == 2 and "is also the id of a play in" in problems[0] and "no nobodyxx" in problems[1]


def test_a_full_disk_is_said_and_what_was_written_stays(tmp_path, monkeypatch):
    log = EventLog.create(tmp_path / f"a{SUFFIX}", {"id": "a"})
    whole = log._file

    class Full:
        def write(self, data: bytes) -> int:
            whole.write(data[:7])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "_file", Full())
    with pytest.raises(OSError, match=r"can't be written \(No space left on device\)"):
        log.write("answer", sync=True)
    with pytest.raises(OSError, match=r"what was recorded until then is kept"):
        log.write("page")
    monkeypatch.setattr(log, "_file", whole)
    with pytest.raises(OSError, match=r"No space left"):
        log.close()
    read = read_events(log.path)
    assert [event["event"] for event in read.events] == ["session"] and read.torn
    again = EventLog.reopen(log.path)
    again.write("page")
    again.close()
    assert [event["event"] for event in read_events(log.path).events] == ["session", "resumed", "page"]


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
@pytest.mark.parametrize("how", ["file", "folder", "replaced"])
def test_a_log_that_is_gone_is_noticed(tmp_path, how):
    log = EventLog.create(tmp_path / "data" / f"a{SUFFIX}", {"id": "a"})
    log.write("page", sync=True)
    shutil.rmtree(tmp_path / "data") if how == "folder" else log.path.unlink()
    if how == "replaced":
        log.path.write_text("another")
    assert not log.is_there()
    with pytest.raises(OSError, match="it or its folder was deleted") as caught:
        log.write("answer", sync=True)
    assert "is kept" not in str(caught.value)
    with pytest.raises(OSError, match="it or its folder was deleted"):
        log.close()


def test_a_log_that_could_not_be_begun_leaves_nothing(tmp_path, monkeypatch):
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"\(No space left on device\)$"):
        EventLog.create(tmp_path / f"a{SUFFIX}", {"id": "a"})
    assert not list(tmp_path.iterdir())


LIMITED = """
import resource, signal, sys
from tests.envs.test_sessions import feed
from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.data.recorder import Recorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
recorder = Recorder.create(sys.argv[1])
recorder.begin(ChosenGame(), 10_000)
try:
    feed(recorder, "lr" * 5_000)
except OSError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of files are POSIX's")
def test_a_disk_that_fills_up_while_somebody_plays_costs_nothing_that_was_written(tmp_path):
    command = [sys.executable, "-W", "error", "-c", LIMITED, str(tmp_path)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    reason = "can't be written (File too large); what was recorded until then is kept"
    assert process.returncode == 1 and process.stderr == f"{path}: {reason}\n"
    before = read_session(path)[0].play
    assert len(before.inputs) > 100 and before.unfinished
    Recorder.resume(path).finish()
    assert read_session(path)[0].play.inputs == before.inputs


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be written")
def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OSError, match="Permission denied"):
        Recorder.create(tmp_path)


def test_a_folder_that_is_none_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Recorder.create(tmp_path / "file")


def test_a_clock_set_back_changes_nothing(tmp_path, monkeypatch):
    """Times come from a monotonic clock; only the date, given once, is the calendar's."""
    clock = iter(range(2_000_000_000, 0, -86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    (recorded,) = read_session(a_session(tmp_path))
    assert (np.diff(recorded.times, axis=0) >= 0).all()


def test_waits_are_told_apart_and_count_no_steps(tmp_path):
    now = [100.0]
    recorder = Recorder.create(tmp_path, clock=lambda: now[0])
    recorder.begin(ChosenGame(), 1000)
    for event, seconds in (("pause", 5), ("idle", 7)):
        recorder.note(event, what="begin", why="key")
        now[0] += seconds
        recorder.note(event, what="end", why="key")
    for missed in (0, 3):
        due = now[0] + STEP * (1 + missed)
        recorder.step(0, due, due + 0.001)
        now[0] = due + 0.002
        recorder.shown(now[0])
    recorder.end("escape")
    recorder.finish()
    (recorded,) = read_session(recorder.path)
    about = recorded.about
    assert (about["paused_seconds"], about["idle_seconds"]) == (5, 7)
    assert about["wall_seconds"] == pytest.approx(12 + 5 * STEP + 0.002 + 0.002, abs=0.01)
    assert about["play_seconds"] == pytest.approx(about["wall_seconds"] - 12)
    assert about["missed_share"] == 3 / 5
    assert next(verify([tmp_path])).notes == ["play 0: 60.0 % of its steps were missed"]
    assert (about["late"], about["missed"]) == (1, 3) and recorded.play.measure().inputs == 2
