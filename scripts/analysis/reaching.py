"""When players reached each object and ladder of a level (``envs/plays/tracks.py`` defines that), and in which order.

A play that ends early says only that a thing was not reached until then: players who quit or ran out of time are
censored. A player who won without a thing did not need it and never reaches it. So winning is a competing event, and
the share that has reached a thing by some time is the cumulative incidence of Aalen and Johansen (1978). Where nobody
wins without the thing, that is one minus the Kaplan-Meier curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import rankdata
from statsmodels.stats.proportion import proportion_confint

from priorlab.envs.game.level import Level
from priorlab.envs.plays.tracks import Thing, things_of
from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.players import MOST_SECTIONS, Kind, Section, of_kind
from priorlab.scripts.analysis.statistics import LEAST, TOLERANCE, Played, bootstrap_weights, quantiles

LEFT, REACHED, WON = range(3)  # how a player's time to a thing ended: censored, reached, or won without
FIRST_PLACES = 3  # whose shares are given


@dataclass(frozen=True)
class Reach:
    """One thing, and one kind of player on one version, n of them; below LEAST, their own times alone."""

    thing: Thing
    kind: Kind
    version: str
    n: int
    times: tuple[float, ...]  # minutes, of those who reached it
    reached: Estimate | None = None  # share that reached it, with Wilson's interval
    median: Estimate | None = None  # minutes until half had reached it; infinite where fewer are seen to
    place: Estimate | None = None  # mean in the order of reaching, from 1; what was not reached shares the last places
    early: tuple[float, ...] = ()  # share of players who reached it first, second, ..., to FIRST_PLACES


def things_in(section: Section) -> list[Thing]:
    """The things of the section's level, if its plays tell when they were reached."""
    return things_of(Level.read(section.level)) if any(run.reached for run in section.runs) else []


@lru_cache(maxsize=MOST_SECTIONS)  # a section's page and its tables show the same
def reaches_of(section: Section) -> list[Reach]:
    """Of each thing, kind of player and version that tells it, in this order."""
    things, found = things_in(section), []
    for version in section.versions:
        for kind in section.kinds:
            runs = [run for run in of_kind(section.runs, kind, version) if run.reached]
            found += reaches(things, kind, version, runs) if runs else []
    return sorted(found, key=lambda each: things.index(each.thing))


def reaches(things: Sequence[Thing], kind: Kind, version: str, runs: Sequence[Played]) -> list[Reach]:
    first = np.array([[run.reached[thing.name] for thing in things] for run in runs])  # (n, things), NaN: never
    weights, n = bootstrap_weights([runs])[0], len(runs)
    ends = np.array([run.inputs for run in runs], float)
    won = np.array([run.won for run in runs])
    places = rankdata(np.where(np.isnan(first), np.inf, first), axis=1)
    order = rankdata(np.where(np.isnan(first), np.inf, first), method="min", axis=1)
    minute, found = 60 * runs[0].rate, []
    for at, thing in enumerate(things):
        is_reached = ~np.isnan(first[:, at])
        events = np.where(is_reached, REACHED, np.where(won, WON, LEFT))
        times = np.where(is_reached, first[:, at], ends) / minute
        own = tuple(sorted(times[is_reached].tolist()))
        if n < LEAST:
            found.append(Reach(thing, kind, version, n, own))
            continue
        middle, drawn = half_time(times, events), half_time(times, events, weights)
        low, high = np.array(proportion_confint(is_reached.sum(), n, method="wilson"), float).tolist()
        early = [float((is_reached & (order[:, at] == place)).mean()) for place in range(1, FIRST_PLACES + 1)]
        found.append(
            Reach(
                thing, kind, version, n, own, reached=Estimate(float(is_reached.mean()), low, high, n),
                median=between(float(middle), drawn, n),
                place=between(float(places[:, at].mean()), weights @ places[:, at] / n, n), early=tuple(early),
            )
        )  # fmt: skip
    return found


def between(value: float, drawn: np.ndarray, n: int) -> Estimate:
    """The value with the interval of its resamples, some of which may be infinite."""
    low, high = np.quantile(drawn, quantiles(n), method="inverted_cdf").tolist()
    return Estimate(value, low, high, n)


def incidence(
    times: np.ndarray, events: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Times in order (n,), and the share that has reached the thing by each: (n,), or (resamples, n) for weights so
    shaped. At one time reaching comes before winning, and both before leaving."""
    rank = np.array([2, 0, 1])[events]  # of LEFT, REACHED, WON
    order = np.lexsort((rank, times))
    drawn = np.ones(len(times)) if weights is None else weights[..., order]
    at_risk = np.maximum(np.cumsum(drawn[..., ::-1], axis=-1)[..., ::-1], 1e-9)
    leaves = np.where(events[order] == LEFT, 0, drawn) / at_risk  # by reaching the thing or winning
    before = np.concatenate([np.ones((*leaves.shape[:-1], 1)), np.cumprod(1 - leaves, axis=-1)[..., :-1]], axis=-1)
    return times[order], np.cumsum(np.where(events[order] == REACHED, before * leaves, 0), axis=-1)


def half_time(times: np.ndarray, events: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """When half had reached the thing: a scalar, or (resamples,); infinite where less than half are seen to.

    Where exactly half have for a while, the middle of that while, as R's survival package has medians.
    """
    ordered, share = incidence(times, events, weights)
    half = share > 0.5 - TOLERANCE
    first = half.argmax(axis=-1)
    at = np.take_along_axis(share, first[..., None], axis=-1)
    more = share > at
    middle = (ordered[first] + ordered[more.argmax(axis=-1)]) / 2
    flat = (np.abs(at[..., 0] - 0.5) < TOLERANCE) & more.any(axis=-1)
    return np.where(half.any(axis=-1), np.where(flat, middle, ordered[first]), np.inf)


def in_order(found: Sequence[Reach]) -> list[Thing]:
    """The things by their mean place on the original (else on the first version there is), of the first kind of player
    whose places are known there; in reading order where none are."""
    placed = [each for each in found if each.place]
    first = next((each for each in placed if each.version == "original"), placed[0] if placed else None)
    if first is None:
        return list(dict.fromkeys(each.thing for each in found))
    own = {each.thing: each.place.value for each in placed if each.place and same(each, first)}
    return sorted(own, key=own.__getitem__)


def same(one: Reach, other: Reach) -> bool:
    return (one.version, one.kind) == (other.version, other.kind)
