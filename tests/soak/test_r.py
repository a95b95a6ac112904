"""R, where it is installed, still finds the numbers that tests/scripts/test_r.py holds ours against."""

import json
import shutil
import subprocess

import pytest

from tests.scripts.test_r import HERE, THEIRS


def leaves(found, name=""):
    """Every number, with where it stands."""
    if isinstance(found, dict):
        return {key: value for each in found for key, value in leaves(found[each], f"{name}/{each}").items()}
    if isinstance(found, list):
        return {key: value for i, each in enumerate(found) for key, value in leaves(each, f"{name}/{i}").items()}
    return {name: found}


def test_r_finds_the_same_numbers_anew():
    if not shutil.which("Rscript"):
        pytest.skip("no Rscript: expected R with its recommended packages survival and MASS")
    done = subprocess.run(["Rscript", HERE / "numbers.R"], capture_output=True, text=True, check=True)
    anew, kept = leaves(json.loads(done.stdout)), leaves(THEIRS)
    assert anew.keys() == kept.keys()
    print(f"\nmade by {kept.pop('/made_by')}, now by {anew.pop('/made_by')}: {len(kept)} numbers")
    assert anew == pytest.approx(kept, rel=1e-9, abs=1e-12)
