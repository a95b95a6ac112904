"""What only a GPU can show of an apprentice: it plays, imitates and practises there as on the CPU, and resumes."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from priorlab.agents.apprentice import cloning, practice
from priorlab.agents.apprentice.cloning import Cloning, agreement
from priorlab.agents.apprentice.lessons import Watching, lesson_of
from priorlab.agents.apprentice.network import load_network, new_network, save_network, shape_of
from priorlab.agents.apprentice.practice import Practice
from priorlab.agents.apprentice.settings import ApprenticeSettings
from tests.agents.test_apprentice import a_life_that_wins, a_life_with_deaths, life, stop_at
from tests.support.apprentice import plays_alike
from tests.support.gpu import alike

pytestmark = pytest.mark.skipif(
    find_spec("numba_cuda") is None or not torch.cuda.is_available(), reason="needs numba-cuda and a GPU"
)
GPU = torch.device("cuda")
SETTINGS = ApprenticeSettings(
    watched=32, games=64, steps=16, places=20, passes=20, decisions=64 * 16 * 6, life_limit=200, levels="small",
    device="cuda",
)  # fmt: skip


def lessons():
    return [lesson_of(each, 2, 0.9) for each in (a_life_with_deaths(), a_life_that_wins(), life(4), life(5))]


def test_plays_are_the_cpus():
    assert plays_alike(64, 60) > 10


def test_it_watches_the_same_as_on_the_cpu():
    cpu, gpu = (Watching(lessons(), 32, 84, device, 3, 0.5) for device in (torch.device("cpu"), GPU))
    for _ in range(12):
        for ours, theirs in zip(cpu.chunk(16), gpu.chunk(16)):
            alike(ours, theirs)


def test_it_imitates_on_a_gpu_and_the_file_reads_the_same_on_the_cpu(tmp_path: Path):
    """Within what bfloat16 rounds."""
    work = Cloning(replace(SETTINGS, passes=200), lessons(), GPU)
    network = work.run()
    assert work.rows[-1].loss < 0.8 * work.rows[0].loss
    save_network(network, shape_of(SETTINGS), tmp_path / "a.safetensors", {})
    on_cpu = load_network(tmp_path / "a.safetensors")[0]
    ours, theirs = (agreement(each, SETTINGS, lessons(), lessons()) for each in (on_cpu, network))
    assert theirs.loss == pytest.approx(ours.loss, rel=0.05) and theirs.decisions == ours.decisions


@pytest.mark.parametrize("kind", ["cloning", "practice"])
def test_stopped_on_a_gpu_it_ends_with_the_same_weights(kind: str, tmp_path: Path, monkeypatch):
    for module in (cloning, practice):
        monkeypatch.setattr(module, "SAVE_SECONDS", -1.0)
    monkeypatch.setattr(cloning, "REPORT_EVERY", 2)

    def work(folder: Path | None = None) -> Cloning | Practice:
        if kind == "cloning":
            return Cloning(SETTINGS, lessons(), GPU, folder)
        return Practice(SETTINGS, new_network(shape_of(SETTINGS)).to(GPU), folder)

    whole = work().run()
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path).run(stop_at(4))
    resumed = work(tmp_path).run()
    for name, values in whole.state_dict().items():
        assert torch.equal(values, resumed.state_dict()[name]), name


def test_what_it_learns_from_on_a_gpu_is_what_it_did():
    """The probabilities and values of complete sequences are those at which they were played."""
    practising = Practice(SETTINGS, new_network(shape_of(SETTINGS)).to(GPU))
    for number in range(2):
        memory = practising.memory
        lived = practising.collect(np.random.default_rng(number))
    batch = practising.rollout.samples(torch.arange(64, device=GPU), memory)
    with torch.no_grad():
        values, logs, _ = practising.network.evaluate_actions(batch.observations, batch.actions)  # type: ignore[arg-type]
    assert torch.allclose(values.flatten(), batch.old_values, atol=0.02)  # in bfloat16, in batches of other sizes
    assert torch.allclose(logs, batch.old_log_prob, atol=0.02)
    assert lived[3] and (practising.rollout.continues == 0).sum() == lived[0]
