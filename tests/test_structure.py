"""What holds the rooms together: who imports whom, what a wheel carries, when compiled code is made anew."""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import envs
from envs import compile

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "envs": {"envs"},
    "agents": {"agents", "envs"},
    "human_study": {"human_study", "envs"},
    "transfer": {"transfer", "envs"},
    "scripts": {"scripts", "human_study", "transfer", "agents", "envs"},
}
SOURCES = sorted(path for room in [*MAY_IMPORT, "tests"] for path in (ROOT / room).rglob("*.py"))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def run(*command, **settings):
    return subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True, **settings
    ).stdout


def test_the_package_under_test_is_this_repository():
    assert Path(envs.__file__).parent == ROOT / "envs"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way_and_files_stay_short(path):
    room = path.relative_to(ROOT).parts[0]
    if room != "tests":
        assert {name for name in imports(path) if name in MAY_IMPORT} <= MAY_IMPORT[room]
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines < 400
    if path.parent == ROOT / "scripts":
        assert lines < 60


def test_only_drawing_knows_looks():
    for path in (ROOT / "envs").glob("*.py"):
        if path.stem in ("rules", "level"):
            assert not {"paint", "look", "draw"} & {part for name in full_imports(path) for part in name.split(".")}


def full_imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""


def compiles(path):
    """Whether it holds code that is compiled."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "envs.compile"
        and {each.name for each in node.names} - {"COMPILED"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_the_cache_of_compiled_code_is_named_after_all_its_sources(tmp_path):
    for name in compile.SOURCES:
        shutil.copy(ROOT / "envs" / name, tmp_path)
    before = compile.sources_hash(tmp_path)
    assert before == compile.sources_hash(ROOT / "envs")
    for name in compile.SOURCES:
        kept = (tmp_path / name).read_text()
        (tmp_path / name).write_text(kept + "\n# changed\n")
        assert compile.sources_hash(tmp_path) != before
        (tmp_path / name).write_text(kept)
    kernels = {path.name for path in (ROOT / "envs").glob("*.py") if compiles(path)}
    assert kernels <= set(compile.SOURCES)


def test_without_a_compiler_the_games_are_the_same():
    code = (
        "import hashlib, sys; sys.modules.update({numba})\n"
        "import numpy as np; from envs.games import Games\n"
        "games = Games(1, screen_size=12, max_inputs=15); seen = games.reset(0).tobytes()\n"
        "for action in np.random.default_rng(0).integers(0, 6, 40):\n"
        "    seen += games.step(np.array([action]))[0].tobytes()\n"
        "print(hashlib.sha256(seen + games.state.tobytes()).hexdigest())\n"
    )
    plain, compiled = (run(sys.executable, "-c", code.format(numba=numba)) for numba in ("numba=None", ""))
    assert plain == compiled


def test_a_built_wheel_works_outside_the_checkout(tmp_path):
    """In an empty environment that has the dependencies, but not this checkout, on its path."""
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "runs", "build", "*.egg-info", "__pycache__"))
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, source)
    run(*pip)
    wheel = next(tmp_path.glob("priorlab-*.whl"))
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    folder = "Scripts" if os.name == "nt" else "bin"
    python = tmp_path / "venv" / folder / Path(sys.executable).name
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    code = (
        "import gymnasium, envs; env = gymnasium.make('PriorLab/Princess-MaskedSimilarity-v0');"
        "env.reset(seed=0); env.step(1); print(envs.__file__)"
    )
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    assert str(site) in run(python, "-c", code, cwd=tmp_path, env=clean)
    assert "play" in run(python, "-m", "scripts.main", "--help", cwd=tmp_path, env=clean)
    # the templates of reports travel too
    packed = {path.name for path in site.rglob("*") if path.suffix in (".html", ".toml", ".txt", ".css")}
    shipped = {path.name for room in ("envs", "human_study", "scripts") for path in (ROOT / room).rglob("*")}
    assert {name for name in shipped if Path(name).suffix in (".html", ".toml", ".txt", ".css")} <= packed
