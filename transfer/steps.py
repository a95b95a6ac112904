"""Lets methods act around an optimizer's steps, in any of the ways in which torch takes them.

A step uses the gradients that are there, or has a closure compute them, once or (LBFGS) several times. They may be
those of a loss that a gradient scaler multiplied, by which fused optimizers divide, or of one that is maximised.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from weakref import WeakSet

import torch
from torch import nn
from torch.optim import LBFGS, Optimizer, SparseAdam
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from priorlab.transfer.methods.method import Factor
from priorlab.transfer.networks.network import Network


def check(optimizers: Sequence[Optimizer], parameters: Mapping[str, nn.Parameter], adds: bool) -> None:
    """ValueError if methods can't act around each step of these optimizers, and only there. parameters: those on which
    methods act; adds: whether methods add to gradients."""
    if not optimizers:
        raise ValueError("no optimizer: expected one or several, which step the network's parameters")
    seen: set[int] = set()
    for optimizer in optimizers:
        kind = type(optimizer).__name__
        if not isinstance(optimizer, Optimizer) or not hasattr(optimizer, "_optimizer_step_pre_hooks"):
            raise ValueError(f"optimizer is a {kind}: expected a torch.optim.Optimizer, whose steps have hooks, or the "
                             "one that it wraps")  # fmt: skip
        if adds and isinstance(optimizer, SparseAdam):
            raise ValueError("optimizer is a SparseAdam: expected one that takes the dense gradients of penalties")
        if any(group.get("differentiable") for group in optimizer.param_groups):
            raise ValueError(f"optimizer {kind} has differentiable=True: expected False, as methods change gradients")
        ids = stepped_ids(optimizer)
        if ids & seen:
            raise ValueError(f"optimizer {kind} shares parameters with another: expected each in one, or methods would "
                             "act twice on a gradient")  # fmt: skip
        seen |= ids
    missing = [name for name, parameter in parameters.items() if id(parameter) not in seen]
    if missing and len(missing) < len(parameters):
        raise ValueError(f"parameter {missing[0]!r} is in none of the optimizers: expected all of them in one call, as "
                         "attach(one, other), and requires_grad_(False) for what none of them steps")  # fmt: skip


def check_step(
    optimizers: Iterable[Optimizer],
    optimizer: Optimizer,
    settings: Mapping[str, Any],
    parameters: Mapping[str, nn.Parameter],
) -> None:
    """As ``check``, for what shows only when ``optimizer``, one of them, steps."""
    if settings.get("grad_scaler") is not None:
        raise ValueError(f"optimizer {type(optimizer).__name__} unscales gradients within its step: expected "
                         "scaler.unscale_(optimizer) before it, and a step without the scaler")  # fmt: skip
    within = set[int]().union(*(stepped_ids(each) for each in optimizers))
    for name, parameter in parameters.items():
        if parameter.requires_grad and parameter.grad is not None and id(parameter) not in within:
            raise ValueError(f"parameter {name!r} has a gradient but is in no attached optimizer: expected all of them "
                             "in one call, as attach(one, other)")  # fmt: skip


def stepped_ids(optimizer: Optimizer) -> set[int]:
    """The ids of the parameters that an optimizer steps."""
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def factors(optimizer: Optimizer, parameters: Mapping[str, nn.Parameter], scaled: bool = True) -> dict[str, Factor]:
    """By name of the parameters that the optimizer steps and that learn: what the gradient of a term of the loss must
    be multiplied by in its step. scaled: with the scale that a fused optimizer divides by; a closure's loss has
    none."""
    names = {id(parameter): name for name, parameter in parameters.items() if parameter.requires_grad}
    scale = getattr(optimizer, "grad_scale", None) if scaled else None
    by_name: dict[str, Factor] = {}
    for group in optimizer.param_groups:
        sign = -1.0 if group.get("maximize") else 1.0
        for parameter in group["params"]:
            if id(parameter) in names:
                by_name[names[id(parameter)]] = sign if scale is None else sign * scale.to(parameter.device)
    return by_name


def is_within_step(optimizer: Optimizer) -> bool:
    """Whether torch calls the hooks a second time in one step: it calls them around the ``step`` of a class and again
    around the ``super().step()`` within it."""
    hooked = [vars(kind)["step"] for kind in type(optimizer).__mro__ if hasattr(vars(kind).get("step"), "hooked")]
    if len(hooked) < 2:
        return False
    frame, calls = sys._getframe(), 0
    while frame is not None:
        is_step = frame.f_code is hooked[0].__code__
        calls += is_step and frame.f_locals.get("self") is optimizer
        frame = frame.f_back
    return calls > 1


def with_closure(
    args: tuple[Any, ...], settings: dict[str, Any], wrap: Callable[[Callable[[], Any]], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The arguments of a step, of which the first is the optimizer, with its closure wrapped; None if it has none."""
    if settings.get("closure") is not None:
        return args, settings | {"closure": wrap(settings["closure"])}
    if len(args) > 1 and args[1] is not None:
        return (args[0], wrap(args[1]), *args[2:]), settings
    return None


