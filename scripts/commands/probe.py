"""`priorlab probe`: measures on the pictures whether each version's look masks what it claims."""

import sys

from priorlab.envs.looks.dials import EDITIONS
from priorlab.scripts.checks import check_counts
from priorlab.scripts.probe.probe_dials import show_dials
from priorlab.scripts.probe.show_looks import show_looks


def main(
    seeds: int | None = None,
    only: tuple[str, ...] = (),
    dials: bool = False,
    edition: int = 2,
    pictures: int | None = None,
) -> None:
    """Measure every version, or the dials, and print a table. The exit code is 1 if a claim fails.

    Args:
        seeds: drawings of each level to learn from, and as many others to test on (default: 12; dials: 24)
        only: versions to measure (default: all)
        dials: measure the dials of random looks instead
        edition: of random looks, 1 or 2
        pictures: what the network that sees whole pictures of random looks learns from (default: 6000)
    """
    check_counts(seeds=seeds, pictures=pictures)
    if edition not in EDITIONS:
        raise ValueError(f"edition is {edition}: expected 1 or 2")
    failed = show_random(seeds or 24, edition, pictures) if dials else show_looks(seeds or 12, only)
    sys.exit(1 if failed else 0)


def show_random(seeds: int, edition: int, pictures: int | None) -> int:
    """Prints the tables of both probes of random looks and returns the number of claims that fail."""
    from priorlab.scripts.probe.probe_wide import PICTURES, show_wide  # here: torch takes seconds

    return show_dials(seeds, edition) + show_wide(edition, pictures or PICTURES)
