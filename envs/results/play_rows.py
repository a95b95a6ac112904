"""A play as rows of the results format: derived from a replay, for people's plays and for lives of agents alike."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from priorlab.envs.plays.play import Play
from priorlab.envs.plays.progress import progress
from priorlab.envs.plays.tracks import reached, track
from priorlab.envs.results.rows import CELL, RunWriter, count_visits, thinned

if TYPE_CHECKING:
    import pandas as pd

    from priorlab.envs.plays.atari_course import AtariPlay

FURTHER = ("progress", "deaths", "tracks")  # files that a writer appends to, beside its own


def rows_of(play: "Play | AtariPlay") -> "dict[str, pd.DataFrame]":
    """The tables of a play as a run's files have them; of Atari's games, only episodes and deaths.

    A play is one run, whose episodes end at deaths, in Atari's games at games over. This also holds in Key and Door,
    where an agent's episode continues, so that rows show when each death was.
    """
    import pandas as pd

    total = len(play.inputs)
    ends_at = "death" if isinstance(play, Play) else "reset"
    died = [number for number, events in play.happenings.items() if any(event == ends_at for event, _ in events)]
    ends = died if died and died[-1] == total else [*died, total]
    episodes = pd.DataFrame(
        {
            "episode": range(len(ends)),
            "inputs": ends,
            "length": np.diff([0, *ends]),
            "outcome": ["death"] * len(died) + [play.ended] * (len(ends) - len(died)),
            "deaths": np.minimum(np.arange(len(ends)) + 1, len(died)),
        }
    )
    deaths = pd.DataFrame({"inputs": [0, *died], "deaths": np.arange(len(died) + 1)})
    rows = {"episodes": episodes, "deaths": deaths}
    if isinstance(play, Play):
        measured, kept = play.measure(), thinned(total)
        rows["exploration"] = pd.DataFrame({"inputs": kept, "unique_states": measured.unique_states[kept - 1]})
        counts = count_visits(measured.x, measured.y, play.level.side)
        ys, xs = np.nonzero(counts)
        rows["visits"] = pd.DataFrame({"x": CELL * xs, "y": CELL * ys, "visits": counts[ys, xs]})
        rows |= {"tracks": track(measured), "reached": reached(play), "progress": progress(play)}
    return rows


def write_play(folder: Path, config: Mapping[str, Any], play: Play) -> None:
    """Writes a play, such as an agent's life, as a finished run in ``folder``; ``config`` as for ``RunWriter``.

    Rows that an earlier call left unfinished are written again. ValueError for a finished folder, or one with other
    settings.
    """
    rows = rows_of(play)
    writer = RunWriter(folder, config, resume_at=0)
    for inputs, length, outcome in rows["episodes"][["inputs", "length", "outcome"]].itertuples(index=False):
        writer.episode(inputs, length, outcome)
    for inputs, states in rows["exploration"].itertuples(index=False):
        writer.exploration(inputs, states)
    measured = play.measure()
    writer.visits(count_visits(measured.x, measured.y, play.level.side))
    first = rows["reached"].astype({"inputs": "Int64", "order": "Int64"}).astype(object)
    writer.reached(first.where(first.notna(), None).itertuples(index=False))
    for name in FURTHER:
        rest = rows[name]
        if len(rest):
            begun = writer.add_file(f"{name}.csv", tuple(rest.columns))
            writer.add(f"{name}.csv", rest.iloc[1 if begun else 0 :].itertuples(index=False))
    writer.finish()
