"""The guides: every path, module, command and setting that a text names is there."""

import re
from importlib import import_module

import pytest

from priorlab.scripts.arguments import WIDE, parse_call
from priorlab.scripts.main import COMMANDS
from tests.support.paths import ROOT

FOLDERS = ("docs", "results", ".github")
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*"))]
    if path.suffix in (".md", ".yml")
}
PATH = r"`((?:\.ci|docs|envs|agents|human_study|transfer|scripts|priorlab|tests)/[\w./-]*)`"
PLACEHOLDER = r"\b[A-Z]+\b(?!\.md)"  # as in envs/game/levels/NAME.txt


def found(pattern: str) -> set[tuple[str, str]]:
    """Each (text, what the pattern's group matches in it); a line that ends in a backslash continues."""
    texts = {name: re.sub(r"\\\n\s*", " ", text) for name, text in TEXTS.items()}
    return {(name, match) for name, text in texts.items() for match in re.findall(pattern, text, re.MULTILINE)}


def settings_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    main = import_module(f"priorlab.scripts.commands.{command.replace('-', '_')}").main
    with pytest.raises(SystemExit):
        parse_call(main, command, ["--help"])
    return {"--help", *re.findall(r"--[a-z][\w-]*", capsys.readouterr().out)}


def test_paths_are_there():
    paths = {(text, path) for text, path in found(PATH) if not re.search(PLACEHOLDER, path)}
    assert len(paths) > 50
    assert not [(text, path) for text, path in paths if not (ROOT / path).exists()]


def test_modules_to_run_are_there():
    modules = found(r"python -m priorlab\.([\w.]*\w)")
    assert len(modules) > 10
    for text, module in modules:
        path = ROOT / f"{module.replace('.', '/')}.py"
        assert path.is_file() and "__main__" in path.read_text(encoding="utf-8"), (text, module)


def test_public_names_are_there():
    names = found(r"`(priorlab\.(?:envs|agents|human_study|transfer)\.\w+)\b[`(]")
    names |= {
        (text, f"priorlab.{room}.{name.strip()}")
        for text, line in found(r"^from priorlab\.(\w+ import [\w, ]+)$")
        for room, _, imported in [line.partition(" import ")]
        for name in imported.split(",")
    }
    assert len(names) > 20
    for text, name in names:
        room, _, public = name.rpartition(".")
        assert public in dir(import_module(room)) or (ROOT / name.replace(".", "/")).is_dir(), (text, name)


def test_commands_and_their_settings_are_there(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", WIDE)
    lines = found(r"(?:^ *|`|bin/)priorlab ([a-z][^`#\n]*)")
    named = {(text, line.split()[0]) for text, line in lines}
    assert len(lines) > 100
    assert not [(text, command) for text, command in named if command not in COMMANDS]
    settings = {command: settings_of(command, capsys) for command in {command for _, command in named}}
    for text, line in lines:
        assert {*re.findall(r"(?<![\w-])--[a-z][\w-]*", line)} <= settings[line.split()[0]], (text, line)
