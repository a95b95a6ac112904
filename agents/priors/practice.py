"""Practice: lives in random training levels in random looks, from which a player learns to act on what it believes.

Each life begins with what the perception believes of its picture, some of it revealed (``reveals.py``) as if it had
been found out before. From then on contact teaches it facts, by exact states; they change the belief of the cells that
they are about, but the perception does not look again, which would take most of the time: what a fact says about other
cells is met only where it was revealed at first.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.priors.acting import CHOICES, LOOK_EVERY, Choice, lets_go
from priorlab.agents.priors.belief import Belief, Perceive
from priorlab.agents.priors.cells import same_pixels
from priorlab.agents.priors.deciding import World
from priorlab.agents.priors.facts import Facts
from priorlab.agents.priors.free_play import drawn_starts
from priorlab.agents.priors.lives import on_rules
from priorlab.agents.priors.monsters import cells_of, monster_near
from priorlab.agents.priors.reveals import reveal
from priorlab.agents.priors.roles import ROLES, roles_of
from priorlab.agents.priors.samples import Moment, picture_of
from priorlab.agents.priors.samples import World as Looks
from priorlab.agents.priors.strange import estranged
from priorlab.agents.priors.views import LENGTH, SIDE, Sight
from priorlab.envs.game.foreseeing import foresee
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.rules import (
    DEADLY,
    DEATH,
    FIELDS,
    HAS_KEY,
    KEYS,
    MONSTER_COUNT,
    MONSTERS,
    NONE,
    ONGOING,
    TILE,
    WALK,
    WIN,
    X,
    Y,
    put_at_start,
    touched,
)
from priorlab.envs.game.solver import ABOVE
from priorlab.envs.game.versions import find_rules
from priorlab.envs.looks.paint_dials import paint_dials
from priorlab.envs.plays.progress import UNKNOWN, Distances, find_distances
from priorlab.envs.random_games.bank import Bank

KINDS = (("small", "princess"), ("small", "key_door"), ("large", "key_door"))  # of levels: bank, rules
OFTEN = (0.25, 0.25, 0.5)
AT_START, WITH_KEY = 0.4, 0.4  # shares of lives: from the level's start; of the others, with the key
STRANGE = 0.15  # share of strange looks, as in raising
WORLDS = 2  # rollouts in the same levels and looks, each from other starts
CELLS = 3.0  # of the shortest way, that are worth a reward of 1
MOST = 1.0  # reward of a choice, and least: a fall or a death must not drown what steps are worth
WON = 1.0  # more than that


class Ground(NamedTuple):
    """A level to practise in, what a player is given of it, and the shortest ways, for rewards alone."""

    level: Level
    world: World
    numbers: np.ndarray  # int64 (NUMBERS,), with goal and key
    monsters: np.ndarray  # int32 (m, 4), the key last
    distances: Distances
    ways: np.ndarray  # float32 (2, SIDE, SIDE): as ``ways_of`` has them


@cache
def ground(kind: int, number: int) -> Ground | None:
    """That training level on those rules; None for one whose shortest ways are too many to find."""
    size, game = KINDS[kind]
    level = on_rules(Bank.read("training", size)[number].level, game)
    rules = find_rules(game)
    try:
        distances = find_distances(level, rules)
    except ValueError:
        return None
    numbers = level_numbers(level, rules)
    own = numbers.copy()
    own[KEYS] = 0
    monsters = level.monsters.reshape(-1, 4)
    world = World(own, monsters[: int(numbers[MONSTER_COUNT])])
    ways, (column, row) = ways_of(distances, float(numbers[WALK])), (int(at // TILE) for at in level.goal)
    ways[int(level.key is not None) :, row, column] = 0  # who comes there has won, so no state is there
    return Ground(level, world, numbers, monsters, distances, ways)


def ways_of(distances: Distances, walk: float) -> np.ndarray:
    """float32 (2, SIDE, SIDE), without and with the key: how many cells the shortest way to the win leads on from each
    cell, where it is shortest, at ``walk`` half pixels per input; NaN for cells from where there is none."""
    at = distances.positions
    x, y = at.first_x + at.walk * (np.arange(at.columns) - 1), np.arange(at.rows) - 1 - ABOVE
    table = distances.table.reshape(2, at.columns, at.rows)
    columns, rows = np.flatnonzero((x >= 0) & (x < 2 * TILE * SIDE)), np.flatnonzero((y >= 0) & (y < 2 * TILE * SIDE))
    ways = np.full((2, SIDE, SIDE), UNKNOWN, np.int32)
    cells = y[rows] // (2 * TILE), (x[columns] // (2 * TILE))[:, None]
    for own, lengths in zip(ways, table[:, columns[:, None], rows]):
        np.minimum.at(own, np.broadcast_arrays(*cells), lengths)
    return np.where(ways < UNKNOWN, ways * walk / (2 * TILE), np.nan).astype(np.float32)


class Life:
    """A life in practice: a level in a look, and what was revealed of it. ``begin`` before anything else."""

    def __init__(self, ground: Ground, perceive: Perceive, rng: np.random.Generator):
        self.ground, self.rng = ground, rng
        level = ground.level
        dials, seed = Looks().dials(rng), int(rng.integers(1 << 31))
        scene = paint_dials(level, dials, seed, "training")
        if rng.random() < STRANGE:
            scene = estranged(rng, level, scene, dials.similarity)
        alive, start = np.ones(len(level.tiles_of("m")), bool), (int(2 * level.start[0]), int(2 * level.start[1]))
        picture = picture_of(level, scene, Moment(0, alive, True, start))
        roles = roles_of(level)
        self.revealed = reveal(rng, roles, same_pixels(picture))
        facts = self.known_at_first()
        self.perceived = perceive(picture, facts.ruled_out)

    def known_at_first(self) -> Facts:
        facts = Facts(len(self.revealed))
        facts.know_monsters(cells_of(self.ground.world))
        for role in range(len(ROLES)):
            cells = np.argwhere(self.revealed[..., role]).tolist()
            facts.rule_out([(row, column) for row, column in cells], 1 << role)
        return facts

    def begin(self, rng: np.random.Generator | None = None) -> None:
        """Begins anew, somewhere, knowing what was revealed at first; ``rng``: of all that is drawn from now on."""
        self.rng = rng or self.rng
        self.facts = self.known_at_first()
        self.state = self.drawn_start()
        if self.state[HAS_KEY] and self.ground.level.key:
            self.facts.took_key([self.ground.level.key])
        self.sight = Sight(self.ground.world, len(self.revealed))
        self.last, self.believed = NONE, (-1, False)
        self.left = self.remaining(0.0)

    def drawn_start(self) -> np.ndarray:
        """int32 (FIELDS,): the level's start, or anywhere from where it can be won."""
        numbers, state = self.ground.numbers, np.zeros(FIELDS, np.int32)
        put_at_start(numbers, state)
        if self.rng.random() < AT_START:
            return state
        tiles, key = self.ground.level.tiles, self.ground.level.key
        starts = drawn_starts(self.rng, tiles, numbers)
        starts[:, MONSTERS] = state[MONSTERS]
        if key and self.rng.random() < WITH_KEY:
            starts[:, HAS_KEY] = 1
        for each in starts:
            if not touched(tiles, int(each[X]), int(each[Y])) & DEADLY and 0 < self.ground.distances.of(each) < UNKNOWN:
                return each
        return state

    def remaining(self, else_left: float) -> float:
        """How far it is to the win, in cells; ``else_left`` where that is not known."""
        inputs = int(self.ground.distances.of(self.state))
        return inputs * float(self.ground.numbers[WALK]) / (2 * TILE) if inputs < UNKNOWN else else_left

    def press(self, choice: Choice) -> tuple[int, int]:
        """Holds an input; (how the last step ended, for how many inputs it was held)."""
        ground, numbers = self.ground, self.ground.world.numbers
        for taken in range(1, choice.inputs + 1):
            before = self.state.copy()
            outcome = foresee(ground.level.tiles, ground.numbers, ground.monsters, self.state, choice.action, None)
            if outcome == WIN:
                return outcome, taken
            if outcome == DEATH:
                self.facts.died(numbers, (before,), choice.action, monster_near(ground.world, before))
                put_at_start(ground.numbers, self.state)
                return outcome, taken
            self.facts.lived(numbers, before, choice.action, self.state)
            self.sight.stay(self.state)
            if lets_go(int(numbers[WALK]), choice.action, before, self.state):
                return outcome, taken
        return ONGOING, choice.inputs

    def look(self, out: np.ndarray) -> None:
        """Writes its view into uint8 (LENGTH,)."""
        now = self.facts.count, bool(self.state[HAS_KEY])
        if now != self.believed:
            self.sight.believe(Belief(self.perceived, self.facts, NO_ALIKE, now[1]), self.facts)
            self.believed = now
        self.sight.view(self.state, self.last, out)


