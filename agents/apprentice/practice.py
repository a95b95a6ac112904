"""An apprentice practises: PPO with memory, on random training levels in random looks, on the CPU or on a GPU.

A life ends with the win or at the limit; the memory and the returns last through deaths. A win pays 1, nothing else
pays. Games, rollouts and updates stay on the network's device. What each rollout draws depends on the seed and its
number alone, so a stopped practice continues as if never stopped.

The loss is ``PlainPPO``'s; minibatches hold the complete sequences of some games, as in ``RecurrentPPO``.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from torch import nn

from priorlab.agents.apprentice.drawing import draw
from priorlab.agents.apprentice.plays import Plays
from priorlab.agents.apprentice.settings import ApprenticeSettings
from priorlab.agents.checkpoints import read_checkpoint, write_checkpoint
from priorlab.agents.device import one_thread
from priorlab.agents.learners.ppo import clipped_losses, normalised, write_advantages
from priorlab.agents.learners.recurrent import GameSequences, Memory, RecurrentPolicy
from priorlab.agents.networks.pixels import choose_actions
from priorlab.envs.engine.engine import on_cpu

CHECKPOINT = "practice.pt"
LARGEST_GRADIENT, CRITIC = 0.5, 0.5  # norm; weight of the critic's loss
SAVE_SECONDS = 45.0
PLACES, ROLLOUT = 100, 101  # set the draws of places and of rollouts apart


class PracticeRow(NamedTuple):
    """Of one rollout: lives that ended, the share of them that were won, the mean raw inputs of these (NaN without
    any), deaths, and means over the update's minibatches."""

    update: int
    decisions: int
    lives: int
    solved: float
    inputs: float
    deaths: int
    policy_loss: float
    value_loss: float
    entropy: float
    approx_kl: float


class Rollout:
    """T steps of N games on the device; ``pictures`` uint8 (N, T, S, S, 3), all else (T, N)."""

    def __init__(self, settings: ApprenticeSettings, device: torch.device):
        games, steps, side = settings.games, settings.steps, settings.screen_size
        self.pictures = torch.zeros((games, steps, side, side, 3), dtype=torch.uint8, device=device)
        self.actions = torch.zeros((steps, games), dtype=torch.int64, device=device)
        floats = torch.zeros((7, steps, games), device=device)
        self.forgets, self.rewards, self.values, self.log_probs, self.continues, self.advantages, self.returns = floats

    def samples(self, games: torch.Tensor, memory: Memory) -> RolloutBufferSamples:
        """The complete sequences of these games, int64 (n,); ``memory``: of all games, before the first step."""
        # (n, T, S, S, 3) -> (n * T, 3, S, S)
        pictures = self.pictures[games].flatten(0, 1).movedim(-1, 1)
        names = "actions", "values", "log_probs", "advantages", "returns"
        columns = (getattr(self, name).T[games].flatten() for name in names)  # (T, N) -> (n * T,), game by game
        sequences: Any = GameSequences(pictures, self.forgets.T[games], (memory[0][games], memory[1][games]))
        return RolloutBufferSamples(sequences, *columns)


