"""Lives: a player with priors in one level, deaths included, until it wins or the limit."""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

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
    given: tuple[str, ...] = field(default=())

    @property
    def deaths(self) -> int:
        return int(self.died.sum())


def live(
    scenery: Scenery, perceive: Perceive, settings: PlayerSettings | None = None, seed: int = 0, limit: int = LIMIT
) -> Life:
    """One life; the same arguments give the same life."""
    settings = settings or PlayerSettings()
    games = scenery.games()
    games.reset(seed)
    state, lane, pressed = games.state[0], np.zeros(1, np.int64), np.zeros(1, np.int64)
    world, picture, given = scenery.world(), games.lanes.observations[0], "state" in settings.given
    turns = int(world.numbers[TURNED])
    player = Player(perceive, world, settings, seed, np.rot90(picture, turns).copy())
    inputs, positions, died = np.zeros(limit, np.uint8), np.zeros((limit, 2), np.int32), np.zeros(limit, bool)
    taken, dead, over = 0, False, False
    delay, sights = settings.delay, deque()  # what was shown and is not seen yet
    for taken in range(1, limit + 1):
        deaths = int(state[DEATHS])
        upright = np.rot90(picture, turns) if turns else picture
        sights.append((upright.copy() if delay else upright, dead if given else over, state.copy() if given else None))
        action = player.act(*sights.popleft()) if len(sights) > delay else player.act(None)
        inputs[taken - 1] = pressed[0] = action
        games.step(pressed)
        positions[taken - 1] = state[X], state[Y]
        died[taken - 1] = dead = bool(state[DEATHS] > deaths)
        if state[SOLVED]:
            break
        over = dead and bool(games.lanes.terminated[0])
        if over:
            games.restart(lane, new_play=False)
    return Life(
        inputs[:taken].copy(), positions[:taken].copy(), died[:taken].copy(), bool(state[SOLVED]),
        int(state[UNIQUE_STATES]), player.plans, player.surprises, player.facts.contradictions, ~player.facts.ruled_out,
        player.tracker.lost, settings.given,
    )  # fmt: skip


def told(level: Level) -> Perceive:
    """The perception of the hand-designed player, which is told the role of every cell."""
    truth = np.eye(len(ROLES), dtype=np.float32)[roles_of(level)]

    def perceive(picture: np.ndarray, ruled_out: np.ndarray) -> np.ndarray:
        return truth

    return perceive


def on_rules(level: Level, game: str) -> Level:
    """The same level, played by the rules of that game."""
    return replace(level, game=game)
