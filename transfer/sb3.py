"""Policies of stable-baselines3 that are kept by methods; imported only where they are wanted, as that takes seconds.

    PPO(KeptCnnPolicy, env, policy_kwargs={"methods": parse("ewc"), "tasks": 4})
    for task in range(4):
        learn_task(model, task, steps)

Any other policy is kept by putting ``KeptActor`` or ``KeptQ`` before it: ``class MyPolicy(KeptActor, ThatPolicy)``.
"""

import copy
import inspect
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, ConvertCallback, ProgressBarCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.dqn.policies import CnnPolicy, DQNPolicy, QNetwork
from torch import nn

from priorlab.transfer.learners import watch_of
from priorlab.transfer.method import Kept, Samples, all_kept
from priorlab.transfer.methods import METHODS, check_together, keep
from priorlab.transfer.network import Network, evaluating
from priorlab.transfer.penalty import EWC
from priorlab.transfer.steps import stepped


class Keeps:
    """What both kinds of policies share. methods: specs as ``methods.parse`` gives them; tasks: how many;
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
        found = super()._get_constructor_parameters() | self.told  # pyright: ignore[reportAttributeAccessIssue]
        if not getattr(self, "share_features_extractor", True):  # which stable-baselines3 leaves out
            found["share_features_extractor"] = False
        return found

    def keep(self, network: Network) -> Kept:
        return keep(network, self.told["methods"], self.told["tasks"], self.told["keep_seed"])


class KeptActor(Keeps):
    """Put before a policy for PPO or A2C. Actor and critic are kept together; the heads are their last layers.

    ValueError for a policy without these, and, with methods that run the network, for one that acts by anything else
    than what its actor says of one observation, as policies with a memory do.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, *args: Any, **kwargs: Any):
        super().__init__(observation_space, action_space, *args, **kwargs)
        policy: Any = self
        for part in ("action_net", "value_net", "optimizer"):
            if not hasattr(policy, part):
                raise ValueError(f"policy {type(self).__name__} has no {part}: expected an actor and a critic with one "
                                 "optimizer, as ActorCriticPolicy has them")  # fmt: skip
        kinds = [METHODS[spec["method"]] for spec in self.told["methods"]]
        if any(kind.runs for kind in kinds):
            check_acts(policy)
        if any(issubclass(kind, EWC) for kind in kinds) and hasattr(policy.action_dist, "apply_masking"):
            raise ValueError(f"policy {type(self).__name__} masks actions, of which importances know nothing: expected "
                             "a method that needs none, such as l2")  # fmt: skip
        made, groups = stepped(policy.optimizer), len(policy.optimizer.param_groups)
        is_whole = made >= {id(parameter) for parameter in policy.parameters()}
        remembers = hasattr(policy, "lstm_hidden_state_shape")  # as those of sb3-contrib
        outputs, whole = (first_logits, first_logits_and_values) if remembers else (logits, logits_and_values)
        heads = ("action_net", "value_net")
        kept = self.keep(Network(policy, heads, outputs, example=example_of(policy), whole=whole))
        if is_whole and not made >= {id(parameter) for parameter in policy.parameters()}:  # which methods added to
            if groups > 1:
                raise ValueError(f"policy.optimizer has {groups} groups of parameters: expected one, which "
                                 f"{kept.about['methods'][0]['method']} adds its own to")  # fmt: skip
            schedule = args[0] if args else kwargs["lr_schedule"]
            policy.optimizer = policy.optimizer_class(policy.parameters(), lr=schedule(1), **policy.optimizer_kwargs)
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

    def __init__(self, *args: Any, **kwargs: Any):
        if not isinstance(self, DQNPolicy):
            raise ValueError(f"policy {type(self).__name__} is none of DQN's: expected a DQNPolicy")
        super().__init__(*args, **kwargs)

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


def first_logits(policy: Any, observations: torch.Tensor) -> torch.Tensor:
    """As ``logits``, of a policy of sb3-contrib with a memory: of games that have just begun."""
    return policy.get_distribution(observations, *blank(policy, len(observations)))[0].distribution.logits


def first_logits_and_values(policy: Any, observations: torch.Tensor) -> None:
    first_logits(policy, observations)
    policy.predict_values(observations, *blank(policy, len(observations)))


