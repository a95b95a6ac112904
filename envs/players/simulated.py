"""Simulated players: plays of ``envs/players/planner.py``'s players, spread as people are, on the versions of a game.

They are no people and no model that was fitted to people: their differences between versions are planted, so that an
analysis can be tried on a truth that is known (docs/simulated.md). ``simulated.toml`` is the table.
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
SHAPE = 2.0  # of the Weibull distribution of patience: the hazard of quitting grows in proportion to time
PACE, PACE_SPREAD = 1.0, 0.93  # of most people, and the deviation of its log
SLIPS, SLIPS_SPREAD = 0.005, 0.4  # chance an input to begin a slip, and the deviation of its log
SHARED = 0.7  # correlation of the two, on a log scale: who is slow slips more


@dataclass(frozen=True)
class Setting:
    """What is simulated: a game's version, and how the players on it differ from those on the original."""

    game: str
    version: str
    knowledge: Knowledge
    patience: float  # scale of the Weibull distribution of the minutes after which a player quits; infinity: none do


@cache
def table() -> dict:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def knowledge_without(version: str, lost: float) -> Knowledge:
    """What is known where the version takes that share, 0 to 1, of the knowledge that it masks."""
    masked = table()["masked"].get(version, {})
    return Knowledge(**{dial: 1 - lost * (1 - left) for dial, left in masked.items()})


def setting_of(game: str, version: str, plant: str = "published") -> Setting:
    """The setting of a version.

    plant: ``published``: as much of what the version masks is lost as makes mean times stand in the published ratios;
    ``masks``: all of it; ``none``: every version is played like the original, and nobody's patience differs.
    Raises ValueError where nothing is known to plant.
    """
    if plant not in PLANTS:
        raise ValueError(f"plant is {plant!r}: expected one of {', '.join(PLANTS)}")
    version_on(game, version, None)
    patience = table()["patience"]
    if plant == "none":
        return Setting(game, version, Knowledge(), patience["original"])
    lost = 1.0 if plant == "masks" or version == "original" else table()["lost"].get(game, {}).get(version)
    if lost is None:
        known = ", ".join(planted_versions(game)) or "none"
        raise ValueError(f"no published ratio is planted for {version} of {game}: expected one of {known}")
    return Setting(game, version, knowledge_without(version, lost), patience.get(version, patience["original"]))


def planted_versions(game: str) -> list[str]:
    """The versions of a game for which a published ratio can be planted."""
    return ["original", *table()["lost"][game]] if game in table()["lost"] else []


def atlas_for(game: str, version: str) -> Atlas:
    chosen, level = version_on(game, version, None)
    return atlas_of(level, find_rules(chosen.rules))


def generator_of(setting: Setting, seed: int, number: int) -> np.random.Generator:
    """Of one player: of the seed, the version and the player's number, and of nothing else."""
    return np.random.default_rng([seed, crc32(f"{setting.game}/{setting.version}".encode()), number])


def simulate(
    setting: Setting, seed: int, number: int, spread: float = 1.0, limit: float = LIMIT_MINUTES
) -> tuple[np.ndarray, Outcome]:
    """(uint8 (n,) inputs, how it ended) of one player's play; the same seed and number give the same play.

    spread: times the usual deviation of log pace and log slips between players; limit: in minutes, as patience is.
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


def times_of(
    setting: Setting, seed: int, numbers: Sequence[int], spread: float = 1.0, limit: float = LIMIT_MINUTES
) -> tuple[np.ndarray, np.ndarray]:
    """(float64 (n,) inputs, bool (n,) whether won) of these players."""
    plays = [simulate(setting, seed, number, spread, limit) for number in numbers]
    return np.array([len(inputs) for inputs, _ in plays], float), np.array([ended == "win" for _, ended in plays])


def play_of(setting: Setting, seed: int, number: int, spread: float = 1.0, limit: float = LIMIT_MINUTES) -> Play:
    """One player's play, labelled simulated, with an id drawn from the seed."""
    inputs, ended = simulate(setting, seed, number, spread, limit)
    letters = np.random.default_rng([*generator_of(setting, seed, number).integers(1 << 32, size=4)])
    name = "".join(letters.choice(list(ID_CHARACTERS), ID_LENGTH))
    return Play.of(
        inputs, setting.version, game=setting.game, seed=seed, ended=ended, player="simulated", player_id=name, id=name
    )  # fmt: skip
