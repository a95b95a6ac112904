"""A network that is kept: the methods in it, and the calls by which a training loop drives them.

A training loop gives its optimizer to ``attach``. It calls ``learn`` before each task (and before that ``meet``, if it
has samples of the task by then), ``advance`` now and then while the task is learned, and ``consolidate`` afterwards.
All that the methods remember is in buffers and parameters of the network's module, and so in its ``state_dict``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from priorlab.transfer.files import writing
from priorlab.transfer.methods.method import Factor, Method
from priorlab.transfer.networks.drift import DriftWatch
from priorlab.transfer.networks.network import KEPT, Network
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.networks.states import State
from priorlab.transfer.steps import ALL_KEPT, Attached

FORMAT = 1  # of files of ``Kept.save``


class Kept(nn.Module):
    """The methods that keep a network over a number of tasks; ``keep`` makes it, and puts it into the network's module
    under the name ``kept``.

    methods: in the order in which they act. about: plain data that says which saved networks fit this one. frozen:
    parameters that the user froze; fixed: names of those among them that must stay frozen. watch: rejects what the
    methods can't keep, if that shows only in a run of the network, or while it learns.
    """

    task: torch.Tensor  # int64 (): the task whose weights are in place

    def __init__(
        self,
        network: Network,
        methods: Sequence[Method],
        tasks: int,
        about: Mapping[str, Any],
        frozen: Sequence[nn.Parameter] = (),
        fixed: Iterable[str] = (),
        watch: DriftWatch | None = None,
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
        self.attached: Attached | None = None
        ALL_KEPT.add(self)
        self.changes = 0  # how often methods replaced weights, or which of them learn
        if watch and watch.inputs is None:
            self.first_run = network.module.register_forward_pre_hook(self.before_run, with_kwargs=True)
        self.apply_freezing()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns its inputs: a Sequential runs through everything in it."""
        return inputs

    def before_run(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """A hook before the first run of a network without an example, when nothing has been learned yet."""
        inputs = [*args, *kwargs.values()]
        if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor) or torch.compiler.is_compiling():
            return
        if self.watch and self.watch.try_on(inputs[0]):
            self.first_run.remove()

    def __getstate__(self) -> dict[str, Any]:
        """For a copy or a pickle, which is attached to no optimizer."""
        return self.__dict__ | {"attached": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        ALL_KEPT.add(self)

    def each(self) -> Iterator[Method]:
        """The methods, in the order in which they act."""
        yield from self.methods  # pyright: ignore[reportReturnType]

    @property
    def starts_fresh(self) -> bool:
        """Whether an optimizer's state from one task has nothing to do with the weights of the next."""
        return any(method.starts_fresh for method in self.each())

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.refresh()

    def refresh(self) -> None:
        """Derives everything that is not a tensor from the tensors; also when a state is loaded into a copy."""
        for name, parameter in self.network.module.named_parameters():
            if not parameter.requires_grad and name not in self.held:
                self.frozen.add(name)  # by the user, since the last time
            elif parameter.requires_grad and name not in self.fixed:
                self.frozen.discard(name)
        self.apply_freezing()

    def apply_freezing(self) -> None:
        """Lets the parameters learn that methods let learn, except those that the user froze."""
        named = dict(self.network.module.named_parameters())
        for parameter in named.values():
            parameter.requires_grad_(True)
        for method in self.each():
            method.refresh(int(self.task))
        self.held = {name for name, parameter in named.items() if not parameter.requires_grad}
        for name in self.frozen:
            named[name].requires_grad_(False)
        self.clear_gradients(named)
        torch.clear_autocast_cache()  # of former weights

    def clear_gradients(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Removes the gradients of what must not learn, or an optimizer's momentum would move it; also of what a method
        holds but the user lets learn."""
        for name, parameter in parameters.items():
            if not parameter.requires_grad or name in self.held or name in self.fixed:
                parameter.grad = None

    def check_task(self, task: int) -> None:
        """ValueError for a task that does not exist."""
        if not 0 <= task < self.tasks:
            raise ValueError(f"task is {task}: expected 0 to {self.tasks - 1}, as the network is kept for {self.tasks}")

    @torch.no_grad()
    def play(self, task: int) -> None:
        """Puts the weights of a task, numbered from 0, in place; ValueError for one that does not exist.

        With some methods, what has been learned of the current task is lost unless it was consolidated. To look at
        another task before that, use ``playing``.
        """
        self.check_task(task)
        before = int(self.task)
        if task != before:
            with torch.autocast(self.task.device.type, enabled=False):  # weights move in full precision
                for method in self.each():
                    method.move(task, before)
            self.task.fill_(task)
        self.refresh()

    @torch.no_grad()
    def meet(self, task: int, samples: Samples) -> None:
        """Shows samples of a new task to the methods, before ``learn``; only ``means:start=aligned`` uses them.

        samples: inputs of the task as the network plays it by then; ``taken`` is not used. Puts the task's weights in
        place.
        """
        self.play(task)
        for method in self.each():
            method.meet(task, samples)
        self.refresh()

    def learn(self, task: int) -> None:
        """Call it before learning a task: it puts the task's weights in place and says which of them learn. ValueError
        if a method can't learn the task, or can't learn it again."""
        self.check_parts()
        self.play(task)
        with torch.no_grad():
            for method in self.each():
                method.learn(task)
        self.changes += any(method.assigns_weights for method in self.each())
        self.refresh()

    def check_parts(self) -> None:
        """ValueError if the network has other parameters than when it was kept, or lets learn what had to stay frozen,
        as the methods know nothing of that."""
        shapes = {name: parameter.shape for name, parameter in self.network.parameters().items()}
        for name in sorted({*shapes, *self.shapes}):
            ours, theirs = (tuple(each[name]) if name in each else "missing" for each in (self.shapes, shapes))
            if ours != theirs:
                raise ValueError(f"parameter {name!r} is {theirs}: expected {ours}, as when the network was kept")
        for name, parameter in self.network.parameters().items():
            if parameter.requires_grad and name in self.fixed:
                raise ValueError(f"parameter {name!r} learns: expected it frozen, as when the network was kept")

    @torch.no_grad()
    def advance(self, share: float) -> bool:
        """Call it now and then while a task is learned, with the share of its training that is done, from 0 to 1.

        Returns whether a method changed weights, or which of them learn: copies of the network, such as a target
        network, must then follow.
        """
        changed = [method.advance(int(self.task), share) for method in self.each()]  # a list: all must run
        self.changes += any(changed)
        torch.clear_autocast_cache()
        return any(changed)

    def consolidate(self, samples: Samples) -> None:
        """Call it once when a task is learned, with samples of it, usually a few hundred. ValueError, before anything
        changes, for samples that a method can't use."""
        if self.watch:
            self.watch.try_on(samples.inputs)
        for method in self.each():
            method.consolidate(int(self.task), samples)
        self.refresh()

    @contextmanager
    def playing(self, task: int) -> Iterator[None]:
        """Within the block the network plays a task; afterwards everything is as before, bit for bit."""
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
        """Makes the methods act in each step of these optimizers, and no longer in those of optimizers attached before.

        Penalties are added after clipping, once per step, to the gradients of the loss that is minimised, and with a
        closure also to the loss that it returns.

        ValueError if methods can't act in each of these steps, or if another optimizer has parameters on which they
        act. Some of this shows only in the first step of either, which then changes nothing.
        """
        before, self.attached = self.attached, Attached(self, optimizers)
        if before is not None:
            before.detach()

    def acted_on(self, parameters: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """The learning parameters among these on which methods must act in each step."""
        names = {name for method in self.each() for name in method.acts_on()}
        return {name: each for name, each in parameters.items() if name in names and each.requires_grad}

    def adds(self) -> bool:
        """Whether a method adds to gradients."""
        return any(method.adds_to_gradients for method in self.each())

    def penalty(self, signs: Mapping[str, Factor]) -> float:
        """The sum of the methods' penalties, as ``Method.penalty``."""
        return sum(method.penalty(signs) for method in self.each())

    @torch.no_grad()
    def before_step(self, factors: Mapping[str, Factor] | None = None) -> None:
        """Lets each method act before a step. factors: as of ``Method.before_step``; by default 1 for all parameters,
        as in a plain step."""
        if self.watch:
            self.watch.step()
        factors = dict.fromkeys(self.network.parameters(), 1.0) if factors is None else factors
        for method in self.each():
            method.before_step(factors)

    @torch.no_grad()
    def after_step(self) -> None:
        """Lets each method act after a step, as ``Method.after_step``."""
        for method in self.each():
            method.after_step()
        torch.clear_autocast_cache()

    def bytes(self) -> int:
        """Bytes that must be stored to learn on and to play every task: of the weights, and of what the methods
        keep."""
        inside = {id(tensor) for tensor in [*self.parameters(), *self.buffers()]}
        weights = [*self.network.module.parameters(), *self.network.module.buffers()]
        outside = sum(tensor.numel() * tensor.element_size() for tensor in weights if id(tensor) not in inside)
        return outside + sum(method.bytes() for method in self.each())

    def save(self, path: str | Path) -> None:
        """Writes the network and everything that its methods keep, as tensors and plain data. Buffers that are in no
        ``state_dict`` are written too, as they affect how the network plays. The file is replaced atomically."""
        beside = {name: each.held for name, each in self.unsaved_buffers().items() if each.held is not None}
        with writing(Path(path)) as file:
            torch.save({"about": self.about, "state": self.network.module.state_dict(), "beside": beside}, file)

    def unsaved_buffers(self) -> dict[str, State]:
        """The buffers that are in no ``state_dict``, by name."""
        return {
            f"{name}.{key}".removeprefix("."): State(name, layer._buffers, key, layer._buffers[key], None)
            for name, layer in self.network.modules()
            for key in sorted(getattr(layer, "_non_persistent_buffers_set", ()))
        }

    def load(self, path: str | Path) -> None:
        """Reads what ``save`` wrote, running no code from the file. ValueError, before anything changes, if its
        methods, tasks or layers are not those of this network; FileNotFoundError if there is no file."""
        try:
            held = torch.load(path, map_location="cpu", weights_only=True)
            about, state, beside = held["about"], held["state"], held.get("beside", {})
            is_ours = isinstance(json.loads(json.dumps(about)), dict) and all(
                isinstance(name, str) and isinstance(each, torch.Tensor) for name, each in (state | beside).items()
            )
        except FileNotFoundError:
            raise
        except Exception:  # anything that a torn or foreign file makes torch raise, in many lines
            is_ours, about, state, beside = False, {}, {}, {}
        if not is_ours:
            raise ValueError(f"{path}: expected a network that Kept.save wrote")
        for name, ours in self.about.items():
            if about.get(name) != ours:
                raise ValueError(f"{path}: {name} is {about.get(name)}: expected {ours}, as in this network")
        own = self.network.module.state_dict()
        for name in sorted({*own, *state}):
            mine, theirs = (tuple(each[name].shape) if name in each else "missing" for each in (own, state))
            if mine != theirs:
                raise ValueError(f"{path}: {name} is {theirs}: expected {mine}, as in this network")
        buffers = self.unsaved_buffers()
        for name in beside:
            if name not in buffers:
                raise ValueError(f"{path}: {name} is {tuple(beside[name].shape)}: expected missing, as in this network")
        self.network.module.load_state_dict(state)
        for name, each in beside.items():  # of any shape, as a cache grows
            buffers[name].put(each.to(self.task.device))


def find_kept(module: nn.Module) -> list[Kept]:
    """Every ``Kept`` in a module: for DQN, of the online and of the target network."""
    return [each for each in module.modules() if isinstance(each, Kept)]
