"""Policies of stable-baselines3 that are kept by methods.

    PPO(KeptCnnPolicy, env, policy_kwargs={"methods": parse("ewc"), "tasks": 4})

Any other policy is kept by a class that puts ``KeptActor`` or ``KeptQ`` first: ``class Mine(KeptActor, ThatPolicy)``.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticCnnPolicy, ActorCriticPolicy, BasePolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from stable_baselines3.common.type_aliases import Schedule
from stable_baselines3.dqn.policies import CnnPolicy, DQNPolicy, QNetwork
from torch import nn

from priorlab.transfer.keeping import METHODS, check_together, keep
from priorlab.transfer.kept import Kept
from priorlab.transfer.methods.penalty import EWC
from priorlab.transfer.networks.network import Network, evaluating
from priorlab.transfer.steps import stepped_ids


class KeptPolicy:
    """What kept actors and kept Q policies share: the settings of ``keep``, from ``policy_kwargs``.

    methods: specs as ``parse`` returns them. tasks: how many, at least 1. keep_seed: of everything random in the
    methods. ValueError unless actions are ``Discrete`` and observations are one array.
    """

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
            raise ValueError(f"action_space is {action_space}: expected Discrete, as importances are known only for it")
        check_together(methods)
        self.keep_settings = {"methods": [dict(spec) for spec in methods], "tasks": tasks, "keep_seed": keep_seed}
        super().__init__(observation_space, action_space, *args, **kwargs)  # pyright: ignore[reportCallIssue]

    def _get_constructor_parameters(self) -> dict[str, Any]:
        parameters = super()._get_constructor_parameters() | self.keep_settings  # pyright: ignore[reportAttributeAccessIssue]
        if not getattr(self, "share_features_extractor", True):  # which stable-baselines3 leaves out
            parameters["share_features_extractor"] = False
        return parameters

    def keep(self, network: Network) -> Kept:
        settings = self.keep_settings
        return keep(network, settings["methods"], settings["tasks"], settings["keep_seed"])


class KeptActor(KeptPolicy):
    """Put it before a policy for PPO or A2C: ``class Mine(KeptActor, ThatPolicy)``, with the settings methods, tasks
    and keep_seed in ``policy_kwargs``. Actor and critic are kept together; the heads are their last layers.

    ValueError for a policy without an actor and a critic; for spaces other than ``Discrete`` actions and observations
    of one array; and, with methods that run the network, for a policy whose actions depend on more than its actor's
    output for one observation, such as one with a memory.
    """

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space, *args: Any, **kwargs: Any):
        super().__init__(observation_space, action_space, *args, **kwargs)
        policy: Any = self
        for part in ("action_net", "value_net", "optimizer"):
            if not hasattr(policy, part):
                raise ValueError(f"policy {type(self).__name__} has no {part}: expected an actor and a critic with one "
                                 "optimizer, as ActorCriticPolicy has them")  # fmt: skip
        kinds = [METHODS[spec["method"]] for spec in self.keep_settings["methods"]]
        if any(kind.runs_network for kind in kinds):
            check_acts(policy)
        if any(issubclass(kind, EWC) for kind in kinds) and hasattr(policy.action_dist, "apply_masking"):
            raise ValueError(f"policy {type(self).__name__} masks actions, which importances ignore: expected a "
                             "method without them, such as l2")  # fmt: skip
        in_optimizer, groups = stepped_ids(policy.optimizer), len(policy.optimizer.param_groups)
        has_all = in_optimizer >= {id(parameter) for parameter in policy.parameters()}
        remembers = hasattr(policy, "lstm_hidden_state_shape")  # as those of sb3-contrib
        outputs, run_all = (first_logits, first_logits_and_values) if remembers else (logits, logits_and_values)
        heads = ("action_net", "value_net")
        kept = self.keep(Network(policy, heads, outputs, example=example_of(policy), run_all=run_all))
        if has_all and not in_optimizer >= {id(parameter) for parameter in policy.parameters()}:  # methods added some
            if groups > 1:
                raise ValueError(f"policy.optimizer has {groups} groups of parameters: expected one, to which "
                                 f"{kept.about['methods'][0]['method']} adds its own")  # fmt: skip
            schedule = args[0] if args else kwargs["lr_schedule"]
            policy.optimizer = policy.optimizer_class(policy.parameters(), lr=schedule(1), **policy.optimizer_kwargs)
        kept.attach(policy.optimizer)

    def prepared(self, observations: torch.Tensor) -> torch.Tensor:
        """What the features extractor is given for observations (n, ...): by default what stable-baselines3 gives it,
        float32 (n, ...), for images from 0 to 1. Override it for a policy that prepares them otherwise."""
        policy: Any = self
        prepared = preprocess_obs(observations, policy.observation_space, policy.normalize_images)
        assert isinstance(prepared, torch.Tensor)  # not of a Dict
        return prepared


class KeptQ(KeptPolicy):
    """Put it before a policy for DQN: ``class Mine(KeptQ, ThatPolicy)``, with the settings methods, tasks and keep_seed
    in ``policy_kwargs``. The online and the target network are each kept by the same methods.

    ValueError for other policies, and for spaces other than ``Discrete`` actions and observations of one array.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        if not isinstance(self, DQNPolicy):
            raise ValueError(f"policy {type(self).__name__} is not one of DQN's: expected a DQNPolicy")
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
    """For PPO and A2C, on vectors: ``MlpPolicy`` with the settings methods, tasks and keep_seed."""


