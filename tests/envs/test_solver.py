"""The solver against a plain search over the same rules, and the guarantees of its solutions and labels."""

import re
from functools import cache

import numpy as np
import pytest

from priorlab.envs.base.compile import kernel
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.playing import position_bit
from priorlab.envs.game.rules import (
    CLOCK,
    DEATH,
    FIELDS,
    HAS_KEY,
    JUMPING,
    LAST_SIDE,
    MONSTERS,
    ON_LADDER,
    ONGOING,
    RESTARTS,
    SPEED,
    WIN,
    X,
    Y,
    put_at_start,
    step,
)
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.scripts.commands.solve import main as solve

FUTURE = [X, Y, JUMPING, SPEED, ON_LADDER, MONSTERS, CLOCK, LAST_SIDE, HAS_KEY]  # what decides a state's future
STAIR = """name = "stair"
---
|||||||||
|       |
|G  HH  |
|###HH##|
|   HH  |
|S  HH m|
|##*####|
"""
PATROL = """name = "patrol"
game = "key_door"
period = 4
---
|||||||||
|       |
|D S~m k|
|#######|
"""
CELL = """name = "cell"
game = "key_door"
---
|||||
|   |
|kHD|
|#H#|
| H |
|SH |
|##^|
"""
SHUT = """name = "shut"
game = "key_door"
---
||||||
|k|  |
|## D|
|S m |
|####|
"""
PROBLEMS = [
    (STAIR, "princess"),
    (STAIR, "princess_gravity"),
    (PATROL, "key_door"),
    (CELL, "key_door_ladder_interaction"),
    (CELL, "key_door_gravity"),
    (SHUT, "key_door"),
]


@kernel
def taken(tiles, numbers, monsters, state, action):
    """The rules' step, compiled: the search takes it a million times."""
    return step(tiles, numbers, monsters, state, action)


@cache
def searched(text: str, rules: str, frame_skip: int) -> tuple[dict[tuple, list], int | None, int]:
    """(where the inputs of each state lead: a state, WIN or DEATH; decisions to the first win; positions)."""
    level = Level.read(text)
    tiles, numbers, monsters = level.tiles, level_numbers(level, find_rules(rules)), level.monsters.reshape(-1, 4)
    state = np.zeros(FIELDS, np.int32)
    put_at_start(numbers, state)
    start = tuple(state[FUTURE].tolist())
    leads_to, layer, distance, won, positions = {}, [start], 0, None, {position_bit(numbers, state)}
    while layer:
        found, distance = {}, distance + 1
        for own in layer:
            leads_to[own] = []
            for action in range(6):
                state[FUTURE] = own
                for _ in range(frame_skip):
                    outcome = taken(tiles, numbers, monsters, state, action)
                    positions.add(position_bit(numbers, state))
                    if outcome != ONGOING:
                        break
                leads_to[own].append(tuple(state[FUTURE].tolist()) if outcome == ONGOING else outcome)
                if outcome == WIN and won is None:
                    won = distance
                if outcome == ONGOING:
                    found[leads_to[own][-1]] = None
        layer = [each for each in found if each not in leads_to]
    return leads_to, won, len(positions - {-1})


@pytest.mark.parametrize("frame_skip", [1, 4])
@pytest.mark.parametrize("text, rules", PROBLEMS, ids=lambda value: value.splitlines()[0])
def test_it_finds_what_a_plain_search_finds(text, rules, frame_skip):
    leads_to, won, positions = searched(text, rules, frame_skip)
    found = Solver(Level.read(text), find_rules(rules), frame_skip).run()
    assert (found.states, found.positions) == (len(leads_to), positions)
    assert (None if found.inputs is None else -(-len(found.inputs) // frame_skip)) == won


def test_the_problems_hold_what_can_be_asked():
    """Otherwise the tests above would compare too little."""
    lengths = {(text, rules): searched(text, rules, 1)[1] for text, rules in PROBLEMS}
    assert lengths[SHUT, "key_door"] is None and all(lengths[problem] for problem in PROBLEMS[:-1])
    values = np.array([state for text, rules in PROBLEMS for state in searched(text, rules, 1)[0]])
    seen = {field: set(values[:, k].tolist()) for k, field in enumerate(FUTURE)}
    assert seen[CLOCK] == {0, 1, 2, 3} and seen[HAS_KEY] == {0, 1} and seen[LAST_SIDE] == {0, 1, 2}
    assert seen[MONSTERS] == {0, 1} and seen[ON_LADDER] == {0, 1} and seen[JUMPING] == {0, 1}


@pytest.mark.parametrize("frame_skip", [1, 2])
@pytest.mark.parametrize("version", ["original", "ladder_interaction", "gravity"])
@pytest.mark.parametrize("text", [STAIR, CELL], ids=["stair", "cell"])
def test_the_shortest_way_wins_the_real_game(text, version, frame_skip):
    games = Games(1, version, level=text, screen_size=15, autoreset=False)
    way = Solver(games.places[0].level, games.places[0].rules, frame_skip).run(exhaustive=False).inputs
    assert way is not None
    games.reset(seed=0)
    won = [bool(games.step(np.array([action]))[1][0]) for action in way]
    assert won[-1] and not any(won[:-1])


@pytest.mark.parametrize("frame_skip", [1, 4])
@pytest.mark.parametrize("text, rules", PROBLEMS, ids=lambda value: value.splitlines()[0])
def test_labels_lead_to_the_win_by_any_best_input_and_by_no_other(text, rules, frame_skip):
    """Where a death puts the player back, it can be part of a solution."""
    leads_to, _, _ = searched(text, rules, frame_skip)
    solver = Solver(Level.read(text), find_rules(rules), frame_skip)
    labels = solver.labels()
    distances = {tuple(state[FUTURE].tolist()): far for state, far in zip(labels.states, labels.distances.tolist())}
    assert distances.keys() == leads_to.keys()
    after_death = next(iter(leads_to)) if solver.numbers[RESTARTS] else None  # the start is searched first

    def distance(end) -> int:
        end = after_death if end == DEATH else end
        return 0 if end == WIN else distances.get(end, -1)

    for state, best in zip(labels.states, labels.best):
        own = tuple(state[FUTURE].tolist())
        ways = [distance(end) for end in leads_to[own]]
        reached = [far for far in ways if far >= 0]
        assert distances[own] == (1 + min(reached) if reached else -1)
        assert best.tolist() == [far >= 0 and far == distances[own] - 1 for far in ways]


def test_the_solution_of_princess():
    solver = Solver(Level.read("princess"))
    found = solver.run()
    assert found.inputs is not None and (len(found.inputs), found.states) == (91, 87_421)
    repeated = [Solver(Level.read("princess"), frame_skip=n).run(exhaustive=False).inputs for n in (2, 4, 8)]
    assert [-(-len(way) // n) * n for way, n in zip(repeated, (2, 4, 8)) if way is not None] == [96, 108, 144]


def test_a_level_too_large_to_search_is_refused_at_once():
    with pytest.raises(ValueError, match=r"level 'crowd': .* states; expected at most .*: fewer monsters"):
        Solver(Level.read('name = "crowd"\n---\nS' + "m" * 20 + "G\n"))


def test_the_command_searches_by_the_rules_of_a_version(capsys):
    solve(("princess",), version="ladder_interaction")
    assert re.search(r"princess +92 +151,711 +6,053", capsys.readouterr().out)
