"""Numbers from rows: survival, ratios and exploration curves, with bootstrap intervals over seeds or people.

Runs and people are always resampled as units, never steps: the inputs of one run are not independent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit

from priorlab.envs.plays.play import INPUTS_PER_SECOND
from priorlab.envs.plays.progress import PROGRESS, covered
from priorlab.envs.plays.tracks import TRACKS
from priorlab.envs.results.load import Results
from priorlab.envs.results.rows import FRONT, VISITS
from priorlab.scripts.analysis.deaths import deaths_by_episode, deaths_over_time
from priorlab.scripts.analysis.resampling import weights_of

ORIGINALS = {"none": "original"}  # Atari's name for a game without a mask
CONFIDENCE = 0.95
LEAST = 3  # fewer players or runs have no interval and no test; fewer people have no mean either
WINDOW = 100  # episodes over which a win rate is taken
MASTERED = 0.9  # win rate from which on a game counts as mastered
BOUNDS = {(False, False): "", (True, False): ">=", (False, True): "<=", (True, True): "~"}  # who never all won
TOLERANCE = np.finfo(float).eps ** 0.5  # a share this close to one half equals it, as in R's survival package


@dataclass(frozen=True)
class Ratio:
    """A version's inputs as a multiple of the original's; ``low`` and ``high`` are None below LEAST runs.

    ``bound``: "" exact; ">=" if some runs of the version never won, "<=" if some of the original never did, "~" if
    both.
    """

    value: float
    low: float | None
    high: float | None
    bound: str
    n: int
    n_original: int


@dataclass(frozen=True, eq=False)
class Means:
    """Restricted mean inputs to the first win on a version and on the original, to one horizon.

    ``drawn``: float64 (2, RESAMPLES), those of resamples; None below LEAST runs of either. ``bound`` as in ``Ratio``.
    """

    version: float
    original: float
    drawn: np.ndarray | None
    bound: str
    n: int
    n_original: int
    is_paired: bool = False  # whether the same players are on both sides of each resample

    @property
    def ratio(self) -> Ratio:
        low, high = self.interval(lambda means: means[0] / means[1])
        return Ratio(self.version / self.original, low, high, self.bound, self.n, self.n_original)

    def interval(self, of: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float] | tuple[None, None]:
        """The 95 % interval of a number that ``of`` works out from the means of resamples (2, RESAMPLES)."""
        if self.drawn is None:
            return None, None
        low, high = np.quantile(of(self.drawn), quantiles(min(self.n, self.n_original))).tolist()
        return low, high


@dataclass(frozen=True, eq=False)
class Played:
    """The outcome of one run of an agent or one play of a person; inputs are raw."""

    version: str
    method: str
    player: str  # "person", "agent" or "simulated"
    privileged: bool
    folder: str  # or a play's file
    level: str  # its text
    settings: dict
    frame_skip: int
    finished: bool
    budget: int  # total inputs
    inputs: int  # to the first win, or all if it never won
    won: bool
    deaths: float  # before the first win; NaN if they were not recorded
    mastered: float  # inputs until 90 of the last 100 episodes were won for the first time; NaN if never
    curve: np.ndarray  # float64 (2, m): inputs, and unique states by then
    visits: np.ndarray  # int64 (k, 3): left and top of a 7 px cell, visits
    game: str = "princess"
    seed: int | str = 0  # an agent's seed, or a play's name
    outcome: str = ""  # of its last episode: win, death, limit or quit
    rate: float = INPUTS_PER_SECOND
    reached: Mapping[str, float] = field(default_factory=dict)  # inputs by thing, NaN if not before the first win
    track: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))  # float64 (m, 4): inputs, life, x, y
    progress: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))  # from ``covered``; (2, 0): not recorded
    success: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))  # from ``success``
    episodes: np.ndarray = field(default_factory=lambda: np.zeros((3, 0)))  # inputs, deaths, wins by the end of each
    died: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))  # from ``deaths_over_time``
    raised: str = ""  # of a life of a player that lives many: which player, as its lives are not independent
    all_states: float = 0.0  # unique states at the end, of a life without a curve

    @property
    def limit(self) -> float | None:
        """The play's time limit in minutes; None if it was not recorded, and for agents."""
        inputs = self.settings.get("limit") if self.player != "agent" else None
        return inputs / self.rate / 60 if inputs else None

    @property
    def minutes(self) -> float:
        """To the first win or to the end, counted in steps: pauses and missed steps don't count."""
        return self.inputs / self.rate / 60

    @property
    def clock_minutes(self) -> float:
        """A person's play by the clock, without pauses; NaN if it was recorded without times."""
        return float(self.settings.get("play_seconds", np.nan)) / 60 if self.player == "person" else np.nan

    @property
    def missed_share(self) -> float:
        """The share of due steps that a person's play missed; NaN as for ``clock_minutes``."""
        return float(self.settings.get("missed_share", np.nan)) if self.player == "person" else np.nan

    @property
    def participant(self) -> str:
        """Who played; "" for agents, whose runs are separate players."""
        return str(self.settings.get("player_id") or self.folder) if self.player != "agent" else ""

    @property
    def states(self) -> float:
        """Unique states at the end."""
        return float(self.curve[1, -1]) if self.curve.size else self.all_states


