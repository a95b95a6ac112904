"""Policies of stable-baselines3 that are kept by methods; imported only where they are wanted, as that takes seconds.

    PPO(KeptCnnPolicy, env, policy_kwargs={"methods": parse("ewc"), "tasks": 4})
    for task in range(4):
        learn_task(model, task, steps)

Any other policy is kept by putting ``KeptActor`` or ``KeptQ`` before it: ``class MyPolicy(KeptActor, ThatPolicy)``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.dqn.policies import CnnPolicy, DQNPolicy, QNetwork
from torch import nn

from transfer.method import Kept, Samples, all_kept
from transfer.methods import keep
from transfer.network import Network


class Keeps:
    """What both kinds of policies share. methods: specs as ``transfer.methods.parse`` gives them; tasks: how many;
    keep_seed: of everything random in the methods."""

    def __init__(
        self,
        *args: Any,
        methods: Sequence[Mapping[str, Any]] = (),
        tasks: int = 1,
        keep_seed: int = 0,
        **kwargs: Any,
    ):
        self.told = {"methods": [dict(spec) for spec in methods], "tasks": tasks, "keep_seed": keep_seed}
        super().__init__(*args, **kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | self.told  # pyright: ignore[reportAttributeAccessIssue]

    def keep(self, network: Network) -> Kept:
        return keep(network, self.told["methods"], self.told["tasks"], self.told["keep_seed"])


class KeptActor(Keeps):
    """Put before a policy for PPO or A2C. Actor and critic are kept together; the heads are their last layers."""

    def _build(self, lr_schedule: Schedule) -> None:
        policy: Any = self
        super()._build(lr_schedule)  # pyright: ignore[reportAttributeAccessIssue]
        kept = self.keep(
            Network(
                policy,
                heads=("action_net", "value_net"),
                outputs=logits,
                example=example_of(policy),
                whole=logits_and_values,
            )
        )
        policy.optimizer = policy.optimizer_class(policy.parameters(), lr=lr_schedule(1), **policy.optimizer_kwargs)
        kept.attach(policy.optimizer)


class KeptQ(Keeps):
    """Put before a policy for DQN. The online and the target network are each kept, by the same methods."""

    def make_q_net(self) -> QNetwork:
        network = super().make_q_net()  # pyright: ignore[reportAttributeAccessIssue]
        last = [name for name, module in network.q_net.named_modules() if isinstance(module, nn.Linear)][-1]
        heads = [f"q_net.{last}" if last else "q_net"]
        heads += ["value"] if hasattr(network, "value") else []  # of dueling networks
        self.keep(Network(network, tuple(heads), likelihood="gaussian", example=example_of(network)))
        return network

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)  # pyright: ignore[reportAttributeAccessIssue]
        policy: Any = self
        policy.q_net.kept.attach(policy.optimizer)


class KeptMlpPolicy(KeptActor, ActorCriticPolicy):
    """For PPO and A2C, on vectors."""


class KeptCnnPolicy(KeptActor, ActorCriticCnnPolicy):
    """For PPO and A2C, on pictures."""


class KeptQPolicy(KeptQ, DQNPolicy):
    """For DQN, on vectors."""


class KeptQCnnPolicy(KeptQ, CnnPolicy):
    """For DQN, on pictures."""


def logits(policy: Any, observations: torch.Tensor) -> torch.Tensor:
    """Of the actions, float32 (n, actions), for observations as the policy's forward takes them."""
    seen = observations
    if policy.features_extractor.__class__.__module__.startswith("stable_baselines3"):
        seen = preprocess_obs(observations, policy.observation_space, policy.normalize_images)
    latent = policy.mlp_extractor.forward_actor(policy.pi_features_extractor(seen))
    return policy.action_net(latent)


def logits_and_values(policy: Any, observations: torch.Tensor) -> None:
    logits(policy, observations)
    policy.predict_values(observations)


def example_of(policy: BasePolicy) -> torch.Tensor:
    """An observation (1, ...) of zeros."""
    space: Any = policy.observation_space
    return torch.from_numpy(np.zeros((1, *space.shape), space.dtype))


def learn_task(model: Any, task: int, steps: int, env: VecEnv | None = None, **settings: Any) -> None:
    """Has a model of stable-baselines3 learn one task for so many steps, in ``env`` or in the one that it has.

    The caller consolidates it with ``consolidate``; settings are those of ``learn``.
    """
    if env is not None:
        model.set_env(env)
    begin(model.policy, task)
    told = settings.pop("callback", None)
    callbacks = [Advance(steps), *([told] if told else [])]
    model.learn(steps, callback=callbacks, reset_num_timesteps=settings.pop("reset_num_timesteps", False), **settings)


def begin(policy: BasePolicy, task: int) -> None:
    """Before a task is learned: all networks of the policy, the target network with what the online one holds."""
    kept = all_kept(policy)
    for other in kept[1:]:
        other.network.module.load_state_dict(kept[0].network.module.state_dict())
    for each in kept:
        each.learn(task)


def consolidate(policy: BasePolicy, observations: torch.Tensor, taken: torch.Tensor | None = None) -> None:
    """When a task is learned: on observations (n, ...) from it, and the actions int64 (n,) taken there, if known."""
    kept = all_kept(policy)
    kept[0].consolidate(Samples(observations, taken))
    for other in kept[1:]:
        other.network.module.load_state_dict(kept[0].network.module.state_dict())


def advance(policy: BasePolicy, share: float) -> None:
    """Now and then while a task is learned: ``share`` of that, from 0 to 1, is done."""
    for each in all_kept(policy):
        each.advance(share)


class Advance(BaseCallback):
    """Tells the methods how much of a task's steps are done."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps, self.before = steps, 0

    def _on_training_start(self) -> None:
        self.before = self.num_timesteps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        """Before a rollout, so that what PPO learns from was played by the weights that learn from it."""
        advance(self.model.policy, min(1.0, (self.num_timesteps - self.before) / self.steps))
