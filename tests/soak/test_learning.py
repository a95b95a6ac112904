"""What agents learn: games, as results/reproduce and results/training say; and where only exploring helps, or memory,
or a method that keeps. Minutes on one core."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import DQN
from torch.nn import functional

from priorlab.agents.evaluation import RandomPlayer, evaluate
from priorlab.agents.learners.dqn import DoubleDQN
from priorlab.agents.learners.make_dqn import train_dqn
from priorlab.agents.learners.make_ppo import train_ppo
from priorlab.agents.learners.replay import FrameReplay
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.learners.two_returns import TwoReturnsPPO, TwoValuesPolicy
from priorlab.agents.networks.pixels import PixelQPolicy
from priorlab.agents.settings import Settings
from priorlab.agents.training import play_at_random
from priorlab.scripts.sequences.runs import Request, learn
from priorlab.transfer import supervised
from priorlab.transfer.digits import dense_network, read_digits
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.pruning import shrink_and_learn
from tests.agents.test_agents import SMALL
from tests.agents.test_recurrent import learner, paid
from tests.support.chain import Wins, chains_side_by_side, curious_chains
from tests.support.kept_networks import SHAPE, TASKS, kept_by, optimizer_of

pytestmark = pytest.mark.usefixtures("one_thread")

SEEDS = range(5)


def test_the_pixel_agent_learns_a_small_level(tmp_path: Path):
    model, trained = train_ppo(replace(SMALL, inputs=4000, out=tmp_path / "run", learning_rate=3e-3))
    games = SMALL.game_arguments() | {"num_games": 50}
    chance = evaluate(RandomPlayer(0), games, seed=1)
    learned = evaluate(model, games, seed=1)
    assert learned.win_rate >= 0.9 > chance.win_rate
    assert learned.median_length < chance.median_length
    assert trained.first_win and trained.episodes > 50


@pytest.mark.parametrize("random_start", [0, 30])
def test_princess_is_learned_within_100_000_inputs(tmp_path: Path, random_start: int):
    learned = []
    for seed in SEEDS:
        settings = Settings(seed=seed, random_start=random_start, out=tmp_path / str(seed), progress=False)
        _, record = train_ppo(settings)
        learned.append(record.learned or np.inf)
    assert np.median(learned) <= 100_000, learned


def test_chance_hardly_ever_wins_in_as_many_inputs(tmp_path: Path):
    """One of ten seeds does, once (results/reproduce)."""
    runs = [Settings(agent="random", seed=seed, out=tmp_path / str(seed)) for seed in SEEDS]
    assert sum(play_at_random(settings).first_win is not None for settings in runs) <= 1


def finds_the_end(curiosity: str, seed: int = 0, entropy: float = 0.0) -> bool:
    learning = {
        "n_steps": 64, "batch_size": 64, "n_epochs": 4, "learning_rate": 1e-3, "ent_coef": entropy, "seed": seed,
        "device": "cpu",
    }  # fmt: skip
    env, wins = curious_chains(curiosity, seed), Wins()
    if curiosity == "rnd":
        TwoReturnsPPO(TwoValuesPolicy, env, **learning).learn(12_000, wins)
    else:
        SelfImitatingPPO("MlpPolicy", env, **learning).learn(12_000, wins)
    return wins.count > wins.enough


@pytest.mark.parametrize("curiosity", ["none", "counts", "episodic", "lifelong", "privileged-counts", "rnd"])
def test_only_with_curiosity_is_the_end_of_a_chain_found(curiosity):
    assert finds_the_end(curiosity) == (curiosity != "none")


def test_icm_finds_the_end_of_a_chain_in_some_runs():
    """Not in all: of six tried by hand, with two sizes of the bonus, two did not."""
    assert any(finds_the_end("icm", seed, entropy=0.01) for seed in (1, 2, 0))
    assert not finds_the_end("none", 1, entropy=0.01)


@pytest.mark.parametrize("curiosity", ["none", "counts", "rnd"])
def test_the_dqn_of_stable_baselines3_finds_the_end_of_a_chain_with_curiosity_alone(curiosity):
    model = DQN(
        "MlpPolicy", curious_chains(curiosity), learning_rate=1e-3, buffer_size=8000, learning_starts=500,
        train_freq=4, gradient_steps=4, target_update_interval=200, exploration_fraction=0.2,
        exploration_final_eps=0.02, seed=0, device="cpu",
    )  # fmt: skip
    wins = Wins()
    model.learn(8000, wins)
    assert (wins.count > wins.enough) == (curiosity != "none")


@pytest.mark.parametrize("curious", [True, False])
def test_our_dqn_finds_the_end_of_a_chain_with_curiosity_alone(curious: bool):
    env, wins = curious_chains("counts") if curious else chains_side_by_side(), Wins(3)
    model = DoubleDQN(
        PixelQPolicy, env, learning_rate=1e-3, buffer_size=8000, learning_starts=500, batch_size=32, train_freq=1,
        target_update_interval=100, replay_buffer_class=FrameReplay, replay_buffer_kwargs={"n_steps": 5, "seed": 0},
        policy_kwargs={"features": 32, "bfloat16": False}, imitation_steps=32, seed=0, device="cpu",
    )  # fmt: skip
    model.learn(6000 if curious else 2000, wins)
    assert (wins.count > wins.enough) == curious


def test_memory_through_deaths_answers_a_cue_of_the_life_before():
    assert paid(learner(True, through_deaths=True), 3072) > 0.9
    assert paid(learner(True, through_deaths=False), 3072) < 0.85


def test_fine_tuning_forgets_and_the_methods_keep(tmp_path, monkeypatch):
    monkeypatch.setattr(supervised, "POINTS", 1)
    settings = Request(methods=("finetune",), tasks=3, steps=100, units=64).settings
    left = {}
    for method in ("finetune", "separate", "ewc:strength=1", "psp", "packing"):
        run = learn(method, 0, settings, tmp_path)
        left[method] = np.mean([point[3] for point in run["points"] if point[0] == 2 and point[1] == 1.0])
    assert left["separate"] > 0.95 and left["finetune"] < left["separate"] - 0.03
    for method in ("ewc:strength=1", "psp", "packing"):
        assert left["finetune"] < left[method] < left["separate"] + 0.01, method


@pytest.mark.parametrize("name", ["finetune", "psp"])
def test_where_inputs_of_a_task_are_much_alike_most_of_what_was_forgotten_comes_back(name):
    """As with looks of one game: what all inputs share is larger than their differences, and changes."""
    generator = torch.Generator().manual_seed(0)
    shared = 4 * torch.randn(TASKS, *SHAPE, generator=generator)
    patterns = 0.5 * torch.randn(4, *SHAPE, generator=generator)
    labels = torch.randint(4, (256,), generator=generator)

    def right(method):
        kept = kept_by(method, heads=False)
        optimizer = optimizer_of(kept)
        for task in range(TASKS):
            kept.learn(task)
            inputs = shared[task] + patterns[labels]
            for _ in range(150):
                optimizer.zero_grad()
                functional.cross_entropy(kept.network.module(inputs), labels).backward()
                optimizer.step()
            kept.consolidate(Samples(inputs))
        with kept.playing(0), torch.no_grad():
            return float((kept.network.module(shared[0] + patterns[labels]).argmax(1) == labels).float().mean())

    assert right(name) < 0.6 and right(f"{name}+means") > 0.95


def test_most_of_a_network_for_digits_is_not_needed():
    problem, network = read_digits(), Network(dense_network(64, 0))

    def learn(mask):
        optimizer = torch.optim.Adam(network.module.parameters(), 1e-3)
        mask.attach(optimizer)
        generator = torch.Generator().manual_seed(0)
        for _ in range(150):
            chosen = torch.randint(len(problem.labels), (128,), generator=generator)
            loss = functional.cross_entropy(network.module(problem.inputs[chosen]), problem.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    @torch.no_grad()
    def test():
        return float((network.module(problem.test_inputs).argmax(1) == problem.test_labels).float().mean())

    found = shrink_and_learn(network, learn, test, rounds=4, share=0.5)
    assert found[-1].left < 0.07 and found[-1].performance > found[0].performance - 0.05


def test_dqn_learns_princess_in_most_runs_of_100_000_inputs(tmp_path: Path):
    runs = [Settings(agent="dqn", seed=seed, out=tmp_path / str(seed), progress=False) for seed in range(3)]
    learned = [train_dqn(settings)[1].learned for settings in runs]
    assert sum(at is not None for at in learned) >= 2, learned
