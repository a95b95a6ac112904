"""What holds the rooms together: who imports whom, how long files are, when compiled code is compiled again."""

import ast
import shutil
import subprocess
import sys

import priorlab
from priorlab.envs.base import compile
from tests.support.imports import ROOMS, circle, file_graph, parsed, shelf_graph
from tests.support.paths import ROOT

MAY_IMPORT = {
    "envs": {"envs"},
    "agents": {"agents", "envs"},
    "human_study": {"human_study", "envs"},
    "transfer": {"transfer"},
    "scripts": {"scripts", "human_study", "transfer", "agents", "envs"},
}
SOURCES = sorted(path for folder in ("priorlab", "tests", *ROOMS) for path in (ROOT / folder).rglob("*.py"))
LONGEST, LONGEST_COMMAND = 400, 60  # lines of a file


def test_the_package_under_test_is_this_repository():
    assert priorlab.ROOT == ROOT


def test_no_file_and_no_shelf_imports_in_a_circle():
    files = file_graph()
    assert not circle(files)
    assert not circle(shelf_graph(files))


def test_imports_are_seen_wherever_they_are():
    """In functions, by names made at run time, and in the stubs of faces."""
    files = file_graph()
    assert "envs.interfaces.env" in files["envs.atari.atari_env"] | files["envs.random_games.random_levels"]
    assert "agents.learners.make_dqn" in files["agents.training"]
    assert "scripts.lecture.claims.fast" in files["scripts.lecture.catalogue"]
    assert "envs.engine.games" in files["envs"]
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_rooms_import_one_way():
    for module, others in file_graph().items():
        room = module.partition(".")[0]
        assert {other.partition(".")[0] for other in others} <= MAY_IMPORT[room], module


def test_only_drawing_knows_looks():
    assert shelf_graph(file_graph())["envs.game"] <= {"envs.base"}


def test_nothing_imports_a_room_by_its_short_name():
    for path in SOURCES:
        names = [alias.name for node in parsed(path) if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module or "" for node in parsed(path) if isinstance(node, ast.ImportFrom)]
        assert not {name.partition(".")[0] for name in names} & {*ROOMS}, path


def test_files_stay_short():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    commands = ROOT / "scripts" / "commands"
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path, lines in lengths.items()
        if lines >= (LONGEST_COMMAND if path.parent == commands else LONGEST)
    }
    assert not too_long


def compiles(path):
    """Whether it holds code that is compiled."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "priorlab.envs.base.compile"
        and {each.name for each in node.names} - {"COMPILED", "Bound"}
        for node in parsed(path)
    )


def test_the_cache_of_compiled_code_is_named_after_all_its_sources(tmp_path):
    for name in compile.SOURCES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "envs" / name, tmp_path / name)
    before = compile.sources_hash(tmp_path)
    assert before == compile.sources_hash(ROOT / "envs")
    for name in compile.SOURCES:
        kept = (tmp_path / name).read_text()
        (tmp_path / name).write_text(kept + "\n# changed\n")
        assert compile.sources_hash(tmp_path) != before
        (tmp_path / name).write_text(kept)
    kernels = {str(path.relative_to(ROOT / "envs")) for path in (ROOT / "envs").rglob("*.py") if compiles(path)}
    assert kernels <= set(compile.SOURCES)


def printed(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_without_a_compiler_the_games_are_the_same():
    code = (
        "import hashlib, sys; sys.modules.update({numba})\n"
        "import numpy as np; from priorlab.envs.engine.games import Games\n"
        "games = Games(1, screen_size=12, max_inputs=15); seen = games.reset(0).tobytes()\n"
        "for action in np.random.default_rng(0).integers(0, 6, 40):\n"
        "    seen += games.step(np.array([action]))[0].tobytes()\n"
        "print(hashlib.sha256(seen + games.state.tobytes()).hexdigest())\n"
    )
    plain, compiled = (printed(code.format(numba=numba)) for numba in ("numba=None", ""))
    assert plain == compiled
