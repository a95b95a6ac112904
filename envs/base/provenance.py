"""What produced a run: versions of software, and the commit of the checkout."""

import platform
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SOFTWARE = ("priorlab", "numpy", "numba", "torch", "stable_baselines3", "gymnasium", "pygame-ce", "ale-py")


def software() -> dict[str, str]:
    """Names and versions of the software in use."""
    versions = {"python": platform.python_version()}
    for name in SOFTWARE:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def lab_version() -> str:
    """Of the installed package; of a checkout that is not installed, as its pyproject.toml has it."""
    try:
        return version("priorlab")
    except PackageNotFoundError:
        project = Path(__file__).resolve().parents[2] / "pyproject.toml"
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]


def git_commit() -> str | None:
    """The commit of the checkout that this file is in; None if it is in none."""
    answer = git("rev-parse", "HEAD")
    return answer.strip() if answer else None


def changed_files(*folders: str) -> list[str]:
    """Files in these folders of the checkout that its commit does not hold as they are."""
    return [line[3:] for line in (git("status", "--porcelain", "--", *folders) or "").splitlines()]


def git(*words: str) -> str | None:
    """What git prints; None if it fails, or this file is in no checkout."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    try:
        answer = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return answer.stdout if answer.returncode == 0 else None
