"""The numbers as tidy tables: the source of every figure, and the CSV files next to the page.

Every table starts with the section's game and level. ``player`` is the kind of player as the page names it, ``n`` the
number of people or runs behind a row, ``low`` to ``high`` a 95 % interval.
"""

import gzip
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from priorlab.envs.base.files import write_bytes, write_whole
from priorlab.envs.base.tables import csv_of
from priorlab.envs.plays.tracks import TRACKS
from priorlab.scripts.analysis import claim_tables, further_tables
from priorlab.scripts.analysis.comparison import TESTS, Analysis
from priorlab.scripts.analysis.curves import exploration, front, groups_of, labelled, progress, progress_at
from priorlab.scripts.analysis.excluding import answer_counts
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.analysis.reaching import reaches_of, things_in
from priorlab.scripts.analysis.statistics import (
    LEAST,
    Played,
    bootstrap_weights,
    independent,
    kaplan_meier,
    quantiles,
    times_of,
)

COLUMNS = {
    "game": "the game", "level": "name of the level", "version": "version of the game", "player": "kind of player",
    "n": "number of people or runs behind the row", "low": "lower end of the 95 % interval", "high": "its upper end",
    "play": "id of the play, or seed of the run; in curves, only if the row is of a single play",
    "participant": "id of the person; empty for agents",
    "study": "the study of the section's people; empty if they belong to none, or there are no people",
    "limit": "time limit of the section's plays in minutes; empty if it is not recorded",
    "number": "number of the play in its session, from 0",
    "outcome": "win, quit or limit; for an agent's run, the end of its last episode",
    "won": "whether, or how many, won",
    "quit": "share that quit", "quit_low": "", "quit_high": "",
    "inputs": "raw inputs to the first win or to the end; in curves, so far",
    "minutes": "the inputs in minutes of the game: to the first win or to the end; in curves, so far",
    "clock_minutes": "a person's play by the clock, without pauses; empty if it was recorded without times",
    "missed_share": "share of due steps that the machine missed; empty as clock_minutes",
    "deaths": "deaths before the first win (in numbers.csv the median); empty if the rows do not tell",
    "unique_states": "different (x, y) positions",
    "first_reached": "the object or ladder reached first", "file": "the recording, or folder of the run",
    "median_inputs": "median inputs to the first win (Kaplan-Meier); inf if fewer than half were seen to win",
    "ratio": "restricted mean inputs to the first win, over the original's", "ratio_low": "", "ratio_high": "",
    "bound": "empty: exact; >= or <=: the ratio is a bound; ~: the curve is not known to the limit",
    "mean_minutes": "mean minutes to solve, restricted to the limit, quits and time-outs censored; empty if nobody "
    "solved and everybody left before the limit",
    "mean_minutes_low": "", "mean_minutes_high": "",
    "worst_minutes": "mean minutes if everybody who did not solve takes the full time",
    "worst_minutes_low": "", "worst_minutes_high": "",
    "worst_ratio": "worst_minutes over the original's", "worst_ratio_low": "", "worst_ratio_high": "",
    "mean_deaths": "mean deaths before the first win", "mean_deaths_low": "", "mean_deaths_high": "",
    "mean_states": "mean unique states at the end", "mean_states_low": "", "mean_states_high": "",
    "test": "log_rank, mann_whitney, signed_rank, deaths (negative binomial regression), proportional_hazards (does "
    "the hazard ratio change with time) or omnibus (log-rank test of all versions together)",
    "against": "the version compared with", "n_against": "people or runs on that version",
    "statistic": "chi squared, U, W or z", "p": "two-sided; of an agreement one-sided, exact",
    "p_holm": "corrected over the versions by Holm's method; of omnibus and proportional_hazards not corrected",
    "firth": "1: Firth's hazard ratio, since one version won nothing or only after the other",
    "effect": "hazard ratio of winning, probability of taking longer, share that took longer, or ratio of death rates",
    "why": "why a test has no answer",
    "share": "share that has not won by then; in visits.csv the mean share of a player's time",
    "states": "mean unique states",
    "progress": "mean share of the shortest way to the win covered so far, 1 at the win (envs/plays/progress.py)",
    "thing": "the object or ladder, numbered within its kind in reading order",
    "kind": "ladder, monster, fire, spikes, key, door or goal",
    "row": "row of its first tile, counted from the top from 0",
    "column": "column of its first tile, counted from the left from 0",
    "order": "place in the order in which the play reached things, from 1; empty if it did not",
    "n_reached": "number of the n that reached it",
    "reached": "share of the players that reached it; this and the following are empty below three players",
    "reached_low": "", "reached_high": "",
    "median_minutes": "minutes until half of the players had reached it (players who quit or ran out of time are "
    "censored, players who won without it never reach it); inf if fewer than half were seen to",
    "median_minutes_low": "", "median_minutes_high": "",
    "mean_place": "mean place in the order of reaching; things not reached share the last places",
    "mean_place_low": "", "mean_place_high": "",
    "first": "share of the players that reached it first",
    "second": "share that reached it second", "third": "share that reached it third",
    "life": "deaths so far; of an agent's run, lives of its first game so far",
    "x": "pixels; left edge of a cell", "y": "pixels; top edge of a cell",
    "type": "type of the column: text, integer or number", "unit": "unit of the column", "meaning": "its meaning",
    "plays": "all, or without those that missed more than most_missed of their steps",
    "most_missed": "share of missed steps above which a play is left out", "left_out": "number of plays left out",
    "unknown": "plays recorded without times, which are included",
    "stage": "consented, too_young, failed_checks, stopped_before, not_begun (lost before the game), began, "
    "no_input (lost), played, won, limit, quit, interrupted (how plays ended), excluded (by answers), later (later "
    "plays left out) or analysed",
    "question": "the question", "answer": "the answer",
} | claim_tables.COLUMNS | further_tables.COLUMNS  # fmt: skip
FILES = {
    "plays": "one row per play or run",
    "numbers": "one row per kind of player and version: every number of the page",
    "tests": "one row per test of a version against the original",
    "without_missed": "people's plays of each version: all, and without those that missed many steps",
    "survival_minutes": "share that has not won yet against minutes, for people and simulated players (Kaplan-Meier)",
    "survival_inputs": "the same against inputs, for all players",
    "exploration": "unique states against inputs",
    "progress_at": "share of the shortest way covered after equally many inputs",
    "progress": "share of the shortest way to the win covered so far, against inputs",
    "reached": "when and in which order each play first reached each object and ladder; empty if it did not",
    "reach": "its summary: one row per thing, version and kind of player",
    "visits": "time spent in each 7 px cell",
    "tracks": "where each play went, at five positions per second; of an agent's run, some lives of its first game",
    "answers": "how many people gave each answer",
    "flow": "people and plays at each stage from consent to analysis",
}
FILES |= claim_tables.FILES | further_tables.FILES
COMPRESSED = ("tracks", "single")
FORMER = ("approaches.csv",)  # a file of older pages, which a new page lacks
HEADING = (
    "# The numbers of the page", "",
    "UTF-8, comma-separated, one line of headings, text in quotes. An empty cell: no value. dictionary.csv gives the "
    "type of each column; docs/export.md shows how to use it.", "",
)  # fmt: skip


