"""Players that learned to act: what they see, the ways in their network, how they learn, which files are refused."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stable_baselines3.common.logger import configure
from torch.nn import functional

from priorlab.agents.priors.acting import Acting, load_acting, save_acting
from priorlab.agents.priors.learning_to_act import Learning
from priorlab.agents.priors.lives import live, told
from priorlab.agents.priors.movement import shipped_movement
from priorlab.agents.priors.player_settings import WITHOUT_RULES, PlayerSettings
from priorlab.agents.priors.policy import Policy
from priorlab.agents.priors.practice import ground
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import ActSettings
from priorlab.agents.priors.sweeping import swept
from priorlab.agents.priors.views import ACROSS, BODY, COLUMN, GOAL_ODDS, LENGTH, PLANES, ROW, SIDE, WALLS
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import WALL
from priorlab.envs.random_games.bank import Bank
from tests.support.policies import predicted

BANK = Bank.read("held_out")
LEARNED = PlayerSettings(acting="learned", given=WITHOUT_RULES)
TINY = {"lanes": 2, "stretches": 1, "batch_size": 16, "small_levels": 1, "large_levels": 1}


@pytest.fixture(scope="module")
def acts(tmp_path_factory):
    """A player that has learned nothing yet, and is not given the rules."""
    path = tmp_path_factory.mktemp("acting") / "acting.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_acting(Acting(), path, {"settings": {}})
    return PlayerSettings(acting=path, given=WITHOUT_RULES)


def unsure(picture, ruled_out):
    """Takes every role that is not ruled out for as likely."""
    left = (~ruled_out).astype(np.float32)
    return left / left.sum(-1, keepdims=True)


def stop(row):
    raise KeyboardInterrupt


def test_ways_are_the_cheapest_and_gradients_follow_them():
    generator = torch.Generator().manual_seed(0)
    ends = (torch.rand(2, 2, 6, 6, generator=generator) * 20).requires_grad_()
    steps = (torch.rand(2, 4, 2, 6, 6, generator=generator) + 0.1).requires_grad_()
    costs = ends
    for _ in range(36):
        around = functional.pad(costs, (1, 1, 1, 1), value=1e9)
        beside = around[..., 1:-1, :-2], around[..., 1:-1, 2:], around[..., :-2, 1:-1], around[..., 2:, 1:-1]
        costs = torch.stack([ends, *(steps[:, k] + other for k, other in enumerate(beside))]).amin(0)
    found, weights = swept(ends, steps), torch.rand(2, 2, 6, 6, generator=generator)
    torch.testing.assert_close(found, costs)
    for one, other in zip(*(torch.autograd.grad((each * weights).sum(), [ends, steps]) for each in (found, costs))):
        torch.testing.assert_close(one, other)


def test_it_sees_what_it_believes_and_where_it_is(acts):
    level = BANK[4].level
    scenery = Scenery(level)
    player = Policy(scenery, told(level), acts).new_life(scenery.env().reset(seed=0)[0])
    assert player.pressing is not None
    sight = player.pressing.sight
    sight.believe(player.believe(), player.facts)
    state = player.tracker.foreseen.copy()
    state[[0, 1]] = 2 * 15 * 3 + 15 + 4, 2 * 15 * 5 + 13  # in half pixels: 2 pixels right of the middle of a cell
    view = sight.view(state, 2, np.zeros(LENGTH, np.uint8))
    planes, body = view[:-BODY].reshape(len(PLANES), SIDE, SIDE), view[-BODY:]
    column, row = (int(at // 15) for at in level.goal)
    assert planes[GOAL_ODDS, row, column] == 255 and (planes[GOAL_ODDS] > 9).sum() == 1
    assert ((planes[WALLS] > 127)[: level.height, : level.width] == (level.tiles & WALL > 0)).all()
    assert (body[ROW], body[COLUMN]) == (5, 3) and body[ACROSS : ACROSS + 15].argmax() == 2


def test_the_shortest_ways_end_at_the_goal():
    found = ground(0, 0)
    assert found is not None
    ways, (column, row) = found.ways[int(found.level.key is not None)], (int(at // 15) for at in found.level.goal)
    start = tuple(int(at // 15) for at in found.level.start[::-1])
    assert ways[row, column] == 0 and np.nanmax(ways) >= ways[start] > 5


def test_learning_that_is_stopped_goes_on_as_if_never_stopped(tmp_path):
    settings = ActSettings(rollouts=2, **TINY)
    whole = Learning(settings, unsure).run().state_dict()
    with pytest.raises(KeyboardInterrupt):
        Learning(settings, unsure, tmp_path).run(stop)
    resumed = Learning(settings, unsure, tmp_path)
    assert [row.rollout for row in resumed.rows] == [1]
    assert all(torch.equal(whole[name], tensor) for name, tensor in resumed.run().state_dict().items())
    assert [row.decisions for row in resumed.rows] == [32, 64]
    with pytest.raises(ValueError, match="of other settings"):
        Learning(ActSettings(rollouts=2, entropy=0.0, **TINY), unsure, tmp_path)


def test_learning_that_diverges_is_no_progress():
    learning = Learning(ActSettings(rollouts=2, **TINY), unsure)
    learning.ppo.set_logger(configure(None, []))
    for name, value in (("train/loss", 0.1), ("train/ways_error", float("nan"))):
        learning.ppo.logger.record(name, value)
    with pytest.raises(FloatingPointError, match="train/ways_error is nan in rollout 0: try a lower ways_rate"):
        learning.progress()


def test_a_policy_that_learned_to_act_lives_the_same_life(acts):
    level = BANK[4].level
    scenery = Scenery(level)
    life, env = live(scenery, told(level), acts, seed=3, limit=300), scenery.env()
    inputs, _ = predicted(Policy(scenery, told(level), acts, seed=3), env, len(life.inputs))
    assert inputs == life.inputs.tolist()[: len(inputs)] and len(inputs) > 50
    assert len({*inputs}) > 3 and life.lost == life.contradictions == 0
    assert life.given == ("roles", *WITHOUT_RULES)


def test_the_network_that_comes_with_the_package_wins_a_small_level(acts):
    level = BANK[3].level
    learned, other = (live(Scenery(level), told(level), each, seed=3, limit=300) for each in (LEARNED, acts))
    assert learned.solved and not other.solved


def test_what_does_not_fit_is_refused_in_one_line(tmp_path, acts):
    network, level = Acting(), BANK[4].level
    torch.nn.init.constant_(network.value.bias, float("nan"))
    save_acting(network, tmp_path / "nan", {})
    save_file({"a": np.zeros(1)}, tmp_path / "other")
    (tmp_path / "damaged").write_bytes(acts.acting.read_bytes()[:-1])
    for name, message in (("nan", "not finite"), ("other", "expected a priorlab acting"), ("damaged", "damaged")):
        with pytest.raises(ValueError, match=f"{name}: .*{message}"):
            load_acting(tmp_path / name)
    with pytest.raises(ValueError, match=r"movement.safetensors: expected a priorlab acting"):
        Policy(Scenery(level), told(level), PlayerSettings(acting=shipped_movement()))
    with pytest.raises(ValueError, match="acting is 'somehow': expected 'planned', 'learned' or a Path"):
        PlayerSettings(acting="somehow")  # pyright: ignore[reportArgumentType]
    rows = (*["|" + " " * 23 + "|"] * 24, "|S" + " " * 21 + "G|")
    large = Scenery(Level("large", "princess", rows, (22.5, 367.5), (352.5, 367.5), (15, 15), 2))
    for use in (live, Policy):
        with pytest.raises(ValueError, match="25 cells a side: expected at most 24 for one that learned to act"):
            use(large, told(large.level), acts)
    with pytest.raises(ValueError, match="hesitation is 2: expected 0"):
        PlayerSettings(acting=tmp_path, hesitation=2.0)
