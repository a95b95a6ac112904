"""Probes: questions in the middle of a play, as entries of a study's file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

AFTER = ("death", "key")  # what a probe can follow
LONGEST = 36_000.0  # seconds
EXPECTED = (
    'question, and one of every (seconds), at (a list of seconds) or after ("death" or "key"); most, if it is asked at '
    "most so often"
)


@dataclass(frozen=True)
class Probe:
    """A question that is asked ``every`` so many seconds of play, ``at`` these seconds, or ``after`` an event."""

    question: str
    every: float = 0.0
    at: tuple[float, ...] = ()
    after: str = ""
    most: int = 0  # how often in one play; 0: no limit


def read_probes(entries: Sequence[Any]) -> tuple[Probe, ...]:
    """Raises ValueError, one line, for the first wrong one."""
    for number, entry in enumerate(entries):
        if not is_probe(entry):
            raise ValueError(f"probes: number {number + 1} is {entry!r}: expected {EXPECTED}")
    return tuple(Probe(**{**entry, "at": tuple(entry.get("at", ()))}) for entry in entries)


def is_probe(entry: Any) -> bool:
    if not isinstance(entry, dict) or type(entry.get("question")) is not str:
        return False
    when = {name: entry[name] for name in ("every", "at", "after") if name in entry}
    if len(when) != 1 or set(entry) - {"question", "most", *when}:
        return False
    times = when["at"] if type(when.get("at")) is list else [when.get("every", when.get("at", 1))]
    most = entry.get("most", 1)
    return (
        all(type(each) in (int, float) and 0 < each <= LONGEST for each in times)
        and len(times) > 0
        and when.get("after", "death") in AFTER
        and type(most) is int
        and most >= 1
    )
