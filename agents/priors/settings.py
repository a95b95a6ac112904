"""What a player that learns its priors is, and what it is raised on. Importing this is quick: no torch."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from priorlab.agents.fields import IfNone, IntoFolder, Range, Unrecorded, check
from priorlab.envs.looks.dials import DIALS, Dials

Appearance = Literal["learned", "untrained", "codes"]
Levels = Literal["both", "small", "large"]
DIAL = Range(0, 1)
NAMING = ("levels", "edition", "treats", "strange", "width")  # settings that names of players tell, dials aside
LEAST, MOST = 9, 24  # cells a side of a picture that a player can look at


@dataclass(frozen=True)
class Architecture:
    """What a perception consists of; the defaults are the full one, the others are for controls.

    ``appearance``: what a cell looks like reaches the grid through learned features, through features that stay as
    they were drawn at first (untrained), or only as a random code of its exact pixels, another in each picture, so
    that just sameness is seen (codes). ``look_alikes``: cells exchange what they know with those that look alike.
    ``evidence``: what is ruled out at one cell is fed back, so that it can speak about others. ``width``: numbers per
    cell in the layers over the grid. Raises ValueError, one line, for anything else.
    """

    appearance: Appearance = "learned"
    look_alikes: bool = True
    evidence: bool = True
    width: Annotated[int, Range(16, 256)] = 80

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class RaiseSettings(IntoFolder):
    """What a player is raised on, and what it is. Raises ValueError, one line, for a value out of range.

    ``priorlab raise --help`` lists all.
    """

    out: Annotated[
        Path | None, Unrecorded(), IfNone(lambda s: Path("runs") / "raise" / s.method / f"seed_{s.seed}")
    ] = None
    """folder to write to; a stopped raising resumes there (default: runs/raise/METHOD/seed_SEED)"""
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """seed of everything random: weights, levels, looks, reveals"""
    pictures: Annotated[int, Range(1)] = 50_000
    """number of pictures to learn from, each painted anew"""
    batch_size: Annotated[int, Range(1, 256)] = 16
    """pictures per step"""
    learning_rate: Annotated[float, Range(0, 0.1, above=True)] = 1e-3
    """largest learning rate of AdamW: it rises for 100 steps, then falls to 0 along a cosine"""
    levels: Levels = "both"
    """banks of levels: small, large, or both, each as often"""
    edition: Annotated[int, Range(1, 2)] = 2
    """edition of the random looks"""
    semantics: Annotated[float | None, Range(-1, 1)] = None
    """dial of all looks, 0 to 1: a role looks like its family; below 0 it looks like the opposite, for players that are
    to be misled (default: drawn from 0 to 1 for each picture)"""
    objects: Annotated[float | None, DIAL] = None
    """dial: places by objects and on platforms are free of distractors (default: drawn)"""
    affordance: Annotated[float | None, DIAL] = None
    """dial: free space is free of textures (default: drawn)"""
    similarity: Annotated[float | None, DIAL] = None
    """dial: things of one kind look alike (default: drawn)"""
    treats: Annotated[float, DIAL] = 0.0
    """share of places for harmless things that have a treat, for players that are to be misled"""
    strange: Annotated[float, DIAL] = 0.15
    """share of pictures in strange looks, which no family paints: patchworks, exchanged pictures"""
    appearance: Appearance = "learned"
    """what is seen of a cell: learned features, features that stay untrained, or codes of its exact pixels"""
    look_alikes: bool = True
    """whether cells exchange what they know with cells that look alike"""
    evidence: bool = True
    """whether what contact rules out at one cell speaks about others"""
    width: Annotated[int, Range(16, 256)] = 80
    """numbers per cell in the layers over the grid"""
    appraisal_levels: Annotated[int, Range(0), Unrecorded()] = 100
    """held-out levels to appraise the result on, each in seven settings of the dials; 0: none"""

    def __post_init__(self) -> None:
        super().__post_init__()
        Dials(**dict(self.fixed_dials()))

    @property
    def method(self) -> str:
        """What differs from the full player: the name of a raising in tables and folders."""
        parts = [f"{dial}-{getattr(self, dial):g}" for dial in DIALS if getattr(self, dial) is not None]
        parts += [f"{name}-{getattr(self, name)}" for name in NAMING if differs(self, name)]
        parts += [self.appearance] if self.appearance != "learned" else []
        parts += [f"no-{name.replace('_', '-')}" for name in ("look_alikes", "evidence") if not getattr(self, name)]
        return "_".join(parts) or "full"

    @property
    def sizes(self) -> tuple[str, ...]:
        """Of banks."""
        return ("small", "large") if self.levels == "both" else (self.levels,)

    @property
    def steps(self) -> int:
        return -(-self.pictures // self.batch_size)

    def architecture(self) -> Architecture:
        return Architecture(**{field.name: getattr(self, field.name) for field in fields(Architecture)})

    def fixed_dials(self) -> tuple[tuple[str, Any], ...]:
        """(name, value) of each setting of the looks that is not drawn."""
        fixed = tuple((name, getattr(self, name)) for name in DIALS if getattr(self, name) is not None)
        return (*fixed, ("edition", self.edition), ("treats", self.treats))


@dataclass(frozen=True)
class MovementSettings(IntoFolder):
    """Settings for learning how a player moves. Raises ValueError, one line, for a value out of range.

    ``priorlab movement --help`` lists all.
    """

    out: Annotated[Path | None, Unrecorded(), IfNone(lambda s: Path("runs") / "movement" / f"seed_{s.seed}")] = None
    """folder to write to; a stopped learning resumes there (default: runs/movement/seed_SEED)"""
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """seed of everything random: levels, inputs"""
    levels: Annotated[int, Range(1)] = 10_000
    """number of levels to play freely in, drawn from the banks of training levels"""
    held_out_levels: Annotated[int, Range(1), Unrecorded()] = 200
    """held-out levels to measure the result on, as they are and with exchanged cells"""


@dataclass(frozen=True)
class ActSettings(IntoFolder):
    """Settings for learning to act on what is believed. Raises ValueError, one line, for a value out of range.

    ``priorlab acting --help`` lists all.
    """

    out: Annotated[Path | None, Unrecorded(), IfNone(lambda s: Path("runs") / "acting" / f"seed_{s.seed}")] = None
    """folder to write to; a stopped learning resumes there (default: runs/acting/seed_SEED)"""
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0
    """seed of everything random: weights, levels, looks, reveals, choices"""
    rollouts: Annotated[int, Range(1)] = 400
    """how often PPO plays and learns"""
    lanes: Annotated[int, Range(1, 1024)] = 32
    """lives side by side"""
    stretches: Annotated[int, Range(1, 64)] = 8
    """length of a life in a rollout, in stretches of 16 decisions that go by one look at the map"""
    small_levels: Annotated[int, Range(1, 4000)] = 100
    """number of small levels to practise in, the first of the training bank"""
    large_levels: Annotated[int, Range(1, 500)] = 30
    """number of large ones"""
    batch_size: Annotated[int, Range(16)] = 512
    """decisions in a minibatch"""
    epochs: Annotated[int, Range(1)] = 4
    """passes over each rollout"""
    learning_rate: Annotated[float, Range(0, 0.1, above=True)] = 1e-3
    """learning rate of Adam"""
    gamma: Annotated[float, Range(0, 1)] = 0.99
    """discount per input"""
    gae_lambda: Annotated[float, Range(0, 1)] = 0.9
    """of the advantages (GAE), per decision"""
    entropy: Annotated[float, Range(0)] = 0.005
    """weight of the bonus for choices that are not sure"""
    ways_rate: Annotated[float, Range(0, 0.1)] = 5e-3
    """learning rate of the map part for the shortest ways on the true maps; 0: it learns from PPO alone"""
    held_out_levels: Annotated[int, Range(1, 10), Unrecorded()] = 10
    """held-out levels of each of three kinds to live on in the end"""
    held_out_limit: Annotated[int, Range(1), Unrecorded()] = 5000
    """inputs after which such a life ends"""

    @property
    def steps(self) -> int:
        """Decisions of a lane in a rollout."""
        return 16 * self.stretches

    @property
    def rollout(self) -> int:
        """Decisions of all lanes in a rollout."""
        return self.lanes * self.steps

    @property
    def decisions(self) -> int:
        return self.rollouts * self.rollout


def differs(settings: RaiseSettings, name: str) -> bool:
    """Whether a setting has not its default."""
    return getattr(settings, name) != getattr(RaiseSettings, name)
