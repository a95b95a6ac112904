"""The page on a raised player's calibration: what it calls not calibrated, and that rows of two players never mix."""

import numpy as np
import pandas as pd
import pytest

from priorlab.scripts.experiments.calibration import TOGETHER, is_off, main, readme_of, unsure_errors
from tests.support.paths import ROOT


def reliability(rng: np.random.Generator, role: str, condition: str, shift: float) -> pd.DataFrame:
    """Bins of 200 independent cells each, true more often by ``shift`` than they say."""
    said = np.arange(0.1, 0.9, 1 / 15)
    true = rng.binomial(200, np.clip(said + shift, 0, 1)) / 200
    return pd.DataFrame(
        {"condition": condition, "share": 0.0, "role": role, "probabilities": 200, "mean": said, "true": true}
    )


def test_what_is_planted_is_found_and_chance_is_not():
    rng = np.random.default_rng(0)
    planted = {("goal", "all 1"): 0.1, ("goal", "all 0"): -0.1}
    cases = [(role, condition) for role in ("free", "goal") for condition in ("all 1", "all 0", "all .5")]
    parts = [reliability(rng, *case, planted.get(case, 0.0)) for case in cases]
    errors = unsure_errors(pd.concat(parts))
    off = is_off(errors)
    assert {case for case in off.index if off[case]} == {*planted}
    assert errors.loc[("goal", "all 1"), "error"] == pytest.approx(0.1, abs=0.03)
    right = errors.loc["free"].drop(TOGETHER)
    assert np.allclose(right["error"], right["chance"], atol=0.02)
    assert errors.loc[("goal", TOGETHER), "count"] == 3 * errors.loc[("goal", "all 1"), "count"]


def test_rows_of_another_player_are_refused(tmp_path):
    rows, out = ROOT / "results" / "raising", tmp_path / "out"
    for folder, weights in (("one", b"1"), ("other", b"2")):
        (tmp_path / folder).mkdir()
        for path in rows.glob("*.csv"):
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
        (tmp_path / folder / "config.json").write_bytes((rows / "config.json").read_bytes())
        (tmp_path / folder / "perception.safetensors").write_bytes(weights)
    main(tmp_path / "one", out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert (out / "README.md").read_text(encoding="utf-8") == readme_of(out)
    with pytest.raises(SystemExit, match=r"is about weights 6b86b273ff34, not d4735e3a265e: expected an empty --out"):
        main(tmp_path / "other", out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    with pytest.raises(SystemExit, match="expected either --raised FOLDER"):
        main(out=out)