def played(results: Results) -> list[Played]:
    """Every run and play of the results."""
    names = ("episodes", "exploration", "visits", "tracks", "reached", "progress", "deaths")
    rows = {name: split(getattr(results, name)) for name in names}
    none = np.zeros(0)
    runs = []
    for config in results.configs.to_dict("records"):
        key = tuple(config[name] for name in FRONT)
        ended, curve, visits, track, near, way, counted = (rows[name].get(key, {}) for name in names)
        wins = np.flatnonzero(ended.get("outcome", none) == "win")
        last = wins[0] if len(wins) else -1
        inputs = int(ended["inputs"][last]) if len(wins) else config["inputs"]
        times = near.get("inputs", none)
        died = deaths_over_time(config, ended, counted)
        by_episode = deaths_by_episode(config, ended, died)
        runs.append(
            Played(
                version=ORIGINALS.get(str(config["version"]), str(config["version"])),
                **{name: config[name] for name in ("method", "player", "privileged", "folder", "level")},
                **{name: config[name] for name in ("settings", "frame_skip", "finished", "game", "seed")},
                budget=config["inputs"],
                inputs=inputs,
                won=len(wins) > 0,
                deaths=float(by_episode[last] if len(wins) else died[1, -1] if died.size else np.nan),
                mastered=mastered(ended["outcome"] == "win", ended["inputs"]) if ended else float("nan"),
                success=success(ended["outcome"] == "win", ended["inputs"]) if ended else np.zeros((2, 0)),
                episodes=np.array([ended["inputs"], by_episode, np.cumsum(ended["outcome"] == "win")], float)
                if ended
                else np.zeros((3, 0)),
                died=died,
                curve=np.array([curve.get(name, none) for name in ("inputs", "unique_states")], float),
                visits=np.array([visits.get(name, none) for name in VISITS], np.int64).T,
                outcome=str(ended["outcome"][-1]) if ended else "",
                rate=config["settings"].get("inputs_per_second", INPUTS_PER_SECOND),
                reached=dict(
                    zip(
                        near.get("thing", none).tolist(),
                        [time if time <= inputs else np.nan for time in times.tolist()],
                    )
                ),
                progress=covered(*(way.get(name, none) for name in PROGRESS)),
                track=np.array([track.get(name, none) for name in TRACKS], float).T,
            )
        )
    return runs


def split(frame: pd.DataFrame) -> dict[tuple, dict[str, np.ndarray]]:
    """The other columns of each run's rows, by the run's front columns."""
    columns = {str(name): frame[name].to_numpy() for name in frame if name not in FRONT}
    groups = frame.groupby([*FRONT], sort=False).indices
    return {key: {name: values[at] for name, values in columns.items()} for key, at in groups.items()}  # pyright: ignore


