"""`priorlab priors`: what was fixed, the order of its plan, and rows that nobody changes unseen."""

import csv
import json
import re
import shutil
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from priorlab.agents.priors import raising
from priorlab.agents.priors.lives import LIMIT
from priorlab.agents.priors.perception import Perception
from priorlab.agents.priors.settings import Architecture
from priorlab.agents.priors.weights import digest, save
from priorlab.envs.game.versions import find_version
from priorlab.scripts.lecture import lives_beside
from priorlab.scripts.priors import experiment
from priorlab.scripts.priors.fixed import check_known, check_settings, fix, read_experiment, read_fixed
from priorlab.scripts.priors.plan import Chosen, Life, drawing_of, level_of, planned, seed_of
from priorlab.scripts.priors.playing import Where, play
from priorlab.scripts.priors.recorded import read_recorded
from priorlab.scripts.priors.request import FOLDERS
from priorlab.scripts.priors.sealed import sealed_rows
from priorlab.scripts.run import run
from priorlab.scripts.study.committed import committed_lives
from tests.support.paths import ROOT
from tests.support.priors_rows import write_sealed

SMALL = {"pictures": 4, "batch_size": 2, "width": 16, "levels": "small"}
TRIAL = {  # on small random levels
    "limit": 40,
    "pictures": 4,
    "places": ["small-004"],
    "versions": ["original", "masked_similarity"],
    "groups": [{"seeds": 1, "lives": 2, "players": ["told"]}, {"seeds": 1, "lives": 2, "players": ["tiny", "random"]}],
    "players": {
        "told": {"kind": "told"},
        "tiny": {"raised": SMALL},
        "random": {"kind": "random"},
    },
}
AGAIN = ("seconds", "commit", "check")  # columns that differ when a life is lived again


class Here(Executor):
    """Does jobs in this process, at once."""

    def __init__(self, workers: int):
        pass

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class Killed(Here):
    """Whose process is killed in the middle of the second job."""

    left = 1

    def submit(self, fn, /, *args, **kwargs):
        if self.left < 0:
            raise BrokenProcessPool
        self.left -= 1
        future = super().submit(fn, *args)
        return future if self.left >= 0 else failed(BrokenProcessPool())


def failed(error: Exception) -> Future:
    future = Future()
    future.set_exception(error)
    return future


def begun(folder: Path) -> Path:
    fix(folder, TRIAL, "0" * 64, "c0ffee")
    return folder


def play_on(folder: Path, again: bool = False, **chosen) -> list[str]:
    """A line for each job that failed."""
    where = Where(folder, folder / "raised", folder / "none", "c0ffee")
    return play(read_fixed(folder), where, Chosen(**chosen), Console(quiet=True), workers=1, again=again, pool=Here)


def played(folder: Path, again: bool = False, **chosen) -> list[dict[str, str]]:
    assert not play_on(folder, again, **chosen)
    return list(sealed_rows(folder, read_fixed(folder).hash))


def told_rows(folder: Path) -> list[str]:
    """The lines of a short recording."""
    played(begun(folder), players=("random",))
    return (folder / "lives.csv").read_text().splitlines()


def test_it_resumes_and_gives_the_rows_of_one_go(tmp_path):
    whole = played(begun(tmp_path / "a"))
    played(begun(tmp_path / "b"), versions=("original",), lives=1)
    with (tmp_path / "b" / "lives.csv").open("a") as file:
        file.write("told,0,small-004,mask")  # as a process that is killed leaves it
    resumed = played(tmp_path / "b")
    assert len(whole) == 2 * 2 * 3
    same = [sorted([*((k, v) for k, v in row.items() if k not in AGAIN)] for row in rows) for rows in (whole, resumed)]
    assert same[0] == same[1]
    first, second = ((tmp_path / each / "perception.csv").read_text() for each in "ab")
    assert sorted(first.splitlines()) == sorted(second.splitlines()) and "tiny,0,small-004,original,0,goal,1,0" in first
    [raised] = csv.DictReader((tmp_path / "a" / "raised.csv").read_text().splitlines())
    assert raised["weights"] in (tmp_path / "b" / "raised.csv").read_text()
    assert {row["weights"] for row in whole if row["player"] == "tiny"} == {raised["weights"][:12]}
    assert played(tmp_path / "b") == resumed


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda lines: [*lines[:2], lines[2].replace("random,0", "random,1"), *lines[3:]], 3),
        (lambda lines: [*lines[:2], *lines[3:]], 3),
        (lambda lines: [*lines[:3], lines[4], lines[3]], 4),
    ],
    ids=["changed", "dropped", "moved"],
)
def test_a_row_that_was_changed_dropped_or_moved_is_named(tmp_path, damage, line):
    lines = told_rows(tmp_path)
    (tmp_path / "lives.csv").write_text("\n".join([*damage(lines), ""]))
    with pytest.raises(ValueError, match=rf"lives.csv, line {line}: its check is '\w+', expected '\w+'"):
        played(tmp_path)


