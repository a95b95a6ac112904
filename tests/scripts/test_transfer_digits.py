"""Digits learned task after task: the command, its rows and its page."""

import io
import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

from priorlab.envs.base.files import write_whole
from priorlab.envs.base.locks import hold, release
from priorlab.scripts.commands.transfer import main
from priorlab.scripts.running.side_by_side import side_by_side
from priorlab.scripts.sequences import runs as sequence_runs
from priorlab.scripts.sequences.measures import better, measured, runs_of
from priorlab.scripts.sequences.page import write_transfer
from priorlab.scripts.sequences.readme import readme_of
from priorlab.scripts.sequences.runs import COLUMNS, LOCK, Request, Tables, file_of, gather, learn, learn_missing
from priorlab.transfer.digits import SIDE, permuted_digits, read_digits, rotating_digits
from tests.support.jobs import divide, end_itself, threads_told

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"tasks": 3, "steps": 12, "units": 32, "seeds": 2}


def test_the_tasks_hold_the_same_digits():
    digits = read_digits().inputs
    first, second = (problem.view(digits) for problem in permuted_digits(2, seed=0))
    assert torch.equal(first, digits) and not torch.equal(first, second)
    assert torch.equal(first.sort(dim=1).values, second.sort(dim=1).values)
    assert torch.equal(permuted_digits(2, seed=0)[1].view(digits), second)
    assert not torch.equal(permuted_digits(2, seed=1)[1].view(digits), second)
    assert len({id(problem.inputs) for problem in permuted_digits(20, seed=0)}) == 1  # twenty tasks, one set of digits


def test_a_quarter_turn_is_a_quarter_turn():
    digits = read_digits().inputs
    turned = rotating_digits(4, seed=0)[1].view(digits).reshape(-1, SIDE, SIDE)
    upright = digits.reshape(-1, SIDE, SIDE)
    torch.testing.assert_close(turned, torch.rot90(upright, 1, (1, 2)), rtol=1e-3, atol=1e-3)


def test_a_fifth_of_the_digits_is_held_out():
    problem = read_digits()
    assert (len(problem.labels), len(problem.test_labels)) == (1438, 359)
    assert abs(float(problem.inputs.mean())) < 1e-4 and abs(float(problem.inputs.std()) - 1) < 1e-4


def test_a_network_of_each_tasks_own_learns_as_if_it_were_alone(tmp_path):
    """Whatever the optimizer would carry over."""
    points = []
    for keep_optimizer in (False, True):
        settings = Request(methods=("finetune",), tasks=2, steps=30, units=32, keep_optimizer=keep_optimizer).settings
        points.append(learn("separate", 0, settings, tmp_path)["points"])
    assert points[0] == points[1]


def test_tasks_that_are_met_are_aligned_here_too(tmp_path):
    settings = Request(methods=("finetune",), tasks=2, steps=30, units=32).settings
    plain, aligned = (learn(method, 0, settings, tmp_path)["points"] for method in ("means", "means:start=aligned"))
    assert [a for a in plain if a[0] == 0] == [b for b in aligned if b[0] == 0]  # there is nothing yet to align with
    assert plain != aligned


def test_columns_tell_how_much_they_look_at_others(tmp_path):
    settings = Request(methods=("finetune",), tasks=2, steps=30, units=32).settings
    first, second = (each["others"] for each in learn("progressive", 0, settings, tmp_path)["learned"])
    assert first is None and 0 < second < 1
    assert [each["others"] for each in learn("psp", 0, settings, tmp_path)["learned"]] == [None, None]


