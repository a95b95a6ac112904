"""What can act around an optimizer's steps, in whichever of torch's ways it takes them.

A step finds its gradients in place or has a closure compute them, once or (LBFGS) several times. They may be those of a
loss that a gradient scaler multiplied, which fused optimizers divide by themselves, or of one that is maximised.
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

from priorlab.transfer.network import Network

Factor = float | torch.Tensor


def check(optimizers: Sequence[Optimizer], acted: Mapping[str, nn.Parameter], adds: bool) -> None:
    """ValueError where methods can't act around each step of these optimizers, and only there. acted: the parameters on
    which they do; adds: whether they add to gradients."""
    if not optimizers:
        raise ValueError("no optimizer: expected one or several, which step the network's parameters")
    seen: set[int] = set()
    for optimizer in optimizers:
        kind = type(optimizer).__name__
        if not isinstance(optimizer, Optimizer) or not hasattr(optimizer, "_optimizer_step_pre_hooks"):
            raise ValueError(f"optimizer is a {kind}: expected a torch.optim.Optimizer, whose steps have hooks, or the "
                             "one within it")  # fmt: skip
        if adds and isinstance(optimizer, SparseAdam):
            raise ValueError("optimizer is a SparseAdam: expected one that takes the dense gradients of a penalty, too")
        if any(group.get("differentiable") for group in optimizer.param_groups):
            raise ValueError(f"optimizer {kind} has differentiable=True: expected False, as methods act on numbers")
        own = stepped(optimizer)
        if own & seen:
            raise ValueError(f"optimizer {kind} has parameters of another one: expected each in one, or methods would "
                             "act twice on a gradient")  # fmt: skip
        seen |= own
    missing = [name for name, parameter in acted.items() if id(parameter) not in seen]
    if missing and len(missing) < len(acted):
        raise ValueError(f"parameter {missing[0]!r} is in none of the optimizers: expected all of them at once, as in "
                         "attach(one, other), and requires_grad_(False) of what none of them steps")  # fmt: skip


def check_step(
    optimizers: Iterable[Optimizer],
    optimizer: Optimizer,
    settings: Mapping[str, Any],
    acted: Mapping[str, nn.Parameter],
) -> None:
    """The same, of what is only seen when one of them steps."""
    if settings.get("grad_scaler") is not None:
        raise ValueError(f"optimizer {type(optimizer).__name__} unscales gradients within its step: expected "
                         "scaler.unscale_(optimizer) before it, and a step without the scaler")  # fmt: skip
    within = set[int]().union(*(stepped(each) for each in optimizers))
    for name, parameter in acted.items():
        if parameter.requires_grad and parameter.grad is not None and id(parameter) not in within:
            raise ValueError(f"parameter {name!r} has a gradient but is in no optimizer that is attached: expected all "
                             "of them at once, as in attach(one, other)")  # fmt: skip


def stepped(optimizer: Optimizer) -> set[int]:
    """Ids of the parameters that it steps."""
    return {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}


def factors(optimizer: Optimizer, parameters: Mapping[str, nn.Parameter], scaled: bool = True) -> dict[str, Factor]:
    """By name, of those that it steps and that learn: what the gradient of a term of the loss is multiplied by in its
    step; scaled: with the scale that a fused optimizer divides by, which a closure's loss doesn't have."""
    names = {id(parameter): name for name, parameter in parameters.items() if parameter.requires_grad}
    scale = getattr(optimizer, "grad_scale", None) if scaled else None
    found: dict[str, Factor] = {}
    for group in optimizer.param_groups:
        sign = -1.0 if group.get("maximize") else 1.0
        for parameter in group["params"]:
            if id(parameter) in names:
                found[names[id(parameter)]] = sign if scale is None else sign * scale.to(parameter.device)
    return found


def is_within_step(optimizer: Optimizer) -> bool:
    """Whether hooks are called a second time in one step: by ``super().step()`` of a class that has a step of its own,
    as torch calls them around either."""
    hooked = [vars(kind)["step"] for kind in type(optimizer).__mro__ if hasattr(vars(kind).get("step"), "hooked")]
    if len(hooked) < 2:
        return False
    frame, found = sys._getframe(), 0
    while frame is not None:
        is_step = frame.f_code is hooked[0].__code__
        found += is_step and frame.f_locals.get("self") is optimizer
        frame = frame.f_back
    return found > 1


def with_closure(
    args: tuple[Any, ...], settings: dict[str, Any], wrap: Callable[[Callable[[], Any]], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The arguments of a step, whose first is the optimizer, with its closure wrapped; nothing where it has none."""
    if settings.get("closure") is not None:
        return args, settings | {"closure": wrap(settings["closure"])}
    if len(args) > 1 and args[1] is not None:
        return (args[0], wrap(args[1]), *args[2:]), settings
    return None


