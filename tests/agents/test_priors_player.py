"""Players that bring knowledge: whole lives, by pictures, told what things are or half told."""

from dataclasses import replace

import numpy as np
import pytest
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

from priorlab.agents.priors.belief import Belief
from priorlab.agents.priors.facts import Facts
from priorlab.agents.priors.lives import live, on_rules, told
from priorlab.agents.priors.player_settings import NEEDED, PlayerSettings
from priorlab.agents.priors.policy import Policy
from priorlab.agents.priors.roles import DANGER, FREE, GOAL, KEY, ROLES, roles_of
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.senses import Tracker
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.rules import CLOCK, DEATHS, NONE, SOLVED, X, Y
from priorlab.envs.game.versions import find_rules, find_version
from priorlab.envs.looks.dials import Dials
from priorlab.envs.plays.play import Play
from priorlab.envs.random_games.bank import Bank

BANK = Bank.read("held_out")
HARD = Dials(0.5, 0.5, 0.5, 0.5)


def half_told(level, seed, share=0.15):
    """A perceiver that takes a share of the cells for something else, with confidence, until facts say otherwise."""
    rng, truth = np.random.default_rng(seed), roles_of(level)
    roles = np.where(rng.random(truth.shape) < share, rng.integers(0, len(ROLES), truth.shape), truth)
    chances = 0.7 * np.eye(len(ROLES))[roles] + 0.3 * np.eye(len(ROLES))[truth] + 0.02

    def perceive(picture, ruled_out):
        left = np.where(ruled_out, 0, chances)
        return (left / left.sum(-1, keepdims=True)).astype(np.float32)

    return perceive


def test_told_what_things_are_it_wins_about_as_soon_as_can_be():
    for number in (4, 40, 400):
        level, solution = BANK[number]
        life = live(Scenery(level, looks=HARD, look_seed=number), told(level), limit=400)
        assert life.solved and life.deaths == 0 and len(life.inputs) <= 1.2 * len(solution) + 12
        assert life.given == ("roles", *NEEDED)


@pytest.mark.parametrize(
    ("game", "version"), [("princess", "original"), ("key_door", "gravity"), ("key_door", "ladder_interaction")]
)
def test_what_it_makes_out_is_true_and_its_life_replays(game, version):
    """Half told, it errs and dies; its facts never exclude what is true."""
    deaths = 0
    for number in (2, 11):
        level = on_rules(BANK[number].level, game)
        settings = PlayerSettings()
        scenery = Scenery(level, version, looks=HARD, look_seed=number)
        life = live(scenery, half_told(level, number), settings, seed=number, limit=700)
        truth = roles_of(level)
        assert np.take_along_axis(life.possible, truth[..., None].astype(int), -1).all()
        assert life.contradictions == 0 and life.lost == 0
        states = replayed(level, find_rules(find_version(game, version).rules), life.inputs)[1:]
        assert states[-1, DEATHS] == life.deaths and bool(states[-1, SOLVED]) == life.solved
        assert (states[:, [X, Y]] == life.positions).all()
        play = Play.of(life.inputs, version, level=level)
        assert play.solved == life.solved
        deaths += life.deaths


@pytest.mark.parametrize("number", [854, 1286], ids=["a_key_beside_it", "above_the_picture"])
def test_it_finds_itself_beside_things_and_follows_itself_out_of_the_picture(number):
    level = on_rules(BANK[number].level, "princess")
    life = live(Scenery(level, looks=HARD, look_seed=number), half_told(level, number), seed=number, limit=600)
    assert life.solved and life.lost == 0 and life.contradictions == 0
    assert np.take_along_axis(life.possible, roles_of(level)[..., None].astype(int), -1).all()


