"""What the room offers by name, and that only its window needs pygame."""

import subprocess
import sys
from inspect import getdoc

from priorlab import human_study
from tests.support.paths import ROOT

WITHOUT_PYGAME = """
import sys
from importlib import import_module

sys.modules["pygame"] = None  # importing it fails
for name in sys.argv[1:]:
    import_module(name)
"""


def test_every_public_name_exists_and_is_documented():
    for name in human_study.__all__:
        assert name == "STATES" or getdoc(getattr(human_study, name)), name
    assert set(human_study.__all__) == set(dir(human_study))


def test_only_the_window_needs_pygame():
    """A browser can use the rest: studies, pages as data, recordings."""
    paths = [path for path in (ROOT / "human_study").rglob("*.py") if path.parent.name != "window"]
    names = [".".join(("priorlab", *path.relative_to(ROOT).with_suffix("").parts)) for path in paths]
    assert len(names) > 20
    subprocess.run([sys.executable, "-c", WITHOUT_PYGAME, *names], check=True)
