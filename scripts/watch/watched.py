"""A life that is watched: one input at a time, with what happened. Watching changes nothing of it."""

from dataclasses import dataclass

import numpy as np

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.deciding import PRESS
from priorlab.agents.priors.lives import LIMIT, Living
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.game.rules import DEATHS, HAS_KEY, SOLVED, X, Y
from priorlab.scripts.watch.happenings import Happening, contradicted, death, found, key_taken, plural, surprise, win


@dataclass(frozen=True)
class Counts:
    inputs: int
    deaths: int
    surprises: int
    facts: int


class Watched:
    """The life of ``agents.priors.lives.live`` with the same arguments, which ``advance`` takes on by one input.

    ``happened``: what the last input brought, or None; ``dead``: whether it died of it, and has not started again;
    ``over``: whether it won or reached the limit.
    """

    def __init__(
        self,
        scenery: Scenery,
        perceive: Perceive,
        settings: PlayerSettings | None = None,
        seed: int = 0,
        limit: int = LIMIT,
    ):
        self.living, self.limit = Living(scenery, perceive, settings or PlayerSettings(), seed), limit
        self.player, self.state = self.living.player, self.living.state
        self.dead = self.over = False
        self.before = self.picture.copy()  # the last input
        self.given = self.player.facts.count  # facts that it had before it did anything
        self.inputs: list[int] = []
        self.happened: Happening | None = None
        self.pressed = self.living.decide(False)

    @property
    def picture(self) -> np.ndarray:
        """uint8 (15 R, 15 R, 3): what is on the screen now; after a death, what was before it."""
        return self.before if self.dead else self.living.picture

    @property
    def upright(self) -> np.ndarray:
        return self.living.upright(self.picture)

    @property
    def solved(self) -> bool:
        return bool(self.state[SOLVED])

    @property
    def place(self) -> tuple[int, int]:
        """(x, y), half pixels of the upright picture: where it truly is."""
        return int(self.state[X]), int(self.state[Y])

    @property
    def searches(self) -> bool:
        """Whether it is still looking for itself in the picture."""
        return self.player.told is None and self.player.tracker.found is None

    @property
    def counts(self) -> Counts:
        player = self.player
        return Counts(len(self.inputs), int(self.state[DEATHS]), player.surprises, player.facts.count - self.given)

    def summary(self) -> str:
        """One line on the life so far."""
        counts = self.counts
        costs = [plural(getattr(counts, f"{name}s"), name) for name in ("input", "death", "surprise")]
        return f"{'won' if self.solved else 'not won'}: {', '.join(costs)}"

    def advance(self) -> Happening | None:
        """Takes the next input; after a death, starts again and takes none. Returns what that brought."""
        self.happened = None
        if self.over:
            return None
        if self.dead:
            self.pressed, self.dead = self.living.decide(True), False
            return None
        place, self.before[:] = self.place, self.picture
        self.inputs.append(self.pressed)
        self.dead = self.living.press(self.pressed)
        self.over = self.solved or len(self.inputs) >= self.limit
        if self.solved:
            self.happened = win(self.place)
        elif self.dead:
            self.happened = death(self.player, place)
        elif not self.over:
            self.happened = self.think()
        if self.happened and not self.searches:
            state = self.player.state
            self.happened = self.happened._replace(believed=(int(state[X]), int(state[Y])))
        return self.happened

    def think(self) -> Happening | None:
        """Lets the player decide; returns what it found out."""
        player = self.player
        searched, had_key = self.searches, bool(player.state[HAS_KEY])
        plan, plans, surprises, last = player.plan, player.plans, player.surprises, next(iter(player.unseen), None)
        self.pressed = self.living.decide(False)
        if searched and not self.searches:
            return found(self.place)
        if player.state[HAS_KEY] and not had_key:
            return key_taken(self.place)
        if player.surprises > surprises and last:
            return surprise(last.foreseen, player.state, plan, self.place)
        planned = plan is not None and plan.aim != PRESS
        replans = planned and player.plans > plans and last is not None and not last.final
        return contradicted(self.place) if replans else None