class Practice:
    """A network while it practises; ``network`` is changed in place.

    ``folder`` keeps its checkpoint; one that is there is continued, which raises ValueError if it is damaged or of
    other settings.
    """

    def __init__(self, settings: ApprenticeSettings, network: RecurrentPolicy, folder: Path | None = None):
        self.settings, self.network, self.device = settings, network, network.device
        self.updates = -(-settings.decisions // (settings.games * settings.steps))
        rng = np.random.default_rng([settings.seed, PLACES])
        places = [draw(rng, "training", settings.sizes).scenery() for _ in range(settings.places)]
        self.plays = Plays(places, settings.games, settings.screen_size, settings.frame_skip, self.device)
        self.plays.move(np.arange(settings.games), rng.integers(len(places), size=settings.games))
        network.make_optimizer(lambda _: settings.practice_learning_rate)
        self.rollout = Rollout(settings, self.device)
        self.memory = network.empty_memory(settings.games)
        self.begins = torch.ones(settings.games, device=self.device)  # 1 where a life begins
        self.update, self.rows = 0, list[PracticeRow]()
        self.checkpoint = folder / CHECKPOINT if folder else None
        if self.checkpoint and self.checkpoint.exists():
            read_checkpoint(self.checkpoint, settings.config(), self.restore)

    def run(self, report: Callable[[PracticeRow], None] = lambda row: None) -> RecurrentPolicy:
        """Makes the updates that are missing; the network that results.

        FloatingPointError if it diverges; the last checkpoint stays.
        """
        saved, cards = time.monotonic(), [self.device] if self.device.type == "cuda" else []
        with one_thread(), torch.random.fork_rng(devices=cards):
            while self.update < self.updates:
                words = np.random.SeedSequence([self.settings.seed, ROLLOUT, self.update]).generate_state(2)
                torch.manual_seed(int(words[0]))
                memory = self.memory
                lived = self.collect(np.random.default_rng(int(words[1])))
                measures = self.learn(memory)
                self.update += 1
                self.rows.append(self.row(lived, measures))
                report(self.rows[-1])
                if self.checkpoint and time.monotonic() > saved + SAVE_SECONDS:
                    self.save(self.checkpoint)
                    saved = time.monotonic()
        self.plays.close()
        return self.network

    # 1. Collecting a rollout

    @torch.no_grad()
    def collect(self, rng: np.random.Generator) -> np.ndarray:
        """Plays T decisions in each game; int64 (4,): lives that ended, won, raw inputs of these, deaths. ``rng`` draws
        places."""
        settings, network, plays, rollout = self.settings, self.network, self.plays, self.rollout
        network.set_training_mode(False)
        lived, deaths = np.zeros(4, np.int64), torch.zeros((), dtype=torch.int64, device=self.device)
        for step in range(settings.steps):
            rollout.pictures[:, step] = plays.pictures
            rollout.forgets[step] = self.forgets(self.begins)
            self.memory = self.next_memory(self.begins)
            chosen = choose_actions(*network.heads_of(self.memory[0]))
            rollout.actions[step], rollout.values[step], rollout.log_probs[step] = chosen[0], chosen[1][:, 0], chosen[2]
            won, died = plays.step(chosen[0])
            late = ~won & (plays.inputs >= settings.life_limit)
            rollout.rewards[step] = won.float()
            if late.any():  # its value stands for what would have come
                rollout.rewards[step] += settings.gamma * self.values(torch.zeros_like(self.begins)) * late
            over = won | late
            rollout.continues[step], self.begins = (~over).float(), over.float()
            deaths += died.sum()
            if len(lanes := np.flatnonzero(on_cpu(over))):
                info = plays.infos(lanes)
                lived += len(lanes), info["solved"].sum(), info["inputs"][info["solved"]].sum(), 0
                plays.move(lanes, rng.integers(len(plays.scenes), size=len(lanes)))
        write_advantages(
            rollout.advantages, rollout.rewards, rollout.values, self.values(self.begins), rollout.continues,
            settings.gamma, settings.gae_lambda,
        )  # fmt: skip
        torch.add(rollout.advantages, rollout.values, out=rollout.returns)
        lived[3] = int(deaths)
        return lived

    def forgets(self, begins: torch.Tensor) -> torch.Tensor:
        """float32 (N,): 1 where the memory is cleared before the next picture; ``begins``: where a life begins."""
        return begins if self.settings.memory == "play" else torch.ones_like(begins)

    def next_memory(self, begins: torch.Tensor) -> Memory:
        """After what each game shows now."""
        keep = 1 - self.forgets(begins)[:, None]
        hidden, cell = self.memory
        return self.network.next_memory(self.plays.pictures.movedim(-1, 1), (hidden * keep, cell * keep))

    def values(self, begins: torch.Tensor) -> torch.Tensor:
        """float32 (N,): of what each game shows now."""
        return self.network.heads_of(self.next_memory(begins)[0])[1][:, 0]

    # 2. Learning from it

    def learn(self, memory: Memory) -> torch.Tensor:
        """Makes ``n_epochs`` passes over the rollout, at whose beginning the games remembered ``memory``; the means of
        what ``MEASURES`` names, float32 (6,)."""
        settings, network = self.settings, self.network
        network.set_training_mode(True)
        for group in network.optimizer.param_groups:
            group["lr"] = settings.practice_learning_rate * (1 - self.update / self.updates)
        measures = []
        for _ in range(settings.n_epochs):
            order = torch.randperm(settings.games, device=self.device)
            for games in order.split(settings.games // settings.minibatches):
                batch = self.rollout.samples(games, memory)
                batch = batch._replace(advantages=normalised(batch.advantages))
                scored = network.evaluate_actions(batch.observations, batch.actions)  # type: ignore[arg-type]
                losses = clipped_losses(scored, batch, settings.clip_range, settings.entropy, CRITIC)
                network.optimizer.zero_grad()
                losses[-1].backward()
                nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
                network.optimizer.step()
                measures.append(losses.detach())
        return torch.stack(measures).mean(0)

    def row(self, lived: np.ndarray, measures: torch.Tensor) -> PracticeRow:
        policy_loss, value_loss, entropy_loss, approx_kl, _, loss = measures.tolist()
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at update {self.update}: try a lower practice_learning_rate")
        lives, won, inputs, deaths = lived.tolist()
        decisions = self.update * self.settings.games * self.settings.steps
        shares = won / lives if lives else math.nan, inputs / won if won else math.nan
        return PracticeRow(
            self.update, decisions, lives, *shares, deaths, policy_loss, value_loss, -entropy_loss, approx_kl
        )

    def save(self, path: Path) -> None:
        """Call it between two rollouts."""
        write_checkpoint(path, self.settings.config(), {
            "network": self.network.state_dict(), "optimizer": self.network.optimizer.state_dict(),
            "plays": self.plays.save(), "memory": self.memory, "begins": self.begins, "update": self.update,
            "rows": [tuple(row) for row in self.rows],
        })  # fmt: skip

    def restore(self, contents: dict[str, Any]) -> None:
        self.network.load_state_dict(contents["network"])
        self.network.optimizer.load_state_dict(contents["optimizer"])
        self.plays.restore(contents["plays"])
        hidden, cell = (each.to(self.device) for each in contents["memory"])
        self.memory, self.begins = (hidden, cell), contents["begins"].to(self.device)
        self.update, self.rows = contents["update"], [PracticeRow(*row) for row in contents["rows"]]
