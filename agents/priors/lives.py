"""Lives: a player with priors in one level, deaths included, until it wins or the limit."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from priorlab.agents.fields import Range, check_kind, check_range
from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.player import Player
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.roles import ROLES, roles_of
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import DEATHS, SOLVED, TURNED, UNIQUE_STATES, X, Y

LIMIT = 54_000  # inputs, of the study's Key and Door


@dataclass(frozen=True)
class Life:
    """What a player did: ``inputs`` uint8 (n,); ``positions`` int32 (n, 2), x and y in half pixels after each input;
    ``died`` bool (n,); ``possible`` bool (R, R, 8), the roles that no fact ruled out.

    ``envs.plays.play.Play.of(inputs, version, level=...)`` is its play.
    """

    inputs: np.ndarray
    positions: np.ndarray
    died: np.ndarray
    solved: bool
    unique_states: int
    plans: int
    surprises: int
    contradictions: int
    possible: np.ndarray
    lost: int  # how often it could not explain what it saw
    given: tuple[str, ...] = field(default=())  # beyond pictures, to the player and its perception

    @property
    def deaths(self) -> int:
        return int(self.died.sum())


class Living:
    """A life as it goes: ``decide`` for the next input, then ``press`` it. Watching or recording it changes nothing.

    ``state``: int32 (FIELDS,), the game's; ``player`` reads of it only what it is given.
    """

    def __init__(self, scenery: Scenery, perceive: Perceive, settings: PlayerSettings, seed: int):
        self.settings, self.games = settings, scenery.games()
        self.games.reset(seed)
        self.state, world = self.games.state[0], scenery.world()
        self.turns = int(world.numbers[TURNED])  # quarter turns that set the picture upright
        self.player = Player(perceive, world, settings, seed, self.upright(self.picture).copy())
        self.sights: deque[tuple[np.ndarray, bool, np.ndarray | None]] = deque()  # shown, and not seen yet

    @property
    def picture(self) -> np.ndarray:
        """uint8 (15 R, 15 R, 3): what is on the screen; the next input changes it in place."""
        return self.games.lanes.observations[0]

    def upright(self, picture: np.ndarray) -> np.ndarray:
        return np.rot90(picture, self.turns) if self.turns else picture

    def decide(self, died: bool) -> int:
        """Shows the player the picture, which it sees after its delay; its next input. ``died``: by the last one."""
        given, delay, ended = self.player.told is not None, self.settings.delay, False
        if died and self.games.lanes.terminated[0]:
            self.games.restart(np.zeros(1, np.int64), new_play=False)
            ended = True
        picture = self.upright(self.picture)
        state = self.state.copy() if given else None
        self.sights.append((picture.copy() if delay else picture, died if given else ended, state))
        return self.player.act(*self.sights.popleft()) if len(self.sights) > delay else self.player.act(None)

    def press(self, action: int) -> bool:
        """Takes the input in the game; whether the player died."""
        deaths = int(self.state[DEATHS])
        self.games.step(np.array([action]))
        return bool(self.state[DEATHS] > deaths)

    def steps(self, limit: int) -> Iterator[tuple[int, bool]]:
        """Decides and presses until the win, or for so many inputs: each input, and whether the player died of it."""
        died, taken = False, 0
        while taken < limit and not self.state[SOLVED]:
            action = self.decide(died)
            died, taken = self.press(action), taken + 1
            yield action, died


def live(
    scenery: Scenery, perceive: Perceive, settings: PlayerSettings | None = None, seed: int = 0, limit: int = LIMIT
) -> Life:
    """One life; the same arguments give the same life. Raises ValueError, one line, for what does not exist or fit."""
    for name, value in (("seed", seed), ("limit", limit)):
        check_kind(name, value, int)
        check_range(name, value, Range(0))
    settings = settings or PlayerSettings()
    living = Living(scenery, perceive, settings, seed)
    state, player = living.state, living.player
    inputs, positions, died = np.zeros(limit, np.uint8), np.zeros((limit, 2), np.int32), np.zeros(limit, bool)
    taken = 0
    for action, dead in living.steps(limit):
        inputs[taken], died[taken], positions[taken] = action, dead, (state[X], state[Y])
        taken += 1
    return Life(
        inputs[:taken].copy(), positions[:taken].copy(), died[:taken].copy(), bool(state[SOLVED]),
        int(state[UNIQUE_STATES]), player.plans, player.surprises, player.facts.contradictions, ~player.facts.ruled_out,
        player.tracker.lost, given_to(perceive, settings),
    )  # fmt: skip


class KnownRoles:
    """A perception that is given the role of every cell."""

    given = ("roles",)

    def __init__(self, level: Level):
        self.truth = np.eye(len(ROLES), dtype=np.float32)[roles_of(level)]

    def __call__(self, picture: np.ndarray, ruled_out: np.ndarray) -> np.ndarray:
        return self.truth


def told(level: Level) -> Perceive:
    """The perception of the hand-designed player, which is told the role of every cell."""
    return KnownRoles(level)


def given_to(perceive: Perceive, settings: PlayerSettings) -> tuple[str, ...]:
    """What a player is given beyond pictures, and its perception."""
    return (*getattr(perceive, "given", ()), *settings.given)


def on_rules(level: Level, game: str) -> Level:
    """The same level, played by the rules of that game."""
    return replace(level, game=game)
