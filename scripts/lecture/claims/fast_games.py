"""MAML where a reward is all there is: the goal on one side, a fire on the other, and looks that tell nothing.

Finn et al. 2017 (arXiv 1703.03400, algorithm 3): the policy plays some episodes, and takes a step of policy gradient;
what it is worth in other episodes after that is what its start is learned for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.rooms import MIDDLE, room
from priorlab.transfer.fewshot.maml import Parameters

FAR = 4  # tiles from the start to the goal on one side and to the fire on the other
SIDES = tuple(room(MIDDLE + side * FAR, fire=MIDDLE - side * FAR) for side in (-1, 1))
PIXELS, SKIP, DECISIONS = 20, 2, 12  # of a side; raw inputs a decision; decisions an episode
LOOKS = 24  # of each split
ALIEN = {"semantics": 0.0}  # nothing looks like what it is
MOST_STEPS, LEARNING_RATE, ENTROPY = 4, 1e-3, 0.01
RATES = (0.03, 0.1, 0.3, 1.0)  # from which who did not learn to adapt is given the best
ORDERS, PLAIN = {"MAML": False, "MAML, first order": True}, "all tasks at once"


@dataclass(frozen=True)
class Settings:
    steps: Annotated[int, "steps of meta-learning"] = 250
    looks: Annotated[int, "looks a step, each with the goal on either side", LOOKS] = 8
    episodes: Annotated[int, "of a room before each step of adapting"] = 10
    rate: Annotated[float, "of adapting"] = 0.1
    death: Annotated[float, "what a death costs MAML, where a win pays 1"] = 1.0


SMALL = {"steps": 2, "looks": 2, "episodes": 4}


class Played(NamedTuple):
    """Episodes of t tasks, or of one without the t."""

    pictures: torch.Tensor  # float32 (t, episodes, decisions, pixels)
    actions: torch.Tensor  # int64 (t, episodes, decisions)
    gains: torch.Tensor  # float32 (t, episodes): 1 for a win, minus what it costs for a death, else 0
    going: torch.Tensor  # float32 (t, episodes, decisions): 1 until the episode ends, then 0


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    known, new = (rooms(split, settings.episodes) for split in ("training", "held_out"))
    for name, first_order in {**ORDERS, PLAIN: None}.items():
        policy = new_policy(seed)
        learn(policy, known, settings, first_order, np.random.default_rng(seed))
        rate, death = (best_rate(policy, known, seed), 0.0) if name == PLAIN else (settings.rate, settings.death)
        yield from tested(name, policy, new, rate, death, seed)
    blind = new_policy(seed)
    nn.utils.vector_to_parameters(torch.zeros(sum(each.numel() for each in blind.parameters())), blind.parameters())
    luck = next(tested(CHANCE, blind, new, settings.rate, 0.0, seed)).value  # all inputs are as likely
    yield from (Row("adapting", CHANCE, step, luck) for step in range(MOST_STEPS + 1))


def new_policy(seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(PIXELS**2, 64), nn.ReLU(), nn.Linear(64, INPUT_COUNT))


def rooms(split: str, episodes: int) -> list[Games]:
    """Of each look a batch of ``episodes`` games with the goal on the left, and as many with it on the right."""
    return [
        Games(
            2 * episodes, level=[side for side in SIDES for _ in range(episodes)], looks=ALIEN, split=split,
            look_seed=look, screen_size=PIXELS, frame_skip=SKIP, max_inputs=SKIP * DECISIONS,
        )
        for look in range(LOOKS)
    ]  # fmt: skip


def play(
    policy: nn.Module, parameters: Parameters, batches: Sequence[Games], death: float, rng: np.random.Generator
) -> Played:
    """An episode in each game; ``parameters``, (t, ...) each, are those of the t tasks, two a batch; death: what one
    costs."""
    tasks, lanes = 2 * len(batches), sum(batch.num_games for batch in batches)
    seen = [np.array(batch.reset(int(rng.integers(1 << 31)))) for batch in batches]
    going, gains, found = np.ones(lanes, bool), np.zeros(lanes, np.float32), []
    outputs = vmap(lambda own, inputs: functional_call(policy, own, (inputs,)))
    for _ in range(DECISIONS):
        pictures = torch.from_numpy(np.concatenate(seen)).float().flatten(1) / 127.5 - 1  # (lanes, pixels)
        with torch.no_grad():
            logits = outputs(parameters, pictures.reshape(tasks, -1, PIXELS**2))  # lanes go task by task
        chances = logits.softmax(-1).cumsum(-1).reshape(lanes, INPUT_COUNT).numpy()
        actions = np.minimum((chances < rng.random((lanes, 1))).sum(1), INPUT_COUNT - 1)
        found.append((pictures, torch.from_numpy(actions), torch.from_numpy(going.copy()).float()))
        seen, first = [], 0
        for batch in batches:
            observations, _, terminated, _ = batch.step(actions[first : first + batch.num_games])
            seen.append(np.array(observations))
            for lane, won in zip(batch.ended, batch.final_info["solved"]):
                if going[first + lane]:  # later ones are of its next episode
                    gains[first + lane], going[first + lane] = 1 if won else -death * float(terminated[lane]), False
            first += batch.num_games
    pictures, actions, counted = (torch.stack(each, dim=1) for each in zip(*found))  # (lanes, decisions, ...)
    by_task = (
        each.reshape(tasks, -1, *each.shape[1:]) for each in (pictures, actions, torch.from_numpy(gains), counted)
    )
    return Played(*by_task)


def loss_of(policy: nn.Module, parameters: Parameters, played: Played) -> torch.Tensor:
    """Of one task: minus how much likelier what went better than usual is made (Williams 1992), in the form whose
    second derivative is right, too (Foerster et al. 2018, arXiv 1802.05098)."""
    logits = functional_call(policy, parameters, (played.pictures,))
    logs = logits.log_softmax(-1)
    taken = logs.gather(-1, played.actions[..., None])[..., 0]
    spread = -(logs.exp() * logs).sum(-1)  # entropy
    better = played.gains - played.gains.mean()
    likelier = (taken * played.going).sum(-1)
    likelier = (likelier - likelier.detach()).exp()  # 1, but its second derivative is that of what is expected
    return -(better * likelier + ENTROPY * (spread * played.going).sum(-1)).mean()


def adapt(
    policy: nn.Module, parameters: Parameters, played: Played, rate: float, first_order: bool = False
) -> Parameters:
    """The parameters of one task after a step."""
    slopes = grad(lambda own: loss_of(policy, own, played))(parameters)
    return {
        name: value - rate * (slopes[name].detach() if first_order else slopes[name])
        for name, value in parameters.items()
    }


def learn(
    policy: nn.Module, batches: Sequence[Games], settings: Settings, first_order: bool | None, rng: np.random.Generator
) -> None:
    """By Adam on what the policy is worth after a step; before any, and as many episodes, where first_order is None:
    then a death costs nothing, as who can only guess would not move else."""
    death = 0.0 if first_order is None else settings.death
    optimizer = torch.optim.Adam(policy.parameters(), LEARNING_RATE)

    def improve(worth: Callable[[Parameters], torch.Tensor]) -> None:
        optimizer.zero_grad()
        worth(dict(policy.named_parameters())).mean().backward()
        optimizer.step()

    for _ in range(settings.steps):
        chosen = [batches[k] for k in rng.choice(len(batches), settings.looks, replace=False)]
        start = every(policy, 2 * settings.looks)
        before = play(policy, start, chosen, death, rng)
        if first_order is None:
            improve(lambda own, played=before: vmap(lambda one: loss_of(policy, own, one))(played))
            again = play(policy, every(policy, 2 * settings.looks), chosen, death, rng)
            improve(lambda own, played=again: vmap(lambda one: loss_of(policy, own, one))(played))
            continue
        there = vmap(lambda own, one: adapt(policy, own, one, settings.rate))(start, before)
        after = play(policy, {name: value.detach() for name, value in there.items()}, chosen, death, rng)

        def worth(own: Parameters, before=before, after=after) -> torch.Tensor:
            def one(first: Played, then: Played) -> torch.Tensor:
                return loss_of(policy, adapt(policy, own, first, settings.rate, first_order), then)

            return vmap(one)(before, after)

        improve(worth)


def every(policy: nn.Module, tasks: int) -> Parameters:
    """The policy's parameters for each of t tasks, (t, ...)."""
    return {name: value.detach().expand(tasks, *value.shape) for name, value in policy.named_parameters()}


def best_rate(policy: nn.Module, batches: Sequence[Games], seed: int) -> float:
    """Of RATES, the one with which a policy wins most in rooms that it knows, after one step or more."""
    return max(RATES, key=lambda rate: max(row.value for row in list(tested("", policy, batches, rate, 0.0, seed))[1:]))


def tested(
    name: str, policy: nn.Module, batches: Sequence[Games], rate: float, death: float, seed: int
) -> Iterator[Row]:
    """Share of episodes won before adapting to rooms, and after each step."""
    rng, parameters = np.random.default_rng(seed + 1000), every(policy, 2 * len(batches))
    for step in range(MOST_STEPS + 1):
        played = play(policy, parameters, batches, death, rng)
        yield Row("adapting", name, step, float((played.gains > 0).float().mean()))
        moved = vmap(lambda own, one: adapt(policy, own, one, rate))(parameters, played)
        parameters = {name: value.detach() for name, value in moved.items()}
