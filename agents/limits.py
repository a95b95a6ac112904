"""What settings may be: how large each is, and which go together."""

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

if TYPE_CHECKING:
    from priorlab.agents.settings import Settings


@dataclass(frozen=True)
class Range:
    """Finite numbers from ``least`` to ``most``; ``above`` and ``below`` leave out these two themselves."""

    least: float
    most: float = math.inf
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """False for what is no number or infinite, too."""
        high_enough = value > self.least if self.above else value >= self.least
        low_enough = value < self.most if self.below else value <= self.most
        return -math.inf < value < math.inf and high_enough and low_enough

    def __str__(self) -> str:
        told = f"more than {self.least}" if self.above else f"{self.least} or more"
        return told if self.most == math.inf else f"{told}, {'less than' if self.below else 'at most'} {self.most}"


POSITIVE, SHARE, LESS_THAN_ONE = Range(0, above=True), Range(0, 1), Range(0, 1, below=True)
RANGES: dict[str, Range] = {
    **dict.fromkeys((
        "inputs", "max_inputs", "frame_skip", "num_games", "screen_size", "stack_size", "n_steps", "n_epochs",
        "features", "code_size", "learning_rate_hold", "checkpoint_every", "imitation_episodes", "replay_size",
        "return_steps", "demonstration_epochs", "threads",
    ), Range(1)),
    **dict.fromkeys((
        "look_seed", "random_start", "entropy", "reward_scale", "bonus_scale", "imitation_batches", "imitation_enough",
        "discovery_enough", "margin", "discovery_margin", "evaluation_episodes",
    ), Range(0)),
    **dict.fromkeys(("learning_rate", "curiosity_learning_rate", "clip_range"), POSITIVE),
    **dict.fromkeys(("gamma", "gae_lambda"), SHARE),
    **dict.fromkeys(("bonus_gamma", "demonstrations_held_out"), LESS_THAN_ONE),
    "seed": Range(0, 2**32 - 1),  # what numpy's generator takes
    "batch_size": Range(2),  # advantages are held against their deviation
    "code_step": Range(0, 255, above=True),  # gray levels
}  # fmt: skip
LEARNERS = "ppo", "dqn"
OWN: dict[str, tuple[str, ...]] = {  # settings that not every agent has: which do
    "memory": ("ppo",), "demonstrations": ("ppo",), "demonstrators": ("ppo",), "demonstrations_version": ("ppo",),
    "demonstrated": ("ppo",), "demonstration_epochs": ("ppo",), "demonstrations_held_out": ("ppo",),
    "n_steps": ("ppo",), "n_epochs": ("ppo",), "gae_lambda": ("ppo",), "entropy": ("ppo",), "clip_range": ("ppo",),
    "on_device": ("ppo",), "imitation_batches": ("ppo",), "imitation_enough": ("ppo",), "discovery_enough": ("ppo",),
    "replay_size": ("dqn",), "return_steps": ("dqn",), "margin": ("dqn",), "discovery_margin": ("dqn",),
    **dict.fromkeys((
        "screen_size", "stack_size", "batch_size", "learning_rate", "learning_rate_hold", "gamma", "network",
        "features", "reward_scale", "imitation_episodes", "bfloat16", "device", "threads", "checkpoint_every",
        "tensorboard",
    ), LEARNERS),
}  # fmt: skip
COUNTING = "counts", "privileged-counts"
OF_CURIOSITY: dict[str, tuple[str, ...]] = {  # settings that not every curiosity has: which do
    "bonus_scale": ("counts", "icm", "rnd", "privileged-counts"), "counts": COUNTING,
    "curiosity_learning_rate": ("icm", "rnd"), "bonus_gamma": ("rnd",), "code_size": ("counts",),
    "code_step": ("counts",), "discovery_enough": COUNTING, "discovery_margin": COUNTING,
}  # fmt: skip
OF_IMITATION = "imitation_episodes", "imitation_enough", "discovery_enough"


def check(settings: "Settings") -> None:
    """ValueError, in a line, for what no run can be told."""
    check_each(settings)
    check_curiosity(settings)
    check_agent(settings)
    check_batches(settings)
    if settings.on_device:
        check_on_device(settings)
    if settings.memory != "nothing":
        check_memory(settings)
    if settings.agent == "ppo" and not settings.value("imitation_batches"):
        for name in OF_IMITATION:
            expect_default(settings, name, "nothing is learned again where imitation_batches is 0")


def check_each(settings: "Settings") -> None:
    """Each by itself: one of its words, or within its range."""
    for setting in fields(settings):
        value, words = getattr(settings, setting.name), get_args(setting.type)
        if get_origin(setting.type) is Literal and value not in words:
            raise ValueError(f"{setting.name} is {value!r}: expected one of {', '.join(words)}")
    for name, allowed in RANGES.items():
        value = settings.value(name)
        if value is not None and not allowed.holds(value):
            finite = "" if -math.inf < value < math.inf else "a finite number, "
            raise ValueError(f"{name} is {value}: expected {finite}{allowed}")


def check_curiosity(settings: "Settings") -> None:
    for name, curiosities in OF_CURIOSITY.items():
        value, has = getattr(settings, name), settings.curiosity in curiosities and settings.agent != "random"
        if value != default(settings, name) and not has:
            raise ValueError(f"{name} is {value}: expected a learner with curiosity {' or '.join(curiosities)}")
    if settings.agent == "random" and settings.curiosity not in ("counts", "none"):
        raise ValueError(f"curiosity is {settings.curiosity}: expected none for the random agent")


def check_agent(settings: "Settings") -> None:
    for name, agents in OWN.items():
        if settings.agent not in agents:
            expect_default(settings, name, f"{settings.agent} has no such setting, only {' and '.join(agents)}")


def check_batches(settings: "Settings") -> None:
    batch_size, least = settings.value("batch_size"), settings.num_games * settings.return_steps
    if settings.agent == "dqn" and settings.replay_size < least:
        raise ValueError(f"replay_size is {settings.replay_size}: expected num_games * return_steps = {least} or more")
    if settings.agent == "ppo" and settings.rollout % batch_size:
        raise ValueError(
            f"batch_size is {batch_size}: expected a divisor of n_steps * num_games = "
            f"{settings.n_steps} * {settings.num_games} = {settings.rollout}"
        )


def check_on_device(settings: "Settings") -> None:
    can = {name: (default(settings, name),) for name in ("memory", "demonstrations", *OF_IMITATION)}
    can |= {"curiosity": ("counts", "icm", "none"), "imitation_batches": (0, None)}
    for name, only in can.items():
        if getattr(settings, name) not in only:
            expected = " or ".join(map(str, only))
            raise ValueError(f"{name} is {getattr(settings, name)}: expected {expected} with on_device")


def check_memory(settings: "Settings") -> None:
    if settings.imitation_batches:
        raise ValueError(f"imitation_batches is {settings.imitation_batches}: expected 0 for an agent with memory")
    if settings.demonstrations:
        raise ValueError(f"memory is {settings.memory}: expected nothing for {settings.method}")
    if settings.value("batch_size") % settings.n_steps:
        raise ValueError(
            f"batch_size is {settings.value('batch_size')}: expected a multiple of n_steps, {settings.n_steps}, as "
            f"with memory it holds whole lanes"
        )


def expect_default(settings: "Settings", name: str, why: str) -> None:
    value, usual = getattr(settings, name), default(settings, name)
    if value != usual:
        raise ValueError(f"{name} is {value}: expected {usual}, the default, as {why}")


def default(settings: "Settings", name: str) -> Any:
    return getattr(type(settings), name)