def test_every_reader_of_lives_refuses_a_row_that_was_changed(tmp_path, monkeypatch):
    rows = [(player, 0, "princess", "original", 0, 120) for player in ("full", "told", "matrix-full")]
    write_sealed(
        tmp_path / "priors", pd.DataFrame(rows, columns=["player", "seed", "place", "version", "life", "inputs"])
    )
    monkeypatch.setattr(lives_beside, "KEPT", tmp_path / "priors")
    readers = (
        lambda: read_recorded(tmp_path / "priors").lives,
        lambda: committed_lives("princess", ["original"], tmp_path),
        lives_beside.beside,
    )
    assert [len(reader()) for reader in readers] == [3, 1, 2]
    path = tmp_path / "priors" / "lives.csv"
    path.write_text(path.read_text().replace("told,0,princess,original,0,0,120", "told,0,princess,original,0,0,110"))
    for reader in readers:
        with pytest.raises(ValueError, match=r"lives\.csv, line 3: its check is"):
            reader()


def test_what_was_fixed_can_be_changed_neither_before_nor_after_the_first_row(tmp_path):
    told_rows(tmp_path)
    with pytest.raises(ValueError, match="holds lives"):
        fix(tmp_path, TRIAL, "0" * 64, "c0ffee")
    path = tmp_path / "fixed.json"
    text = path.read_text()
    path.write_text(text.replace('"limit": 40', '"limit": 50'))
    with pytest.raises(ValueError, match=r"line 2: .* or fixed\.json was changed"):
        played(tmp_path)
    path.write_text(text.replace('"maps": 6', '"maps": 7').replace('"patience": 4,', ""))
    with pytest.raises(ValueError, match="player 'told': patience was fixed as None, and is 4 in this code"):
        played(tmp_path)
    path.unlink()
    with pytest.raises(SystemExit, match=r"fixed\.json: no such file: expected `priorlab priors --fix`"):
        run("priors", ["--out", str(tmp_path)])


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_this_code_has_the_settings_with_which_committed_lives_were_played(folder):
    fixed = read_fixed(ROOT / folder)
    check_settings(folder, fixed)
    learned = next(player for player in fixed.players.values() if player.learned)
    with pytest.raises(ValueError, match="share_alike was fixed as"):
        check_known("here", replace(learned, plays=learned.plays | {"share_alike": 0.5}), fixed.commit)


def test_the_plan_is_balanced_and_complete(tmp_path):
    fix(tmp_path, plan := read_experiment("knowledge"), "0" * 64, "c0ffee")
    fixed = read_fixed(tmp_path)
    lives = list(planned(fixed))
    assert len(lives) == len({*lives}) == json.loads((tmp_path / "fixed.json").read_text())["planned"]
    assert [life.life for life in lives] == sorted(life.life for life in lives)
    assert {life.player for life in lives} == {*plan["players"]} == {*fixed.players}
    first = list(dict.fromkeys((life.player, life.seed) for life in lives if life.life == 0))
    assert first[:4] == [("full", 0), ("told", 0), ("full", 1), ("told", 1)]
    assert [player for player, seed in first[10:15]] == [*(f"without-{dial}" for dial in (
        "semantics", "objects", "affordance", "similarity")), "matrix-full"]  # fmt: skip
    assert fixed.limit == LIMIT and fixed.players["told"].given == ("roles", "rules", "patrols", "upright")
    assert not fixed.players["no-objects"].player_settings().prefer_objects
    for place in fixed.places:
        assert all(find_version(level_of(place).game, version) for version in fixed.versions)


def test_a_replication_shares_neither_training_seeds_nor_drawings_with_the_first_experiment(tmp_path):
    plans = []
    for name in ("knowledge", "replication"):
        fix(tmp_path / name, read_experiment(name), "0" * 64, "c0ffee")
        fixed = read_fixed(tmp_path / name)
        own = [life for life in planned(fixed) if life.player == "matrix-full" and life.version == "masked_objects"]
        plans.append(({life.seed for life in own}, {drawing_of(fixed, life) for life in own}))
        assert {life.seed for life in planned(fixed, Chosen(seeds=2, players=("matrix-full",)))} == {
            *sorted(plans[-1][0])[:2]
        }
    (seeds, drawings), (new_seeds, new_drawings) = plans
    assert seeds == {*range(10)} and new_seeds == {*range(10, 15)}
    assert len(new_drawings) == 3 * 12 and not drawings & new_drawings  # the original and masked semantics have none


def test_seeds_follow_from_the_hash_of_the_weights(tmp_path):
    for name in "ab":
        fix(tmp_path / name, TRIAL, name * 64, "c0ffee")
    a, b = (read_fixed(tmp_path / name) for name in "ab")
    told, other = (
        Life("told", 0, "small-004", "masked_similarity", 0),
        Life("tiny", 3, "small-004", "masked_similarity", 0),
    )
    assert drawing_of(a, told) == drawing_of(a, other) != drawing_of(b, told)
    assert len({seed_of(each, life) for each in (a, b) for life in (told, other, told._replace(life=1))}) == 6
    assert drawing_of(a, told._replace(version="original")) == 0 != drawing_of(a, told._replace(life=1))