def test_the_command_goes_on_where_it_was_and_writes_its_page(tmp_path, monkeypatch):
    request = Request(methods=("finetune", "psp+ewc"), out=tmp_path, workers=1, **SMALL)
    with monkeypatch.context() as here:  # in this process; the command's own runs below are learned in another
        here.setattr(sequence_runs, "side_by_side", lambda work, jobs, *_: ((job, work(*job)) for job in jobs))
        learn_missing(Request(methods=("finetune",), out=tmp_path, workers=1, **{**SMALL, "seeds": 1}))
    file = next((tmp_path / "permuted-digits" / "runs" / "finetune").glob("seed_0.json"))
    before = file.stat().st_mtime_ns
    main(request)
    assert file.stat().st_mtime_ns == before
    points, _, runs = Tables.read(tmp_path / "permuted-digits")
    assert sorted(zip(runs["method"], runs["seed"])) == sorted(
        (name, seed) for name in ("finetune", "psp+ewc", "separate") for seed in range(2)
    )
    again = learn("finetune", 1, request.settings, tmp_path)
    mine = points[(points["method"] == "finetune") & (points["seed"] == 1)]
    assert np.allclose(mine["performance"], [point[3] for point in again["points"]], atol=1e-6)
    page = (tmp_path / "permuted-digits" / "report.html").read_text(encoding="utf-8")
    assert "After 3 tasks, psp + ewc retains" in page and "<script" not in page and "src=" not in page
    assert "psp + ewc" in (tmp_path / "permuted-digits" / "README.md").read_text(encoding="utf-8")
    for path in (tmp_path / "permuted-digits" / "runs").rglob("*.json"):
        path.unlink()  # what git ignores
    assert len(gather(request.folder, request.settings).runs) == 6
    learn_missing(request)
    assert not list((tmp_path / "permuted-digits" / "runs").rglob("*.json"))
    with pytest.raises(ValueError, match="tasks = 3, not 4"):
        learn_missing(Request(out=tmp_path, **SMALL | {"tasks": 4}))


def test_settings_can_be_chosen_on_seeds_that_are_not_reported():
    runs = Request(methods=("psp",), first_seed=100, seeds=2).runs()
    assert runs == [("separate", 100), ("psp", 100), ("separate", 101), ("psp", 101)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sequence": "hard"}, "unknown sequence 'hard': expected one of permuted-digits"),
        ({"methods": ("ewc:strength=-1",)}, "strength is -1"),
        ({"methods": ("head-only",)}, "expected separate heads for each task"),
        ({"methods": ("ewc:strength=strong",)}, "method ewc: strength is 'strong': expected a number"),
        ({"methods": ("ewc:strength=true",)}, "strength is True: expected a number"),
        ({"methods": ("progressive:width=2.5",)}, "width is 2.5: expected a whole number"),
        ({"methods": ("psp+ewc", "ewc+psp")}, "methods psp.ewc and ewc.psp are the same"),
        ({"tasks": 300}, "tasks is 300: expected less than 255 to be packed"),  # by a method that was not told
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"first_seed": -1}, "first_seed must be at least 0, got -1"),
        ({"inputs": 9}, "permuted-digits has no setting inputs, got 9"),
        ({"data": "letters"}, "data is 'letters': expected one of digits"),
    ],
)
def test_what_cannot_be_learned_is_said_first(settings, words):
    with pytest.raises(ValueError, match=words):
        Request(**settings)
    try:
        import torchvision  # noqa: F401
    except ImportError:
        with pytest.raises(ValueError, match="expected torchvision"):
            Request(data="mnist")
    with pytest.raises(ValueError, match="no runs yet: run without --report-only"):
        main(Request(report_only=True, out=Path("nowhere")))


def planted(performances):
    """Tables of methods whose matrices are these."""
    points, tasks, runs = [], [], []
    for method, matrices in performances.items():
        for seed, matrix in enumerate(matrices):
            for learning, row in enumerate(matrix):
                points.append([method, seed, learning, 0.0, learning, 0.0])
                points += [[method, seed, learning, 1.0, task, value] for task, value in enumerate(row)]
                tasks.append([method, seed, learning, 0.1 * learning, 5.0, np.nan, np.nan, np.nan])
            runs.append([method, seed, 1e6, "", ""])
    return Tables(*(pd.DataFrame(each, columns=names) for each, names in zip((points, tasks, runs), COLUMNS.values())))


