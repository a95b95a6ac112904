"""Double DQN on pixels with curiosity, from a replay memory that keeps frames once: stable-baselines3's DQN, extended.

Double Q-learning (van Hasselt et al. 2016, arXiv 1509.06461) with returns of several steps and prioritised replay, as
in Rainbow (Hessel et al. 2018, arXiv 1710.02298). What was done on its own best ways is valued above other actions by a
margin, as demonstrations are in DQfD (Hester et al. 2018, arXiv 1704.03732): until it has won, on the latest ways to
something never seen before; from then on, on its shortest wins; without their loops, as in ``self_imitating.py``.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from torch import nn
from torch.nn import functional

from priorlab.agents.curiosity.bonus import curiosity_of, reached
from priorlab.agents.curiosity.counts import CountBonus
from priorlab.agents.device import device_of
from priorlab.agents.imitation.ways import Way, without_loops
from priorlab.agents.learners.exploring import Exploring
from priorlab.agents.learners.replay import FrameReplay, Steps
from priorlab.agents.networks.pixels import PixelQPolicy
from priorlab.agents.runs.record import Record
from priorlab.agents.runs.run import HeldRate, logs, run
from priorlab.agents.settings import Settings


class DoubleDQN(DQN):
    """Needs a ``FrameReplay`` as its buffer, and environments whose infos hold ``episode``, as a Monitor's do.

    margin, discovery_margin: of won episodes, and of ways to something new, which ``discovery`` in infos tells (as
    ``CountBonus`` does); way_steps: of such ways, that each update also learns from; ways: how many are kept; the other
    arguments are those of ``Exploring``. The target network becomes the present one every ``target_update_interval``
    updates. What counts paid for a replayed step is told anew by the counts of now: what was new when it was seen
    is not worth seeking for ever.
    """

    replay_buffer: FrameReplay  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        *args: Any,
        margin: float = 0.3,
        discovery_margin: float = 0.1,
        way_steps: int = 128,
        ways: int = 12,
        epsilon: float = 0.4,
        patience: int = 10,
        **kwargs: Any,
    ):
        self.margin, self.discovery_margin = margin, discovery_margin
        self.way_steps, self.ways = way_steps, ways
        self.epsilon, self.patience = epsilon, patience
        self.won: list[Way] = []
        self.found: list[Way] = []
        self.shown: tuple[torch.Tensor, torch.Tensor] | None = None  # the ways in one piece, once they are asked for
        super().__init__(*args, **kwargs)

    def _setup_model(self) -> None:
        super()._setup_model()
        self.begun = np.zeros(self.n_envs, np.int64)  # each lane's episode's first row in the replay memory
        self.exploring = Exploring(self.n_envs, int(self.action_space.n), self.epsilon, self.patience, self.seed)  # type: ignore[attr-defined]

    def _setup_learn(
        self, total_timesteps: int, callback: Any = None, reset_num_timesteps: bool = True, *args: Any, **kwargs: Any
    ) -> Any:
        if reset_num_timesteps or self._last_obs is None:  # all games begin anew
            self.replay_buffer.begin()
            self.begun[:] = self.replay_buffer.newest
        return super()._setup_learn(total_timesteps, callback, reset_num_timesteps, *args, **kwargs)

    def memory(self) -> dict[str, Any]:
        """What a saved model leaves out and a resumed run needs."""
        names = ("replay_buffer", "won", "found", "begun", "exploring")
        return {name: getattr(self, name) for name in names}

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), *self.memory(), "shown"]

    @torch.no_grad()
    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        assert isinstance(self._last_obs, np.ndarray)
        values = self.q_net(self.policy.obs_to_tensor(self._last_obs)[0])
        won = sum(episode["r"] > 0 for episode in self.ep_info_buffer or ()) / self._stats_window_size
        chance = 1.0 if self.num_timesteps < learning_starts else None
        actions = self.exploring.act(values.argmax(dim=1).cpu().numpy(), 1 - won, chance)
        self.exploration_rate = self.exploring.rate
        return actions, actions

    def _on_step(self) -> None:
        self.logger.record("rollout/exploration_rate", self.exploration_rate)  # the rest is done in ``train``

    def _store_transition(  # pyright: ignore[reportIncompatibleMethodOverride]  dictionaries are no pictures
        self,
        replay_buffer: FrameReplay,
        buffer_action: np.ndarray,
        new_obs: np.ndarray,
        reward: np.ndarray,
        dones: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        assert isinstance(self._last_obs, np.ndarray)
        curiosity, notes = curiosity_of(self.env), -1
        if isinstance(curiosity, CountBonus):
            reward, notes = curiosity.own, curiosity.visited
        replay_buffer.add(self._last_obs, reached(new_obs, dones, infos), buffer_action, reward, dones, infos, notes)
        self._last_obs = new_obs
        self.exploring.learn(dones, curiosity.bonus > 0 if curiosity and curiosity.pays else None)
        for lane, info in enumerate(infos):
            won = dones[lane] and info["episode"]["r"] > 0
            if won or (info.get("discovery") and not dones[lane]):
                self.keep_way(lane, won)
            if dones[lane]:
                self.begun[lane] = replay_buffer.newest

    def keep_way(self, lane: int, won: bool) -> None:
        """Keeps what the lane's episode did so far, without loops, if it is among the best."""
        if self.won and not won:
            return
        way = without_loops(*self.replay_buffer.way(self.begun[lane], lane))
        (self.won if won else self.found).append(way)
        self.won = sorted(self.won, key=lambda way: len(way[1]))[: self.ways]
        self.found = [] if self.won else self.found[-self.ways :]
        self.shown = None

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        curiosity = curiosity_of(self.env)
        worth = curiosity.worth_now if isinstance(curiosity, CountBonus) else None
        losses = []
        for _ in range(gradient_steps):
            if self._n_updates % self.target_update_interval == 0:
                self.q_net_target.load_state_dict(self.q_net.state_dict())
            self._n_updates += 1
            steps = self.replay_buffer.sample(batch_size, worth=worth)
            losses.append(self.learn_from(steps))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/loss", np.mean(losses))

    def learn_from(self, steps: Steps) -> float:
        """One update, from these steps and from its own best ways; its loss."""
        pictures, actions = steps.observations, steps.actions
        margin = self.margin if self.won else self.discovery_margin
        if margin and (self.won or self.found):
            seen, done = self.best()
            chosen = torch.randint(len(done), (self.way_steps,), device=self.device)
            pictures, actions = torch.cat([pictures, seen[chosen]]), torch.cat([actions, done[chosen]])
        values = self.q_net(pictures)
        taken = values.gather(1, actions[:, None])  # (n, 1): the sampled steps', then those of its ways
        targets, count = self.targets(steps), len(steps.actions)
        errors = functional.smooth_l1_loss(taken[:count, 0], targets, reduction="none")
        loss = (steps.weights * errors).mean()
        if len(actions) > count:
            above = (values[count:] + margin).scatter(1, actions[count:, None], taken[count:]).amax(dim=1)
            loss = loss + (above - taken[count:, 0]).mean()
        self.replay_buffer.surprised(steps.places, (targets - taken[:count, 0]).detach().cpu().numpy())
        self.policy.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
        self.policy.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def targets(self, steps: Steps) -> torch.Tensor:
        """float32 (n,): returns, and the target network's value of what the present one would do from there on."""
        best = self.q_net(steps.following).argmax(dim=1, keepdim=True)
        return steps.returns + steps.discounts * self.q_net_target(steps.following).gather(1, best).squeeze(1)

    def best(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Observations uint8 (n, C, S, S) and actions int64 (n,) of all ways that are kept."""
        if self.shown is None:
            seen, done = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*(self.won or self.found)))
            self.shown = seen.to(self.device), done.to(self.device)
        return self.shown


def make_model(settings: Settings, env: VecEnv, kind: type[PixelQPolicy] = PixelQPolicy, **of_policy: Any) -> DoubleDQN:
    """``DoubleDQN`` as the settings tell; it learns from two minibatches after each decision of all games.

    kind: another policy, of the same kind of network; of_policy: more of its arguments.
    """
    return DoubleDQN(
        kind,
        env,
        learning_rate=HeldRate(settings.value("learning_rate"), settings.value("learning_rate_hold"), settings.inputs),
        buffer_size=settings.replay_size,
        learning_starts=500,  # decisions, all random, as a network can't learn from a handful of them
        batch_size=settings.value("batch_size"),
        gamma=settings.gamma,
        train_freq=1,
        gradient_steps=2,
        target_update_interval=200,
        replay_buffer_class=FrameReplay,
        replay_buffer_kwargs={
            "stack": settings.stack_size,
            "n_steps": settings.return_steps,
            "gamma": settings.gamma,
            "seed": settings.seed,
        },
        policy_kwargs=settings.of_network() | of_policy,
        margin=settings.margin,
        discovery_margin=settings.discovery_margin,
        ways=settings.value("imitation_episodes"),
        tensorboard_log=logs(settings),
        seed=settings.seed,
        device=device_of(settings),
    )


def held_bytes(settings: Settings) -> int:
    """Of the replay memory: a frame a step, and beside it the frames' numbers, and what was done and paid."""
    return settings.replay_size * (settings.screen_size**2 + 8 * (settings.stack_size + 1) + 50)


def train_dqn(settings: Settings, callback: BaseCallback | None = None) -> tuple[DoubleDQN, Record]:
    """Trains to ``settings.inputs``, from the folder's checkpoint where it holds one; writes rows and model.zip."""
    return run(settings, make_model, callback, held_bytes=held_bytes(settings))
