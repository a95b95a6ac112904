"""Grids of a page whose rows are full at every width.

A grid of n panels has one more element, its legend or its explanation. Where the panels leave places in the last row,
it fills them; where they do not, it is above the grid.
"""

from collections.abc import Sequence

PANELS = {"wide": (4, 3), "middle": (3, 2), "narrow": (1,)}  # possible numbers of columns, the preferred one first
PICTURES = {**PANELS, "narrow": (2,)}
PAIRS = {"wide": (2,), "middle": (1,), "narrow": (1,)}  # of cards with two panels each


def columns(n: int, widths: dict[str, tuple[int, ...]] = PANELS) -> str:
    """The style of a grid of n panels, as variables of style.css: columns, and where its filling element goes."""
    style = []
    for width, possible in widths.items():
        count, empty = best(n, possible)
        fill, order = (f"span {empty}", 1) if empty else ("1 / -1", -1)
        style.append(f"--{width}: {count}; --{width}-fill: {fill}; --{width}-order: {order}")
    return "; ".join(style)


def best(n: int, possible: Sequence[int]) -> tuple[int, int]:
    """(the number of columns that leaves the fewest places empty, that number of places)."""
    count = min(possible, key=lambda each: -n % each)
    return count, -n % count


def maps(per_version: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Columns of a grid of maps, so many of each version: one version per row if all have three to six."""
    most = max(per_version, default=1)
    is_regular = set(per_version) == {most}
    wide = (most,) if is_regular and 3 <= most <= 6 else (4, 6) if is_regular and most < 3 else (5, 4)
    return {"wide": wide, "middle": (most,) if is_regular and most in (3, 4) else (4, 3), "narrow": (2, 3)}
