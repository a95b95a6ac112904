"""Random reveals: what contact could have ruled out so far, for a picture whose roles are known.

A fact says which roles a cell can still have. FACTS lists those that contact gives for each true role: who stood on a
cell knows a wall or the top of a ladder; who was inside and lives knows that it is no wall and not deadly.
"""

from collections.abc import Callable

import numpy as np

from priorlab.agents.priors.roles import BOUNDARY, DANGER, FREE, GOAL, KEY, LADDERS, MONSTER, PLATFORM, ROLES

SOLID = (BOUNDARY, PLATFORM)
FACTS: dict[int, tuple[tuple[int, ...], ...]] = {  # role -> roles that a fact leaves, each fact equally likely
    FREE: ((FREE,), (FREE, LADDERS), (FREE, LADDERS, GOAL)),  # nothing happened; a door can be locked
    BOUNDARY: (SOLID, SOLID, (*SOLID, LADDERS)),  # bumped into, or stood on
    PLATFORM: (SOLID, SOLID, (*SOLID, LADDERS)),
    LADDERS: ((LADDERS,), (LADDERS,), (*SOLID, LADDERS), (FREE, LADDERS)),  # climbed, stood on, passed
    DANGER: ((DANGER,), (DANGER,), (DANGER, MONSTER)),  # died
    MONSTER: ((MONSTER,), (DANGER, MONSTER)),
    GOAL: ((GOAL,), (FREE, LADDERS, GOAL)),  # won in a former life; locked
    KEY: ((KEY,),),
}
EXACT = 0.15  # share of reveals in which whole roles are known, as in maps that a player assumes
NOTHING = 0.25  # share of pictures without a reveal
MOST_SHAPES, MOST_STEPS = 3, 250


def as_masks() -> np.ndarray:
    """bool (roles, most facts of a role, roles): what each fact rules out."""
    most = max(map(len, FACTS.values()))
    masks = np.ones((len(ROLES), most, len(ROLES)), bool)
    for role, facts in FACTS.items():
        for i in range(most):
            masks[role, i, list(facts[i % len(facts)])] = False
    return masks


MASKS = as_masks()
COUNTS = np.array([len(FACTS[role]) for role in range(len(ROLES))])


def reveal(rng: np.random.Generator, roles: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """bool (R, R, roles): what is ruled out after a random reveal. The true role never is.

    roles: uint8 (R, R), the truth; groups: int (R, R), the same number for cells of the same pixels.
    """
    shown = np.zeros(roles.shape, bool)
    if rng.random() >= NOTHING:
        for _ in range(int(rng.integers(1, MOST_SHAPES + 1))):
            shown |= SHAPES[int(rng.integers(len(SHAPES)))](rng, roles, groups)
    return facts_at(rng, roles, shown)


def facts_at(rng: np.random.Generator, roles: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """bool (R, R, roles): a random fact at each cell of ``shown``, bool (R, R); nothing ruled out elsewhere."""
    which = (rng.random(roles.shape) * COUNTS[roles]).astype(int)
    out = MASKS[roles, which]
    if rng.random() < EXACT:
        out = np.arange(len(ROLES)) != roles[..., None]
    return out & shown[..., None]


def scattered(rng: np.random.Generator, roles: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Cells anywhere."""
    return rng.random(roles.shape) < rng.random() ** 2


def patch(rng: np.random.Generator, roles: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """A rectangle."""
    shown, side = np.zeros(roles.shape, bool), len(roles)
    (top, left), (height, width) = rng.integers(side, size=2), rng.integers(1, side // 2 + 1, size=2)
    shown[top : top + height, left : left + width] = True
    return shown


def alike(rng: np.random.Generator, roles: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Some of a group of cells that look the same."""
    chosen = rng.choice(np.unique(groups))
    return (groups == chosen) & (rng.random(roles.shape) < rng.random())


def walked(rng: np.random.Generator, roles: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Where a player walked, climbed, jumped and stood, and now and then what it died of."""
    shown = np.zeros(roles.shape, bool)
    solid = np.pad(np.isin(roles, SOLID), 1)
    open_cells = np.pad(np.isin(roles, (FREE, LADDERS)), 1)
    ladders = np.pad(roles == LADDERS, 1)
    ground = np.roll(solid | ladders, -1, axis=0) & open_cells  # something to stand on below
    starts = np.argwhere(ground)
    if not len(starts):
        return shown
    row, column = rng.choice(starts).tolist()
    aside = 1
    for chance in rng.random(int(rng.integers(5, MOST_STEPS))):
        shown[row - 1, column - 1] = True
        if ground[row, column] and row < len(roles):
            shown[row, column - 1] = True  # what it stands on
        up = ladders[row, column] and open_cells[row - 1, column]
        if chance < 0.15:
            aside = -aside
        if up and chance > 0.6:
            row -= 1
        elif open_cells[row + 1, column] and (not ground[row, column] or (ladders[row + 1, column] and chance > 0.5)):
            row += 1
        elif open_cells[row, column + aside]:
            column += aside
        elif open_cells[row - 1, column] and open_cells[row - 1, column + aside]:
            row, column = row - 1, column + aside
        else:
            aside = -aside
    died = np.isin(roles, (DANGER, MONSTER)) & (rng.random(roles.shape) < 0.5)
    near = np.zeros_like(solid)
    near[1:-1, 1:-1] = shown
    beside = near[2:, 1:-1] | near[:-2, 1:-1] | near[1:-1, 2:] | near[1:-1, :-2]
    return shown | (died & beside)


Shape = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
SHAPES: tuple[Shape, ...] = (scattered, patch, alike, alike, walked, walked)  # equally likely
