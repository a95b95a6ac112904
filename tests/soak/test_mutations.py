"""A log damaged in a thousand random ways: refused in one line, or a truthful beginning, and never anything else."""

from collections import Counter
from pathlib import Path

import numpy as np

from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.data.recorder import Recorder
from tests.envs.test_sessions import feed
from tests.support.damage import damaged, told


def test_a_thousand_mutations(tmp_path: Path):
    recorder = Recorder.create(tmp_path, study="s")
    for game in ("princess", "key_door"):
        recorder.begin(ChosenGame(game), 200)
        feed(recorder, "".join(np.random.default_rng(1).choice(list(".lrjud"), 200)))
        recorder.note("answer", sync=True, question="knew", answer="nein, \u00fcberhaupt nicht")
    recorder.finish()
    whole = recorder.path.read_bytes()
    path = tmp_path / "damaged" / recorder.path.name
    path.parent.mkdir()
    found = Counter()
    for seed in range(1000):
        path.write_bytes(damaged(whole, seed))
        found[told(path, recorder.path)] += 1
    print(dict(found))
    assert sum(found.values()) == 1000 and set(found) == {"refused", "a beginning"}