def mastered(won: np.ndarray, inputs: np.ndarray) -> float:
    """Inputs of the run when 90 % of the last 100 episodes were won for the first time; NaN if never."""
    total = np.concatenate([[0], np.cumsum(won)])
    reached = np.flatnonzero(total[WINDOW:] - total[:-WINDOW] >= MASTERED * WINDOW)
    return float(inputs[reached[0] + WINDOW - 1]) if len(reached) else float("nan")


def milestones(folder: Path) -> tuple[float, float]:
    """Inputs of the run in ``folder`` to its first win, and to mastery; NaN if never."""
    episodes: Any = pd.read_csv(folder / "episodes.csv")
    won, inputs = (episodes["outcome"] == "win").to_numpy(), episodes["inputs"].to_numpy()
    return float(inputs[won][0]) if won.any() else np.nan, mastered(won, inputs)


def success(won: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """The inputs, and the share won of the last 100 episodes (at first, of those so far); float64 (2, m)."""
    total = np.concatenate([[0], np.cumsum(won)])
    ends = np.arange(1, len(won) + 1)
    begins = np.maximum(ends - WINDOW, 0)
    return np.array([inputs, (total[ends] - total[begins]) / (ends - begins)], float)


def area(curve: np.ndarray, budget: float) -> float:
    """The mean height of a step curve (2, m) from 0 to ``budget`` inputs; it starts at 0."""
    inputs, heights = curve
    lasts = np.diff(np.minimum(np.append(inputs, budget), budget))
    return float((heights * lasts).sum() / budget)


def times_of(runs: Sequence[Played]) -> tuple[np.ndarray, np.ndarray]:
    """Inputs to the first win or to the end, float64 (n,), and whether it was a win, bool (n,)."""
    return np.array([run.inputs for run in runs], float), np.array([run.won for run in runs], bool)


def kaplan_meier(
    times: np.ndarray, won: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Times in order (n,), and the share that has not won after each: (n,), or (resamples, n) for such weights.

    Runs that never won are censored at their time (Kaplan and Meier 1958). ``weights``: how often each run is in a
    resample. At equal times, a win comes before a censoring.
    """
    order = np.lexsort((~won.astype(bool), times))
    weights = np.ones(len(times)) if weights is None else weights[..., order]
    at_risk = np.cumsum(weights[..., ::-1], axis=-1)[..., ::-1]
    leaves = np.where(won[order], weights, 0) / np.maximum(at_risk, 1e-9)
    return times[order], np.cumprod(1 - leaves, axis=-1)


def median_time(times: np.ndarray, won: np.ndarray) -> float:
    """Median inputs to the first win, as in R's survival package; infinite if fewer than half were seen to win.

    It is the first time at which at most half have not won yet. If the curve stays at exactly one half and then falls
    further, it is the middle of that stretch; a stretch at the end of the curve counts from its beginning.
    """
    ordered, share = kaplan_meier(times, won)
    reached = np.flatnonzero(share < 0.5 + TOLERANCE)
    if not len(reached):
        return float("inf")
    first = reached[0]
    lower = np.flatnonzero(share < share[first])
    if abs(share[first] - 0.5) < TOLERANCE and len(lower):
        return float(ordered[first] + ordered[lower[0]]) / 2
    return float(ordered[first])


def restricted_mean(
    times: np.ndarray, won: np.ndarray, horizon: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """Mean inputs to the first win, each counted as at most ``horizon``: the area under the survival curve up to there.

    A scalar, or (resamples,) for weights (resamples, n). After its last run, a curve stays level.
    """
    ordered, share = kaplan_meier(times, won, weights)
    edges = np.minimum(np.concatenate([[0.0], ordered, [horizon]]), horizon)
    before = np.concatenate([np.ones((*share.shape[:-1], 1)), share], axis=-1)
    return (before * np.diff(edges)).sum(-1)


def is_known(times: np.ndarray, won: np.ndarray, horizon: float) -> bool:
    """Whether a mean restricted to ``horizon`` is meaningful: somebody won, or stayed that long."""
    return bool(won.any()) or times.max() >= horizon - 1


def horizon_of(times: np.ndarray, won: np.ndarray) -> float:
    """How far a survival curve is known: without end if all have won, otherwise to its last run."""
    _, share = kaplan_meier(times, won)
    return float("inf") if share[-1] < 1e-9 else float(times.max())


def ratio_to_original(
    version: Sequence[Played],
    original: Sequence[Played],
    limit: float | None = None,
    weights: tuple[np.ndarray, np.ndarray] | None = None,
) -> Ratio | None:
    """Ratio of the restricted mean inputs to the first win, with its bootstrap interval over runs or people.

    The arguments are those of ``means_to_original``; None if that has no answer.
    """
    means = means_to_original(version, original, limit, weights)
    return means.ratio if means else None


def means_to_original(
    version: Sequence[Played],
    original: Sequence[Played],
    limit: float | None = None,
    weights: tuple[np.ndarray, np.ndarray] | None = None,
) -> Means | None:
    """Restricted mean inputs to the first win on a version and on the original, with those of resamples.

    Restricted to ``limit`` inputs; None if nobody of one group won or stayed that long, as its mean would be invented.
    Without a limit, restricted to how far both curves are known; None if fewer than half were seen to win the original,
    as there is nothing to compare with. ``weights``: (resamples, n) of each group, drawn together if the same people
    played both.
    """
    if not version or not original:
        return None
    groups = [times_of(version), times_of(original)]
    missing = [kaplan_meier(*group)[1][-1] > 1e-9 for group in groups]
    if limit is not None:
        horizon = limit
        missing = [gap and group[0].max() < limit - 1 for gap, group in zip(missing, groups)]
        if not all(is_known(*group, limit) for group in groups):
            return None
        bound = "~" if any(missing) else ""
    elif not np.isfinite(median_time(*groups[1])):
        return None
    else:
        horizon = min(*(horizon_of(*group) for group in groups), max(group[0].max() for group in groups))
        bound = BOUNDS[missing[0], missing[1]]
    here, there = (float(restricted_mean(*group, horizon)) for group in groups)
    drawn = None
    n, n_original = independent(version), independent(original)
    if min(n, n_original) >= LEAST:
        both = weights or bootstrap_weights([version, original])
        drawn = np.array([restricted_mean(*group, horizon, each) for group, each in zip(groups, both)])
    same = {run.raised for run in version} == {run.raised for run in original} != {""}
    return Means(here, there, drawn, bound, n, n_original, same)


def independent(runs: Sequence[Played]) -> int:
    """How many of them are independent: people's plays and agents' runs all are; lives count by the raised player."""
    return sum(not run.raised for run in runs) + len({run.raised for run in runs} - {""})


def bootstrap_weights(groups: Sequence[Sequence[Played]], seed: int = 0) -> list[np.ndarray]:
    """How often each play is in each resample, (RESAMPLES, n) per group.

    People (or an agent's runs, or raised players) are drawn with all their plays, among those who played in the same
    groups, so that each resample has as many of them as there are. The arrays are read-only.
    """
    people: dict[str, int] = {}
    numbered = tuple(
        tuple(
            people.setdefault(run.participant or run.raised or f"{number} {place}", len(people))
            for place, run in enumerate(group)
        )
        for number, group in enumerate(groups)
    )
    return list(weights_of(numbered, seed))


def quantiles(n: int) -> tuple[float, float]:
    """The quantiles of resamples of n runs that bound a 95 % interval.

    Plain percentiles are too narrow for few runs; these are widened as Student's interval is (the expanded percentile
    interval of Hesterberg, The American Statistician 69, 2015). For three runs that is the full range.
    """
    tail = float(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 - CONFIDENCE) / 2)))
    return tail, 1 - tail
