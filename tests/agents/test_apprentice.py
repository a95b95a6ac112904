"""An apprentice: what it watches, what it remembers, how it practises, and that a stop changes nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from priorlab.agents.apprentice import cloning, practice
from priorlab.agents.apprentice.cloning import Cloning, agreement, outputs
from priorlab.agents.apprentice.drawing import Drawn, draw, numbers_of
from priorlab.agents.apprentice.lessons import Watching, lesson_of
from priorlab.agents.apprentice.network import Shape, load_network, new_network, save_network, shape_of
from priorlab.agents.apprentice.playing import play_lives
from priorlab.agents.apprentice.plays import Plays
from priorlab.agents.apprentice.practice import Practice
from priorlab.agents.apprentice.recording import DIGITS, LivesFile, Recorded, record, rules_of
from priorlab.agents.apprentice.settings import ApprenticeSettings
from priorlab.agents.imitation.demonstrations import action_for
from priorlab.agents.learners.recurrent import GameSequences
from priorlab.agents.priors.weights import learned
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.rules import DEATHS, SOLVED
from priorlab.envs.plays.play import as_characters, hash_state
from priorlab.envs.random_games.bank import Bank

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
SMALL = ApprenticeSettings(
    levels="small", screen_size=24, features=8, watched=2, games=2, steps=8, minibatches=2, lives=3, passes=1,
    decisions=64, places=3, life_limit=40, frame_skip=2,
)  # fmt: skip


def lived(number: int, inputs: np.ndarray, bank: str = "training") -> Recorded:
    drawn = Drawn(bank, number, 5, 1, 0, 0.5, 1)
    scenery = drawn.scenery()
    last = replayed(scenery.level, rules_of(scenery), inputs)[-1]
    ended = bool(last[SOLVED]), int(last[DEATHS]), hash_state(last)[:DIGITS]
    return Recorded(number, drawn, *ended, as_characters(inputs))


def life(number: int, bank: str = "training", count: int = 90) -> Recorded:
    """Of random inputs."""
    return lived(number, np.random.default_rng(number).integers(0, 6, count).astype(np.uint8), bank)


def a_life_that_wins(number: int = 2) -> Recorded:
    return lived(number, Bank.read("training")[number].solution)


def a_life_with_deaths() -> Recorded:
    return next(each for number in range(40) if (each := life(number, count=160)).deaths > 1)


def seen_and_done(recorded: Recorded, skip: int, size: int) -> tuple[list[np.ndarray], list[int]]:
    """Window by window, on a game of its own."""
    scenery = recorded.drawn.scenery()
    games = Games(
        1, level=scenery.level, looks=scenery.looks, look_seed=scenery.look_seed, split=scenery.split,
        screen_size=size, grayscale_obs=False, max_inputs=10_000, still=False,
    )  # fmt: skip
    picture, window, pictures, actions = games.reset(0)[0].copy(), "", [], []
    for character in recorded.inputs:
        if not window:
            pictures.append(picture)
        window += character
        observations, _, terminated, _ = games.step(np.array([".lrjud".index(character)]))
        picture = observations[0].copy()
        if len(window) == skip or terminated[0]:
            actions.append(action_for(window))
            window = ""
    return pictures, actions + ([action_for(window)] if window else [])


@pytest.mark.parametrize("skip", [1, 3])
def test_it_watches_what_the_teacher_saw_and_did_through_deaths(skip):
    """Lives one after another, in two games at once, in chunks that end anywhere; a win is seen, too."""
    recorded = [a_life_with_deaths(), a_life_that_wins(), life(0, "large_training")]
    lessons = [lesson_of(each, skip, 0.9) for each in recorded]
    expected = [seen_and_done(each, skip, 24) for each in recorded]
    watching = Watching(lessons, 2, 24, CPU, seed=None)
    number, at, begun = [0, 1], [0, 0], 2
    while begun < 6:
        chunk = watching.chunk(7)
        pictures = chunk.pictures.view(2, 7, 3, 24, 24).permute(0, 1, 3, 4, 2).numpy()
        for step in range(7):
            for lane in range(2):
                seen, done = expected[number[lane] % 3]
                assert (pictures[lane, step] == seen[at[lane]]).all()
                assert chunk.actions[lane, step] == done[at[lane]]
                assert chunk.forgets[lane, step] == (at[lane] == 0)
                assert chunk.passes[lane, step] == number[lane] // 3
                at[lane] += 1
                if at[lane] == len(seen):
                    number[lane], at[lane], begun = begun, 0, begun + 1
    won = lessons[1]
    assert won.returns[-1] == 1 and won.returns[-3] == pytest.approx(0.81) and not lessons[0].returns.any()


def test_each_pass_watches_every_life_once_in_another_order():
    watching = Watching([lesson_of(life(number, count=4), 2, 0.9) for number in range(4)], 2, 24, CPU, seed=1)
    orders = [watching.order(number)[0].tolist() for number in range(3)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders) and orders[0] != orders[1]
    for _ in range(2):  # each life has two decisions, and two games watch side by side
        assert {*watching.lesson} == {*orders[0][:2]}
        watching.chunk(2)
        assert {*watching.lesson} == {*orders[0][2:]}
        watching.chunk(2)
        orders = orders[1:]


def test_in_a_mirror_pictures_are_turned_and_left_is_right():
    lessons = [lesson_of(life(number, count=8), 1, 0.9) for number in range(4)]
    plain, mirrored = (Watching(lessons, 2, 24, CPU, 3, share) for share in (0.0, 1.0))
    for _ in range(4):
        ours, theirs = plain.chunk(5), mirrored.chunk(5)
        assert torch.equal(ours.pictures.flip(3), theirs.pictures)
        assert torch.equal(torch.tensor([0, 2, 1, 3, 4, 5])[ours.actions], theirs.actions)
    drawn = [Watching(lessons, 2, 24, CPU, 3, 0.5).order(number)[1] for number in range(9)]
    assert 0.3 < np.mean(drawn) < 0.7


def test_what_it_remembers_goes_from_chunk_to_chunk_and_ends_with_the_life():
    """Chunks give what each life gives alone, seen at once; without a memory, what its pictures give one by one."""
    lessons = [lesson_of(life(number, count=count), 1, 0.9) for number, count in ((0, 9), (1, 7))]
    network, memories = new_network(shape_of(SMALL), 3), {}
    for remembered in ("play", "nothing"):
        watching, parts = Watching(lessons, 1, 24, CPU, seed=None), []
        memory = network.empty_memory(1)
        for _ in range(4):
            chunk = watching.chunk(4)
            logs, _, memory = outputs(network, chunk, memory, remembered)
            parts.append((logs.detach(), chunk.pictures.clone()))
        memories[remembered] = torch.cat([logs for logs, _ in parts])
        pictures = torch.cat([each for _, each in parts])
    forgets = torch.zeros(1, 16)
    forgets[0, [0, 9]] = 1
    whole = GameSequences(pictures, forgets, network.empty_memory(1))
    with torch.no_grad():
        assert torch.allclose(network.heads_of(network.unroll(whole)[0])[0], memories["play"], atol=1e-6)
        assert torch.allclose(network.heads(pictures)[0], memories["nothing"], atol=1e-6)
    assert not torch.allclose(memories["play"], memories["nothing"], atol=1e-4)


def same_weights(one, other) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return all(torch.equal(each, theirs[name]) for name, each in ours.items())


def stop_at(update: int):
    def report(row):
        if row.update == update:
            raise KeyboardInterrupt

    return report


@pytest.fixture
def in_small_steps(monkeypatch):
    """Saves often, and learns fast from the start."""
    for module in (cloning, practice):
        monkeypatch.setattr(module, "SAVE_SECONDS", -1.0)
    monkeypatch.setattr(cloning, "REPORT_EVERY", 10)
    monkeypatch.setattr(cloning, "WARM_UP", 1)


@pytest.mark.usefixtures("in_small_steps")
def test_a_stopped_cloning_ends_with_the_same_weights(tmp_path: Path):
    """And it has learned what it imitated: in each of three levels, another input."""
    settings = replace(SMALL, passes=60, features=32, learning_rate=0.01, steps=12, watched=3, mirrored=0)
    lessons = [lesson_of(lived(number, np.full(24, 1 + number, np.uint8)), 2, 0.9) for number in range(3)]
    whole = Cloning(settings, lessons, CPU)
    network = whole.run()
    with pytest.raises(KeyboardInterrupt):
        Cloning(settings, lessons, CPU, tmp_path).run(stop_at(20))
    again = Cloning(settings, lessons, CPU, tmp_path)
    assert 0 < again.update < again.updates
    assert same_weights(network, again.run()) and again.rows == whole.rows
    result = agreement(network, settings, lessons, lessons)
    assert whole.rows[-1].loss < 0.8 * whole.rows[0].loss
    assert result.decisions == 36 and result.accuracy > result.most_common + 0.3
    with pytest.raises(ValueError, match="of other settings"):
        Cloning(replace(settings, gamma=0.5), lessons, CPU, tmp_path)
    (tmp_path / cloning.CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match=r"cloning\.pt: damaged .*; delete it to start again"):
        Cloning(settings, lessons, CPU, tmp_path)


@pytest.mark.usefixtures("in_small_steps")
def test_a_stopped_practice_ends_with_the_same_weights(tmp_path: Path):
    whole = Practice(SMALL, new_network(shape_of(SMALL)))
    network = whole.run()
    with pytest.raises(KeyboardInterrupt):
        Practice(SMALL, new_network(shape_of(SMALL)), tmp_path).run(stop_at(3))
    again = Practice(SMALL, new_network(shape_of(SMALL), 7), tmp_path)
    assert 0 < again.update < again.updates == 4
    assert same_weights(network, again.run())
    assert str(again.rows) == str(whole.rows)  # nan is not equal to itself
    assert not same_weights(network, new_network(shape_of(SMALL)))


@pytest.mark.parametrize("memory", ["play", "nothing"])
def test_it_learns_from_what_it_did_and_a_cut_life_counts_what_would_have_come(memory):
    """The probabilities and values of complete sequences are those at which they were played, also in the second
    rollout; a life that was cut at the limit pays the value of its last picture."""
    settings = replace(SMALL, steps=16, life_limit=20, gamma=0.9, memory=memory)
    practising = Practice(settings, new_network(shape_of(settings)))
    for number in range(2):
        before = practising.memory
        torch.manual_seed(number)
        lived = practising.collect(np.random.default_rng(number))
    rollout = practising.rollout
    batch = rollout.samples(torch.arange(2), before)
    with torch.no_grad():
        values, logs, _ = practising.network.evaluate_actions(batch.observations, batch.actions)
    assert torch.allclose(values.flatten(), batch.old_values, atol=1e-5)
    assert torch.allclose(logs, batch.old_log_prob, atol=1e-5)
    cut = rollout.continues == 0
    assert lived[0] == cut.sum() >= 2 and not lived[1]
    assert (rollout.forgets[1:] == (cut[:-1] if memory == "play" else 1)).all()
    assert (rollout.rewards[cut] != 0).all() and not rollout.rewards[~cut].any()
    assert torch.allclose(rollout.returns[cut], rollout.rewards[cut], atol=1e-6)


def test_a_play_keeps_its_place_through_deaths_until_it_is_moved():
    """Deaths and inputs count on; a win is reported as it was, and pays in the step that won."""
    recorded = [a_life_with_deaths(), a_life_that_wins()]
    plays = Plays([each.drawn.scenery() for each in recorded], 2, 24, 1, CPU)
    plays.move(np.arange(2), np.array([0, 1]))
    starts, solution, deaths = plays.pictures.clone(), recorded[1].numbers, 0
    for step, action in enumerate(recorded[0].numbers):
        won, died = plays.step(np.array([action, solution[min(step, len(solution) - 1)]]))
        deaths += int(died[0])
        assert plays.inputs[0] == step + 1 and won[1] == (step == len(solution) - 1)
        if died[0]:
            assert torch.equal(plays.pictures[0], starts[0])
        if won[1]:
            info = plays.infos(np.array([0, 1]))
            assert info["solved"].tolist() == [False, True] and info["inputs"].tolist() == [step + 1, step + 1]
            assert plays.inputs[1] == 0
            break
    assert deaths == plays.infos(np.array([0]))["deaths"][0]
    plays.move(np.array([1]), np.array([0]))
    assert torch.equal(plays.pictures[1], starts[0]) and plays.inputs[0] > 0


def test_a_life_is_the_same_alone_and_beside_others():
    network, shape = new_network(Shape(24, 2, 8), 1), Shape(24, 2, 8)
    places = [draw(np.random.default_rng(k), "held_out", ("small",)).scenery() for k in range(3)]

    def outcomes(numbers):
        draws = [np.random.default_rng(k) for k in numbers]
        return play_lives(network, shape, [places[k] for k in numbers], draws, 60)

    together = outcomes(range(3))
    assert [outcomes([k])[0] for k in range(3)] == together
    assert all(each.inputs == 60 and not each.solved and each.unique_states > 1 for each in together)


def test_weights_are_kept_in_a_file_that_is_checked(tmp_path: Path):
    shape, path = Shape(24, 3, 8, "nothing"), tmp_path / "a.safetensors"
    network = new_network(shape, 5)
    save_network(network, shape, path, {"settings": {"seed": 5}})
    loaded, found, about = load_network(path)
    assert same_weights(network, loaded) and found == shape and about == {"settings": {"seed": 5}}
    save_network(loaded, found, tmp_path / "b.safetensors", about)
    assert path.read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    action, state = loaded.predict(np.zeros((24, 24, 3), np.uint8))
    assert action.shape == () and loaded.predict(np.zeros((24, 24, 3), np.uint8), state)[0].shape == ()
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"a\.safetensors: damaged, or not a safetensors file"):
        load_network(path)


def test_recorded_lives_are_read_as_they_were_written_or_refused(tmp_path: Path):
    path, lives = tmp_path / "training.csv", [a_life_that_wins(), life(1)]
    LivesFile(path).append(lives)
    with path.open("a") as file:
        file.write("3,training,unfinished")
    file = LivesFile(path)
    assert file.first(0) == [] and file.missing(4) == [0, 3] and [file.lives[k] for k in (2, 1)] == lives
    file.append([life(0)])
    assert LivesFile(path).first(3) == [life(0), life(1), a_life_that_wins()]
    path.write_text(path.read_text().replace(lives[1].last_state, "0" * DIGITS))
    with pytest.raises(ValueError, match=r"training\.csv, line 3: replayed, the life ends with"):
        LivesFile(path)


def test_a_life_of_the_teacher_follows_from_its_number_and_the_seed():
    perceive = learned()
    first, again = (record(1, "held_out", replace(SMALL, seed=seed), perceive) for seed in (0, 5))
    assert first == again and len(first.inputs) == 40 and first.drawn.number % 20 == 3
    first.check()
    assert record(1, "held_out", replace(SMALL, lives_seed=1), perceive).drawn != first.drawn


def test_levels_to_measure_on_and_levels_to_play_are_apart():
    measured, played = (set(numbers_of("large_held_out", kind).tolist()) for kind in (True, False))
    assert measured == set(range(3, 200, 20)) and not measured & played and len(measured | played) == 200
    assert len(numbers_of("training", True)) == 10_000
    places = [draw(np.random.default_rng(k), "held_out", ("small", "large")) for k in range(20)]
    assert {each.number % 20 for each in places} == {3} and {each.bank for each in places} == {
        "held_out", "large_held_out",
    }  # fmt: skip
    assert {Level.read(each.scenery().level).game for each in places} == {"princess", "key_door"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minibatches": 3}, "minibatches is 3: expected a divisor of games, 2"),
        ({"memory": "episode"}, "memory is 'episode': expected one of play, nothing"),
        ({"gamma": 1.5}, "gamma is 1.5: expected 0 or more, at most 1"),
        ({"screen_size": 10}, "screen_size is 10: expected 24 or more"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)
