"""What a method is, and how a network is kept by one or several: the narrow protocol between methods and learners.

A learner, whichever it is, calls ``learn`` before it learns a task (before that ``meet``, if it has samples of the task
by then), ``advance`` now and then while it does, ``consolidate`` when it has, and gives its optimizer to ``attach``.
Everything a method must remember lies in buffers and parameters of the network itself, and so in its ``state_dict``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from priorlab.envs.base.files import writing
from priorlab.transfer import steps
from priorlab.transfer.drift import Watch
from priorlab.transfer.network import KEPT, Network
from priorlab.transfer.states import State

FORMAT = 1  # of files of ``Kept.save``


@dataclass(frozen=True)
class Samples:
    """What a task was learned on. inputs: (n, ...), as the network takes them; taken: int64 (n,), the labels or the
    actions that were taken, where they are known."""

    inputs: torch.Tensor
    taken: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if not len(self.inputs):
            raise ValueError("samples have no inputs: expected one or more")
        if self.taken is None:
            return
        if self.taken.shape != self.inputs.shape[:1]:
            expected = f"({len(self.inputs)},), one for each input"
            raise ValueError(f"samples' labels or actions have shape {tuple(self.taken.shape)}: expected {expected}")
        if self.taken.dtype != torch.int64:
            raise ValueError(f"samples' labels or actions are {self.taken.dtype}: expected int64")


class Method(nn.Module):
    """One way to keep or to reuse what a network learned, held by that network; a subclass overrides what it needs.

    Its constructor takes the network, the number of tasks, a generator for everything random, and settings of its own;
    it may put other layers in the network's place, and raises ValueError, with the layer and why, where it can't.
    """

    takes_statistics = False  # whether what drifts beside the parameters, such as running statistics, is let be
    sorts_weights = False  # whether it decides which task has which weights: only one method of a network can
    begins_anew = False  # whether each task begins with weights that nothing before it touched
    heads_are_own = False  # whether it only makes sense if each task has heads of its own
    adds = False  # whether ``before_step`` adds to gradients
    runs = False  # whether it runs the network

    def __init__(self, network: Network):
        super().__init__()
        self.network = network  # no submodule: it is the network's module that holds this method

    def owned(self) -> Iterable[str]:
        """Names of parameters of which it gives each task its own, and which are then no other method's business."""
        return ()

    def move(self, task: int, before: int) -> None:
        """Puts the weights with which that task is played in place of those of ``before``."""

    def meet(self, task: int, samples: Samples) -> None:
        """Given samples of a task that is new, and whose weights are in place, before it is learned."""

    def learn(self, task: int) -> None:
        """Prepares to learn a task whose weights are in place."""

    def refresh(self, task: int) -> None:
        """Sets what is no tensor, such as which parameters learn, to what the tensors say; also after loading them."""

    def advance(self, task: int, share: float) -> bool:
        """Called while a task is learned, when ``share`` of its learning, from 0 to 1, is done. Whether it changed
        weights, or which of them learn."""
        return False

    def consolidate(self, task: int, samples: Samples) -> None:
        """Keeps the task that was learned, on these samples."""

    def flip(self, name: str, signs: torch.Tensor) -> None:
        """Told when another method turned the signs of a parameter's numbers in place: +1 or -1, of its shape."""

    def acted(self) -> Iterable[str]:
        """Names of parameters that must not be stepped without what follows."""
        return ()

    def before_step(self, factors: Mapping[str, steps.Factor]) -> None:
        """Called when the gradients of a step of the optimizer are there, after clipping: may change them. factors:
        what a gradient that is added to a parameter's must be multiplied by, of those that this step moves."""

    def penalty(self, signs: Mapping[str, steps.Factor]) -> float:
        """What ``before_step`` adds the gradient of, up to a constant: of these parameters, each times its sign."""
        return 0.0

    def after_step(self) -> None:
        """Called after each step of the optimizer: may put back what must not move."""

    def bytes(self) -> int:
        """What must be stored for it, beside the network's weights in place."""
        return sum(tensor.numel() * tensor.element_size() for tensor in [*self.buffers(), *self.parameters()])