class ActsOnSteps(Protocol):
    """What ``Attached`` needs of ``priorlab.transfer.kept.Kept``."""

    changes: int
    network: Network

    def acted_on(self, parameters: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]: ...
    def adds(self) -> bool: ...
    def clear_gradients(self, parameters: Mapping[str, nn.Parameter]) -> None: ...
    def before_step(self, factors: Mapping[str, Factor]) -> None: ...
    def penalty(self, signs: Mapping[str, Factor]) -> float: ...
    def after_step(self) -> None: ...


ALL_KEPT: WeakSet[Any] = WeakSet()  # every ``priorlab.transfer.kept.Kept`` in the process


def check_attached(optimizer: Optimizer, *_: Any) -> None:
    """Called before each step of any optimizer: ValueError if it would move parameters on which methods must act, but
    is not attached, nor wraps an attached one, nor is wrapped by one."""
    moved: set[int] = set()
    for kept in [*ALL_KEPT]:
        attached = kept.attached.optimizers if kept.attached else []
        if any(each is optimizer or wraps(each, optimizer) or wraps(optimizer, each) for each in attached):
            continue
        moved = moved or stepped_ids(optimizer)
        for name, parameter in kept.acted_on(kept.network.parameters()).items():
            if id(parameter) in moved:
                raise ValueError(f"optimizer {type(optimizer).__name__} steps parameter {name!r} of a network whose "
                                 "methods are not attached to it and would not act: expected `kept.attach(optimizer)` "
                                 "before, also for a copy or a new optimizer")  # fmt: skip


def wraps(one: Optimizer, other: Optimizer) -> bool:
    return any(each is other for each in vars(one).values())


class Attached:
    """The optimizers around whose steps the methods of a network act."""

    def __init__(self, kept: ActsOnSteps, optimizers: Sequence[Optimizer]):
        self.kept, self.optimizers = kept, list(optimizers)
        self.learned: dict[int, object] = {}  # by id of an optimizer, what learned in its last step
        self.hooks: list[RemovableHandle] = []
        check(optimizers, kept.acted_on(kept.network.parameters()), kept.adds())
        for optimizer in optimizers:
            self.hooks.append(optimizer.register_step_pre_hook(eagerly(self.prepare)))
            self.hooks.append(optimizer.register_step_post_hook(eagerly(lambda *_: kept.after_step())))

    def detach(self) -> None:
        for hook in self.hooks:
            hook.remove()

    def prepare(self, optimizer: Optimizer, args: Any, settings: dict[str, Any]) -> Any:
        """Acts on the gradients that are there, or wraps the closure of the step so that it does."""
        if is_within_step(optimizer):
            return None
        if isinstance(optimizer, LBFGS):
            self.forget(optimizer)

        def wrap(closure: Callable[[], Any]) -> Any:
            def loss_and_penalty() -> Any:
                loss = closure()
                self.act(optimizer, settings)
                signs = factors(optimizer, self.kept.network.parameters(), scaled=False)
                penalty = self.kept.penalty(signs)
                return loss + penalty if penalty and loss is not None else loss

            return eagerly(loss_and_penalty)

        changed = with_closure(args, settings, wrap)
        if changed is None:
            self.act(optimizer, settings)
        return changed

    def act(self, optimizer: Optimizer, settings: Mapping[str, Any]) -> None:
        parameters = self.kept.network.parameters()
        self.kept.clear_gradients(parameters)
        check_step(self.optimizers, optimizer, settings, self.kept.acted_on(parameters))
        self.kept.before_step(factors(optimizer, parameters))

    def forget(self, optimizer: LBFGS) -> None:
        """Clears the state of LBFGS if other weights learn than in its last step, or a method replaced weights: its
        directions would move what no longer learns."""
        learn = [parameter.requires_grad for parameter in self.kept.network.parameters().values()]
        now = self.kept.changes, learn
        if self.learned.get(id(optimizer), now) != now:
            optimizer.state.clear()
        self.learned[id(optimizer)] = now


def eagerly(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, but run eagerly also within a compiled step."""

    def run(*args: Any) -> Any:
        return torch.compiler.disable(call)(*args) if torch.compiler.is_compiling() else call(*args)

    return run


register_optimizer_step_pre_hook(eagerly(check_attached))