def plays(section: Section) -> pd.DataFrame:
    rows = []
    for kind, version, runs in groups_of(section):
        for run in runs:
            rows.append({
                "version": version, "player": kind.label, "play": run.seed, "participant": run.participant,
                "number": run.settings.get("number", 0), "outcome": run.outcome,
                "won": run.won, "inputs": run.inputs, "minutes": run.minutes, "clock_minutes": run.clock_minutes,
                "missed_share": run.missed_share, "deaths": run.deaths,
                "unique_states": run.states, "first_reached": first_reached(run),
                "file": run.folder,
            })  # fmt: skip
    frame = labelled(section, rows)
    return frame.astype({"deaths": "Int64"}) if rows else frame


def numbers(analysis: Analysis) -> pd.DataFrame:
    rows = []
    for cell in analysis.cells:
        row: dict = {"version": cell.version, "player": cell.kind.label, "n": cell.n, "won": cell.won}
        row |= {"median_inputs": cell.median, "deaths": cell.deaths, "bound": cell.ratio.bound if cell.ratio else ""}
        estimates = {
            "quit": cell.quit, "ratio": cell.ratio, "extra_inputs": cell.extra, "mean_minutes": cell.minutes,
            "finishers_minutes": cell.finishers, "worst_minutes": cell.worst, "worst_ratio": cell.worst_ratio,
            "mean_deaths": cell.mean_deaths, "mean_states": cell.states,
        }  # fmt: skip
        for name, estimate in estimates.items():
            row |= {name: estimate.value if estimate else None}
            row |= {f"{name}_{end}": getattr(estimate, end) if estimate else None for end in ("low", "high")}
        rows.append(row)
    return labelled(analysis.section, rows)


