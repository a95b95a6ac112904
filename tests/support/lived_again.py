"""Sealed lives, lived once more: which differ? As a program, with the raised players in runs/priors: about a second of
one core for each life.
"""

import pandas as pd
import tyro

from priorlab.agents.priors.weights import digest
from priorlab.scripts.priors.cast import FULL
from priorlab.scripts.priors.fixed import read_fixed
from priorlab.scripts.priors.lived import Job, lived, one_thread
from priorlab.scripts.priors.plan import Life, drawing_of, seed_of
from priorlab.scripts.priors.playing import life_of
from priorlab.scripts.priors.sealed import COLUMNS, COUNTS, LIVES, read_lives
from tests.support.false_starts import weights_of
from tests.support.paths import ROOT

ROWS = ROOT / "results" / "priors"
SAME = ("drawing", "solved", *COUNTS)


def different(rows: pd.DataFrame) -> list[Life]:
    """The lives that do not come out as in these rows. ValueError for a raised player that is not the recorded one.

    On one thread, as they were lived: sums over more threads round differently. So do other processors.
    """
    one_thread()
    fixed, found = read_fixed(ROWS), []
    for row in rows.to_dict("records"):
        life, player = life_of(row), fixed.players[row["player"]]
        path = weights_of(life.seed, life.player) if player.learned else None
        if path and not digest(path).startswith(row["weights"]):
            raise ValueError(f"{path}: its SHA-256 does not begin with {row['weights']}, as recorded")
        job = Job(
            life, player.kind, seed_of(fixed, life), drawing_of(fixed, life), fixed.limit, player.player_settings(),
            path, row["weights"], True, "",
        )  # fmt: skip
        again = dict(zip(COLUMNS[LIVES], lived(job).row))
        if any(again[name] != row[name] for name in SAME):
            found.append(life)
    return found


def main(player: str = FULL, seed: int = 0, life: int = 0, most_inputs: int = 4000) -> None:
    """Print which lives of a player differ.

    Args:
        player: its name, as in the rows
        seed: its training seed
        life: the number of the lives, one in each version and place
        most_inputs: lives of more inputs are left out
    """
    rows = read_lives(ROWS)
    rows = rows[(rows["player"] == player) & (rows["seed"] == seed) & (rows["life"] == life)]
    rows = rows[rows["inputs"] < most_inputs]
    found = different(rows)
    for each in found:
        print(*each)
    print(f"{len(found)} of {len(rows)} lives differ")


if __name__ == "__main__":
    tyro.cli(main)
