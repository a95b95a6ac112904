"""What is watched: a level in a look, and who plays it. Everything is checked before anything runs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from priorlab.agents import priors
from priorlab.agents.priors.acting import load_acting
from priorlab.agents.priors.lives import LIMIT, given_to, told
from priorlab.agents.priors.movement import load_movement
from priorlab.agents.priors.player_settings import NEEDED, WITHOUT_RULES, PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import LEAST, MOST
from priorlab.envs.engine.places import version_on
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.game.versions import TITLES, find_version
from priorlab.envs.looks.dials import SPLITS, Dials
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.watch.stage import Captions
from priorlab.scripts.watch.watched import Watched

PlayerKind = Literal["hand_designed", "learned"]
MovementKind = Literal["given", "learned"] | Path
ActingKind = Literal["planned", "learned"] | Path
BANK = "large_held_out"
LIMITS = ("delay", "slips", "hesitation")  # a person's


@dataclass(frozen=True)
class Chosen:
    """Settings of a life, as ``priorlab watch --help`` describes them; ``begin`` starts it.

    Raises ValueError, one line, for anything that does not exist or does not fit.
    """

    player: PlayerKind = "learned"
    weights: Path | None = None
    movement: MovementKind = "given"
    acting: ActingKind = "planned"
    game: str | None = None
    version: str | None = None
    level: str | None = None
    bank: str | None = None
    number: int = 0
    look_seed: int | None = None
    dials: tuple[float, float, float, float] | None = None
    split: str = "held_out"
    seed: int = 0
    limit: int = LIMIT
    delay: int = 0
    slips: float = 0.0
    hesitation: float = 0.0

    def __post_init__(self) -> None:
        if self.bank and (self.game or self.level):
            raise ValueError("bank and game or level both choose a level: expected one of them")
        if self.split not in SPLITS:
            raise ValueError(f"split is {self.split!r}: expected {' or '.join(SPLITS)}")
        if self.look_seed is not None and self.look_seed < 0:
            raise ValueError(f"look_seed must be at least 0, got {self.look_seed}")
        if self.limit < 1:
            raise ValueError(f"limit must be at least 1, got {self.limit}")
        settings = self.settings()
        if "rules" not in settings.given:
            load_movement(settings.movement)
        if settings.acts:
            load_acting(settings.network)
        if self.player != "learned" and self.weights is not None:
            raise ValueError(f"weights is {str(self.weights)!r}: expected none for a {self.player} player")

    @property
    def from_bank(self) -> bool:
        return not (self.game or self.level)

    def settings(self) -> PlayerSettings:
        return PlayerSettings(
            given=NEEDED if self.movement == "given" else WITHOUT_RULES,
            movement=self.movement if isinstance(self.movement, Path) else None,
            acting=self.acting, delay=self.delay, slips=self.slips, hesitation=self.hesitation,
        )  # fmt: skip

    def scenery(self) -> Scenery:
        """The level in its look, which by default is random for a level of a bank."""
        version, dials = self.version or "original", self.dials
        if self.from_bank:
            level = self.level_of_bank()
            dials = dials or (None if self.version else (1.0, 1.0, 1.0, 1.0))
        else:
            _, level = version_on(self.game, version, self.level)
        check_size(level)
        rules, plain = (find_version(level.game, name).rules for name in (version, "original"))
        if dials and version != "original" and rules == plain:
            raise ValueError(f"version {version!r} is a look, and dials choose another: expected one of them")
        look_seed = self.look_seed if self.look_seed is not None else self.number if self.from_bank else 0
        return Scenery(level, version, Dials(*dials, edition=2) if dials else None, look_seed, self.split)

    def level_of_bank(self) -> Level:
        bank = Bank.read(self.bank or BANK)
        if not 0 <= self.number < len(bank):
            raise ValueError(f"number is {self.number}: expected a level of the bank, 0 to {len(bank) - 1}")
        return bank[self.number].level

    def later(self, ahead: int) -> "Chosen":
        """Another life: in a level of the bank that comes later, and after the last the first, or of another seed."""
        if self.from_bank:
            return replace(self, number=(self.number + ahead) % len(Bank.read(self.bank or BANK)))
        return replace(self, seed=self.seed + ahead)

    def begin(self, ahead: int = 0) -> tuple[Watched, Captions]:
        """The life at its first decision, and what stands beside it; ``ahead``: as for ``later``."""
        if ahead:
            return self.later(ahead).begin()
        scenery, settings = self.scenery(), self.settings()
        by_hand = self.player == "hand_designed"
        perceive = told(scenery.level) if by_hand else priors.learned(self.weights)
        return Watched(scenery, perceive, settings, self.seed, self.limit), Captions(
            caption(scenery),
            f"{self.player.replace('_', '-')} player",
            given_caption(given_to(perceive, settings), settings),
        )


def caption(scenery: Scenery) -> str:
    """The level and its look in a few words; of its dials those that hide something."""
    name = TITLES.get(scenery.level.name, scenery.level.name)
    version = scenery.version.replace("_", " ")
    if scenery.looks is None:
        return f"{name}, {version}"
    dials = {dial: getattr(scenery.looks, dial) for dial in ("semantics", "objects", "affordance", "similarity")}
    low = [f"{dial} {value:g}" for dial, value in dials.items() if value != 1]
    if len(set(dials.values())) == 1 and low:
        low = [f"all dials {scenery.looks.semantics:g}"]
    rules = "" if scenery.version == "original" else f", {version}"
    return f"{name}{rules}, random look {scenery.look_seed}" + (": " + ", ".join(low) if low else "")


def given_caption(given: Iterable[str], settings: PlayerSettings) -> str:
    """What a player is given, whether its movement and acting are learned, and which of a person's limits it has."""
    learned = [] if "rules" in settings.given else ["movement learned"]
    learned += [] if not settings.acts else ["acting learned"]
    limits = [f"{name} {getattr(settings, name):g}" for name in LIMITS if getattr(settings, name)]
    return "; ".join([f"It is given: {', '.join(given)}", *learned, *limits])


def check_size(level: Level) -> None:
    side = level.side // TILE
    if not LEAST <= side <= MOST:
        raise ValueError(f"level {level.name!r} has {side} cells a side: expected {LEAST} to {MOST}")
