"""What a training run can be told."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from priorlab.agents.limits import OWN, check
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version

Agent = Literal["ppo", "dqn", "random"]
Curious = Literal["counts", "icm", "rnd", "privileged-counts", "none"]
Counted = Literal["both", "episodic", "lifelong"]
Demonstrators = Literal["person", "simulated", "agent"]
Remembered = Literal["nothing", "episode", "play"]
Device = Literal["auto", "cpu", "cuda"]
Demonstrated = Literal["wins", "everything"]
Network = Literal["small", "study"]

UNSET: dict[str, Callable[["Settings"], Any]] = {  # what a setting that is None stands for
    "learning_rate": lambda own: 5e-4 if own.agent == "dqn" else 2e-3,
    "learning_rate_hold": lambda own: 500 * own.rollout if own.on_device else 60_000,
    "checkpoint_every": lambda own: 20 * own.rollout * own.frame_skip if own.on_device else 20_000,
    "batch_size": lambda own: (
        64 if own.agent == "dqn" else own.rollout // math.gcd(own.rollout, 16) if own.on_device else 128
    ),
    "bonus_scale": lambda own: 2.0 if (own.agent, own.curiosity) == ("ppo", "counts") else 1.0,
    "imitation_batches": lambda own: 64 if own.memory == "nothing" and not own.on_device else 0,
    "imitation_episodes": lambda own: 12 if own.agent == "dqn" else 2,
}


@dataclass(frozen=True)
class Settings:
    """One run of one agent on one version of the game."""

    agent: Agent = "ppo"
    """ppo and dqn learn; random takes uniformly random actions and is what every learner is held against"""
    version: str = "original"
    """of the game: original, masked_semantics, ..."""
    seed: int = 0
    """of everything random: first weights, actions, minibatches, random starts"""
    inputs: int = 100_000
    """raw game inputs to train for, those of all games together"""
    out: Path | None = None
    """the run's folder; a run that was stopped goes on there (default: runs/train/VERSION/METHOD/seed_SEED)"""
    curiosity: Curious = "counts"
    """what exploration is paid for: new pictures, what a model of the game (icm) or of random features (rnd) predicts
    badly, new positions (privileged: no player sees them), or nothing"""
    game: str = "princess"
    """the game"""
    level: str | None = None
    """a level's name or its text instead of the version's own"""
    look_seed: int = 0
    """which drawing of the version"""
    max_inputs: int = 2000
    """raw inputs after which an episode is cut off"""
    random_start: int = 0
    """each episode begins with 0 to this many random inputs"""
    frame_skip: int = 4
    """inputs a decision: how often an action is taken"""
    num_games: int = 8
    """games played side by side"""
    screen_size: int = 42
    """pixels a side of the gray picture"""
    stack_size: int = 2
    """pictures that the agent sees at once"""
    n_steps: int = 16
    """decisions in each game between two updates of ppo"""
    batch_size: int | None = None
    """decisions in a minibatch (default: 128 for ppo, a sixteenth of a rollout with on_device, 64 for dqn)"""
    n_epochs: int = 3
    """times that ppo learns from each decision"""
    learning_rate: float | None = None
    """of Adam, at first (default: 0.002 for ppo, 0.0005 for dqn)"""
    learning_rate_hold: int | None = None
    """decisions after which the learning rate falls, as one over the decisions so far (default: 60,000; with on_device
    those of 500 rollouts)"""
    gamma: float = 0.99
    """discount a decision"""
    gae_lambda: float = 0.95
    """of the generalized advantage estimate"""
    entropy: float = 0.002
    """weight of the policy's entropy"""
    clip_range: float = 0.2
    """how far an update may move a decision's probability"""
    network: Network = "small"
    """the convolutions: three, 16-32-32 channels; or the study's four of 32 channels"""
    features: int = 256
    """units of the network's dense layer"""
    reward_scale: float = 10.0
    """what the game's own reward of 1 is worth to the learner, beside the bonus"""
    bonus_scale: float | None = None
    """what curiosity pays is multiplied by this; at 1 counts pay 1 for the first visit, icm and rnd as published
    (default: 2 for counts with ppo, 1 otherwise)"""
    counts: Counted = "both"
    """what counts pay for: what is new in the episode, 1; each visit, an n-th at the n-th (lifelong); or both: what is
    new in the episode, an n-th in the n-th episode that comes to it"""
    curiosity_learning_rate: float | None = None
    """of Adam, of the networks of icm (default: 0.001) and rnd (0.0001)"""
    bonus_gamma: float = 0.99
    """discount a decision of rnd's bonus, whose return goes on when an episode ends"""
    code_size: int = 11
    """pixels a side of the small gray picture that is counted"""
    code_step: float = 3.0
    """gray levels by which one of its pixels must differ from the first picture's to count as another"""
    memory: Remembered = "nothing"
    """what ppo remembers, in an LSTM: nothing but the stacked pictures, its episode, or its play, through deaths until
    the game is won or cut off"""
    imitation_batches: int | None = None
    """at most so many minibatches of its own best episodes that it learns again after each update; 0 is plain PPO
    (default: 64; 0 with a memory and with on_device, which cannot)"""
    imitation_episodes: int | None = None
    """how many of its own episodes are kept to be learned again (default: 2 for ppo, 12 for dqn)"""
    imitation_enough: float = 0.02
    """mean of -log of the probability of what it did in won episodes, at which an update's imitation ends"""
    discovery_enough: float = 1.2
    """the same for its ways to something new, which it learns again until it has won"""
    replay_size: int = 50_000
    """decisions that dqn's replay memory holds"""
    return_steps: int = 10
    """decisions of which dqn adds up the rewards before it trusts its own values"""
    margin: float = 0.3
    """by which dqn learns to value what it did in its won episodes above all other actions; 0 leaves it out"""
    discovery_margin: float = 0.1
    """the same for its ways to something new, which it learns again until it has won"""
    demonstrations: Path | None = None
    """folder of recorded plays; before it trains, ppo learns to act as was done there (behavioural cloning)"""
    demonstrators: Demonstrators = "person"
    """whose plays these are; never several kinds together"""
    demonstrations_version: str | None = None
    """the version that they played (default: the agent's own); another one's plays are redrawn in the agent's"""
    demonstrated: Demonstrated = "wins"
    """what it learns from: the episodes that won, without their loops; or everything that was done"""
    demonstration_epochs: int = 100
    """at most so many times each demonstrated decision is learned from; who is held out tells when it is enough"""
    demonstrations_held_out: float = 0.2
    """share of the demonstrators, from 0 to less than 1, that it never learns from; they measure how well it acts"""
    bfloat16: bool | None = None
    """whether the network runs in bfloat16 (default: on a card that has it)"""
    device: Device = "auto"
    """where the network runs: on a card if there is one (auto), on the processor (cpu), on a card (cuda)"""
    on_device: bool = False
    """whether ppo's games are played where its network runs, and rollouts stay there: for thousands of games on a card;
    with counts, icm or no curiosity, no memory, and nothing learned again or from demonstrations"""
    threads: int = 1
    """processor cores that the network may use"""
    checkpoint_every: int | None = None
    """raw inputs between two checkpoints (default: 20,000; with on_device those of 20 rollouts)"""
    evaluation_episodes: int = 100
    """episodes of each evaluation after training; 0 for none"""
    tensorboard: Path | None = None
    """folder of TensorBoard's logs (default: none are written)"""
    progress: bool = True
    """whether to show a progress bar"""

    def __post_init__(self) -> None:
        check(self)

    @property
    def method(self) -> str:
        """The name of what was trained, in tables and folders."""
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
        """Decisions between two updates of ppo."""
        return self.n_steps * self.num_games

    def value(self, name: str) -> Any:
        """A setting's value; where it is None, what that stands for."""
        given = getattr(self, name)
        return UNSET[name](self) if given is None and name in UNSET else given

    @property
    def privileged(self) -> bool:
        """Whether the agent is told what no player sees."""
        return self.agent != "random" and self.curiosity == "privileged-counts"

    @property
    def folder(self) -> Path:
        return self.out or Path("runs") / "train" / self.version / self.method / f"seed_{self.seed}"

    def of_network(self) -> dict[str, Any]:
        """The arguments of ``PixelNetwork``."""
        return {"features": self.features, "bfloat16": self.bfloat16, "network": self.network}

    def of_games(self) -> dict[str, Any]:
        """The arguments of ``Games`` and of ``PriorLabVecEnv``."""
        names = ("num_games", "version", "game", "level", "look_seed", "max_inputs", "random_start", "frame_skip")
        own = {name: getattr(self, name) for name in names} | {"screen_size": self.screen_size}
        return own if self.agent == "random" else own | {"stack_size": self.stack_size}  # chance looks at nothing

    def config(self) -> dict[str, Any]:
        """What stands in config.json: every setting that can change a row, and what the loader needs.

        Which demonstrations were learned from is told by a hash of them, which whoever reads them adds.
        """
        silent = {"out", "level", "checkpoint_every", "evaluation_episodes", "tensorboard", "progress"}
        told_apart = {name for name in asdict(self) if name.startswith("demonstrat")}
        silent |= {"demonstrations"} if self.demonstrations else told_apart
        silent |= {name for name, agents in OWN.items() if self.agent not in agents}
        names = [name for name in asdict(self) if name not in silent]
        if self.agent == "random":
            names = names[: names.index("num_games") + 1]
            names.remove("curiosity")
        level = Level.read(self.level or find_version(self.game, self.version).level)
        return {
            "method": self.method, "player": "agent", "privileged": self.privileged, "level": level.text(),
            **{name: self.value(name) for name in names},
        }  # fmt: skip
