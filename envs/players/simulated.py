"""Simulated players: plays by the players of ``envs/players/planner.py``, who vary as people do, on a game's versions.

They are neither people nor a model fitted to people: their differences between versions are planted, so that an
analysis can be tested against a known truth (docs/simulated.md). ``simulated.toml`` is the table.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np

from priorlab.envs.engine.places import version_on
from priorlab.envs.game.versions import find_rules
from priorlab.envs.players.atlas import Atlas, atlas_of
from priorlab.envs.players.planner import Knowledge, Person, inputs_of
from priorlab.envs.plays.play import ID_CHARACTERS, ID_LENGTH, INPUTS_PER_SECOND, Outcome, Play

TABLE = Path(__file__).with_suffix(".toml")
PLANTS = ("published", "none", "masks")
LIMIT_MINUTES = 30.0
MINUTE = 60 * INPUTS_PER_SECOND  # inputs
SHAPE = 2.0  # of patience's Weibull distribution: the hazard of quitting grows linearly with time
PACE, PACE_SPREAD = 1.0, 0.93  # median; standard deviation of the logarithm
SLIPS, SLIPS_SPREAD = (
    0.005,
    0.4,
)  # median probability per input of a slip; deviation of its logarithm
SHARED = 0.7  # correlation of the two logarithms: slow players slip more


@dataclass(frozen=True)
class SimulatedSetting:
    """What is simulated: a version of a game, and how its players differ from those of the original."""

    game: str
    version: str
    knowledge: Knowledge
    patience: float  # Weibull scale of the minutes after which a player quits; infinity: never


@cache
def table() -> dict:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def knowledge_without(version: str, lost: float) -> Knowledge:
    """The knowledge left where the version removes that share, 0 to 1, of the knowledge that it masks."""
    masked = table()["masked"].get(version, {})
    return Knowledge(**{dial: 1 - lost * (1 - left) for dial, left in masked.items()})


def simulated_setting(game: str, version: str, plant: str = "published") -> SimulatedSetting:
    """How a version is simulated.

    plant: ``published``: players lose as much of the masked knowledge as gives mean times in the published ratios;
    ``masks``: all of it; ``none``: none, so that every version is played, and quit, like the original. Raises
    ValueError for an unknown game, version or plant, and for a version without a published ratio.
    """
    if plant not in PLANTS:
        raise ValueError(f"plant is {plant!r}: expected one of {', '.join(PLANTS)}")
    version_on(game, version, None)
    patience = table()["patience"]
    if plant == "none":
        return SimulatedSetting(game, version, Knowledge(), patience["original"])
    lost = 1.0 if plant == "masks" or version == "original" else table()["lost"].get(game, {}).get(version)
    if lost is None:
        known = ", ".join(planted_versions(game)) or "none"
        raise ValueError(f"no published ratio is planted for {version} of {game}: expected one of {known}")
    return SimulatedSetting(
        game, version, knowledge_without(version, lost), patience.get(version, patience["original"])
    )


def planted_versions(game: str) -> list[str]:
    """The versions of a game for which a published ratio can be planted."""
    return ["original", *table()["lost"][game]] if game in table()["lost"] else []


def atlas_for(game: str, version: str) -> Atlas:
    chosen, level = version_on(game, version, None)
    return atlas_of(level, find_rules(chosen.rules))


def generator_of(setting: SimulatedSetting, seed: int, number: int) -> np.random.Generator:
    """The generator of one player, which depends only on the seed, the version and the player's number."""
    return np.random.default_rng([seed, crc32(f"{setting.game}/{setting.version}".encode()), number])


def simulate(
    setting: SimulatedSetting, seed: int, number: int, spread: float = 1.0, limit: float = LIMIT_MINUTES
) -> tuple[np.ndarray, Outcome]:
    """One player's play: (uint8 (n,) inputs, how it ended). The same seed and number give the same play.

    spread: a factor on the standard deviations between players; limit: minutes after which a play ends.
    """
    generator = generator_of(setting, seed, number)
    slow, clumsy = generator.normal(size=2)
    clumsy = SHARED * slow + np.sqrt(1 - SHARED**2) * clumsy
    person = Person(
        PACE * float(np.exp(spread * PACE_SPREAD * slow)), SLIPS * float(np.exp(spread * SLIPS_SPREAD * clumsy))
    )
    quits = round(setting.patience * generator.weibull(SHAPE) * MINUTE) if np.isfinite(setting.patience) else None
    longest = round(limit * MINUTE)
    taken = longest if quits is None else max(1, min(longest, quits))
    seed_of_play = int(generator.integers(1 << 32))
    inputs, won = inputs_of(atlas_for(setting.game, setting.version), setting.knowledge, person, seed_of_play, taken)
    return inputs, "win" if won else "limit" if len(inputs) == longest else "quit"


def simulated_times(
    setting: SimulatedSetting, seed: int, numbers: Sequence[int], spread: float = 1.0, limit: float = LIMIT_MINUTES
) -> tuple[np.ndarray, np.ndarray]:
    """(float64 (n,) inputs, bool (n,) whether they won) of the players with these numbers."""
    plays = [simulate(setting, seed, number, spread, limit) for number in numbers]
    return np.array([len(inputs) for inputs, _ in plays], float), np.array([ended == "win" for _, ended in plays])


def simulated_play(
    setting: SimulatedSetting, seed: int, number: int, spread: float = 1.0, limit: float = LIMIT_MINUTES
) -> Play:
    """One player's play as a ``Play``, labelled simulated, with an id drawn from the seed; arguments as for
    ``simulate``."""
    inputs, ended = simulate(setting, seed, number, spread, limit)
    letters = np.random.default_rng([*generator_of(setting, seed, number).integers(1 << 32, size=4)])
    name = "".join(letters.choice(list(ID_CHARACTERS), ID_LENGTH))
    return Play.of(
        inputs, setting.version, game=setting.game, seed=seed, ended=ended, player="simulated", player_id=name, id=name
    )  # fmt: skip
