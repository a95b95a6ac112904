"""`priorlab apprentice`: it practises from given weights, and refuses what does not fit; the rest is in tests/soak."""

from priorlab.agents.apprentice import Shape, new_network, save_network
from priorlab.scripts.run import run
from tests.support.commands import refused

QUICK = [
    "--lives", "2", "--held-out-lives", "1", "--levels", "small", "--screen-size", "24", "--features", "8",
    "--frame-skip", "2", "--watched", "2", "--games", "2", "--steps", "8", "--minibatches", "1", "--passes", "0.2",
    "--decisions", "32", "--places", "2", "--plays", "1", "--study-plays", "1", "--play-limit", "8", "--device", "cpu",
]  # fmt: skip


def test_it_practises_from_given_weights_and_refuses_others(tmp_path):
    shape = Shape(24, 2, 8)
    save_network(new_network(shape), shape, tmp_path / "start.safetensors", {})
    words = [*QUICK, "--start", str(tmp_path / "start.safetensors"), "--out", str(tmp_path / "a")]
    run("apprentice", [*words, "--until", "practise"])
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "config.json", "practice.csv", "practised.safetensors",
    }  # fmt: skip
    said = refused("apprentice", *words[:-1], str(tmp_path / "b"), "--frame-skip", "3")
    assert said.endswith("start.safetensors: frame_skip is 2: expected 3, as in the settings")
    assert not (tmp_path / "b").exists()
    assert "minibatches is 3: expected a divisor of games, 2" in refused("apprentice", *QUICK, "--minibatches", "3")