def tests(analysis: Analysis) -> pd.DataFrame:
    rows = [
        {"player": cell.kind.label, "test": name, **asdict(cell.tests[name])}
        for cell in analysis.cells
        for name in TESTS
        if name in cell.tests
    ]
    rows += claim_tables.checks(analysis)
    return labelled(analysis.section, rows)


def survival(section: Section, unit: str) -> pd.DataFrame:
    """Kaplan-Meier curves against "minutes" (not for agents) or "inputs", with bands that resample people or runs."""
    rows = []
    for kind, version, runs in groups_of(section):
        if unit == "minutes" and kind.is_agent:
            continue
        times, won = times_of(runs)
        ordered, share = kaplan_meier(times, won)
        band = np.full((2, len(runs)), np.nan)
        if (n := independent(runs)) >= LEAST:
            drawn = kaplan_meier(times, won, bootstrap_weights([runs])[0])[1]
            band = np.quantile(drawn, quantiles(n), axis=0)
        scale = 60 * runs[0].rate if unit == "minutes" else 1
        for time, values in zip([0, *ordered / scale], [(1, 1, 1), *zip(share, *band)]):
            row = {"version": version, "player": kind.label, "n": len(runs), unit: time}
            rows.append(row | dict(zip(("share", "low", "high"), values)))
    return labelled(section, rows)


def reached(section: Section) -> pd.DataFrame:
    """One row per play and thing of the level; a thing that was not reached has no inputs, minutes or order."""
    things, rows = things_in(section), []
    for kind, version, runs in groups_of(section):
        for run in (run for run in runs if run.reached):
            times = np.array([run.reached[thing.name] for thing in things])
            for thing, inputs in zip(things, times):
                row = {"version": version, "player": kind.label, "play": run.seed, "participant": run.participant}
                row |= {"thing": thing.name, "kind": thing.kind, "row": thing.tiles[0][0], "column": thing.tiles[0][1]}
                row |= {"inputs": inputs, "minutes": inputs / run.rate / 60}
                rows.append(row | {"order": np.nan if np.isnan(inputs) else 1 + (times < inputs).sum()})
    frame = labelled(section, rows)
    return frame.astype({"inputs": "Int64", "order": "Int64"}) if rows else frame


def reach(section: Section) -> pd.DataFrame:
    rows = []
    for each in reaches_of(section):
        thing = each.thing
        row: dict = {"version": each.version, "player": each.kind.label, "n": each.n, "thing": thing.name}
        row |= {"kind": thing.kind, "row": thing.tiles[0][0], "column": thing.tiles[0][1]}
        estimates = {"reached": each.reached, "median_minutes": each.median, "mean_place": each.place}
        row["n_reached"] = len(each.times)
        for name, estimate in estimates.items():
            row |= {name: estimate.value if estimate else None}
            row |= {f"{name}_{end}": getattr(estimate, end) if estimate else None for end in ("low", "high")}
        rows.append(row | dict(zip(("first", "second", "third"), each.early or (None,) * 3)))
    return labelled(section, rows)


def visits(section: Section) -> pd.DataFrame:
    rows = []
    for kind, version, runs in groups_of(section):
        visited = [run.visits for run in runs if len(run.visits)]
        if not visited:
            continue
        shares = np.concatenate([each[:, 2] / each[:, 2].sum() for each in visited]) / len(runs)
        cells, which = np.unique(np.concatenate(visited)[:, :2], axis=0, return_inverse=True)
        for (x, y), share in zip(cells.tolist(), np.bincount(which.ravel(), shares)):
            rows.append({"version": version, "player": kind.label, "n": len(runs), "x": x, "y": y, "share": share})
    return labelled(section, rows)


