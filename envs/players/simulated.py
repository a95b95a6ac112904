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
from priorlab.envs.plays.play import ID_CHARACTERS, ID_LENGTH, INPUTS_PER_SECOND, Outcome, Play, today

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


@dataclass(frozen=True)
class Turn:
    """Which play of a player it is; the first of a player who plays one version needs none.

    ``number``: of the player's play, from 0. ``practice``: factor on the player's pace, for each earlier play. Players
    are ``shared``: the player of a number is the same person in all versions of a game.
    """

    number: int = 0
    practice: float = 1.0
    shared: bool = False


ALONE = Turn()


def person_of(setting: SimulatedSetting, seed: int, number: int, spread: float, turn: Turn) -> Person:
    """How this player differs from others, in that play."""
    generator = person_generator(setting, seed, number, turn)
    slow, clumsy = generator.normal(size=2)
    clumsy = SHARED * slow + np.sqrt(1 - SHARED**2) * clumsy
    pace = PACE * float(np.exp(spread * PACE_SPREAD * slow)) * turn.practice**turn.number
    return Person(pace, SLIPS * float(np.exp(spread * SLIPS_SPREAD * clumsy)))


def person_generator(setting: SimulatedSetting, seed: int, number: int, turn: Turn) -> np.random.Generator:
    """The generator of what all plays of a player share; for a player of one version, the first play's."""
    if turn.shared:
        return np.random.default_rng([seed, crc32(f"{setting.game}/people".encode()), number])
    return generator_of(setting, seed, number)


def play_generator(setting: SimulatedSetting, seed: int, number: int, turn: Turn) -> np.random.Generator:
    """The generator of one play, beyond what its player shares with other plays."""
    if turn.number or turn.shared:
        key = crc32(f"{setting.game}/{setting.version}/play".encode())
        return np.random.default_rng([seed, key, number, turn.number])
    generator = generator_of(setting, seed, number)
    generator.normal(size=2)  # of the person
    return generator


def simulate(
    setting: SimulatedSetting, seed: int, number: int, spread: float = 1.0, limit: float = LIMIT_MINUTES,
    turn: Turn = ALONE,
) -> tuple[np.ndarray, Outcome]:  # fmt: skip
    """One player's play: (uint8 (n,) inputs, how it ended). The same seed, number and turn give the same play.

    spread: a factor on the standard deviations between players; limit: minutes after which a play ends.
    """
    person = person_of(setting, seed, number, spread, turn)
    generator = play_generator(setting, seed, number, turn)
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
    setting: SimulatedSetting, seed: int, number: int, spread: float = 1.0, limit: float = LIMIT_MINUTES,
    turn: Turn = ALONE, date: str | None = None,
) -> Play:  # fmt: skip
    """One player's play as a ``Play``, labelled simulated, with ids of player and play drawn from the seed.

    ``date``: by default today (UTC); several plays of a player need different dates, by which they are in order.
    Other arguments as for ``simulate``.
    """
    inputs, ended = simulate(setting, seed, number, spread, limit, turn)
    player = name_from(person_generator(setting, seed, number, turn))
    name = name_from(play_generator(setting, seed, number, turn)) if turn.number or turn.shared else player
    return Play.of(
        inputs, setting.version, game=setting.game, seed=seed, ended=ended, player="simulated", player_id=player,
        id=name, date=date or today(),
    )  # fmt: skip


def name_from(generator: np.random.Generator) -> str:
    letters = np.random.default_rng([*generator.integers(1 << 32, size=4)])
    return "".join(letters.choice(list(ID_CHARACTERS), ID_LENGTH))
