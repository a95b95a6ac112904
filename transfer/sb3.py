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
from gymnasium import spaces
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.dqn.policies import CnnPolicy, DQNPolicy, QNetwork
from torch import nn

from transfer.method import Kept, Samples, all_kept
from transfer.methods import check_together, keep
from transfer.network import Network


class Keeps:
    """What both kinds of policies share. methods: specs as ``transfer.methods.parse`` gives them; tasks: how many;
    keep_seed: of everything random in the methods. ValueError for spaces that it does not know."""

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *args: Any,
        methods: Sequence[Mapping[str, Any]] = (),
        tasks: int = 1,
        keep_seed: int = 0,
        **kwargs: Any,
    ):
        if isinstance(observation_space, spaces.Dict):
            raise ValueError("observation_space is a Dict: expected a space of one array, such as Box")
        if not isinstance(action_space, spaces.Discrete):
            raise ValueError(f"action_space is {action_space}: expected Discrete, of which importances are known")
        check_together(methods)
        self.told = {"methods": [dict(spec) for spec in methods], "tasks": tasks, "keep_seed": keep_seed}
        super().__init__(observation_space, action_space, *args, **kwargs)  # pyright: ignore[reportCallIssue]

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

    def prepared(self, observations: torch.Tensor) -> torch.Tensor:
        """What the features extractor is given for observations, as in stable-baselines3: floats, of images from 0 to
        1. A policy that gives it them as they are overrides this."""
        policy: Any = self
        seen = preprocess_obs(observations, policy.observation_space, policy.normalize_images)
        assert isinstance(seen, torch.Tensor)  # not of a Dict
        return seen


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
    latent = policy.mlp_extractor.forward_actor(policy.pi_features_extractor(policy.prepared(observations)))
    return policy.action_net(latent)


def logits_and_values(policy: Any, observations: torch.Tensor) -> None:
    logits(policy, observations)
    policy.predict_values(observations)


def example_of(policy: BasePolicy) -> torch.Tensor:
    """An observation (1, ...) of zeros."""
    space: Any = policy.observation_space
    return torch.from_numpy(np.zeros((1, *space.shape), space.dtype))


def learn_task(
    model: Any,
    task: int,
    steps: int,
    env: VecEnv | None = None,
    *,
    keep_optimizer: bool = False,
    keep_buffer: bool = False,
    resume: bool = False,
    **settings: Any,
) -> None:
    """Has a model of stable-baselines3 learn one task for so many steps, in ``env`` or in the one that it has.

    With each task the optimizer's state, the replay buffer, the count of steps and so every schedule begin anew.
    keep_optimizer: carry the optimizer's state over; keep_buffer: carry the transitions of earlier tasks over. resume:
    go on with the task that the model was learning when it was saved: nothing begins anew, and what is left of the
    task's ``steps`` is learned, none where all are done. Other settings are those of ``learn``.

    The caller consolidates it with ``consolidate``. ValueError for a task that can't be learned or gone on with.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: expected 1 or more")
    if env is not None:
        model.set_env(env)
    if resume:
        check_resumed(model, task)
    else:
        begin(model.policy, task)
        begin_anew(model, keep_optimizer, keep_buffer)
    left = steps - model.num_timesteps if resume else steps
    told = settings.pop("callback", None)
    if left > 0:
        callbacks = [Advance(steps), *([told] if told else [])]
        model.learn(left, callback=callbacks, reset_num_timesteps=not resume, **settings)


def check_resumed(model: Any, task: int) -> None:
    """ValueError where the model was not learning that task when it was saved."""
    learning = int(kept_of(model.policy)[0].task)
    if task != learning:
        raise ValueError(f"task is {task}: expected {learning}, which the model was learning")
    if not model.num_timesteps:
        raise ValueError("resume is True: expected a model that was saved while it learned the task")


def begin_anew(model: Any, keep_optimizer: bool, keep_buffer: bool) -> None:
    """What a task would otherwise take over from the one before, beside the network; ``learn`` resets the count."""
    if not keep_optimizer or kept_of(model.policy)[0].begins_anew:
        model.policy.optimizer.state.clear()
    if isinstance(model, OffPolicyAlgorithm) and not keep_buffer:
        kind: Any = model.replay_buffer_class
        model.replay_buffer = kind(  # not its reset, which forgets nothing in kinds that hold more
            model.buffer_size,
            model.observation_space,
            model.action_space,
            device=model.device,
            n_envs=model.n_envs,
            optimize_memory_usage=model.optimize_memory_usage,
            **model.replay_buffer_kwargs,
        )
    if isinstance(model, DQN):
        model._n_calls, model.exploration_rate = 0, model.exploration_schedule(1.0)


def kept_of(policy: BasePolicy) -> list[Kept]:
    """Of a policy's networks: of DQN's the online one's, then the target's. ValueError where it is not kept."""
    found = all_kept(policy)
    if not found:
        raise ValueError(f"policy is {type(policy).__name__}: expected one that is kept, such as KeptMlpPolicy")
    return found


def begin(policy: BasePolicy, task: int) -> None:
    """Before a task is learned: the target network of values begins as the online one."""
    kept_of(policy)[0].learn(task)
    follow(policy)


def meet(policy: BasePolicy, task: int, observations: torch.Tensor) -> None:
    """Before ``learn_task``, on observations (n, ...) of that task, as it is played by then."""
    kept_of(policy)[0].meet(task, Samples(observations))
    follow(policy)


def consolidate(policy: BasePolicy, observations: torch.Tensor, taken: torch.Tensor | None = None) -> None:
    """When a task is learned: on observations (n, ...) from it, and the actions int64 (n,) taken there, if known."""
    kept_of(policy)[0].consolidate(Samples(observations, taken))
    follow(policy)


def advance(policy: BasePolicy, share: float) -> None:
    """Now and then while a task is learned: ``share`` of that, from 0 to 1, is done."""
    if kept_of(policy)[0].advance(share):
        follow(policy)


def follow(policy: BasePolicy) -> None:
    """The target network takes all that the online one holds, as draws and masks of its own would differ."""
    online, *others = kept_of(policy)
    for other in others:
        other.network.module.load_state_dict(online.network.module.state_dict())


class Advance(BaseCallback):
    """Tells the methods how much of a task's ``steps`` is done, which the model counts from the task's start."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        """Before a rollout, so that what PPO learns from was played by the weights that learn from it. Before its last
        one all counts as done, or with few rollouts packing would prune when there is none left to learn on with."""
        ahead = self.model.n_steps * self.model.n_envs if isinstance(self.model, OnPolicyAlgorithm) else 0
        is_last = self.num_timesteps + ahead >= self.steps
        advance(self.model.policy, 1.0 if is_last else self.num_timesteps / self.steps)