def tracks(section: Section) -> pd.DataFrame:
    tracked = [(name, kind, run) for kind, name, runs in groups_of(section) for run in runs if len(run.track)]
    if not tracked:
        return front(section, pd.DataFrame(columns=["version", "player", "play"]))
    frame = pd.DataFrame(np.concatenate([run.track for *_, run in tracked]), columns=list(TRACKS))
    frame = frame.astype({"inputs": int, "life": int})
    whose = zip(*((version, kind.label, str(run.seed)) for version, kind, run in tracked))
    for name, values in zip(("version", "player", "play"), whose):  # few different texts in a great many rows
        frame[name] = pd.Categorical(values).repeat([len(run.track) for *_, run in tracked])
    return front(section, frame)


def answers(section: Section) -> pd.DataFrame:
    rows = [
        {"question": question, "answer": answer, "n": n}
        for question, counts in answer_counts(section.runs).items()
        for answer, n in counts.most_common()
    ]
    return labelled(section, rows)


def first_reached(run: Played) -> str:
    """The name of the thing that the play reached first, or the names if there are several."""
    times = {name: inputs for name, inputs in run.reached.items() if not np.isnan(inputs)}
    return ", ".join(name for name, inputs in times.items() if inputs == min(times.values()))


def tables_of(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """The tables of a section, by their names in FILES."""
    section = analysis.section
    claim = {name: labelled(section, rows) for name, rows in claim_tables.rows_of(analysis).items()}
    return claim | {
        "plays": plays(section), "numbers": numbers(analysis), "tests": tests(analysis),
        "survival_minutes": survival(section, "minutes"), "survival_inputs": survival(section, "inputs"),
        "exploration": exploration(section), "progress": progress(section),
        "progress_at": progress_at(section), "reached": reached(section),
        "reach": reach(section), "visits": visits(section), "tracks": tracks(section), "answers": answers(section),
        **{name: front(section, frame) for name, frame in further_tables.further_tables(analysis).items()},
    }  # fmt: skip


def write_tables(folder: Path, sections: Sequence[dict[str, pd.DataFrame]]) -> None:
    """Writes the CSV files of all sections to ``folder``, replacing older ones; README.md describes their columns for
    people, dictionary.csv for programs."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in FORMER:
        (folder / file).unlink(missing_ok=True)
    text, entries = [*HEADING], []
    for name, what in FILES.items():
        frames = [tables[name] for tables in sections if len(tables.get(name, ()))]
        file = f"{name}.csv.gz" if name in COMPRESSED else f"{name}.csv"
        if not frames:
            (folder / file).unlink(missing_ok=True)
            continue
        # a column of numbers remains one if a section has none of them
        joined = pd.concat(frames, ignore_index=True).infer_objects()
        joined = joined.astype(dict.fromkeys(joined.select_dtypes(bool).columns, int))
        data = csv_of(joined).encode("utf-8", "backslashreplace")
        write_bytes(folder / file, gzip.compress(data, 3, mtime=0) if name in COMPRESSED else data)
        entries += [(file, column, type_of(joined[column]), "", meaning_of(column)) for column in joined.columns]
        text += [f"## {file}", "", f"{what[0].upper()}{what[1:]}.", "", "| column | meaning |", "|---|---|"]
        text += [f"| {column} | {meaning_of(column)} |" for column in joined.columns] + [""]
    dictionary = pd.DataFrame(entries, columns=["file", "column", "type", "unit", "meaning"])
    write_whole(folder / "dictionary.csv", csv_of(dictionary))
    text += ["## dictionary.csv", "", "One row per column of the other files.", "", "| column | meaning |", "|---|---|"]
    text += ["| file | the file |", "| column | the column's name |"]
    text += [f"| {column} | {COLUMNS[column]} |" for column in ("type", "unit", "meaning")] + [""]
    write_whole(folder / "README.md", "\n".join(text))


def type_of(column: Any) -> str:
    if pd.api.types.is_integer_dtype(column):
        return "integer"
    return "number" if pd.api.types.is_float_dtype(column) or column.isna().all() else "text"


def meaning_of(column: str) -> str:
    of, _, end = column.rpartition("_")
    return COLUMNS[column] or {"low": f"lower end of the 95 % interval of {of}", "high": "its upper end"}[end]
