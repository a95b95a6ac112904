"""How far a study has come: the state of each place that was taken, for the researcher only."""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import one_line
from priorlab.envs.plays.events import SUFFIX, is_held, read_events
from priorlab.human_study.data import withdrawals
from priorlab.human_study.data.chunks import is_under_way
from priorlab.human_study.data.recorder import STOPPED
from priorlab.human_study.study.assignment import StudyPlace, place_at, place_path, readable_places
from priorlab.human_study.study.study_file import Study

# ``taken`` is the sum of the others except ``won``, which counts people who also have another state.
STATES = (
    "taken", "not begun", "too young", "failed checks", "under way", "unfinished", "stopped", "finished", "won",
    "withdrawn", "unreadable",
)  # fmt: skip
RARE = ("too young", "failed checks", "unreadable")  # shown only if there are any


def progress(study: Study, problems: list[str]) -> dict[str, Counter[str]]:
    """How many places of each version (within subjects: of each order) are in each of the ``STATES``.

    docs/people.md explains them. ``problems`` gains one line per file that can't be read, is missing, or should not
    exist.
    """
    readable, damaged = readable_places(study)
    problems += damaged.values()
    try:
        withdrawn = withdrawals.read(study.folder / withdrawals.NAME)
    except (ValueError, OSError) as error:
        withdrawn = {}
        problems.append(one_line(study.folder / withdrawals.NAME, error))
    table: dict[str, Counter[str]] = {}
    for place in sorted([*readable, *(place_at(study, number) for number in damaged)], key=lambda each: each.number):
        counts = table.setdefault(", ".join(place.versions), Counter())
        counts["taken"] += 1
        if place.participant in withdrawn:
            problems.append(
                f"{place_path(study, place.number)}: {place.participant} withdrew: run priorlab withdraw again"
            )
        try:
            counts.update(["unreadable"] if place.number in damaged else states_of(study, place))
        except (ValueError, OSError) as error:
            counts["unreadable"] += 1
            problems.append(one_line(log_of(study, place), error))
        if place.participant and not os.path.lexists(log_of(study, place)):
            problems.append(
                f"{log_of(study, place)}: there is none, but {place_path(study, place.number)} belongs to it"
            )
    return table


def log_of(study: Study, place: StudyPlace) -> Path:
    return study.folder / f"{place.participant}{SUFFIX}"


def states_of(study: Study, place: StudyPlace) -> list[str]:
    """Which of the ``STATES`` the place is in. Raises ValueError or OSError if its log can't be read."""
    if not place.participant:  # a crash may have left an empty file
        return ["withdrawn" if place_path(study, place.number).stat().st_size else "not begun"]
    log = log_of(study, place)
    if not os.path.lexists(log):
        return ["not begun"]
    events = read_events(log).events
    happened = Counter(event["event"] for event in events)
    if is_held(log) or (not happened["finish"] and is_under_way(study.folder, place.participant, time.time())):
        end = "under way"
    elif happened["excluded"]:
        end = "failed checks" if any(map(failed_checks, events)) else "too young"
    elif not happened["play"]:
        end = "not begun"
    elif any(map(stops, events)):
        end = "stopped"
    else:
        end = "finished" if happened["finish"] else "unfinished"
    return [end] + ["won"] * (happened["win"] == len(place.versions))


def failed_checks(event: dict[str, Any]) -> bool:
    """Whether it ended the session of a participant with wrong answers to the questions about the instructions."""
    return event["event"] == "excluded" and event.get("why") == "checks"


def stops(event: dict[str, Any]) -> bool:
    """Whether the participant chose to stop; skipping to the next game does not count."""
    if event["event"] == "page":
        return event.get("what") == "stop"
    return event["event"] == "quit" and event.get("reason") == STOPPED
