"""Simulated players: their atlas matches the rules, they play by these, and their knowledge decides how well."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.rules import DEATHS, HAS_KEY, SOLVED, X, Y
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import Rules, find_rules, find_version
from priorlab.envs.players.atlas import ARRIVED, GOAL, Atlas
from priorlab.envs.players.planner import Knowledge, Person, inputs_of
from priorlab.envs.players.simulated import atlas_for, simulate, simulated_play, simulated_setting, table
from priorlab.envs.plays.play import Play

NOVICE = Knowledge(semantics=0, objects=0, affordances=0, similarity=0)
VERSIONS = ("original", "gravity", "ladder_interaction")
LEVEL = Level.read("princess")


@cache
def princess(version: str = "original") -> Atlas:
    return atlas_for("princess", version)


def rules_of(version: str) -> Rules:
    return find_rules(find_version("princess", version).rules)


def plays(knowledge: Knowledge, count: int = 60, version: str = "original", limit: int = 1_000_000) -> np.ndarray:
    """The inputs of that many players, who all win."""
    played = [inputs_of(princess(version), knowledge, Person(), seed, limit) for seed in range(count)]
    assert all(won for _, won in played)
    return np.array([len(inputs) for inputs, _ in played])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_atlas_leads_where_the_rules_do(version):
    """Inputs, each held for a while, stepped through the graph and by the rules, including deaths."""
    atlas, generator = princess(version), np.random.default_rng(0)
    inputs = np.repeat(generator.integers(0, 6, 400), generator.integers(1, 30, 400)).astype(np.uint8)
    states = replayed(LEVEL, rules_of(version), inputs)
    node, deaths = atlas.start, 0
    for action, state in zip(inputs, states[1:]):
        node = int(atlas.leads[node, action])
        if state[DEATHS] > deaths:
            node, deaths = atlas.start, deaths + 1
            continue
        assert atlas.place[node].tolist() == state[[X, Y]].tolist() and node >= 0
    assert deaths > 5 and len(np.unique(states[:, X])) > 20


@pytest.mark.parametrize("version", VERSIONS)
def test_a_way_followed_exactly_is_as_short_as_the_shortest(version):
    """Without monsters, the atlas's way to the goal is at most as long as the solver's solution."""
    atlas = princess(version)
    node, length, everything = atlas.start, 0, atlas.row_of[-1]
    goal = int(np.flatnonzero(atlas.targets[:, 0] == GOAL)[0])
    while not atlas.ways[everything, goal, node] & ARRIVED:
        bits = int(atlas.ways[everything, goal, node])
        node, length = int(atlas.leads[node, (bits & -bits).bit_length() - 1]), length + 1
        assert node >= 0
    solution = Solver(LEVEL, rules_of(version)).run(exhaustive=False).inputs
    assert solution is not None and len(solution) - 8 <= length <= len(solution)


def test_the_same_seed_plays_the_same_and_another_does_not():
    first, again, other = (inputs_of(princess(), NOVICE, Person(), seed, 5000)[0] for seed in (5, 5, 6))
    assert first.tolist() == again.tolist() != other.tolist()


@pytest.mark.parametrize("version", [name for name in table()["masked"] if name != "retextured"])
def test_a_version_that_masks_knowledge_takes_longer(version):
    known, setting = plays(Knowledge(), version=version), simulated_setting("princess", version, "masks")
    masked = plays(setting.knowledge, version=version)
    assert np.log(masked).mean() > np.log(known).mean() + 0.2


def test_knowing_more_is_faster_all_along_the_dial():
    means = [np.log(plays(Knowledge(semantics=dial, objects=dial), 150)).mean() for dial in (1, 0.5, 0)]
    assert means == sorted(means)


def test_who_slips_more_dies_more():
    def deaths(slips: float) -> int:
        played = (inputs_of(princess(), Knowledge(), Person(slips=slips), seed, 5000)[0] for seed in range(100))
        return sum(int(replayed(LEVEL, rules_of("original"), inputs)[-1, DEATHS]) for inputs in played)

    assert deaths(0.0) < deaths(0.05)


def test_who_does_not_know_how_ladders_are_climbed_takes_long_to_find_out():
    atlas = princess("ladder_interaction")
    known, ignorant = (
        [len(inputs_of(atlas, Knowledge(interaction=dial), Person(slips=0.0), seed, 20_000)[0]) for seed in range(30)]
        for dial in (1, 0)
    )
    assert np.median(ignorant) > 2 * np.median(known)


def test_plays_are_labelled_simulated_and_replay_to_how_they_ended(tmp_path):
    ended = set()
    for number in range(30):
        play = simulated_play(simulated_setting("princess", "all_masked"), 1, number, limit=1.0)
        loaded = Play.load(play.save(tmp_path / f"{play.id}.play"))
        assert (loaded.player, loaded.version, loaded.ended) == ("simulated", "all_masked", play.ended)
        assert loaded.states[-1, SOLVED] == (play.ended == "win") and len(loaded.inputs) <= 1800
        ended.add(play.ended)
    assert ended == {"win", "limit"}


def test_players_quit_and_the_less_patient_they_are_the_more_of_them():
    setting = simulated_setting("princess", "masked_semantics", "masks")
    quits = [
        [simulate(replace(setting, patience=patience), 2, number)[1] for number in range(60)].count("quit")
        for patience in (0.2, 1.0, float("inf"))
    ]
    assert 60 > quits[0] > quits[1] > quits[2] == 0


def test_a_plant_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="plant is 'best': expected one of"):
        simulated_setting("princess", "original", "best")
    with pytest.raises(ValueError, match="no published ratio is planted for retextured"):
        simulated_setting("princess", "retextured")
    assert simulated_setting("princess", "retextured", "none").knowledge == Knowledge()


def test_a_player_of_key_and_door_takes_the_key_first():
    inputs, ended = simulate(simulated_setting("key_door", "original", "none"), 0, 1)
    play = Play.of(inputs, game="key_door")
    assert ended == play.ended == "win" and play.states[-2, HAS_KEY]