def test_the_table_says_what_was_planted(tmp_path):
    forgets, keeps = [[1.0, 0.0], [0.2, 1.0]], [[1.0, 0.0], [1.0, 1.0]]
    restored = [[0.8, 0.0], [0.7, 0.8]]
    rows = planted({"finetune": 5 * [forgets], "separate": 5 * [keeps], "psp": 5 * [[[0.8, 0.0], [0.8, 0.8]]],
                    "means": 5 * [restored]})  # fmt: skip
    found = measured(runs_of(rows))
    assert found["finetune"]["performance"].value == pytest.approx(0.6)
    assert found["finetune"]["forgetting"].value == pytest.approx(0.4)
    assert found["psp"]["forward"].value == pytest.approx((0.4 - 0.5) / 0.5)
    assert found["separate"]["better"].value == 0.75 and "forward" not in found["separate"]  # one task of two, one tie
    settings = {"sequence": "permuted-digits", "tasks": 2}
    text = write_transfer(tmp_path, rows, settings).read_text(encoding="utf-8")
    assert "After 2 tasks, psp retains 80.0\N{NO-BREAK SPACE}%, fine-tuning 60.0\N{NO-BREAK SPACE}%" in text
    assert "recovers 37.5 (37.5 to 37.5) % of what finetune forgot." in text  # psp was not run with restored means
    assert "<td><b>75</b></td>" in text  # separate against fine-tuning
    assert "changes earlier tasks by -80.0 (-80.0 to -80.0) points" in text
    assert "<td>20.0 (20.0 to 20.0)</td><td>100.0 (100.0 to 100.0)</td>" in text  # fine-tuning's two tasks
    assert "band over runs" in text
    many = planted({each: 2 * [keeps] for each in ("finetune", "separate", "psp", "ewc", "l2", "packing", "means")})
    assert "means over runs; the next figure has the intervals" in write_transfer(tmp_path, many, settings).read_text(
        "utf-8"
    )
    summary = (tmp_path / "README.md").read_text("utf-8")
    assert summary.startswith("# Permuted digits\n\n**After 2 tasks, ") and "FINDINGS" not in summary
    (tmp_path / "FINDINGS.md").write_text("What people wrote.", encoding="utf-8")
    assert "(FINDINGS.md)" in readme_of(tmp_path, many, settings)


def test_a_sequence_of_one_task_has_a_page_too(tmp_path):
    text = write_transfer(tmp_path, planted({"finetune": 2 * [[[0.8]]], "separate": 2 * [[[0.8]]]}),
                          {"sequence": "permuted-digits", "tasks": 1}).read_text("utf-8")  # fmt: skip
    assert "fine-tuning retains 80.0" in text and "changes earlier tasks" not in text


def test_a_single_run_of_a_few_methods_has_a_page_that_says_so(tmp_path):
    goes_on, alone = [[0.8, 0.2], [0.9, 1.0]], [[0.8, 0.0], [0.8, 0.6]]
    settings = {"sequence": "atari_masks", "names": ["none", "colours"], "tasks": 2}
    text = write_transfer(tmp_path, planted({"finetune": [goes_on], "separate": [alone]}), settings).read_text("utf-8")
    assert not any(f"{what} over runs" in text for what in ("band", "means", "intervals"))
    assert "One Atari game in each mask, the first 2 of them: 1" in text
    assert "After 2 tasks, fine-tuning retains 95.0" in text and "separate networks 70.0" in text
    assert "changes earlier tasks by +10.0 points" in text
    assert "faster than alone is inconclusive: forward transfer +28.6 %." in text  # areas .5 and .3


