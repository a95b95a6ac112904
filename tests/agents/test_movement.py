"""How a player moves, learned from free play: what it tells, what a player does by it, and which files are refused."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from priorlab.agents.priors.free_play import free_play
from priorlab.agents.priors.lives import live, on_rules, told
from priorlab.agents.priors.movement import DTYPES, KILLS, load_movement, save_movement, shipped_movement
from priorlab.agents.priors.moving import learn_movement, scored
from priorlab.agents.priors.player_settings import NEEDED, WITHOUT_RULES, PlayerSettings
from priorlab.agents.priors.policy import Policy
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import MovementSettings
from priorlab.agents.priors.sprites import find
from priorlab.envs.game.foreseeing import foresee
from priorlab.envs.game.movement import Movement, packed, tell
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.routes import routes
from priorlab.envs.game.rules import DEADLY, FIELDS, JUMPING, NONE, ON_LADDER, ONGOING, SOLVED, X, Y, put_at_start
from priorlab.envs.game.versions import find_rules
from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import Bank
from tests.support.policies import predicted

BANK = Bank.read("held_out")
RULES = ("princess", "key_door", "princess_ladder_interaction", "key_door_gravity")


def test_a_little_play_teaches_most_of_it_and_the_same_seed_the_same():
    first, second = (learn_movement(MovementSettings(levels=60)) for _ in range(2))
    assert all((one == other).all() for one, other in zip(first, second))
    assert [bool(kills) for kills in first.kills[[0, 1, 2, DEADLY]]] == [False, False, False, True]
    plays = free_play(np.random.default_rng([0, 0]), "training", 60)  # what it learned from
    ends = np.zeros_like(plays.ends)
    tell(first, plays.situations, ends)
    assert (ends == plays.ends).all()
    rows = {(row.levels, row.event): row for row in scored(first, 10)}
    assert rows["as drawn", "all"].accuracy > 0.98 and rows["exchanged", "all"].accuracy > 0.95


def test_what_comes_with_the_package_tells_nearly_all_of_held_out_play():
    rows = {(row.levels, row.event): row.accuracy for row in scored(load_movement(), 20)}
    assert rows["as drawn", "all"] > 0.999 and rows["exchanged", "all"] > 0.997
    assert rows["as drawn", "dies"] == 1


@pytest.mark.parametrize("rules", RULES)
def test_it_foresees_states_as_the_rules_make_them_and_plans_that_win(rules):
    movement, fields, right = load_movement(), [X, Y, JUMPING, ON_LADDER], []
    for number in (7, 70, 700):
        level = on_rules(BANK[number].level, rules.partition("_ladder")[0].partition("_gravity")[0])
        numbers, state = level_numbers(level, find_rules(rules)), np.zeros(FIELDS, np.int32)
        put_at_start(numbers, state)
        inputs = np.random.default_rng(number).integers(0, 6, 30).repeat(10).astype(np.uint8)
        ways = routes(level.tiles, numbers, level.monsters, state, until_won=True, movement=movement)
        won = replayed(level, find_rules(rules), ways.inputs_to(int(ways.wins[0])))
        assert won[-1, SOLVED]
        for action in inputs:
            foreseen = state.copy()
            ends = foresee(level.tiles, numbers, level.monsters, foreseen, int(action), movement)
            outcome = foresee(level.tiles, numbers, level.monsters, state, int(action), None)
            right.append(outcome == ends and (foreseen[fields] == state[fields]).all())
            if outcome != ONGOING:
                put_at_start(numbers, state)
    assert np.mean(right) > 0.998


def test_a_player_that_is_not_given_the_rules_wins_as_soon():
    level = on_rules(BANK[400].level, "key_door")
    scenery = Scenery(level, looks=Dials(0.5, 0.5, 0.5, 0.5))
    lives = [live(scenery, told(level), PlayerSettings(given=given), limit=2000) for given in (NEEDED, WITHOUT_RULES)]
    assert all(life.solved and life.lost == 0 for life in lives) and lives[1].given == ("roles", *WITHOUT_RULES)
    assert len(lives[1].inputs) < 1.2 * len(lives[0].inputs)


def test_a_policy_that_is_not_given_the_rules_lives_the_same_life():
    level, settings = BANK[4].level, PlayerSettings(given=WITHOUT_RULES)
    scenery = Scenery(level)
    life, env = live(scenery, told(level), settings, seed=3), scenery.env()
    policy = Policy(scenery, told(level), settings, seed=3)
    inputs, won = predicted(policy, env, len(life.inputs))
    assert won and life.deaths == 0 and inputs == life.inputs.tolist()
    assert policy.given == life.given == ("roles", *WITHOUT_RULES)


def test_where_no_input_moves_a_player_it_has_not_found_itself():
    still = Movement(*(np.zeros(size, DTYPES[name]) for name, size in zip(Movement._fields, (1, 1, 1, 1, KILLS))))
    still.ends[0] = packed(False, 0, 0, 0)
    pictures = [np.full((150, 150, 3), shade, np.uint8) for shade in range(3)]  # something else changes
    assert find(pictures, [NONE, NONE], 14, np.zeros((150, 150), bool), still) is None


def test_what_does_not_fit_is_refused_in_one_line(tmp_path):
    learn_movement(MovementSettings(levels=1), tmp_path)
    for settings in (MovementSettings(levels=2), MovementSettings(levels=1, seed=1)):
        with pytest.raises(ValueError, match=r"seen\.npz: of other settings: expected the same, or another folder"):
            learn_movement(settings, tmp_path)
    movement, level = load_movement(), BANK[4].level
    loops = movement._replace(children=np.where(movement.children > 0, 1, 0).astype(np.int32))
    save_movement(loops, tmp_path / "loops", {})
    save_file({"a": np.zeros(1)}, tmp_path / "other")
    (tmp_path / "damaged").write_bytes(shipped_movement().read_bytes()[:-1])
    for name, message in (("loops", "no decision tree"), ("other", "expected a priorlab movement"), ("damaged", "dam")):
        with pytest.raises(ValueError, match=f"{name}: .*{message}"):
            load_movement(tmp_path / name)
    with pytest.raises(ValueError, match="other: expected a priorlab movement"):
        Policy(Scenery(level), told(level), PlayerSettings(given=WITHOUT_RULES, movement=tmp_path / "other"))
    with pytest.raises(ValueError, match="expected either 'rules' or 'contact'"):
        PlayerSettings(given=(*NEEDED, "contact"))
    with pytest.raises(ValueError, match="expected none for a player that is given the rules"):
        PlayerSettings(movement=tmp_path)
