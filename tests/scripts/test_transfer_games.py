"""Games learned one after another: what is kept on the way, what is told, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from priorlab.agents.runs import run_learner as running
from priorlab.envs.game.sequences import Task, find_sequence
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import check_same
from priorlab.scripts.running.budgets import BUDGETS
from priorlab.scripts.sequences import atari, games, lessons
from priorlab.scripts.sequences.page import write_transfer
from priorlab.scripts.sequences.runs import Request, Tables, gather, learn
from priorlab.transfer.keeping import parse

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"sequence": "looks", "tasks": 2, "inputs": 1500, "episodes": 8}


@pytest.fixture(autouse=True)
def few_samples_short_episodes_and_small_networks(monkeypatch):
    shrink(monkeypatch, imitation_batches=8)
    monkeypatch.setattr(lessons, "DECISIONS", 40)
    monkeypatch.setattr(lessons, "MET", 80)


def shrink(monkeypatch, **changed):
    small = {"max_inputs": 200, "screen_size": 24, "features": 64} | changed
    monkeypatch.setattr(games, "BUDGETS", {game: budget | small for game, budget in BUDGETS.items()})


def settings_of(**changed):
    """Of any method: a request tries the network of each of its methods, which takes a moment."""
    return Request(**SMALL | {"methods": ("finetune",)} | changed).settings


def matrix(run, tasks=2):
    found = np.full((tasks, tasks), np.nan)
    for learning, share, task, performance in run["points"]:
        if share == 1:
            found[learning, task] = performance
    return found


@pytest.mark.parametrize("method", ["progressive", "packing"])
def test_what_cannot_be_forgotten_is_played_as_when_it_was_learned(method, tmp_path):
    """Same games, same draws, and, if nothing was forgotten, the same weights: so the same episodes are won."""
    settings = settings_of(sequence="levels", inputs=2500)
    found = matrix(learn(method, 0, settings, tmp_path))
    assert found[0, 0] > 0.5 and found[1, 0] == found[0, 0]


def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(tmp_path, monkeypatch):
    settings = settings_of()
    whole = learn("psp+ewc+means:start=aligned", 3, settings, tmp_path / "whole")
    monkeypatch.setattr(running, "CHECKPOINT_SECONDS", 0.0)  # after each update
    advance, stops = games.advance, [0.3, 0.6]

    def stopping(policy, share):
        advance(policy, share)
        if stops and share > stops[0]:
            stops.pop(0)
            raise KeyboardInterrupt

    monkeypatch.setattr(games, "advance", stopping)
    consolidate, torn = lessons.consolidate, [True]

    def tearing(*given):
        if torn.pop() if torn else False:
            raise KeyboardInterrupt
        consolidate(*given)

    monkeypatch.setattr(lessons, "consolidate", tearing)
    for _ in range(3):  # in the middle of a task twice, then between learning and keeping it
        with pytest.raises(KeyboardInterrupt):
            learn("psp+ewc+means:start=aligned", 3, settings, tmp_path / "stopped")
    again = learn("psp+ewc+means:start=aligned", 3, settings, tmp_path / "stopped")
    assert again["points"] == whole["points"] and again["learned"] == whole["learned"]


def test_what_is_spent_on_meeting_a_task_counts_as_its_inputs(tmp_path):
    settings, method = settings_of(), "means:start=aligned"
    run = learn(method, 0, settings, tmp_path)
    assert [spent_by_the_learner(tmp_path, task) for task in range(2)] == [1500, 1500 - 80 * 4]
    assert len(run["points"]) == len(learn("means", 0, settings, tmp_path)["points"])
    with pytest.raises(ValueError, match="inputs must be more than 320, which means:start=aligned spends"):
        Request(**SMALL | {"inputs": 320, "methods": (method,)})


def spent_by_the_learner(folder, task):
    (config,) = folder.glob(f"runs/{task}_*/*means_start=aligned/seed_0/config.json")
    return json.loads(config.read_text(encoding="utf-8"))["inputs"]


def test_dqn_learns_sequences_too_and_its_optimizer_goes_on_if_asked(tmp_path, monkeypatch):
    shrink(monkeypatch)  # it has no minibatches of imitation
    models, began = [], []
    start, train = games.GameLesson.start, games.GameLesson.train
    monkeypatch.setattr(games.GameLesson, "train", lambda lesson: models.append(train(lesson)) or models[-1])

    def starting(lesson, model):
        start(lesson, model)
        began.append(len(model.policy.optimizer.state))

    monkeypatch.setattr(games.GameLesson, "start", starting)
    run = learn("psp", 0, settings_of(agent="dqn", inputs=2600, keep_optimizer=True), tmp_path)
    assert np.isfinite(matrix(run)).all() and len(run["learned"]) == 2
    assert began[0] == 0 < began[1] and all(model._n_updates > 0 for model in models)
    online, target = (network.kept.state_dict() for network in (models[1].q_net, models[1].q_net_target))
    assert all(torch.equal(online[name], target[name]) for name in online)


def test_rows_are_those_of_every_other_run_and_the_page_names_the_tasks(tmp_path):
    request = Request(**SMALL, methods=("finetune",), out=tmp_path)
    for method in ("finetune", "separate"):
        run = learn(method, 0, request.settings, request.folder)
        file = request.folder / "runs" / method / "seed_0.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(run), encoding="utf-8")
    (request.folder / "settings.json").write_text(json.dumps(request.settings), encoding="utf-8")
    rows = load(request.folder / "runs")
    assert set(rows.configs["version"]) == {"original", "retextured"} and not rows.problems
    assert set(rows.configs["method"]) == {"finetune", "separate"} and set(rows.configs["finished"]) == {True}
    kept = gather(request.folder, request.settings)
    for ours, again in zip(kept, Tables.read(request.folder)):
        pd.testing.assert_frame_equal(ours, again, rtol=1e-4)
    first = kept.tasks[(kept.tasks["method"] == "finetune") & (kept.tasks["learning"] == 0)]["first_win"].item()
    here = rows.episodes.query("version == 'original' and method == 'finetune' and outcome == 'win'")["inputs"]
    assert (np.isnan(first) and not len(here)) or first == here.min()
    own = kept.points.query("method == 'finetune' and learning == 0 and task == 0")
    assert own["share"].tolist() == pytest.approx([0, *np.arange(0.05, 1, 0.1), 1])
    text = write_transfer(request.folder, kept, request.settings).read_text(encoding="utf-8")
    assert "Published" not in text
    assert "<th>original</th><th>retextured</th>" in text and "Share of episodes won" in text


def test_practice_is_the_share_won_in_each_tenth(tmp_path):
    [task] = games.tasks_of(find_sequence("looks"), 1).values()
    run = lessons.SequenceRun("finetune", parse("finetune"), 0, {}, [tmp_path])
    lesson = games.GameLesson(run, 0, [games.learner_settings(task, "ppo", 0, 1000, tmp_path)])
    ended = {"inputs": [50, 100, 101, 250, 1000, 1003], "outcome": ["death", "win", "win", "death", "win", "death"]}
    pd.DataFrame(ended).to_csv(tmp_path / "episodes.csv")
    assert [value for *_, value in lesson.learning_curve(0.25)] == [0.5, 1.0, *7 * [0.0], 0.5]


def test_a_pair_of_atari_games_is_learned_by_scores(tmp_path, monkeypatch):
    monkeypatch.setattr(atari, "PPO", {**atari.PPO, "n_steps": 16, "batch_size": 32})
    monkeypatch.setattr(atari, "NUM_GAMES", 2)  # each console takes a while to start
    monkeypatch.setattr(atari, "GAME", {**atari.GAME, "max_inputs": 300, "screen_size": 24})
    begun, games_of = [], atari.AtariLesson.games
    monkeypatch.setattr(
        atari.AtariLesson,
        "games",
        lambda lesson, task, number, seed: begun.append((number, seed)) or games_of(lesson, task, number, seed),
    )
    settings = Request(sequence="atari_masks", methods=("finetune",), inputs=2000, episodes=1).settings
    assert settings["names"] == ["none", "colours"]
    run = learn("ewc+means:start=aligned", 0, settings, tmp_path)
    assert [spent_by_the_learner(tmp_path, task) for task in range(2)] == [2000, 2000 - 80 * 4]
    learning, tests = ({seed for number, seed in begun if number == games} for games in (2, 1))
    assert learning == {0} and tests == {atari.TESTED}  # random starts are others
    assert np.isfinite(matrix(run)).all() and len(run["points"]) == 2 + 10 + 2 + 1 + 10 + 2
    rows = load(tmp_path / "runs")
    assert not rows.problems and set(rows.configs["version"]) == {"none", "colours"} and len(rows.episodes) >= 8


def test_an_atari_game_whose_scores_are_not_known_is_refused():
    assert Request(sequence="atari_games", methods=("finetune",)).settings["inputs"] == atari.TRAINING_INPUTS
    with pytest.raises(ValueError, match=r"game must be one with known scores, pong, breakout.*, got tetris"):
        atari.check("ppo", [Task(atari.ID, {"game": "tetris"})])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"tasks": 9}, "tasks must be at most 8, the length of looks, got 9"),
        ({"sequence": "interactions", "tasks": 4}, "tasks must be at most 3"),
        ({"sequence": "atari_masks", "agent": "dqn"}, "agent must be ppo for Atari, got dqn"),
        ({"steps": 5}, "looks has no setting steps, got 5"),
        ({"methods": ("ewc:strength=-1",)}, "strength is -1"),
        ({"methods": ("head-only",)}, "expected separate heads for each task"),
        ({"episodes": 0}, "episodes must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_learned_is_said_first(changed, words):
    with pytest.raises(ValueError, match=words):
        Request(**SMALL | changed)


OWN = """
[lists]
few = ["tower_01", "tower_02", "tower_01", "---\\n|S G|\\n|###|"]
[sequences.mine]
about = "there and back"
tasks = [{ id = "PriorLab/Princess-v0", level = { each = "few" } }]
[sequences.odd]
about = "what no agent learns"
tasks = [{ id = "PriorLab/Princess-v0", order = "drawn" }]
"""


def test_a_sequence_of_ones_own_may_come_back_to_a_game_and_its_rows_know_its_tasks(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(OWN)
    settings = Request("mine", file, methods=("finetune",)).settings
    assert settings["names"] == ["tower_01", "tower_02", "tower_01 again", "unnamed"]
    file.write_text(OWN.replace("tower_02", "tower_03"))
    with pytest.raises(ValueError, match="holds a run with own"):
        check_same(json.loads(json.dumps(settings)), Request("mine", file, methods=("finetune",)).settings, tmp_path)
    with pytest.raises(ValueError, match=r"a task of PriorLab/Princess-v0 has the setting order: expected"):
        Request("odd", file)


def test_what_other_settings_learned_is_not_taken_for_these_and_rows_are_never_joined(tmp_path):
    learn("finetune", 0, settings_of(tasks=1), tmp_path)
    with pytest.raises(ValueError, match="episodes = 8, not 9"):
        learn("finetune", 0, settings_of(tasks=1, episodes=9), tmp_path)
    for name in ("learned.json", "done"):  # of a run that was stopped
        (tmp_path / "runs" / "0_original" / "finetune" / "seed_0" / name).unlink()
    with pytest.raises(ValueError, match="heads = False, not True"):
        learn("finetune", 0, settings_of(tasks=1, heads=True), tmp_path)