NO_ALIKE = np.zeros((0, 0), int)  # who plans on no map asks of no cell which others look alike


class Practice(VecEnv):
    """Lives side by side, as an environment of stable-baselines3: views in, choices out.

    Every ``begin`` starts new lives, which follow from the seed and its number alone. A reward is by how much a
    choice lowered a potential, the length of the shortest way on the true map, within limits, and what a win is worth.
    ``fresh``, bool (lanes,): whose map is to be looked at anew; ``held``: for how many inputs each last choice
    was held; ``ways``, float32 (lanes, 2, SIDE, SIDE): the shortest ways on the true maps, as ``ways_of`` has them.
    """

    def __init__(self, lanes: int, levels: tuple[int, ...], perceive: Perceive, seed: int):
        super().__init__(lanes, Box(0, 255, (LENGTH,), np.uint8), Discrete(CHOICES))
        self.levels, self.perceive, self.seed_of_all = levels, perceive, seed
        self.views = np.zeros((lanes, LENGTH), np.uint8)
        self.lives: list[Life] = []
        self.worlds, self.ways = -1, np.zeros((0, 2, SIDE, SIDE), np.float32)
        self.fresh, self.held = np.ones(lanes, bool), np.ones(lanes, np.int64)
        self.steps = 0
        self.went, self.wins, self.deaths, self.inputs = 0.0, 0, 0, 0

    def begin(self, number: int) -> np.ndarray:
        """New lives; uint8 (lanes, LENGTH), their views."""
        if self.worlds != number // WORLDS:
            self.worlds = number // WORLDS
            self.lives = [self.life(self.drawing(0, self.worlds, k)) for k in range(self.num_envs)]
            self.ways = np.stack([life.ground.ways for life in self.lives])
        self.steps, self.went, self.wins, self.deaths, self.inputs = 0, 0.0, 0, 0, 0
        self.fresh[:] = True
        for k, (life, view) in enumerate(zip(self.lives, self.views)):
            life.begin(self.drawing(1, number, k))
            life.look(view)
        return self.views.copy()

    def drawing(self, *names: int) -> np.random.Generator:
        return np.random.default_rng([self.seed_of_all, *names])

    def life(self, rng: np.random.Generator) -> Life:
        while True:
            kind = int(rng.choice(len(KINDS), p=OFTEN))
            found = ground(kind, int(rng.integers(self.levels[kind])))
            if found:
                return Life(found, self.perceive, rng)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        rewards, dones = np.zeros(self.num_envs, np.float32), np.zeros(self.num_envs, bool)
        self.steps += 1
        self.fresh[:] = self.steps % LOOK_EVERY == 0
        for k, life in enumerate(self.lives):
            choice, before, had_key = Choice.of(int(self.chosen[k])), life.left, life.state[HAS_KEY]
            outcome, self.held[k] = life.press(choice)
            life.last, life.left = choice.action, 0.0 if outcome == WIN else life.remaining(before)
            rewards[k] = min(max((before - life.left) / CELLS, -MOST), MOST) + WON * (outcome == WIN)
            self.went += before - life.left if outcome != DEATH else 0
            self.fresh[k] |= outcome != ONGOING or life.state[HAS_KEY] != had_key
            dones[k] = outcome == WIN
            if outcome == WIN:
                life.begin()
                self.wins += 1
            self.deaths += outcome == DEATH
            life.look(self.views[k])
        self.inputs += int(self.held.sum())
        return self.views.copy(), rewards, dones, [{} for _ in range(self.num_envs)]

    def step_async(self, actions: np.ndarray) -> None:
        self.chosen = actions

    def reset(self) -> np.ndarray:
        """Does nothing: each rollout begins anew."""
        return self.views.copy()

    def close(self) -> None:
        pass

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs
