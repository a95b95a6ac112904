"""Learning to act on what is believed, by PPO (``agents/learners/ppo.py``) in ``practice.py``.

Each rollout begins new lives, and draws all its random numbers from the seed and its own number: so learning that was
stopped goes on as if never stopped. All is done on one thread, and gives the same weights on one machine.
"""

import math
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import RolloutBufferSamples, Schedule
from stable_baselines3.common.vec_env import VecEnv
from torch.nn import functional

from priorlab.agents.checkpoints import read_checkpoint, write_checkpoint
from priorlab.agents.device import one_thread
from priorlab.agents.learners.ppo import PlainPPO, write_advantages
from priorlab.agents.networks.pixels import choose_actions, score_actions
from priorlab.agents.priors.acting import LOOK_EVERY, Acting
from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.practice import Practice
from priorlab.agents.priors.settings import ActSettings
from priorlab.agents.priors.views import BODY, HOLDS_KEY, SIDE

CHECKPOINT = "checkpoint.pt"
MAPS, LARGEST_GRADIENT = 32, 1.0  # in a minibatch of maps; norm


class Progress(NamedTuple):
    """After so many rollouts and decisions. In the last rollout: how many cells of the shortest way its lives went on
    per 100 inputs; wins and deaths per 1,000 inputs; the mean entropy of a choice, in nats; and seconds of processor
    time so far."""

    rollout: int
    decisions: int
    went: float
    wins: float
    deaths: float
    entropy: float
    seconds: float


