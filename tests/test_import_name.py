"""The import name: ``priorlab`` wherever it is installed or unpacked, and the short names in a checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.imports import ROOMS, modules
from tests.support.paths import ROOT

DATA_ENDINGS = (".html", ".md", ".toml", ".txt", ".css", ".npz", ".typed", ".pyi")
CLEAN = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
USE = """
import sys
sys.modules["numba"] = None  # the games run as plain Python: to compile them takes most of a minute
import priorlab.envs.base.compile
del sys.modules["numba"]

import gymnasium, torch
from pathlib import Path
import envs, agents, scripts, transfer
assert {envs.WHOSE, agents.WHOSE, scripts.WHOSE, transfer.WHOSE} == {"the researcher's"}
env = gymnasium.make("priorlab:PriorLab/Princess-MaskedSimilarity-v0", screen_size=12)
env.reset(seed=0), env.step(1)

import priorlab
import priorlab.agents.learners.make_dqn, priorlab.agents.learners.make_ppo
from priorlab.agents.settings import Settings
from priorlab.agents.training import train
room = "---\\nS  G\\n####\\n"
train(Settings(agent="random", level=room, inputs=64, num_games=2, evaluation_episodes=0, out=Path("run")))

from priorlab.transfer import Network, Samples, keep, parse
module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
inputs, labels = torch.ones(8, 4), torch.arange(8) % 2
kept = keep(Network(module, example=inputs[:1]), parse("ewc"), tasks=2)
optimizer = torch.optim.Adam(module.parameters())
kept.attach(optimizer), kept.learn(0)
torch.nn.functional.cross_entropy(module(inputs), labels).backward(), optimizer.step()
kept.consolidate(Samples(inputs, labels))
print(priorlab.__file__)
"""


def run(*command, **settings):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **{"env": CLEAN} | settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of this checkout, links as links."""
    copy = tmp_path_factory.mktemp("checkout")
    for folder in ("priorlab", *ROOMS):
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def installed(checkout, tmp_path_factory):
    """The Python of an empty environment that has the dependencies and the wheel, but not this checkout."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, checkout)
    (wheel,) = folder.glob("priorlab-*.whl")
    assert {name.partition("/")[0].partition("-")[0] for name in zipfile.ZipFile(wheel).namelist()} == {"priorlab"}
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    with zipfile.ZipFile(wheel) as packed:  # as pip does
        packed.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python, site


def test_a_wheel_works_in_a_repository_with_rooms_of_its_own(installed, tmp_path):
    python, site = installed
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text('WHOSE = "the researcher\'s"\n')
    (tmp_path / "mine.py").write_text(USE)
    assert str(site) in run(python, "mine.py", cwd=tmp_path)
    assert "play" in run(python, "-m", "priorlab", "--help", cwd=tmp_path)


def test_a_wheel_holds_every_module_and_data_file(installed):
    _, site = installed
    packed = {path.relative_to(site / "priorlab") for path in (site / "priorlab").rglob("*") if path.is_file()}
    wanted = {path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in (".py", *DATA_ENDINGS)}
    assert {path.relative_to(ROOT) for path in wanted} <= packed
    assert Path("py.typed") in packed


def test_the_project_names_every_folder_of_code():
    folders = {path.parent.relative_to(ROOT) for path in modules().values()}
    packages = {"priorlab", *(f"priorlab.{'.'.join(folder.parts)}" for folder in folders)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {*project["tool"]["setuptools"]["packages"]} == packages


def test_a_source_archive_builds_the_same_wheel(checkout, installed, tmp_path):
    build = "import setuptools.build_meta as build; print(build.build_{}({!r}))"
    run(sys.executable, "-c", build.format("sdist", str(tmp_path)), cwd=checkout)
    (archive,) = tmp_path.glob("priorlab-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    run(sys.executable, "-c", build.format("wheel", str(tmp_path)), cwd=source)
    (wheel,) = tmp_path.glob("priorlab-*.whl")
    _, site = installed
    here = {str(path.relative_to(site)) for path in (site / "priorlab").rglob("*.*") if "__pycache__" not in path.parts}
    assert {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("priorlab/")} >= here


CHECK = "import priorlab.envs.game.rules as rules; print(rules.__file__)"
SAME = """
import {first}
import {second}
import priorlab.envs.game.rules, priorlab.transfer, priorlab.agents
import envs.game.rules, transfer, agents
from envs.game import rules
from scripts.console import printable
import priorlab.scripts.console
import sys
assert envs is priorlab.envs and transfer is priorlab.transfer and agents is priorlab.agents
assert rules is priorlab.envs.game.rules is envs.game.rules and printable is priorlab.scripts.console.printable
copies = [name for name in sys.modules if name.partition(".")[0] in {rooms} and
          sys.modules[name] is not sys.modules["priorlab." + name]]
assert not copies, copies
"""


@pytest.mark.parametrize("links", [True, False], ids=["links", "links as text"])
def test_an_uninstalled_checkout_has_both_names_for_the_same_modules(checkout, tmp_path, links):
    if not links:  # as an archive is unpacked where there are no links
        checkout = shutil.copytree(checkout, tmp_path / "unpacked", symlinks=True)
        for room in ROOMS:
            (checkout / "priorlab" / room).unlink()
            (checkout / "priorlab" / room).write_text(f"../{room}")
    assert str(checkout) in run(sys.executable, "-c", CHECK, cwd=checkout)
    for first, second in (("priorlab", "envs"), ("envs", "priorlab"), ("transfer", "priorlab.envs")):
        run(sys.executable, "-c", SAME.format(first=first, second=second, rooms=set(ROOMS)), cwd=checkout)
