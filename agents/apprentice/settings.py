"""What an apprentice is, what it is taught, and how it practises. Importing this is quick: no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from priorlab.agents.fields import IfNone, IntoFolder, Range, Unrecorded, value_of
from priorlab.agents.priors.settings import Levels
from priorlab.agents.settings import Device

Stage = Literal["record", "clone", "practise", "play"]
Sets = Literal["development", "held_out"]
Remembered = Literal["play", "nothing"]
POSITIVE = Range(0, above=True)
STAGES: tuple[Stage, ...] = ("record", "clone", "practise", "play")


@dataclass(frozen=True)
class ApprenticeSettings(IntoFolder):
    """One apprentice, from the lives that it imitates to the levels that it plays at the end.

    Raises ValueError, one line, for a value out of range. ``priorlab apprentice --help`` lists all.
    """

    out: Annotated[
        Path | None, Unrecorded(), IfNone(lambda s: Path("runs") / "apprentice" / s.method / f"seed_{s.seed}")
    ] = None
    """folder to write to; a stopped run resumes there (default: runs/apprentice/METHOD/seed_SEED)"""
    until: Annotated[Stage, Unrecorded()] = "play"
    """last stage of this call: record lives, clone them, practise, play levels that are new to the network"""
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """seed of everything random but the recorded lives: weights, order, levels of practice, actions"""
    start: Annotated[Path | None, Unrecorded()] = None
    """file of weights to begin with, instead of recording and cloning lives"""
    lives_in: Annotated[Path | None, Unrecorded(), IfNone(lambda s: s.folder / "lives")] = None
    """folder of recorded lives, which several apprentices can share; missing lives are added (default: OUT/lives)"""
    lives: Annotated[int, Range(1)] = 2000
    """lives of the player with priors to imitate, each on a random training level in a random look"""
    lives_seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """seed of the recorded lives: life k depends on it and on k alone"""
    held_out_lives: Annotated[int, Range(1)] = 100
    """further lives, on held-out levels in held-out drawings, to measure the imitation"""
    levels: Levels = "both"
    """banks of levels: small, large, or both, each as often"""
    teacher: Annotated[Path | None, Unrecorded()] = None
    """weights of the player with priors, FILE.safetensors of priorlab raise (default: those of the package)"""
    life_limit: Annotated[int, Range(1)] = 3000
    """inputs after which a life ends if it has not won, while recording and in practice"""
    workers: Annotated[int, Range(1), Unrecorded()] = 2
    """processes that record lives, one CPU core each"""
    memory: Remembered = "play"
    """what the network remembers: the play, through deaths until the win (play), or only the present picture (nothing),
    as a control"""
    screen_size: Annotated[int, Range(24)] = 84
    """width and height of the colour picture, in pixels"""
    frame_skip: Annotated[int, Range(1)] = 4
    """raw inputs per decision of the network: it repeats each action this many times"""
    features: Annotated[int, Range(1)] = 256
    """units of the dense layer and of the LSTM"""
    watched: Annotated[int, Range(1)] = 16
    """lives that it watches side by side, in cloning"""
    games: Annotated[int, Range(1)] = 16
    """games that it plays side by side, in practice"""
    steps: Annotated[int, Range(1)] = 32
    """decisions per life or game between two updates, through which gradients reach back"""
    passes: Annotated[float, POSITIVE] = 3.0
    """passes over the recorded lives"""
    mirrored: Annotated[float, Range(0, 1)] = 0.5
    """share of lives that it watches in a mirror, with left and right exchanged: no rule prefers a side"""
    learning_rate: Annotated[float, POSITIVE] = 1e-3
    """largest learning rate of cloning: it rises for 100 updates, then falls to 0 along a cosine"""
    value_weight: Annotated[float, Range(0)] = 0.5
    """weight of the loss of the critic, which learns the discounted win of the lives that it sees"""
    decisions: Annotated[int, Range(0)] = 200_000
    """decisions of practice by PPO, over all games; 0: none"""
    places: Annotated[int, Range(1)] = 500
    """random levels in random looks to practise on; each life draws one of them"""
    practice_learning_rate: Annotated[float, POSITIVE] = 2e-4
    """learning rate of PPO, which falls to 0 linearly"""
    n_epochs: Annotated[int, Range(1)] = 2
    """passes of PPO over what was played between two updates"""
    minibatches: Annotated[int, Range(1)] = 4
    """minibatches of each pass, each of the complete sequences of some games"""
    gamma: Annotated[float, Range(0, 1)] = 0.995
    """discount per decision"""
    gae_lambda: Annotated[float, Range(0, 1)] = 0.95
    """lambda of PPO's generalized advantage estimation"""
    entropy: Annotated[float, Range(0)] = 0.003
    """weight of PPO's entropy bonus"""
    clip_range: Annotated[float, POSITIVE] = 0.2
    """how far an update of PPO may move the ratio of an action's new to its old probability from 1"""
    on: Annotated[Sets, Unrecorded()] = "held_out"
    """what it plays at the end: the development levels, on which settings may be chosen, or the other held-out levels
    and the study's games"""
    plays: Annotated[int, Range(0), Unrecorded()] = 50
    """lives at the end on held-out levels of each size that ``levels`` names"""
    study_plays: Annotated[int, Range(0), Unrecorded()] = 3
    """lives at the end in each version of the study's two games"""
    play_limit: Annotated[int, Range(1), Unrecorded()] = 10_000
    """inputs after which a life at the end is cut off"""
    device: Annotated[Device, Unrecorded()] = "auto"
    """where games and network run: on a GPU if there is one (auto), on the CPU (cpu), on a GPU (cuda)"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.games % self.minibatches:
            raise ValueError(f"minibatches is {self.minibatches}: expected a divisor of games, {self.games}")

    @property
    def lives_folder(self) -> Path:
        return value_of(self, "lives_in")

    @property
    def method(self) -> str:
        """The name of the network in tables and folders."""
        return "apprentice" if self.memory == "play" else "apprentice-without-memory"

    @property
    def sizes(self) -> tuple[str, ...]:
        """Of banks."""
        return ("small", "large") if self.levels == "both" else (self.levels,)

    def does(self, stage: Stage) -> bool:
        """Whether this call does the stage, or finds it done."""
        skipped = self.start is not None and stage in ("record", "clone")
        return not skipped and STAGES.index(stage) <= STAGES.index(self.until)

    def recording(self) -> dict[str, Any]:
        """The settings that decide what a recorded life is; how many there are is not among them."""
        return {"lives_seed": self.lives_seed, "levels": self.levels, "life_limit": self.life_limit}