class ActingPolicy(ActorCriticPolicy):
    """An ``Acting`` network as a policy of stable-baselines3. ``fresh``, bool (n,): which of the views that come next
    are of maps that are looked at anew; the others go by what was seen of the one before in their lane."""

    fresh: np.ndarray

    def _build(self, lr_schedule: Schedule) -> None:
        self.network = Acting()
        self.ways = torch.zeros(0)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=lr_schedule(1), eps=1e-5)

    def heads(self, views: torch.Tensor, fresh: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Log probabilities, float32 (n, CHOICES), and values, (n, 1), of views in their order; the first is fresh."""
        ways = self.network.look(views[fresh])
        logits, values = self.network(views, ways, fresh.long().cumsum(0) - 1)
        return logits.log_softmax(1), values

    def forward(
        self, obs: torch.Tensor, deterministic: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One view of each lane: choices, values, log probabilities."""
        return choose_actions(*self.side_by_side(obs), deterministic)

    def side_by_side(self, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of ``heads`` for one view of each lane."""
        fresh = torch.from_numpy(self.fresh)
        if bool(fresh.all()):
            self.ways = self.network.look(views)
        elif bool(fresh.any()):
            self.ways[fresh] = self.network.look(views[fresh])
        logits, values = self.network(views, self.ways, torch.arange(len(views)))
        return logits.log_softmax(1), values

    def predict_values(self, obs: Any) -> torch.Tensor:
        return self.side_by_side(obs)[1]

    def evaluate_actions(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, obs: tuple[torch.Tensor, torch.Tensor], actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return score_actions(*self.heads(*obs), actions)


class Stretches(RolloutBuffer):
    """A rollout of which a minibatch holds whole stretches of LOOK_EVERY decisions of a lane, so that a map is looked
    at once for all decisions that go by it. Observations of samples are (views, fresh). ``held``: int64 (n_steps,
    n_envs), for how many inputs each choice was held."""

    def reset(self) -> None:
        super().reset()
        shape = self.buffer_size, self.n_envs
        self.fresh, self.held = np.zeros(shape, bool), np.ones(shape, np.int64)

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        if not self.generator_ready:
            for name in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
            self.fresh = self.fresh.T.ravel()
            self.generator_ready = True
        total, each = self.buffer_size * self.n_envs, (batch_size or self.buffer_size) // LOOK_EVERY
        order = np.random.permutation(total // LOOK_EVERY)  # noqa: NPY002, as SB3 draws from it
        for first in range(0, len(order), each):
            stretches = order[first : first + each, None] * LOOK_EVERY
            rows = (stretches + np.arange(LOOK_EVERY)).ravel()
            samples = self._get_samples(rows)
            observations = samples.observations, torch.from_numpy(self.fresh[rows])
            yield samples._replace(observations=observations)  # pyright: ignore[reportArgumentType]


class ActingPPO(PlainPPO):
    """PPO whose rollouts begin new lives, and which discounts by inputs, as choices are held for several."""

    policy: ActingPolicy  # pyright: ignore[reportIncompatibleVariableOverride]
    rollout_buffer: Stretches  # pyright: ignore[reportIncompatibleVariableOverride]
    rollouts = 0
    ways_rate = 0.0  # learning rate of ``learn_ways``; 0: the ways learn from PPO alone
    ways_optimizer: torch.optim.Adam

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        assert isinstance(env, Practice)
        seeds = np.random.SeedSequence([self.seed or 0, self.rollouts]).generate_state(2)
        torch.manual_seed(int(seeds[0]))
        np.random.seed(int(seeds[1]))  # noqa: NPY002
        self._last_obs = env.begin(self.rollouts)  # pyright: ignore[reportAttributeAccessIssue]
        self._last_episode_starts = np.ones(env.num_envs, bool)
        self.rollouts += 1
        return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)

    @torch.no_grad()
    def act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        self.policy.fresh = self.practice.fresh.copy()
        self.rollout_buffer.fresh[self.rollout_buffer.pos] = self.policy.fresh
        return super().act(observations)

    def after_step(self, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        self.rollout_buffer.held[self.rollout_buffer.pos - 1] = self.practice.held
        self.policy.fresh = self.practice.fresh

    @property
    def practice(self) -> Practice:
        assert isinstance(self.env, Practice)
        return self.env

    def train(self) -> None:
        """PPO's update; then the map part learns the shortest ways of the maps that were looked at."""
        super().train()
        if self.ways_rate:
            errors = [self.learn_ways(rows) for _ in range(self.n_epochs) for rows in self.looks()]
            self.logger.record("train/ways_end", float(np.mean(errors[-8:])))
            self.logger.record("train/ways_error", float(np.mean(errors)))

    def looks(self) -> list[np.ndarray]:
        """The rows of the rollout at which a map was looked at, in minibatches."""
        rows = np.random.permutation(np.flatnonzero(self.rollout_buffer.fresh))  # noqa: NPY002
        return [rows[first : first + MAPS] for first in range(0, len(rows), MAPS)]

    def learn_ways(self, rows: np.ndarray) -> float:
        """One step: the first of the network's ways becomes more like the shortest way on the true map, from every cell
        from where there is one. Returns the mean error, in cells."""
        network, buffer = self.policy.network, self.rollout_buffer
        views = buffer.observations[rows]
        keys = views[:, -BODY + HOLDS_KEY] > 0
        true = self.practice.ways[rows // buffer.buffer_size, keys.astype(int)]
        if np.random.random() < 0.5:  # noqa: NPY002  no rule prefers a side
            views, true = mirrored(views), np.ascontiguousarray(true[..., ::-1])
        views, true = torch.from_numpy(views), torch.from_numpy(true)
        there = ~true.isnan()
        errors = functional.smooth_l1_loss(network.look(views)[:, 0][there], true[there], reduction="none", beta=2.0)
        self.ways_optimizer.zero_grad()
        errors.mean().backward()
        torch.nn.utils.clip_grad_norm_(self.ways_optimizer.param_groups[0]["params"], LARGEST_GRADIENT)
        self.ways_optimizer.step()
        return float(errors.detach().mean())

    def compute_advantages(self, last_values: np.ndarray, dones: np.ndarray) -> None:
        rollout = self.rollout_buffer
        continues = 1 - np.concatenate([rollout.episode_starts[1:], dones[None]])
        continues = (continues * self.gamma ** (rollout.held - 1)).astype(np.float32)
        game = rollout.rewards, rollout.values, last_values[:, 0]
        write_advantages(rollout.advantages, *game, continues, self.gamma, self.gae_lambda)
        rollout.returns = rollout.advantages + rollout.values


def mirrored(views: np.ndarray) -> np.ndarray:
    """The same maps, from right to left; the body stays as it is. Views are uint8 (n, LENGTH)."""
    planes = views[:, :-BODY].reshape(len(views), -1, SIDE, SIDE)[..., ::-1]
    return np.concatenate([planes.reshape(len(views), -1), views[:, -BODY:]], axis=1)


class Learning:
    """Acting while it is learned. ``folder`` keeps its checkpoint; one that is there is continued, which raises
    ValueError if it is damaged or of other settings."""

    def __init__(self, settings: ActSettings, perceive: Perceive, folder: Path | None = None):
        self.settings, self.checkpoint = settings, folder / CHECKPOINT if folder else None
        levels = settings.small_levels, settings.small_levels, settings.large_levels
        self.practice = Practice(settings.lanes, levels, perceive, settings.seed)
        self.ppo = ActingPPO(
            ActingPolicy, self.practice, settings.learning_rate, n_steps=settings.steps,
            batch_size=settings.batch_size, n_epochs=settings.epochs, gamma=settings.gamma,
            gae_lambda=settings.gae_lambda, ent_coef=settings.entropy, rollout_buffer_class=Stretches,
            seed=settings.seed, device="cpu",
        )  # fmt: skip
        network = self.ppo.policy.network
        self.ppo.ways_rate, part = settings.ways_rate, [*network.map_part()]
        self.ppo.ways_optimizer = torch.optim.Adam(part, settings.ways_rate)
        self.seconds, self.rows = 0.0, list[Progress]()
        if self.checkpoint and self.checkpoint.exists():
            read_checkpoint(self.checkpoint, self.kept(), self.restore)

    def run(self, report: Callable[[Progress], None] = lambda progress: None) -> Acting:
        """Learns for the rollouts that are missing; returns the network, ready to act.

        FloatingPointError if it diverges; the last checkpoint stays.
        """
        ppo, settings = self.ppo, self.settings
        with one_thread():
            began = time.process_time() - self.seconds
            ppo._last_obs = self.practice.reset()  # pyright: ignore[reportAttributeAccessIssue]
            _, callback = ppo._setup_learn(settings.decisions, reset_num_timesteps=False)
            while ppo.rollouts < settings.rollouts:
                ppo.num_timesteps = ppo.rollouts * settings.rollout
                ppo.collect_rollouts(self.practice, callback, ppo.rollout_buffer, settings.steps)
                ppo.train()
                self.seconds = time.process_time() - began
                self.rows.append(self.progress())
                if self.checkpoint:
                    self.save(self.checkpoint)
                report(self.rows[-1])
        return ppo.policy.network.eval().requires_grad_(False)

    def progress(self) -> Progress:
        practice, logged = self.practice, self.ppo.logger.name_to_value
        for loss, rate in (("train/loss", "learning_rate"), ("train/ways_error", "ways_rate")):
            if not math.isfinite(logged.get(loss, 0)):
                raise FloatingPointError(f"{loss} is {logged[loss]} in rollout {self.ppo.rollouts}: try a lower {rate}")
        per_input = 1 / practice.inputs
        return Progress(
            self.ppo.rollouts, self.ppo.rollouts * self.settings.rollout, 100 * practice.went * per_input,
            1000 * practice.wins * per_input, 1000 * practice.deaths * per_input, -logged["train/entropy_loss"],
            self.seconds,
        )  # fmt: skip

    def kept(self) -> dict[str, Any]:
        """The settings that a checkpoint must have: all but how long it is to learn."""
        return {name: value for name, value in self.settings.config().items() if name != "rollouts"}

    def save(self, path: Path) -> None:
        write_checkpoint(path, self.kept(), {
            "policy": self.ppo.policy.state_dict(), "optimizer": self.ppo.policy.optimizer.state_dict(),
            "ways_optimizer": self.ppo.ways_optimizer.state_dict(), "rollouts": self.ppo.rollouts,
            "seconds": self.seconds, "rows": [tuple(row) for row in self.rows],
        })  # fmt: skip

    def restore(self, contents: dict[str, Any]) -> None:
        self.ppo.policy.load_state_dict(contents["policy"])
        self.ppo.policy.optimizer.load_state_dict(contents["optimizer"])
        self.ppo.ways_optimizer.load_state_dict(contents["ways_optimizer"])
        self.ppo.rollouts, self.seconds = contents["rollouts"], contents["seconds"]
        self.rows = [Progress(*row) for row in contents["rows"]]
