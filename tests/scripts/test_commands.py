"""What all commands share: bad words are refused in one line, and nothing that is printed is taken for a command."""

import io
import re
import signal
import sys
import time
import tomllib
from pathlib import Path

import pytest

from priorlab.envs.plays.play import Play
from priorlab.scripts.arguments import parse_call, reason_in
from priorlab.scripts.console import error_line, plain_console, printable
from priorlab.scripts.main import COMMANDS, main
from priorlab.scripts.run import BROKEN_PIPE, STOPPED, errors_in_one_line, run
from tests.support.commands import refused
from tests.support.paths import ROOT


@pytest.fixture(autouse=True)
def as_before():
    """A command that was stopped lets nothing else stop it."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["compare", "--limit", "nan"], "limit must be a number, got nan"),
        (["compare", ".", "--limit", "inf"], "limit must be a finite number above 0, got inf"),
        (["compare", ".", "--limit", "-1"], "limit must be a finite number above 0, got -1"),
        (["compare", "--exclude"], "exclude is empty: expected at least one value"),
        (["compare", "--limit", "x"], "could not convert string to float: 'x'"),
        (["export", ".", "--out", ""], "--out is empty: expected a value"),
        (["export", ".", "--out="], "--out is empty: expected a value"),
        (["export", ".", "--out", "x", "--formats"], "formats is empty: expected at least one value"),
        (["export", ".", "--out", "x", "--formats", "[red]"], "invalid choice '[red]' for argument '--formats'"),
        (["export", ".", "--out", "x", "--screen-size", "0"], "screen_size must be at least 1, got 0"),
        (["export", "."], "Missing from priorlab export: --out PATH"),
        (["verify"], "expected one or more folders"),
        (["verify", "nowhere [/a]"], "nowhere [/a]: no such folder or file"),
        (["replay"], "Missing from priorlab replay: PATH"),
        (["simulate", "--spread", "inf"], "spread must be a finite number above 0, got inf"),
        (["simulate", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["play", "--minutes", "0"], "minutes must be a finite number above 0, got 0"),
        (["play", "--look-seed", "-1"], "look_seed must be at least 0, got -1"),
        (["reproduce", "--hours", "nan"], "hours must be a number, got nan"),
        (["transfer", "--methods"], "methods is empty: expected at least one value"),
        (["transfer", "--sequences", "mine.toml"], "'permuted-digits' is built into Priorlab"),
        (["plan", "--from", "nowhere"], "nowhere: no such folder"),
        (["plan", "--spread", "inf"], "spread must be above 0 and finite, got inf"),
        (["plan", "--versions", "gravity", "--effect", "-1"], "effect must be a finite number above 0, got -1"),
        (["plan", "--versions", "gravity", "--tests", "0"], "tests must be a finite number above 0, got 0"),
        (["contact-sheet", "--out", "a.txt"], "a.txt: expected the name of a file that ends in .png"),
        (["bank", "--out", "x.npz", "--threads", "0"], "threads must be at least 1, got 0"),
        (["probe", "--seeds", "0"], "seeds must be at least 1, got 0"),
        (["status", "."], ".: a folder: expected a file"),
        (["solve", "--nope"], "Unrecognized options: --nope"),
    ],
)  # fmt: skip
def test_words_that_mean_nothing_are_refused_in_a_line(words, reason):
    said = refused(*words)
    assert said.startswith(f"priorlab {words[0]}: ") and reason in said


def test_an_unknown_command_is_refused_and_without_one_all_are_listed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["priorlab", "nope"])
    with pytest.raises(SystemExit, match=r"^priorlab: unknown command 'nope': expected one of play"):
        main()
    monkeypatch.setattr(sys, "argv", ["priorlab"])
    main()
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in COMMANDS)


def test_the_version_is_that_of_the_project(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["priorlab", "--version"])
    main()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.fullmatch(rf"priorlab {re.escape(version)}( \(commit [0-9a-f]{{10}}\))?\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    "framed",
    [
        "╭─ Invalid choice ─╮\n│ not 'a' but        │\n│ 'b'.               │\n│ ────────────────── │\n│ For help │\n",
        " Invalid choice\n --------------\n  not 'a' but\n  'b'.\n  ------------\n  For help\n",
    ],
)  # fmt: skip
def test_of_a_frame_the_reason_alone_is_told(framed):
    assert reason_in(framed) == "not 'a' but 'b'"


def test_words_are_read_before_anything_runs():
    def command(number: float = 1.0, *, names: tuple[str, ...] = ("a",)) -> None:
        """Nothing.

        Args:
            number: a number
            names: names
        """
        raise AssertionError("it ran")

    call = parse_call(command, "priorlab x", ["--number", "2", "--names", "b", "c"])
    with pytest.raises(AssertionError, match="it ran"):
        call()


def test_help_states_each_default_once(capsys):
    def command(number: int | None = None, *, names: tuple[str, ...] = (), out: str = "here") -> None:
        """Nothing.

        Args:
            number: a number (default: three, where
                (by convention) it is not two)
            names: names
            out: a folder
        """

    with pytest.raises(SystemExit):
        parse_call(command, "priorlab x", ["--help"])
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--number INT a number (default: three, where (by convention) it is not two)" in words
    assert "--out STR a folder (default: here)" in words
    assert words.count("default") == 2 and "None" not in words


def ended_by(error: BaseException, monkeypatch) -> object:
    def command() -> None:
        """Fails."""
        raise error

    monkeypatch.setattr("priorlab.scripts.commands.verify.main", command)
    with pytest.raises(SystemExit) as caught:
        run("verify", [])
    return caught.value.code


def test_what_ends_a_command_is_a_line_and_a_code(monkeypatch, capsys):
    assert ended_by(KeyboardInterrupt(), monkeypatch) == STOPPED
    assert capsys.readouterr().err == "priorlab verify: stopped\n" and signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    assert ended_by(KeyboardInterrupt("stopped; it goes on"), monkeypatch) == STOPPED
    assert capsys.readouterr().err == "priorlab verify: stopped; it goes on\n"
    assert ended_by(ValueError("a\nb"), monkeypatch) == "priorlab verify: a b"
    assert (
        ended_by(PermissionError(13, "Permission denied", "x"), monkeypatch) == "priorlab verify: x: Permission denied"
    )
    assert ended_by(BrokenPipeError(), monkeypatch) == BROKEN_PIPE
    assert capsys.readouterr() == ("", "")
    assert error_line(OSError(28, "No space left on device")) == "No space left on device"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_consoles_spell_out_what_they_cannot_print(encoding):
    text = "größe 研究 \udcff [/a] :smile:"
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=printable.__name__)
    console = plain_console()
    console.file = stream
    console.print(text, soft_wrap=True)
    stream.flush()
    shown = stream.buffer.getvalue()  # type: ignore[attr-defined]
    assert shown.endswith(b"\xff [/a] :smile:\n")
    assert (rb"\u7814\u7a76" in shown) == (encoding != "utf-8")
    assert shown.startswith({"ascii": b"gr\\xf6\\xdfe", "cp1252": b"gr\xf6\xdfe"}.get(encoding, "größe".encode()))


def test_paths_with_brackets_are_printed_as_they_are(tmp_path, capsys):
    folder = tmp_path / "[red]q [/a] :x:"
    Play.of([2] * 9).save(folder / "[b].play")
    run("verify", [str(folder)])
    assert "[b].play" in capsys.readouterr().out
    (folder / "[c].play").write_text("{")
    with pytest.raises(SystemExit):
        run("verify", [str(folder)])
    assert f"{folder / '[c].play'}: cut off or altered" in capsys.readouterr().out
    run("export", [str(folder), "--out", str(tmp_path / "[bold]" / "out"), "--players", "person"])
    assert f"left out  {folder / '[c].play'}: cut off or altered" in (out := capsys.readouterr().out)
    assert f"to {Path(tmp_path / '[bold]' / 'out')}\n" in out


def test_ctrl_c_is_not_lost_where_python_cannot_raise_it(capsys):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what runs in the background ignore it
    with pytest.raises(SystemExit) as ended, errors_in_one_line("priorlab solve"):
        Interrupted()  # deleted at once
        for _ in range(500):
            time.sleep(0.01)
    assert ended.value.code == STOPPED and capsys.readouterr().err == "priorlab solve: stopped\n"


class Interrupted:
    """An object during whose deletion Ctrl-C is pressed."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)
