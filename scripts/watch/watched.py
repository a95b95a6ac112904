"""A life that is watched: one input at a time, with what happened. Watching changes nothing of it."""

from dataclasses import dataclass

import numpy as np

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.lives import LIMIT, Scenery
from priorlab.agents.priors.player import Player, Seen
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.envs.game.rules import DEATHS, FIELDS, HAS_KEY, SOLVED, X, Y
from priorlab.scripts.watch.happenings import Happening, contradicted, death, key_taken, surprise, win


@dataclass(frozen=True)
class Counts:
    inputs: int
    deaths: int
    surprises: int
    facts: int


class Watched:
    """The life of ``agents.priors.lives.live`` with the same arguments, which ``advance`` takes on by one input.

    ``happened``: what the last input brought, or None; ``over``: whether it won or reached the limit.
    """

    def __init__(
        self,
        scenery: Scenery,
        perceive: Perceive,
        settings: PlayerSettings | None = None,
        seed: int = 0,
        limit: int = LIMIT,
    ):
        self.scenery, self.limit = scenery, limit
        self.games = scenery.games()
        self.games.reset(seed)
        self.state = self.games.state[0]
        self.inputs: list[int] = []
        self.player = Player(
            perceive, scenery.world(), settings or PlayerSettings(), seed, self.games.lanes.observations[0].copy()
        )
        self.happened: Happening | None = None
        self.dead = self.over = False
        self.given = self.player.facts.count  # facts that it had before it saw anything
        self.pressed = self.player.act(Seen(self.state.copy()))

    @property
    def picture(self) -> np.ndarray:
        """uint8 (15 R, 15 R, 3): what is on the screen now."""
        return self.games.lanes.observations[0]

    @property
    def solved(self) -> bool:
        return bool(self.state[SOLVED])

    @property
    def place(self) -> tuple[int, int]:
        """(x, y), half pixels, of the player's centre."""
        return int(self.state[X]), int(self.state[Y])

    @property
    def counts(self) -> Counts:
        player = self.player
        return Counts(len(self.inputs), int(self.state[DEATHS]), player.surprises, player.facts.count - self.given)

    def advance(self) -> Happening | None:
        """Takes the next input; after a death, starts again and takes none. Returns what that brought."""
        if self.over:
            return None
        if self.dead:
            self.restart()
            self.happened = None
            return None
        deaths, had_key = int(self.state[DEATHS]), bool(self.state[HAS_KEY])
        self.inputs.append(self.pressed)
        self.games.step(np.array([self.pressed]))
        self.dead = bool(self.state[DEATHS] > deaths)
        self.over = self.solved or len(self.inputs) >= self.limit
        if self.solved:
            self.happened = win(self.place)
        elif self.dead:
            self.happened = death(self.player, self.place)
        elif self.over:
            self.happened = None
        else:
            self.happened = self.think(had_key)
        return self.happened

    def restart(self) -> None:
        """Back to the start after a death; the player learns of it and decides."""
        if self.games.lanes.terminated[0]:
            self.games.restart(np.zeros(1, np.int64), new_play=False)
        self.dead = False
        self.pressed = self.player.act(Seen(self.state.copy(), True))

    def think(self, had_key: bool) -> Happening | None:
        """Lets the player see, learn and decide; returns what it found out."""
        player, foreseen = self.player, np.zeros(FIELDS, np.int32)
        foreseen[:] = player.foreseen
        plan, plans, surprises, left = player.plan, player.plans, player.surprises, player_left(player)
        self.pressed = player.act(Seen(self.state.copy()))
        if self.state[HAS_KEY] and not had_key:
            return key_taken(self.place)
        if player.surprises > surprises:
            return surprise(foreseen, self.state, plan, self.place)
        if plan is not None and player.plans > plans and left:
            return contradicted(self.place)
        return None


def player_left(player: Player) -> int:
    """How many inputs of its plan are left."""
    return 0 if player.plan is None else len(player.plan.inputs) - player.at