class KeptCnnPolicy(KeptActor, ActorCriticCnnPolicy):
    """For PPO and A2C, on images: ``CnnPolicy`` with the settings methods, tasks and keep_seed."""


class KeptQPolicy(KeptQ, DQNPolicy):
    """For DQN, on vectors: ``MlpPolicy`` with the settings methods, tasks and keep_seed."""


class KeptQCnnPolicy(KeptQ, CnnPolicy):
    """For DQN, on images: ``CnnPolicy`` with the settings methods, tasks and keep_seed."""


def logits(policy: Any, observations: torch.Tensor) -> torch.Tensor:
    """The actor's logits, float32 (n, actions), for observations (n, ...) as the policy's forward takes them."""
    latent = policy.mlp_extractor.forward_actor(policy.pi_features_extractor(policy.prepared(observations)))
    return policy.action_net(latent)


def logits_and_values(policy: Any, observations: torch.Tensor) -> None:
    logits(policy, observations)
    policy.predict_values(observations)


def first_logits(policy: Any, observations: torch.Tensor) -> torch.Tensor:
    """As ``logits``, for a policy of sb3-contrib with a memory, in episodes that have just begun."""
    return policy.get_distribution(observations, *empty_memory(policy, len(observations)))[0].distribution.logits


def first_logits_and_values(policy: Any, observations: torch.Tensor) -> None:
    first_logits(policy, observations)
    policy.predict_values(observations, *empty_memory(policy, len(observations)))


def empty_memory(policy: Any, n: int) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The memory in n episodes that have just begun, and the flags that say so, float32 (n,)."""
    layers, _, width = policy.lstm_hidden_state_shape
    memory = torch.zeros(layers, n, width, device=policy.device)
    return (memory, memory), torch.ones(n, device=policy.device)


@torch.no_grad()
def check_acts(policy: Any) -> None:
    """ValueError if a policy's action probabilities are not those of its ``logits``."""
    space, generator = copy.deepcopy(policy.observation_space), torch.Generator().manual_seed(0)
    space.seed(0)
    observations = torch.from_numpy(np.stack([np.asarray(space.sample()) for _ in range(8)]))
    before = [parameter.clone() for parameter in policy.action_net.parameters()]
    for parameter in policy.action_net.parameters():  # initially so small that all actions are equally likely
        parameter.add_(torch.randn(parameter.shape, generator=generator).to(parameter))
    why: Exception | None = None
    try:
        with evaluating(policy):
            actions, _, log_probabilities = policy.forward(observations, deterministic=True)
            expected = logits(policy, observations).log_softmax(1).gather(1, actions[:, None])[:, 0]
        fits = log_probabilities.shape == expected.shape
        agrees = fits and torch.allclose(log_probabilities, expected, rtol=1e-2, atol=1e-3)
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:  # of another kind of policy
        agrees, why = False, error
    finally:
        for parameter, value in zip(policy.action_net.parameters(), before, strict=True):
            parameter.copy_(value)
    if not agrees:
        raise ValueError(
            f"policy {type(policy).__name__} acts by more than its actor's output for one "
            "observation: expected one without memory, or a method that runs no network, such as l2"
        ) from why


def example_of(policy: BasePolicy) -> torch.Tensor:
    """An observation (1, ...) of zeros, of the space's dtype."""
    space: Any = policy.observation_space
    return torch.from_numpy(np.zeros((1, *space.shape), space.dtype))
