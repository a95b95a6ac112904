"""The text of a preregistration: all of it from the study's file and the plan, each number with its source."""

import re
import shlex

import pytest

from priorlab.human_study.study.probes import Probe
from priorlab.human_study.study.study_file import Study, write_example
from priorlab.human_study.study.texts import Texts
from priorlab.scripts.main import main
from priorlab.scripts.report.exclusions import in_words, options_in_words
from priorlab.scripts.report.preregistration import Assumptions, compare_command, plan_command, text_of
from priorlab.scripts.run import run

FEW = Assumptions(effect=2.0, repetitions=40)


@pytest.fixture
def study(tmp_path):
    return write_example(tmp_path / "lab")


def edited(path, **entries):
    """The study's file with other values for these entries, as in TOML."""
    text = path.read_text()
    for name, value in entries.items():
        text, found = re.subn(rf"^{name} = [^#\n]*", f"{name} = {value}  ", text, flags=re.M)
        assert found == 1, name
    path.write_text(text)
    return Study.load(path)


def test_the_text_has_the_study_s_entries_and_the_plan_s_numbers(study):
    text = text_of(Study.load(study), FEW, ["known=yes", "age!=18_24"], 0.02)
    for words in (
        "# Preregistration: example", "360 places", "120 participants per version (`study.toml`: participants)",
        "at most 30 minutes (`study.toml`: minutes)", "look seed 0", "engine version 1", "2 (`--effect`)",
        "1.8 minutes (default of `--minutes`)", "**Log-rank**, the main test", "Holm's method over the 2 comparisons",
        "younger than 18 (`study.toml`: minimum_age)", "“Did you know this game before today?” is “yes”",
        "is not “18 to 24”; people without an answer are excluded", "(`--missed 0.02`)",
        "need longer to solve masked objects",
    ):  # fmt: skip
        assert words in text, words
    assert "seed = " not in text and text.count("**[To be filled in by the researcher: ") > 8
    assert [line for line in text.splitlines() if line.startswith("## ")] == sorted(
        (line for line in text.splitlines() if line.startswith("## ")), key=lambda line: int(line[3:].split(".")[0])
    )
    assert not re.search(r"\{\{|\}\}|\{%|None", text)


ASKED = """extends = "en"
[questions.fun]
kind = "scale"
text = "Fun?"
points = 5
labels = { 1 = "none", 5 = "a lot" }
decline = "no answer"
[questions.tools]
kind = "several"
text = "Tools?"
options = { keys = "keys", pad = "a gamepad", stick = "a stick" }
most = 2
[questions.sleep]
kind = "number"
text = "Sleep?"
least = 0
most = 12
decimals = 1
"""


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """A study with a question of every kind, and its texts."""
    folder = tmp_path_factory.mktemp("asking")
    (folder / "t.toml").write_text(ASKED)
    study = Study(
        folder / "study.toml", "t", ("original", "gravity"), design="within", before=("age", "fun", "tools", "sleep"),
        after_each=("aim",), after=("plate_1",), probes=(Probe("known", every=9),),
    )  # fmt: skip
    return study, Texts.load(str(folder / "t.toml"))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("fun=2", "“Fun?” is 2 on the scale from 1 to 5; people without an answer stay"),
        ("fun!=5", "“Fun?” is not 5 on the scale from 1 to 5, “a lot”; people without an answer are excluded, too"),
        ("fun = Not_said", "“Fun?” is “no answer”; "),
        ("fun<3", "“Fun?” is below 3 on the scale from 1 to 5; "),
        ("tools=keys;stick", "“Tools?” is exactly “keys” and “a stick”; "),
        ("tools!=", "“Tools?” is not none of the options; "),
        ("sleep<=4,5", "“Sleep?” is at most 4.5; "),
        ("sleep=7.0", "“Sleep?” is 7; "),
        ("aim.1=money", ", asked after game 2, is “money”; "),
        ("plate_1!=12", " is not 12; "),
        ("plate_1=nothing", " is “I see no number”; "),
    ],
)
def test_a_rule_on_any_kind_of_answer_is_put_into_words(asking, rule, words):
    assert words in in_words(rule, *asking) and in_words(rule, *asking).startswith("whose answer to “")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("known=yes", "a question of the study: age, fun, tools, sleep, plate_1, aim.0, aim.1 (answers in the middle"),
        ("aim=money", "a question of the study: age"),
        ("fun=6", "an answer of 1, 2, 3, 4, 5, not_said"),
        ("fun>5", "a number that divides the answers from 1 to 5"),
        ("fun<many", "a number after <, got 'many'"),
        ("tools=keys; pad", "the options in the order of the question, 'keys;pad'"),
        ("tools=pad;keys", "the options in the order of the question, 'keys;pad'"),
        ("tools=keys;pad;stick", "0 to 2 of keys, pad, stick, joined by ';'"),
        ("tools=joystick", "0 to 2 of keys, pad, stick, joined by ';'"),
        ("tools<2", "= or != with a question whose answers are no numbers"),
        ("sleep=7.25", "an answer of 0 to 12"),
        ("sleep>12", "a number that divides the answers from 0 to 12"),
        ("age<30", "= or != with a question whose answers are no numbers (its kind is choice)"),
    ],
)
def test_a_rule_that_excludes_nobody_is_rejected(asking, rule, expected):
    with pytest.raises(ValueError) as caught:
        in_words(rule, *asking)
    assert f"--exclude {rule!r}: expected" in str(caught.value) and expected in str(caught.value)