def blank(policy: Any, n: int) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    """What is remembered of n games that have just begun, and that they have."""
    layers, _, width = policy.lstm_hidden_state_shape
    memory = torch.zeros(layers, n, width, device=policy.device)
    return (memory, memory), torch.ones(n, device=policy.device)


@torch.no_grad()
def check_acts(policy: Any) -> None:
    """ValueError where a policy's chances of actions are not those that ``logits`` gives."""
    space, generator = copy.deepcopy(policy.observation_space), torch.Generator().manual_seed(0)
    space.seed(0)
    seen = torch.from_numpy(np.stack([np.asarray(space.sample()) for _ in range(8)]))
    before = [parameter.clone() for parameter in policy.action_net.parameters()]
    for parameter in policy.action_net.parameters():  # which starts so small that all actions would be as likely
        parameter.add_(torch.randn(parameter.shape, generator=generator).to(parameter))
    why: Exception | None = None
    try:
        with evaluating(policy):
            actions, _, found = policy.forward(seen, deterministic=True)
            expected = logits(policy, seen).log_softmax(1).gather(1, actions[:, None])[:, 0]
        agrees = found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-2, atol=1e-3)
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:  # whatever a policy of another kind raises
        agrees, why = False, error
    finally:
        for parameter, value in zip(policy.action_net.parameters(), before, strict=True):
            parameter.copy_(value)
    if not agrees:
        raise ValueError(
            f"policy {type(policy).__name__} acts by more than its actor says of one observation: "
            "expected one without memory, or a method that runs no network, such as l2"
        ) from why


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
    known = {*inspect.signature(model.learn).parameters} - {"total_timesteps", "reset_num_timesteps"}
    for name in settings:
        if name not in known:
            raise ValueError(f"learn_task has no setting {name!r}: expected {', '.join(sorted(known))}")
    callbacks = [Advance(steps), *called(settings.pop("callback", None))]
    callbacks += [ProgressBarCallback()] if settings.pop("progress_bar", False) else []
    check_stepped(model.policy)
    watch = watch_of(model, kept_of(model.policy)[0])
    if env is not None:
        model.set_env(env)
    if resume:
        check_resumed(model, task)
    else:
        begin(model.policy, task)
        begin_anew(model, keep_optimizer, keep_buffer)
    left = steps - model.num_timesteps if resume else steps
    if left > 0:
        with watch or nullcontext():
            callback = CallbackList([*([watch] if watch else []), *callbacks])
            model.learn(left, callback=callback, reset_num_timesteps=not resume, **settings)


def called(told: Any) -> list[BaseCallback]:
    """The callbacks that stable-baselines3's ``learn`` takes: none, one, several, or functions of the variables."""
    if told is None:
        return []
    each = told if isinstance(told, list) else [told]
    for one in each:
        if not isinstance(one, BaseCallback) and not callable(one):
            raise ValueError(f"callback is {one!r}: expected a BaseCallback, a function or a list of these")
    return [one if isinstance(one, BaseCallback) else ConvertCallback(one) for one in each]


def check_stepped(policy: BasePolicy) -> None:
    """ValueError where the policy's methods would not act: it got another optimizer, or other parameters, since."""
    kept = kept_of(policy)[0]
    attached = kept.attached.optimizers if kept.attached else []
    kept.check_parts()
    if not any(each is policy.optimizer for each in attached):
        raise ValueError("policy.optimizer was made after the methods were attached to one, and they would not act: "
                         "expected `kept.attach(policy.optimizer)` after that")  # fmt: skip
    if isinstance(policy.optimizer, torch.optim.LBFGS):
        raise ValueError("policy.optimizer is an LBFGS: expected one that stable-baselines3 can step, with no closure")
    within = set[int]().union(*(stepped(each) for each in attached))
    for name, parameter in kept.network.parameters().items():
        if parameter.requires_grad and id(parameter) not in within:
            raise ValueError(f"parameter {name!r} is not in policy.optimizer: expected all that learn, or "
                             "requires_grad_(False) for those that don't")  # fmt: skip


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
    """Before a task is learned: the target network of values begins as the online one. ValueError where its methods
    would not act."""
    check_stepped(policy)
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
