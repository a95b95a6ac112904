"""From consent to analysis: how many people and plays were left at each stage, and how plays were interrupted.

The stages are those of a CONSORT flow diagram (Hopewell et al., "CONSORT 2025 statement", BMJ 389, 2025), which reports
who was lost, where, and why. Refusals of consent are not recorded.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from priorlab.envs.base.files import read_bytes
from priorlab.envs.plays.events import SUFFIX
from priorlab.envs.plays.sessions import plays_under, without_copies
from priorlab.human_study.data.progress import failed_checks, stops
from priorlab.scripts.analysis.players import Section, geometry
from priorlab.scripts.analysis.statistics import Played
from priorlab.scripts.analysis.tables import front

STEPS = (b'"event":"step"', b'"event": "step"', b'"event":"state"', b'"event": "state"')  # lines that don't matter here
STAGES = {  # in order: what stays, what was lost on the way there, and how what stays divides up
    "consented": "gave consent",
    "too_young": "too young for the study",
    "failed_checks": "failed the checks of the instructions",
    "stopped_before": "stopped before the game",
    "not_begun": "left before the game",
    "began": "began to play",
    "no_input": "no input recorded, or not readable",
    "played": "played",
    "won": "won",
    "limit": "ran out of time",
    "quit": "quit",
    "interrupted": "interrupted, and not resumed",
    "excluded": "excluded by answers",
    "later": "later plays left out",
    "analysed": "analysed",
}


RARE = "failed_checks"  # few studies have checks
BEFORE = ("too_young", "failed_checks", "stopped_before", "not_begun")  # how participants were lost before the game


@dataclass(frozen=True)
class Session:
    """What the log of one session says about its participant's way through the study."""

    study: str
    minutes: float | None  # time limit of a play
    versions: tuple[str, ...]  # assigned, in the order of play
    began: int  # plays begun
    is_too_young: bool
    failed_checks: bool
    has_stopped: bool


@dataclass(frozen=True)
class Flow:
    """The people's plays of a section by version and stage (STAGES); a stage that is unknown is missing."""

    versions: tuple[str, ...]
    counts: Mapping[str, Counter[str]]  # by version
    has_sessions: bool  # otherwise consent is unknown

    def total(self, stage: str) -> int:
        return sum(counts[stage] for counts in self.counts.values())


def read_sessions(folders: Sequence[Path]) -> list[Session]:
    """The sessions under these folders whose participants gave consent, copies once. Logs that can't be read are left
    out: loading the plays reports them."""
    paths = sorted({path for folder in folders for path in plays_under(folder) if path.name.endswith(SUFFIX)})
    sessions = []
    for path in without_copies(paths)[0]:
        try:
            events = events_of(path)
            if any(event["event"] == "consent" for event in events):
                sessions.append(session_of(events))
        except (ValueError, KeyError, TypeError, OSError):
            continue
    return sessions


def events_of(path: Path) -> list[dict[str, Any]]:
    """The events of a log, except steps and hashes of states, which are nearly all; not verified."""
    lines = read_bytes(path).split(b"\n")
    return [json.loads(line) for line in lines[:-1] if line.strip() and not any(mark in line for mark in STEPS)]


def session_of(events: Sequence[dict[str, Any]]) -> Session:
    header = events[0]
    return Session(
        study=str(header.get("study", "")),
        minutes=header.get("minutes"),
        versions=tuple(header.get("versions", ())),
        began=sum(event["event"] == "play" for event in events),
        is_too_young=any(event["event"] == "excluded" and not failed_checks(event) for event in events),
        failed_checks=any(map(failed_checks, events)),
        has_stopped=any(map(stops, events)),
    )


def flow_of(
    section: Section, recorded: Sequence[Played], kept: Sequence[Played], sessions: Sequence[Session] = ()
) -> Flow | None:
    """The flow of a section's people; None if there are none.

    ``recorded``: all plays; ``kept``: those of people who were not excluded; ``sessions``: those of any study.
    """
    analysed = {id(run) for run in section.runs if run.player == "person"}
    if not analysed:
        return None
    here = [run for run in recorded if run.player == "person" and is_of(run, section)]
    not_excluded = set(map(id, kept))
    counts = {version: Counter[str]() for version in section.versions}
    for run in here:
        count = counts.setdefault(run.version, Counter())
        stage = "excluded" if id(run) not in not_excluded else "analysed" if id(run) in analysed else "later"
        count.update(["played", ending_of(run), stage])
    mine = [each for each in sessions if each.study == section.study and each.minutes in (section.limit, None)]
    for each in mine if section.study else ():
        for number, version in enumerate(each.versions):
            count = counts.setdefault(version, Counter())
            lost = lost_as(each)
            count.update(["consented", "began" if number < each.began else lost])
    has_sessions = any(count["consented"] for count in counts.values())
    for version, count in counts.items():
        in_sessions = sum(run.version == version and "quit_reason" in run.settings for run in here)
        count["no_input"] = max(count["began"] - in_sessions, 0)
        count["began"] = count["no_input"] + count["played"]
    return Flow(tuple(counts), counts, has_sessions)


def lost_as(session: Session) -> str:
    """The stage of a participant who did not begin a play."""
    if session.is_too_young:
        return "too_young"
    if session.failed_checks:
        return "failed_checks"
    return "stopped_before" if session.has_stopped else "not_begun"


def is_of(run: Played, section: Section) -> bool:
    """Whether a person's play belongs to the section, if it was not left out."""
    if run.game != section.game or geometry(run.level) != geometry(section.level):
        return False
    same_study = section.study is None or str(run.settings.get("study") or "") == section.study
    return same_study and (section.limit is None or run.limit in (section.limit, None))


def ending_of(run: Played) -> str:
    """How a play ended: won, limit, quit or interrupted; one may also die at the limit."""
    if run.won:
        return "won"
    if run.outcome == "limit" or run.budget >= run.settings.get("limit", np.inf):
        return "limit"
    return "interrupted" if run.settings.get("quit_reason") == "" else "quit"


def flow_rows(section: Section, flow: Flow) -> pd.DataFrame:
    """``flow.csv``: one row per version and stage."""
    rows = [
        {"version": version, "stage": stage, "n": flow.counts[version][stage]}
        for version in flow.versions
        for stage in STAGES
        if (flow.has_sessions or stage not in ("consented", *BEFORE)) and (stage != RARE or flow.total(RARE))
    ]
    return front(section, pd.DataFrame(rows))


@dataclass(frozen=True)
class Waits:
    """How the people's plays on one version were held up; seconds are medians over the plays concerned."""

    version: str
    n: int  # recorded with times
    paused: int
    paused_seconds: float
    idle: int
    idle_seconds: float
    resumed: int


def waits_of(section: Section) -> list[Waits]:
    """Pauses, idle times and resumed plays by version; without plays that were recorded without times."""
    found = []
    for version in section.versions:
        plays = [run.settings for run in section.runs if run.player == "person" and run.version == version]
        timed = [each for each in plays if "paused_seconds" in each]
        if timed:
            paused, idle = (
                [each[name] for each in timed if each[name] > 0] for name in ("paused_seconds", "idle_seconds")
            )
            found.append(Waits(version, len(timed), len(paused), median(paused), len(idle), median(idle),
                               sum(each.get("resumed", 0) > 0 for each in timed)))  # fmt: skip
    return found


def median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("nan")
