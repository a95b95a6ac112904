"""Learning tasks one after another with a model of stable-baselines3 whose policy is kept.

model = PPO(KeptCnnPolicy, env, policy_kwargs={"methods": parse("ewc"), "tasks": 4})
for task in range(4):
    learn_task(model, task, steps)
    consolidate(model.policy, observations)
"""

import inspect
from contextlib import nullcontext
from typing import Any

import torch
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, ConvertCallback, ProgressBarCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv

from priorlab.transfer.kept import Kept, find_kept
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.sb3.weight_watch import weight_watch
from priorlab.transfer.steps import stepped_ids


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
    """Lets a model of stable-baselines3, with a kept policy, learn one task.

    task: its number, from 0. steps: environment steps, in all environments together, at least 1. env: where to learn;
    by default the environment that the model has. With each task the optimizer's state, the replay buffer, the step
    count and so every schedule start again. keep_optimizer: carry the optimizer's state over. keep_buffer: carry the
    transitions of earlier tasks over. resume: continue the task that the model was learning when it was saved: nothing
    starts again, and it learns what is left of ``steps``, if anything. settings: passed on to the model's ``learn``.

    Call ``consolidate`` afterwards. ValueError for a task that can't be learned or resumed, for unknown settings, and
    for a model that moves weights outside its policy's optimizer.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: expected 1 or more")
    known = {*inspect.signature(model.learn).parameters} - {"total_timesteps", "reset_num_timesteps"}
    for name in settings:
        if name not in known:
            raise ValueError(f"learn_task has no setting {name!r}: expected {', '.join(sorted(known))}")
    callbacks = [AdvanceCallback(steps), *as_callbacks(settings.pop("callback", None))]
    callbacks += [ProgressBarCallback()] if settings.pop("progress_bar", False) else []
    check_attached(model.policy)
    watch = weight_watch(model, kept_networks(model.policy)[0])
    if env is not None:
        model.set_env(env)
    if resume:
        check_resumed(model, task)
    else:
        begin_task(model.policy, task)
        reset_model(model, keep_optimizer, keep_buffer)
    left = steps - model.num_timesteps if resume else steps
    if left > 0:
        with watch or nullcontext():
            callback = CallbackList([*([watch] if watch else []), *callbacks])
            model.learn(left, callback=callback, reset_num_timesteps=not resume, **settings)


def as_callbacks(callback: Any) -> list[BaseCallback]:
    """A list of callbacks, from what stable-baselines3's ``learn`` takes: None, a callback, a function, or a list."""
    if callback is None:
        return []
    each = callback if isinstance(callback, list) else [callback]
    for one in each:
        if not isinstance(one, BaseCallback) and not callable(one):
            raise ValueError(f"callback is {one!r}: expected a BaseCallback, a function or a list of these")
    return [one if isinstance(one, BaseCallback) else ConvertCallback(one) for one in each]


def check_attached(policy: BasePolicy) -> None:
    """ValueError if the policy's methods would not act, as it has since got another optimizer, or other parameters."""
    kept = kept_networks(policy)[0]
    attached = kept.attached.optimizers if kept.attached else []
    kept.check_parts()
    if not any(each is policy.optimizer for each in attached):
        raise ValueError("policy.optimizer was made after the methods were attached to one, and they would not act: "
                         "expected `kept.attach(policy.optimizer)` after that")  # fmt: skip
    if isinstance(policy.optimizer, torch.optim.LBFGS):
        raise ValueError("policy.optimizer is an LBFGS: expected one that stable-baselines3 can step, with no closure")
    within = set[int]().union(*(stepped_ids(each) for each in attached))
    for name, parameter in kept.network.parameters().items():
        if parameter.requires_grad and id(parameter) not in within:
            raise ValueError(f"parameter {name!r} is not in policy.optimizer: expected all that learn, or "
                             "requires_grad_(False) for those that don't")  # fmt: skip


def check_resumed(model: Any, task: int) -> None:
    """ValueError if the model was not learning that task when it was saved."""
    learning = int(kept_networks(model.policy)[0].task)
    if task != learning:
        raise ValueError(f"task is {task}: expected {learning}, which the model was learning")
    if not model.num_timesteps:
        raise ValueError("resume is True: expected a model that was saved while it learned the task")


def reset_model(model: Any, keep_optimizer: bool, keep_buffer: bool) -> None:
    """Resets what a task would otherwise take over from the last one, except the network; ``learn`` resets the step
    count."""
    if not keep_optimizer or kept_networks(model.policy)[0].starts_fresh:
        model.policy.optimizer.state.clear()
    if isinstance(model, OffPolicyAlgorithm) and not keep_buffer:
        kind: Any = model.replay_buffer_class
        model.replay_buffer = kind(  # a new one, as some kinds hold more than their reset forgets
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


def kept_networks(policy: BasePolicy) -> list[Kept]:
    """The kept networks of a policy: for DQN the online and the target network. ValueError if there are none."""
    kept = find_kept(policy)
    if not kept:
        raise ValueError(f"policy is {type(policy).__name__}: expected one that is kept, such as KeptMlpPolicy")
    return kept


def begin_task(policy: BasePolicy, task: int) -> None:
    """Prepares a policy to learn a task; a target network becomes like the online one. ValueError if its methods would
    not act. ``learn_task`` does this."""
    check_attached(policy)
    kept_networks(policy)[0].learn(task)
    sync_target(policy)


def meet(policy: BasePolicy, task: int, observations: torch.Tensor) -> None:
    """Shows a new task to the policy's methods before ``learn_task``; only ``means:start=aligned`` uses it.

    observations: (n, ...), of the task as the policy plays it by then, as its network takes them: images with channels
    first. ValueError for a policy that is not kept, and for a task that does not exist.
    """
    kept_networks(policy)[0].meet(task, Samples(observations))
    sync_target(policy)


def consolidate(policy: BasePolicy, observations: torch.Tensor, taken: torch.Tensor | None = None) -> None:
    """Keeps the task that the policy has just learned.

    observations: (n, ...), a few hundred from the task, as the policy's network takes them: images with channels first.
    taken: int64 (n,), the actions taken there; needed for ``importance=empirical`` alone. ValueError for samples that
    the methods can't use, and for a policy that is not kept.
    """
    kept_networks(policy)[0].consolidate(Samples(observations, taken))
    sync_target(policy)


def advance(policy: BasePolicy, share: float) -> None:
    """Tells the policy's methods that a ``share`` of the task's training, from 0 to 1, is done."""
    if kept_networks(policy)[0].advance(share):
        sync_target(policy)


def sync_target(policy: BasePolicy) -> None:
    """Copies all of the online network into the target network, as new draws and masks of its own would differ."""
    online, *others = kept_networks(policy)
    for other in others:
        other.network.module.load_state_dict(online.network.module.state_dict())


class AdvanceCallback(BaseCallback):
    """Calls ``advance`` as a task of so many ``steps`` is learned, which the model counts from the task's start."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        """Before a rollout, so that the weights that learn from it also played it. Before PPO's last rollout the task
        counts as done, or with few rollouts packing would prune when none is left to retrain on."""
        ahead = self.model.n_steps * self.model.n_envs if isinstance(self.model, OnPolicyAlgorithm) else 0
        is_last = self.num_timesteps + ahead >= self.steps
        advance(self.model.policy, 1.0 if is_last else self.num_timesteps / self.steps)