class Kept(nn.Module):
    """The methods by which a network is kept, over a number of tasks; it lies in that network, as ``kept``.

    about: plain data that tells which networks' states fit this one's; frozen: parameters that the user froze; fixed:
    names of those among them that must stay so; watch: refuses what the methods can't keep, where that shows only by a
    run of the network, or while it is learned.
    """

    task: torch.Tensor  # int64 (): whose weights are in place

    def __init__(
        self,
        network: Network,
        methods: Sequence[Method],
        tasks: int,
        about: Mapping[str, Any],
        frozen: Sequence[nn.Parameter] = (),
        fixed: Iterable[str] = (),
        watch: Watch | None = None,
    ):
        super().__init__()
        self.watch = watch
        self.tasks, self.about = tasks, {"format": FORMAT, "tasks": tasks, **about}
        self.register_buffer("task", torch.zeros((), dtype=torch.int64))
        self.methods = nn.ModuleList(methods)
        self.network = network
        network.module.add_module(KEPT, self)
        ids = {id(parameter) for parameter in frozen}
        named = dict(network.module.named_parameters())
        self.frozen = {name for name, parameter in named.items() if id(parameter) in ids}  # by the user
        self.held, self.fixed = set[str](), {*fixed}  # by the methods: for now, and for good
        self.shapes = {name: parameter.shape for name, parameter in network.parameters().items()}
        self.attached: steps.Attached | None = None
        steps.ACTING.add(self)
        self.changes = 0  # of weights, other than by learning
        if watch and watch.inputs is None:
            self.first_run = network.module.register_forward_pre_hook(self.before_run, with_kwargs=True)
        self.settle()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Changes nothing: a Sequential runs through everything that lies in it."""
        return inputs

    def before_run(self, module: nn.Module, given: Sequence[Any], named: Mapping[str, Any]) -> None:
        """Before the first run of a network without an example: nothing is learned by then."""
        inputs = [*given, *named.values()]
        if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor) or torch.compiler.is_compiling():
            return
        if self.watch and self.watch.try_on(inputs[0]):
            self.first_run.remove()

    def __getstate__(self) -> dict[str, Any]:
        """Of a copy or a pickle, which no optimizer's steps belong to."""
        return self.__dict__ | {"attached": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        steps.ACTING.add(self)

    def each(self) -> Iterator[Method]:
        yield from self.methods  # pyright: ignore[reportReturnType]

    @property
    def begins_anew(self) -> bool:
        """Whether an optimizer's memory of one task has nothing to do with the weights of the next."""
        return any(method.begins_anew for method in self.each())

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.refresh()

    def refresh(self) -> None:
        """Sets what is no tensor; also whenever the network's state is loaded, of a copy too."""
        for name, parameter in self.network.module.named_parameters():
            if not parameter.requires_grad and name not in self.held:
                self.frozen.add(name)  # since the last time
            elif parameter.requires_grad and name not in self.fixed:
                self.frozen.discard(name)
        self.settle()

    def settle(self) -> None:
        """Has learn what methods have learn, but for what the user froze."""
        named = dict(self.network.module.named_parameters())
        for parameter in named.values():
            parameter.requires_grad_(True)
        for method in self.each():
            method.refresh(int(self.task))
        self.held = {name for name, parameter in named.items() if not parameter.requires_grad}
        for name in self.frozen:
            named[name].requires_grad_(False)
        self.still(named)
        torch.clear_autocast_cache()  # which holds what the weights were

    def still(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Takes the gradients of what must not learn, or an optimizer's momentum would move it; also of what a method
        holds and the user lets learn."""
        for name, parameter in parameters.items():
            if not parameter.requires_grad or name in self.held or name in self.fixed:
                parameter.grad = None

    def check(self, task: int) -> None:
        if not 0 <= task < self.tasks:
            raise ValueError(f"task is {task}: expected 0 to {self.tasks - 1}, as the network is kept for {self.tasks}")

    @torch.no_grad()
    def play(self, task: int) -> None:
        """Puts the weights with which a task is played in place. What was learned since a task was begun is safe with
        all methods only when that has been consolidated; until then, ``playing`` goes elsewhere and comes back."""
        self.check(task)
        before = int(self.task)
        if task != before:
            with torch.autocast(self.task.device.type, enabled=False):  # weights move as precisely as they are
                for method in self.each():
                    method.move(task, before)
            self.task.fill_(task)
        self.refresh()

    @torch.no_grad()
    def meet(self, task: int, samples: Samples) -> None:
        """May be called before ``learn`` with samples of that task, as it is played by then; their ``taken`` is not
        used. The task's weights are in place then."""
        self.play(task)
        for method in self.each():
            method.meet(task, samples)
        self.refresh()

    def learn(self, task: int) -> None:
        """Call it before learning a task; ValueError where one of the methods can't learn it (again)."""
        self.check_parts()
        self.play(task)
        with torch.no_grad():
            for method in self.each():
                method.learn(task)
        self.changes += any(method.sorts_weights for method in self.each())
        self.refresh()

    def check_parts(self) -> None:
        """ValueError where the network got other parameters since it was kept, or lets learn what was frozen then, of
        which its methods know nothing."""
        found = {name: parameter.shape for name, parameter in self.network.parameters().items()}
        for name in sorted({*found, *self.shapes}):
            ours, theirs = (tuple(each[name]) if name in each else "missing" for each in (self.shapes, found))
            if ours != theirs:
                raise ValueError(f"parameter {name!r} is {theirs}: expected {ours}, as when the network was kept")
        for name, parameter in self.network.parameters().items():
            if parameter.requires_grad and name in self.fixed:
                raise ValueError(f"parameter {name!r} learns: expected it frozen, as when the network was kept")

    @torch.no_grad()
    def advance(self, share: float) -> bool:
        """Call it now and then while learning; share, from 0 to 1, of the learning of this task is done. Whether a
        method changed weights, or which of them learn: a copy of the network, such as a target, must then follow."""
        changed = [method.advance(int(self.task), share) for method in self.each()]  # of all of them, not to the first
        self.changes += any(changed)
        torch.clear_autocast_cache()
        return any(changed)

    def consolidate(self, samples: Samples) -> None:
        """Call it when the task is learned."""
        if self.watch:
            self.watch.try_on(samples.inputs)
        for method in self.each():
            method.consolidate(int(self.task), samples)
        self.refresh()

    @contextmanager
    def playing(self, task: int) -> Iterator[None]:
        """Within it the network plays that task; after it, everything is as before, to the bit."""
        module = self.network.module
        before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        learning = [(each, each.requires_grad, each.grad) for each in module.parameters()]
        frozen, held = {*self.frozen}, {*self.held}
        self.play(task)
        try:
            yield
        finally:
            module.load_state_dict(before)
            for parameter, learns, gradient in learning:
                parameter.requires_grad_(learns).grad = gradient
            self.frozen, self.held = frozen, held

    def attach(self, *optimizers: torch.optim.Optimizer) -> None:
        """Lets the methods act around each step of these optimizers, and of no other's: a penalty is then added after
        clipping, and once, to gradients of the loss that is minimised; with a closure, to what it returns, too.

        ValueError where they can't act in each of these steps, or where parameters on which they act are in another
        optimizer; that may only be seen in the first step, of either, which then does nothing.
        """
        before, self.attached = self.attached, steps.Attached(self, optimizers)
        if before is not None:
            before.detach()

    def acted(self, parameters: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """Those that learn and on which methods must act in each step."""
        names = {name for method in self.each() for name in method.acted()}
        return {name: each for name, each in parameters.items() if name in names and each.requires_grad}

    def adds(self) -> bool:
        return any(method.adds for method in self.each())

    def penalty(self, signs: Mapping[str, steps.Factor]) -> float:
        return sum(method.penalty(signs) for method in self.each())

    @torch.no_grad()
    def before_step(self, factors: Mapping[str, steps.Factor] | None = None) -> None:
        """factors: as ``Method.before_step`` takes them; of a plain step of all parameters, where it isn't told."""
        if self.watch:
            self.watch.step()
        factors = dict.fromkeys(self.network.parameters(), 1.0) if factors is None else factors
        for method in self.each():
            method.before_step(factors)

    @torch.no_grad()
    def after_step(self) -> None:
        for method in self.each():
            method.after_step()
        torch.clear_autocast_cache()

    def bytes(self) -> int:
        """What must be stored to go on learning and to play every task: weights, and what the methods keep."""
        inside = {id(tensor) for tensor in [*self.parameters(), *self.buffers()]}
        weights = [*self.network.module.parameters(), *self.network.module.buffers()]
        own = sum(tensor.numel() * tensor.element_size() for tensor in weights if id(tensor) not in inside)
        return own + sum(method.bytes() for method in self.each())

    def save(self, path: str | Path) -> None:
        """Writes the network with everything its methods keep, as tensors and plain data; with buffers that are in no
        ``state_dict``, too, since the network plays by them."""
        beside = {name: each.held for name, each in self.beside().items() if each.held is not None}
        with writing(Path(path)) as file:
            torch.save({"about": self.about, "state": self.network.module.state_dict(), "beside": beside}, file)

    def beside(self) -> dict[str, State]:
        """The buffers that are in no ``state_dict``, by name."""
        return {
            f"{name}.{key}".removeprefix("."): State(name, layer._buffers, key, layer._buffers[key], None)
            for name, layer in self.network.layers()
            for key in sorted(getattr(layer, "_non_persistent_buffers_set", ()))
        }

    def load(self, path: str | Path) -> None:
        """Reads it back, running no code from the file; ValueError where it is of other methods, tasks or layers."""
        try:
            held = torch.load(path, map_location="cpu", weights_only=True)
            about, state, beside = held["about"], held["state"], held.get("beside", {})
            written = isinstance(json.loads(json.dumps(about)), dict) and all(
                isinstance(name, str) and isinstance(each, torch.Tensor) for name, each in (state | beside).items()
            )
        except FileNotFoundError:
            raise
        except Exception:  # whatever a torn or foreign file makes torch raise, in many lines
            written, about, state, beside = False, {}, {}, {}
        if not written:
            raise ValueError(f"{path}: expected a network that Kept.save wrote")
        for name, ours in self.about.items():
            if about.get(name) != ours:
                raise ValueError(f"{path}: {name} is {about.get(name)}: expected {ours}, as this network is kept")
        own = self.network.module.state_dict()
        for name in sorted({*own, *state}):
            mine, theirs = (tuple(each[name].shape) if name in each else "missing" for each in (own, state))
            if mine != theirs:
                raise ValueError(f"{path}: {name} is {theirs}: expected {mine}, as in this network")
        buffers = self.beside()
        for name in beside:
            if name not in buffers:
                raise ValueError(f"{path}: {name} is {tuple(beside[name].shape)}: expected missing, as in this network")
        self.network.module.load_state_dict(state)
        for name, each in beside.items():  # of whatever shape, as that of a cache grows
            buffers[name].put(each.to(self.task.device))


def all_kept(module: nn.Module) -> list[Kept]:
    """Every ``Kept`` in a module: of an online and a target network both."""
    return [each for each in module.modules() if isinstance(each, Kept)]