def test_a_stop_between_the_files_leaves_no_run_twice(tmp_path):
    """``runs.csv`` is written last, and says what counts."""
    folder = tmp_path / "permuted-digits"
    folder.mkdir()
    rows = planted({"finetune": 2 * [[[1.0, 0.0], [0.2, 1.0]]], "separate": [[[1.0, 0.0], [1.0, 1.0]]]})
    rows.write(folder)
    torn = Tables(rows.points, rows.tasks, rows.runs[rows.runs["method"] == "finetune"])
    (folder / "runs.csv").write_text(torn.runs.to_csv(index=False), encoding="utf-8")
    whole = Tables.read(folder).complete()
    assert [len(table) for table in whole] == [12, 4, 2] and len(rows.points) == 18
    assert set(whole.points["method"]) == {"finetune"}


def test_two_processes_do_not_add_runs_to_one_folder(tmp_path):
    request = Request(methods=("finetune",), out=tmp_path, workers=1, **{**SMALL, "seeds": 1})
    request.folder.mkdir()
    lock = hold(request.folder / LOCK, "taken")
    with pytest.raises(OSError, match="permuted-digits: another process is adding runs here"):
        learn_missing(request)
    write_whole(request.folder / "settings.json", json.dumps(request.settings))
    file = file_of(request.folder, "finetune", 0)
    file.parent.mkdir(parents=True)
    run = learn("finetune", 0, request.settings | {"tasks": 1, "steps": 1}, tmp_path)
    write_whole(file, json.dumps(run | {"settings": request.settings}))
    assert len(gather(request.folder, request.settings).runs) == 1 and not (request.folder / "runs.csv").exists()
    release(lock)
    assert len(gather(request.folder, request.settings).runs) == 1 and (request.folder / "runs.csv").exists()


def test_one_run_that_fails_stops_no_other(tmp_path):
    finished, told = [], Console(file=io.StringIO(), record=True)
    with pytest.raises(ValueError, match="1 of 3 failed; the others were recorded: zero, 0: division by zero"):
        for job, answer in side_by_side(divide, [("one", 1), ("zero", 0), ("two", 2)], 1, "all", told):
            finished.append((job, answer))
    assert sorted(finished) == [(("one", 1), 1.0), (("two", 2), 0.5)]
    assert "Failed: zero, 0: division by zero" in told.export_text()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_process_that_is_killed_ends_the_command_in_one_line():
    told = Console(file=io.StringIO(), record=True)
    with pytest.raises(ChildProcessError, match="a process was killed, perhaps for lack of memory"):
        list(side_by_side(end_itself, [("one",), ("two",)], 1, "all", told))
    assert "Failed" not in told.export_text()


def test_each_process_computes_on_one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    [(_, told)] = side_by_side(threads_told, [("OMP", "OPENBLAS")], 1, "all")
    assert told == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "2" and "OPENBLAS_NUM_THREADS" not in os.environ


def test_forward_transfer_is_as_uncertain_as_what_it_is_held_against():
    first, second = [[0.0, 0.0], [0.0, 0.4]], [[0.0, 0.0], [0.0, 0.8]]
    same = planted({"finetune": [first, second, first], "separate": [first, second, first]})
    found = measured(runs_of(same))["finetune"]["forward"]
    assert (found.value, found.low, found.high) == (0, 0, 0)  # what is the same, seed by seed, differs in no resample
    noisy = planted({"finetune": 3 * [first], "separate": [first, second, first]})
    told = measured(runs_of(noisy))["finetune"]["later"]
    assert told.low < told.value < 0 and told.high == pytest.approx(0)


def test_ties_count_half():
    runs = [[[[1.0, 0.0], [1.0, task]], [[1.0, 0.0], [1.0, 1.0]]] for task in (0.5, 1.0)]  # the second task differs
    here, there = runs_of(planted({"psp": runs[0], "finetune": runs[1]}))
    assert better(there, here).value == pytest.approx((0.5 + 0.75) / 2)  # on average over tasks