def test_it_knows_the_patrols_after_a_death_before_it_found_itself():
    scenery = Scenery(BANK[46].level, looks=HARD)
    games = scenery.games()
    games.reset(0)
    picture, state, seen = games.lanes.observations[0], games.state[0], None
    tracker = Tracker(scenery.world(), picture.copy())
    for _ in range(40):
        games.step(np.array([NONE]))
        assert tracker.sense(picture.copy(), NONE, False) is None
    games.reset(0)  # as after a death
    assert tracker.sense(picture.copy(), NONE, True) is None
    while seen is None:
        action = tracker.search()
        games.step(np.array([action]))
        seen = tracker.sense(picture.copy(), action, False)
    assert (seen.state[[X, Y, CLOCK]] == state[[X, Y, CLOCK]]).all() and state[CLOCK] > 0


def test_the_same_seed_lives_the_same_life():
    level = BANK[5].level
    lives = [live(Scenery(level, looks=HARD), half_told(level, 1), seed=3, limit=300) for _ in range(2)]
    assert (lives[0].inputs == lives[1].inputs).all()


def test_a_slow_clumsy_player_takes_longer():
    level = on_rules(BANK[5].level, "key_door")
    quick = live(Scenery(level, looks=HARD), told(level), limit=2000)
    slow = PlayerSettings(delay=8, slips=0.01, hesitation=20.0)
    person = live(Scenery(level, looks=HARD), told(level), slow, limit=2000)
    assert quick.solved and person.solved and len(person.inputs) > len(quick.inputs)


def test_a_player_that_does_not_prefer_objects_looks_for_the_goal_wherever_there_is_room():
    level = BANK[40].level
    truth = roles_of(level)
    facts = Facts(len(truth))
    facts.rule_out([(3, 3)], 1 << GOAL)
    belief = Belief(
        told(level)(np.zeros(0), np.zeros(0)), facts, np.zeros_like(truth, int), False, prefer_objects=False
    )
    room = np.isin(truth, (FREE, GOAL, KEY)) & ~facts.ruled_out[..., GOAL]
    assert np.allclose(belief.goal, room / room.sum(), atol=1e-6)
    assert belief.danger[truth == GOAL].max() < 0.01 and (belief.danger[truth == DANGER] > 0.99).all()
    settings = PlayerSettings(prefer_objects=False)
    lives = [live(Scenery(level, looks=HARD), told(level), each, limit=2000) for each in (None, settings)]
    assert lives[0].solved and len(lives[1].inputs) > 2 * len(lives[0].inputs)


def test_evaluate_policy_evaluates_it():
    level = BANK[4].level
    scenery = Scenery(level, looks=HARD)
    rewards, lengths = evaluate_policy(
        Policy(scenery, told(level)), Monitor(scenery.env()), n_eval_episodes=2, return_episode_rewards=True, warn=False
    )
    assert isinstance(lengths, list) and rewards == [1.0, 1.0] and max(lengths) < 2000


def test_what_does_not_fit_is_refused_in_one_line():
    level = BANK[4].level
    with pytest.raises(ValueError, match="without 'rules': expected at least rules"):
        PlayerSettings(given=("patrols", "upright"))
    with pytest.raises(ValueError, match="maps is 0"):
        replace(PlayerSettings(), maps=0)
    with pytest.raises(ValueError, match="expected one native picture"):
        Policy(Scenery(level), told(level)).predict(np.zeros((1, 84, 84, 3), np.uint8))
    with pytest.raises(ValueError, match=r"the observation is float64 .* expected one native picture, uint8"):
        Policy(Scenery(level), told(level)).predict(np.zeros((level.side, level.side, 3)))
    with pytest.raises(ValueError, match="seed is -1: expected 0 or more"):
        Policy(Scenery(level), told(level), seed=-1)
    with pytest.raises(ValueError, match="limit is -1: expected 0 or more"):
        live(Scenery(level), told(level), limit=-1)
    with pytest.raises(ValueError, match="no 'state'"):
        Policy(Scenery(level), told(level), PlayerSettings(given=(*NEEDED, "state")))