class Acting(Protocol):
    """What acts around steps: ``priorlab.transfer.method.Kept``, whose methods tell what each of these does."""

    changes: int
    network: Network

    def acted(self, parameters: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]: ...
    def adds(self) -> bool: ...
    def still(self, parameters: Mapping[str, nn.Parameter]) -> None: ...
    def before_step(self, factors: Mapping[str, Factor]) -> None: ...
    def penalty(self, signs: Mapping[str, Factor]) -> float: ...
    def after_step(self) -> None: ...


ACTING: WeakSet[Any] = WeakSet()  # every ``priorlab.transfer.method.Kept`` there is


def check_attached(optimizer: Optimizer, *_: Any) -> None:
    """Before each step of any optimizer: ValueError where it would move what methods must act on, and is not attached,
    nor lies in one that is, nor holds one."""
    moved: set[int] = set()
    for kept in [*ACTING]:
        attached = kept.attached.optimizers if kept.attached else []
        if any(each is optimizer or holds(each, optimizer) or holds(optimizer, each) for each in attached):
            continue
        moved = moved or stepped(optimizer)
        for name, parameter in kept.acted(kept.network.parameters()).items():
            if id(parameter) in moved:
                raise ValueError(f"optimizer {type(optimizer).__name__} steps parameter {name!r} of a network whose "
                                 "methods are not attached to it, and would not act: expected `kept.attach(optimizer)` "
                                 "before, also of a copy or a new optimizer")  # fmt: skip


def holds(one: Optimizer, other: Optimizer) -> bool:
    return any(each is other for each in vars(one).values())


class Attached:
    """The optimizers around whose steps the methods of a network act."""

    def __init__(self, kept: Acting, optimizers: Sequence[Optimizer]):
        self.kept, self.optimizers = kept, list(optimizers)
        self.learned: dict[int, object] = {}  # what learned in an optimizer's last step
        self.hooks: list[RemovableHandle] = []
        check(optimizers, kept.acted(kept.network.parameters()), kept.adds())
        for optimizer in optimizers:
            self.hooks.append(optimizer.register_step_pre_hook(plainly(self.prepare)))
            self.hooks.append(optimizer.register_step_post_hook(plainly(lambda *_: kept.after_step())))

    def detach(self) -> None:
        for hook in self.hooks:
            hook.remove()

    def prepare(self, optimizer: Optimizer, args: Any, settings: dict[str, Any]) -> Any:
        """Acts on the gradients that are there, or has the closure of the step compute them so."""
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

            return plainly(loss_and_penalty)

        changed = with_closure(args, settings, wrap)
        if changed is None:
            self.act(optimizer, settings)
        return changed

    def act(self, optimizer: Optimizer, settings: Mapping[str, Any]) -> None:
        parameters = self.kept.network.parameters()
        self.kept.still(parameters)
        check_step(self.optimizers, optimizer, settings, self.kept.acted(parameters))
        self.kept.before_step(factors(optimizer, parameters))

    def forget(self, optimizer: LBFGS) -> None:
        """LBFGS begins anew where other weights learn than in its last step, or a method put others in their place:
        its directions would move what no longer learns."""
        learn = [parameter.requires_grad for parameter in self.kept.network.parameters().values()]
        told = self.kept.changes, learn
        if self.learned.get(id(optimizer), told) != told:
            optimizer.state.clear()
        self.learned[id(optimizer)] = told


def plainly(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same, but in a step that is compiled run as it is written."""

    def run(*args: Any) -> Any:
        return torch.compiler.disable(call)(*args) if torch.compiler.is_compiling() else call(*args)

    return run


register_optimizer_step_pre_hook(plainly(check_attached))
