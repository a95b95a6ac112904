"""Practice before the game, and questions in the middle of a play."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import JUMP, LEFT, NONE, RIGHT
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.play import Course
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.export import write_tables
from priorlab.human_study.data.practice import PracticeRecorder, practice_problems
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.verify import verify
from priorlab.human_study.protocol.described import described
from priorlab.human_study.protocol.probes import Due, Schedule, caught_up
from priorlab.human_study.study.probes import Probe, read_probes
from priorlab.human_study.study.study_file import PRACTICE
from priorlab.human_study.study.texts import Texts
from tests.human_study.test_study import a_study
from tests.human_study.test_window import EASY, KEYED


def asked(
    probes: list[Probe], course: Course, inputs: list[int], schedule: Schedule | None = None
) -> list[tuple[int, str]]:
    """(number of inputs, why) of what is asked during these inputs."""
    schedule, found = schedule or Schedule(probes, course.rate), []
    for action in inputs:
        course.step(action)
        if schedule.after(course):
            found += [(schedule.inputs, due.why) for due in schedule.due]
    return found


def test_questions_are_due_at_times_of_the_game_and_after_events():
    probes = [Probe("a", every=2, most=2), Probe("b", at=(0.5, 3)), Probe("c", after="death")]
    course = Course("original", Level.read(EASY))
    found = asked(probes, course, [LEFT] * 10 + [NONE] * 120)
    assert found == [(5, "death"), (10, "death"), (15, "at"), (60, "every"), (90, "at"), (120, "every")]
    course = Course("original", Level.read(EASY))
    assert asked([Probe("a", every=0.1)], course, [RIGHT] * 13)[-1][0] < 13, "nothing after the game is won"


def test_a_question_is_never_due_twice_at_once():
    probes = [Probe("a", every=1), Probe("a", every=0.5, most=1), Probe("b", at=(1,)), Probe("a", at=(1, 1.5))]
    schedule, course, found = Schedule(probes, 30), Course("original", Level.read(EASY)), []
    for _ in range(60):
        course.step(NONE)
        found += [(schedule.inputs, *schedule.due)] if schedule.after(course) else []
    a = Due("a", "every")
    assert found == [(15, a), (30, a, Due("b", "at")), (45, Due("a", "at")), (60, a)]


def test_a_key_that_is_found_can_be_followed_by_a_question():
    way = Solver(Level.read(KEYED), find_rules("key_door")).run(exhaustive=False).inputs
    assert way is not None
    found = asked([Probe("a", after="key")], Course("original", Level.read(KEYED)), list(way))
    assert [why for _, why in found] == ["key"] and 0 < found[0][0] < len(way)


def test_an_interrupted_play_asks_what_was_not_answered():
    probes = [Probe("a", at=(0.5,)), Probe("b", every=0.5, most=1)]
    course = Course("original", Level.read(EASY))
    log: list[dict[str, Any]] = [{"event": "play", **course.about()}]
    log += [{"event": "step", "input": JUMP} for _ in range(15)]
    answer = {"event": "probe", "question": "a", "why": "at"}
    assert caught_up(probes, log).due == [Due("a", "at"), Due("b", "every")]
    schedule = caught_up(probes, [*log, answer])
    assert schedule.due == [Due("b", "every")] and schedule.inputs == 15
    schedule = caught_up(probes, [*log, answer, {"event": "step", "input": NONE}])
    for _ in range(16):
        course.step(NONE)
    assert schedule.due == [] and asked(probes, course, [NONE] * 40, schedule) == [], "both were asked"


@pytest.mark.parametrize(
    ("probes", "reason"),
    [
        ([{"question": "aim"}], "probes: number 1 is {'question': 'aim'}: expected question, and one of every"),
        ([{"question": "aim", "every": 0}], "number 1"),
        ([{"question": "aim", "at": []}], "number 1"),
        ([{"question": "aim", "every": 3, "at": [3]}], "number 1"),
        ([{"question": "aim", "every": 3, "most": 0}], "number 1"),
        ([{"question": "aim", "every": 3}, {"question": "known", "after": "win"}], "number 2"),
        ([{"question": "aim", "after": "key"}], "after 'key': expected a game with a key, not princess"),
        ([{"question": "age", "every": 3}], "in two lists: expected it in one of eligible, before, checks, probes, "),
        ([{"question": "known", "at": [3]}, {"question": "plays", "at": [3]}], "question 'plays' is asked in two"),
    ],
)
def test_a_wrong_entry_gets_a_one_line_error(tmp_path: Path, probes: list[Any], reason: str):
    with pytest.raises(ValueError) as caught:
        a_study(tmp_path, game="princess", after=[], probes=probes)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_nobody_is_asked_for_the_age_that_decides_in_the_middle_of_a_play(tmp_path: Path):
    entries: dict[str, Any] = {"before": [], "probes": [{"question": "age", "every": 3}]}
    with pytest.raises(ValueError, match="probes: 'age': expected it in another list, since minimum_age = 18 is"):
        a_study(tmp_path, **entries)
    assert a_study(tmp_path, **entries, minimum_age=0).questions[0] == "age"


def test_the_description_counts_inputs(tmp_path: Path):
    probes: list[Any] = [{"question": "aim", "every": 2, "most": 3}, {"question": "known", "at": [0.5, 60]}]
    probes.append({"question": "aim", "after": "death"})
    study = a_study(tmp_path, before=[], after=[], probes=probes)
    assert study.questions == ["aim", "known"] and study.probes == read_probes(probes)
    data = described(study, {"en": Texts.load("en")})
    assert data["probes"] == [
        {"page": "question:aim", "question": "aim", "every": 60, "most": 3},
        {"page": "question:known", "question": "known", "at": [15, 1800], "most": 0},
        {"page": "question:aim", "question": "aim", "after": "death", "most": 0},
    ]
    assert "question:known" in data["languages"]["en"]["pages"]


def test_an_export_lists_the_answers(tmp_path: Path):
    recorder = Recorder.create(tmp_path, study="t")
    recorder.begin(ChosenGame(), limit=100)
    for number in range(15):
        recorder.step(NONE, recorder.log.began + number / 30, recorder.log.began + number / 30)
        recorder.shown(recorder.log.began + number / 30)
    recorder.note("probe", question="tools", answer=["a", "b"], why="at", play=0, step=15, seconds=1.5, right=True)
    recorder.finish()
    (tmp_path / "out").mkdir()
    assert not write_tables(read_session(recorder.path), tmp_path, tmp_path / "out")
    (row,) = pd.read_csv(tmp_path / "out" / "probes.csv").to_dict("records")
    del row["t"], row["participant"]
    assert row == {
        "study": "t", "play": 0, "step": 15, "question": "tools", "answer": "a;b", "why": "at", "seconds": 1.5,
        "right": 1,
    }  # fmt: skip


def test_a_practice_is_verified_and_is_no_play(tmp_path: Path):
    study = a_study(tmp_path, practice=20)
    way = Solver(Level.read(str(PRACTICE)), find_rules("princess")).run(exhaustive=False).inputs
    recorder = Recorder.create(tmp_path, id="abcd2345")
    practice, ended = PracticeRecorder(recorder, study.practice_game, study.practice_limit), None
    for action in way if way is not None else ():
        assert ended is None
        ended = practice.step(int(action), 0.0, 0.0)
    practice.end(ended or "quit")
    recorder.finish()
    assert ended == "win" and not read_session(recorder.path)
    assert not [each.problems for each in verify([recorder.path]) if each.problems]
    _, first, last, _ = read_events(recorder.path).events
    inputs, notes = last["inputs"], []
    for changes, problem in {
        ("inputs", inputs.replace("r", "l")): "ended as 'win', but replayed it is not won",
        ("inputs", inputs[:-1] + "?"): "input '?': expected one of ",
        ("state", "0" * 16): "its replay differs from the recording",
        ("ended", "limit"): "ended as 'limit', but replayed it is won",
        ("limit", len(inputs) - 1): f"{len(inputs)} inputs: expected at most {len(inputs) - 1}",
        ("limit", None): "an entry is missing or altered",
        ("rules", "gravity"): "recorded under the rules 'gravity', here it has ",
    }.items():
        (name, value), is_first = changes, changes[0] in first
        begun, ended = first | {name: value} if is_first else first, last if is_first else last | {name: value}
        (line,) = practice_problems([begun, ended], notes)
        assert line.startswith("line 2: practice") and problem in line
    assert notes == [] and practice_problems([first, last, last], notes) == [
        "line 3: practice: ends, but did not begin"
    ]
    assert practice_problems([first, first, last], notes) == [] == notes, "the first was cut short"
    assert practice_problems([first | {"first_picture": "0"}, last], notes) == []
    assert notes == ["line 2: practice: today it is drawn differently than the player saw it"]
    with pytest.raises(ValueError, match="practice is 5: expected 0 for Atari games"):
        a_study(tmp_path, game="atari/pong", versions=["none"], practice=5)
    with pytest.raises(ValueError, match="practice is 700: expected seconds, 0"):
        a_study(tmp_path, practice=700)