def test_what_it_can_not_stand_for_is_refused_in_one_line(tmp_path, monkeypatch):
    weights = tmp_path / "full.safetensors"
    save(Perception(Architecture(width=16)), weights, {})
    monkeypatch.setattr(experiment, "git_commit", lambda: "c0ffee")
    monkeypatch.setattr(experiment, "changed_files", lambda *folders: [])
    words = ["--out", str(tmp_path / "out"), "--weights", str(weights)]
    run("priors", ["--fix", *words])
    assert json.loads((tmp_path / "out" / "fixed.json").read_text())["weights"] == digest(weights)
    with pytest.raises(SystemExit, match=r"fixed\.json exists"):
        run("priors", ["--fix", *words])
    with pytest.raises(SystemExit, match="experiment knowledge was fixed there: expected --experiment knowledge"):
        run("priors", ["--experiment", "limits", "--report-only", *words])
    with pytest.raises(SystemExit, match="unknown player 'nobody': expected one of full, told"):
        run("priors", ["--players", "nobody", *words])
    with pytest.raises(SystemExit, match="seeds is 11: expected 1 to 10"):
        run("priors", ["--seeds", "11", *words])
    monkeypatch.setattr(experiment, "changed_files", lambda *folders: [f"{folders[0]}/priors/player.py"])
    with pytest.raises(SystemExit, match=r"agents/priors/player\.py is changed, or not committed"):
        run("priors", words)
    monkeypatch.setattr(experiment, "changed_files", lambda *folders: [])
    weights.unlink()
    save(Perception(Architecture(width=24)), weights, {})
    with pytest.raises(SystemExit, match=rf"{re.escape(str(weights))}: its SHA-256 begins with \w+, and \w+ was fixed"):
        run("priors", words)


def test_on_another_machine_what_was_raised_before_waits_for_its_file(tmp_path):
    rows = played(begun(tmp_path), players=("tiny",), versions=("original",), lives=1)
    path = tmp_path / "raised" / "tiny" / "seed_0" / "perception.safetensors"
    weights = path.read_bytes()
    path.unlink()
    assert played(tmp_path, players=("tiny",)) == rows and not path.exists()
    path.write_bytes(weights)
    assert len(played(tmp_path, players=("tiny",))) == 4


def test_a_player_whose_file_is_missing_can_be_raised_again(tmp_path):
    played(begun(tmp_path), players=("tiny",), versions=("original",), lives=1)
    shutil.rmtree(tmp_path / "raised")
    assert len(played(tmp_path, again=True, players=("tiny",), lives=1)) == 2
    recorded = (tmp_path / "raised.csv").read_text()
    assert recorded.count("tiny") == 1


def test_a_player_that_is_raised_again_and_is_another_one_is_kept_aside_and_not_played(tmp_path, monkeypatch):
    rows = played(begun(tmp_path), players=("tiny",), versions=("original",), lives=1)
    folder = tmp_path / "raised" / "tiny" / "seed_0"
    folder.rename(tmp_path / "elsewhere")
    with monkeypatch.context() as patch:
        patch.setattr(raising, "DECAY", 0.5)  # so raises another player, as another kind of processor does
        [line] = play_on(tmp_path, again=True, players=("tiny",))
    [aside] = folder.parent.iterdir()
    assert line.endswith(f"moved to {aside}") and (aside / "perception.safetensors").exists()
    assert played(tmp_path, again=True, players=("tiny",)) == rows
    aside.rename(folder)  # as a command leaves it that is killed between raising and putting aside
    assert played(tmp_path, again=True, players=("tiny",)) == rows and aside.exists()
    shutil.copytree(aside, folder)
    with pytest.raises(FileExistsError, match="hold the same player: expected one of them"):
        play_on(tmp_path, again=True, players=("tiny",))
    shutil.rmtree(folder)
    (tmp_path / "elsewhere").rename(folder)
    assert len(played(tmp_path, players=("tiny",))) == 4


def test_a_process_that_is_killed_ends_the_command_in_one_line(tmp_path):
    fixed = read_fixed(begun(tmp_path))
    where = Where(tmp_path, tmp_path / "raised", tmp_path / "none", "c0ffee")
    with pytest.raises(ChildProcessError, match="a process was killed"):
        play(fixed, where, Chosen(players=("random",)), Console(quiet=True), workers=1, pool=Killed)
    assert len(list(sealed_rows(tmp_path, fixed.hash))) == 1
    assert len(played(tmp_path, players=("random",))) == 4


def test_a_player_raised_on_another_machine_is_refused(tmp_path):
    played(begun(tmp_path), players=("tiny",), versions=("original",))
    table = tmp_path / "raised.csv"
    rows = table.read_text()
    table.write_text(rows.replace("tiny,0,", "tiny,none,"))
    with pytest.raises(ValueError, match=r"raised\.csv.*none"):
        played(tmp_path)
    table.write_text(rows)
    path = tmp_path / "raised" / "tiny" / "seed_0" / "perception.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(ValueError, match=r"of tiny, seed 0 in .* was raised on another machine; expected a copy"):
        played(tmp_path)