def test_questions_are_listed_with_the_words_and_points_that_participants_see(asking):
    texts = asking[1]
    assert options_in_words(texts.questions["fun"]) == "1 none; 2; 3; 4; 5 a lot; no answer"
    assert options_in_words(texts.questions["tools"]) == "keys; a gamepad; a stick"


def test_within_subjects_the_text_names_orders_pairs_and_practice(study):
    within = edited(study, design='"within"', participants="20", when_full='"continue"')
    text = text_of(within, FEW)
    assert "one of 6 orders of a Williams square" in text and "no multiple of the 6 orders" in text
    assert "**Signed-rank**, the main test" in text and "Log-rank" not in text
    assert "0.8 times as long as one play earlier (default of `--practice`)" in text
    assert "After 20 places the software continues" in text and "--paired" in text


def test_the_commands_of_the_text_find_the_same_numbers(study, capsys):
    within = edited(study, design='"within"', participants="20")
    assumed = Assumptions(effect=2.5, repetitions=40, practice=0.9, seed=3)
    words = shlex.split(plan_command(within, assumed))
    run(words[1], words[2:])
    (n,) = re.findall(r"^(\d+) people, ", capsys.readouterr().out, flags=re.M)
    assert f"{n} participants in total are the smallest number" in text_of(within, assumed)
    words = shlex.split(compare_command(within, ["age<18"], 0.05))
    assert " ".join(words[2:]) == "data --out compare --limit 30 --paired --missed 0.05 --exclude age<18"


def test_without_the_original_there_is_nothing_to_plan_for(study):
    text = text_of(edited(study, versions='["gravity"]'), FEW)
    assert "names no version to be compared" in text and "the rationale of the sample size" in text


def test_a_file_is_never_overwritten_and_mistakes_are_one_line(study, monkeypatch, capsys):
    words = ["priorlab", "preregister", str(study), "--repetitions", "20", "--effect", "3"]
    monkeypatch.setattr("sys.argv", words)
    main()
    written = study.with_name("preregistration.md").read_text()
    assert written.startswith("# Preregistration: example")
    assert f"{written.count('**[')} parts in square brackets" in " ".join(capsys.readouterr().out.split())
    for more, reason in (
        ([], "preregistration.md: exists: expected a new file; name one with --out"),
        (["--out", str(study.with_name("a.md")), "--exclude", "nope=1"], "expected QUESTION=ANSWER with a question of"),
        (["--out", str(study.with_name("a.md")), "--exclude", "known=maybe"], "expected an answer of no, similar, yes"),
    ):
        monkeypatch.setattr("sys.argv", [*words, *more])
        with pytest.raises(SystemExit, match=reason):
            main()
    assert study.with_name("preregistration.md").read_text() == written and not study.with_name("a.md").exists()
