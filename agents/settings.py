"""The settings of a training run. Each carries its range, and which agents and curiosities it applies to."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from priorlab.agents.fields import IfNone, Needs, Only, Range, Unrecorded, With, applies, check, rules_of, value_of
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version

Agent = Literal["ppo", "dqn", "random"]
CuriosityKind = Literal["counts", "icm", "rnd", "privileged-counts", "none"]
CountKind = Literal["both", "episodic", "lifelong"]
MemoryKind = Literal["nothing", "episode", "play"]
Player = Literal["person", "simulated", "agent"]
Episodes = Literal["wins", "everything"]
NetworkKind = Literal["small", "study"]
Device = Literal["auto", "cpu", "cuda"]

PPO, DQN, LEARNERS = Only("agent", ("ppo",)), Only("agent", ("dqn",)), Only("agent", ("ppo", "dqn"))
CURIOUS = Only("curiosity", ("counts", "icm", "rnd", "privileged-counts"))
COUNTS, PREDICTS = Only("curiosity", ("counts", "privileged-counts")), Only("curiosity", ("icm", "rnd"))
PICTURES, RND = Only("curiosity", ("counts",)), Only("curiosity", ("rnd",))
POSITIVE = Range(0, above=True)


@dataclass(frozen=True)
class Settings:
    """One training run of one agent on one version of a game.

    Raises ValueError in one line for a value of the wrong kind or out of range, for a setting that does not apply to
    the agent or the curiosity, and for settings that contradict each other. ``priorlab train --help`` lists all.
    """

    agent: Agent = "ppo"
    """ppo and dqn learn; random takes uniformly random actions, as a baseline"""
    version: str = "original"
    """version of the game: original, masked_semantics, ..."""
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """seed of everything random: initial weights, actions, minibatches, random starts"""
    inputs: Annotated[int, Range(1)] = 100_000
    """raw game inputs to train for, summed over all games"""
    out: Annotated[Path | None, Unrecorded()] = None
    """folder of the run; a stopped run resumes there (default: runs/train/VERSION/METHOD/seed_SEED)"""
    curiosity: Annotated[CuriosityKind, With("on_device", ("counts", "icm", "none"))] = "counts"
    """what the exploration bonus rewards: new pictures (counts), what a model of the game (icm) or of random features
    (rnd) predicts badly, new positions (privileged-counts: no player sees them), or nothing"""
    game: str = "princess"
    """name of the game"""
    level: Annotated[str | None, Unrecorded()] = None
    """name or text of a level (default: the version's level)"""
    look_seed: Annotated[int, Range(0)] = 0
    """which drawing of the version"""
    max_inputs: Annotated[int, Range(1)] = 2000
    """raw inputs after which an episode is cut off"""
    random_start: Annotated[int, Range(0)] = 0
    """largest number of random inputs at the start of each episode, drawn from 0 to this"""
    frame_skip: Annotated[int, Range(1)] = 4
    """raw inputs per decision: each action is repeated this many times"""
    num_games: Annotated[int, Range(1)] = 8
    """games played in parallel"""
    screen_size: Annotated[int, Range(1), LEARNERS] = 42
    """width and height of the grayscale picture, in pixels"""
    stack_size: Annotated[int, Range(1), LEARNERS] = 2
    """number of recent pictures in one observation"""
    n_steps: Annotated[int, Range(1), PPO] = 16
    """decisions per game between two updates of ppo"""
    batch_size: Annotated[int | None, Range(2), LEARNERS, IfNone(lambda settings: default_batch(settings))] = None
    """decisions per minibatch (default: 128 for ppo, a sixteenth of a rollout with on_device, 64 for dqn)"""
    n_epochs: Annotated[int, Range(1), PPO] = 3
    """passes of ppo over each rollout"""
    learning_rate: Annotated[
        float | None, POSITIVE, LEARNERS, IfNone(lambda settings: 5e-4 if settings.agent == "dqn" else 2e-3)
    ] = None
    """initial learning rate of Adam (default: 0.002 for ppo, 0.0005 for dqn)"""
    learning_rate_hold: Annotated[
        int | None, Range(1), LEARNERS,
        IfNone(lambda settings: 500 * settings.rollout if settings.on_device else 60_000),
    ] = None  # fmt: skip
    """decisions after which the learning rate decays as 1 / decisions (default: 60,000; with on_device, 500
    rollouts)"""
    gamma: Annotated[float, Range(0, 1), LEARNERS] = 0.99
    """discount per decision"""
    gae_lambda: Annotated[float, Range(0, 1), PPO] = 0.95
    """lambda of ppo's generalized advantage estimation"""
    entropy: Annotated[float, Range(0), PPO] = 0.002
    """weight of ppo's entropy bonus"""
    clip_range: Annotated[float, POSITIVE, PPO] = 0.2
    """how far an update of ppo may move the ratio of an action's new to its old probability from 1"""
    network: Annotated[NetworkKind, LEARNERS] = "small"
    """convolutions: small has three with 16, 32 and 32 channels; study has the study's four with 32 channels"""
    features: Annotated[int, Range(1), LEARNERS] = 256
    """units of the network's dense layer"""
    reward_scale: Annotated[float, Range(0), LEARNERS] = 10.0
    """factor of the game's reward"""
    bonus_scale: Annotated[
        float | None, Range(0), LEARNERS, CURIOUS,
        IfNone(lambda settings: 2.0 if (settings.agent, settings.curiosity) == ("ppo", "counts") else 1.0),
    ] = None  # fmt: skip
    """factor of the exploration bonus; at 1, counts pay 1 for the first visit, and icm and rnd pay as published
    (default: 2 for counts with ppo, 1 otherwise)"""
    counts: Annotated[CountKind, LEARNERS, COUNTS] = "both"
    """what counts reward: episodic pays 1 for what is new in the episode; lifelong pays 1/n for the n-th visit; both
    pays 1/n for what is new in the episode and was reached in n episodes so far"""
    curiosity_learning_rate: Annotated[float | None, POSITIVE, LEARNERS, PREDICTS] = None
    """learning rate of Adam for the networks of icm (default: 0.001) and rnd (default: 0.0001)"""
    bonus_gamma: Annotated[float, Range(0, 1, below=True), LEARNERS, RND] = 0.99
    """discount per decision of rnd's bonus, whose return continues across episodes"""
    code_size: Annotated[int, Range(1), LEARNERS, PICTURES] = 11
    """width and height, in pixels, of the small grayscale picture that is counted"""
    code_step: Annotated[float, Range(0, 255, above=True), LEARNERS, PICTURES] = 3.0
    """gray levels by which a pixel of it must differ from the first picture's to count as different"""
    memory: Annotated[MemoryKind, PPO, With("on_device", ("nothing",))] = "nothing"
    """what ppo remembers in an LSTM: nothing beyond the stacked pictures, the episode, or the play, through
    deaths until the game is won or cut off"""
    imitation_batches: Annotated[
        int | None, Range(0), PPO, With("on_device", (0, None)),
        IfNone(lambda settings: 64 if settings.memory == "nothing" and not settings.on_device else 0),
    ] = None  # fmt: skip
    """most minibatches of its best episodes that the agent imitates after each update; 0 is plain PPO (default: 64; 0
    with memory and with on_device, which do not support it)"""
    imitation_episodes: Annotated[
        int | None, Range(1), LEARNERS, Needs("imitation_batches"),
        IfNone(lambda settings: 12 if settings.agent == "dqn" else 2),
    ] = None  # fmt: skip
    """number of its best episodes that the agent stores for imitation (default: 2 for ppo, 12 for dqn)"""
    imitation_enough: Annotated[float, Range(0), PPO, Needs("imitation_batches")] = 0.02
    """mean negative log-likelihood of the actions in won episodes below which an update's imitation stops"""
    discovery_enough: Annotated[float, Range(0), PPO, COUNTS, Needs("imitation_batches")] = 1.2
    """the same for episodes that reached something new, which the agent imitates until its first win"""
    replay_size: Annotated[int, Range(1), DQN] = 50_000
    """decisions in dqn's replay memory"""
    return_steps: Annotated[int, Range(1), DQN] = 10
    """n of dqn's n-step returns"""
    margin: Annotated[float, Range(0), DQN] = 0.3
    """margin by which dqn must value the actions of won episodes above all others; 0 disables it"""
    discovery_margin: Annotated[float, Range(0), DQN, COUNTS] = 0.1
    """the same for episodes that reached something new, which the agent imitates until its first win"""
    demonstrations: Annotated[Path | None, PPO, With("on_device", (None,))] = None
    """folder of recorded plays that ppo imitates before training (behavioural cloning)"""
    demonstrators: Annotated[Player, PPO] = "person"
    """kind of player whose plays are imitated; kinds are never mixed"""
    demonstrations_version: Annotated[str | None, PPO] = None
    """version that the demonstrators played (default: the agent's); plays of another version are redrawn in the
    agent's"""
    demonstrated: Annotated[Episodes, PPO] = "wins"
    """which episodes are imitated: wins, with loops removed, or everything"""
    demonstration_epochs: Annotated[int, Range(1), PPO] = 100
    """most passes over the demonstrations; held-out demonstrators decide when to stop earlier"""
    demonstrations_held_out: Annotated[float, Range(0, 1, below=True), PPO] = 0.2
    """share of demonstrators that are held out, at least 0 and below 1, to measure how well the agent imitates"""
    bfloat16: Annotated[bool | None, LEARNERS] = None
    """whether the network runs in bfloat16 (default: on a GPU that supports it)"""
    device: Annotated[Device, LEARNERS] = "auto"
    """where the network runs: on a GPU if there is one (auto), on the CPU (cpu), on a GPU (cuda)"""
    on_device: Annotated[bool, PPO] = False
    """whether games and rollouts stay on the network's device, for thousands of games on a GPU; supports curiosity
    counts, icm and none, without memory, imitation or demonstrations"""
    threads: Annotated[int, Range(1), LEARNERS] = 1
    """CPU threads that the network may use"""
    checkpoint_every: Annotated[
        int | None, Range(1), LEARNERS, Unrecorded(),
        IfNone(lambda settings: 20 * settings.rollout * settings.frame_skip if settings.on_device else 20_000),
    ] = None  # fmt: skip
    """raw inputs between two checkpoints (default: 20,000; with on_device, 20 rollouts)"""
    evaluation_episodes: Annotated[int, Range(0), Unrecorded()] = 100
    """episodes per evaluation after training; 0 disables it"""
    tensorboard: Annotated[Path | None, LEARNERS, Unrecorded()] = None
    """folder for TensorBoard logs (default: none are written)"""
    progress: Annotated[bool, Unrecorded()] = True
    """whether to show a progress bar"""

    def __post_init__(self) -> None:
        check(self)
        check_together(self)

    @property
    def method(self) -> str:
        """The name of the agent in tables and folders."""
        if self.agent == "random":
            return "random"
        name = self.agent + {"counts": "", "none": "-no-bonus"}.get(self.curiosity, f"-{self.curiosity}")
        name += "" if self.counts == "both" else f"-{self.counts}"
        name += {"nothing": "", "episode": "-recurrent", "play": "-recurrent-through-deaths"}[self.memory]
        if self.demonstrations:
            name += "-demonstrations" + ("" if self.demonstrators == "person" else f"-{self.demonstrators}")
            name += f"-of-{self.demonstrations_version}" if self.demonstrations_version else ""
        return name

    @property
    def rollout(self) -> int:
        """Decisions of all games between two updates of ppo."""
        return self.n_steps * self.num_games

    def value(self, name: str) -> Any:
        """A setting's value; where it is None, what that stands for."""
        return value_of(self, name)

    @property
    def privileged(self) -> bool:
        """Whether the agent receives information that no player sees."""
        return self.agent != "random" and self.curiosity == "privileged-counts"

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.out or Path("runs") / "train" / self.version / self.method / f"seed_{self.seed}"

    def network_arguments(self) -> dict[str, Any]:
        """The arguments of ``PixelNetwork``."""
        return {"features": self.features, "bfloat16": self.bfloat16, "network": self.network}

    def game_arguments(self) -> dict[str, Any]:
        """The arguments of ``Games`` and ``PriorLabVecEnv``."""
        names = ["num_games", "version", "game", "level", "look_seed", "max_inputs", "random_start", "frame_skip"]
        names += ["screen_size"] if self.agent == "random" else ["screen_size", "stack_size"]
        return {name: getattr(self, name) for name in names}

    def config(self) -> dict[str, Any]:
        """The contents of config.json: every setting that can change a row, and what the loader needs.

        Demonstrations are identified by a hash of the plays, which the training adds.
        """
        omitted = {name for name in asdict(self) if not self.is_recorded(name)}
        omitted |= {"curiosity"} if self.agent == "random" else set()
        if self.demonstrations:
            omitted |= {"demonstrations"}
        else:
            omitted |= {name for name in asdict(self) if name.startswith("demonstrat")}
        level = Level.read(self.level or find_version(self.game, self.version).level)
        front = {"method": self.method, "player": "agent", "privileged": self.privileged, "level": level.text()}
        return front | {name: self.value(name) for name in asdict(self) if name not in omitted}

    def is_recorded(self, name: str) -> bool:
        """Whether config.json holds this setting: it can change a row, and the agent has it."""
        agents = [rule for rule in rules_of(self, name, Only) if rule.setting == "agent"]
        return not rules_of(self, name, Unrecorded) and all(applies(self, rule) for rule in agents)


def default_batch(settings: Settings) -> int:
    if settings.agent == "dqn":
        return 64
    return settings.rollout // math.gcd(settings.rollout, 16) if settings.on_device else 128


def check_together(settings: Settings) -> None:
    """ValueError for settings that contradict each other."""
    batch_size, rollout = settings.value("batch_size"), settings.rollout
    if settings.agent == "random" and settings.curiosity not in ("counts", "none"):
        raise ValueError(f"curiosity is {settings.curiosity}: expected none for the random agent")
    least = settings.num_games * settings.return_steps
    if settings.agent == "dqn" and settings.replay_size < least:
        raise ValueError(f"replay_size is {settings.replay_size}: expected num_games * return_steps = {least} or more")
    if settings.agent == "ppo" and rollout % batch_size:
        raise ValueError(
            f"batch_size is {batch_size}: expected a divisor of n_steps * num_games = "
            f"{settings.n_steps} * {settings.num_games} = {rollout}"
        )
    if settings.memory == "nothing":
        return
    if settings.imitation_batches:
        raise ValueError(f"imitation_batches is {settings.imitation_batches}: expected 0 for an agent with memory")
    if settings.demonstrations:
        raise ValueError(f"memory is {settings.memory}: expected nothing for {settings.method}")
    if batch_size % settings.n_steps:
        raise ValueError(
            f"batch_size is {batch_size}: expected a multiple of n_steps, {settings.n_steps}, because with memory a "
            f"minibatch holds complete rollouts of some games"
        )
