"""Numbers from rows: survival, ratios and exploration curves, with bootstrap intervals over seeds or people.

Resampled are always whole runs or whole people, never steps: the inputs of one run are not independent of each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit

from priorlab.envs.plays.play import INPUTS_PER_SECOND
from priorlab.envs.plays.tracks import TRACKS
from priorlab.envs.results.load import Results
from priorlab.envs.results.rows import FRONT, VISITS

ORIGINALS = {"none": "original"}  # what Atari's games call it where nothing is masked
RESAMPLES = 4000
CONFIDENCE = 0.95
LEAST = 3  # players or runs below which nothing is estimated: no interval and no test; of people no mean either
WINDOW = 100  # episodes over which a win rate is taken
MASTERED = 0.9  # win rate from which a game counts as mastered
BOUNDS = {(False, False): "", (True, False): ">=", (False, True): "<=", (True, True): "~"}  # by who never all won
CURVE_POINTS = 25  # a decade of inputs
TOLERANCE = np.finfo(float).eps ** 0.5  # within which a share is one half, as R's survival package has it


@dataclass(frozen=True)
class Ratio:
    """How many times the inputs of ``original`` a version took; ``low`` and ``high`` are None below LEAST runs.

    ``bound``: "" exact; ">=" where some runs of the version never won, "<=" where some of the original never did,
    "~" where both.
    """

    value: float
    low: float | None
    high: float | None
    bound: str
    n: int
    n_original: int


@dataclass(frozen=True, eq=False)
class Played:
    """What came of one run of an agent or one play of a person; inputs are raw."""

    version: str
    method: str
    player: str  # "person", "agent" or "simulated"
    privileged: bool
    folder: str  # or the file of a play
    level: str  # its text
    settings: dict
    frame_skip: int
    finished: bool
    budget: int  # all inputs it had
    inputs: int  # to the first win; where it never won, all
    won: bool
    deaths: int  # before the first win
    mastered: float  # inputs until 90 of the last 100 episodes were won for the first time; NaN if never
    curve: np.ndarray  # float64 (2, m): inputs, and unique states by then
    visits: np.ndarray  # int64 (k, 3): left and top of a 7 px cell, visits
    game: str = "princess"
    seed: int | str = 0  # of an agent's run; of a play, its name
    outcome: str = ""  # of its last episode: win, death, limit or quit
    rate: float = INPUTS_PER_SECOND
    reached: Mapping[str, float] = field(default_factory=dict)  # of each thing by name: inputs, NaN where never
    track: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))  # float64 (m, 4): inputs, life, x, y
    success: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))  # as ``success`` gives it

    @property
    def limit(self) -> float | None:
        """Minutes that a play could last at most; None where that was not recorded, as for a run of an agent."""
        inputs = self.settings.get("limit") if self.player != "agent" else None
        return inputs / self.rate / 60 if inputs else None

    @property
    def minutes(self) -> float:
        """To the first win or to the end, in steps: pauses don't count, nor do steps that were missed."""
        return self.inputs / self.rate / 60

    @property
    def clock_minutes(self) -> float:
        """Of a person's play by the clock, pauses left out; NaN where it was recorded without times."""
        return float(self.settings.get("play_seconds", np.nan)) / 60 if self.player == "person" else np.nan

    @property
    def missed_share(self) -> float:
        """Of the steps that were due in a person's play, how many were left out; NaN as for ``clock_minutes``."""
        return float(self.settings.get("missed_share", np.nan)) if self.player == "person" else np.nan

    @property
    def participant(self) -> str:
        """Whose play it is; "" for a run of an agent, each of which is a player of its own."""
        return str(self.settings.get("player_id") or self.folder) if self.player != "agent" else ""

    @property
    def states(self) -> float:
        """Unique states at the end."""
        return float(self.curve[1, -1]) if self.curve.size else 0.0


def played(results: Results) -> list[Played]:
    """Every run and play of some results."""
    names = ("episodes", "exploration", "visits", "tracks", "reached")
    rows = {name: split(getattr(results, name)) for name in names}
    none = np.zeros(0)
    found = []
    for config in results.configs.to_dict("records"):
        key = tuple(config[name] for name in FRONT)
        ended, curve, visits, track, near = (rows[name].get(key, {}) for name in names)
        wins = np.flatnonzero(ended.get("outcome", none) == "win")
        last = wins[0] if len(wins) else -1
        found.append(
            Played(
                version=ORIGINALS.get(str(config["version"]), str(config["version"])),
                **{name: config[name] for name in ("method", "player", "privileged", "folder", "level")},
                **{name: config[name] for name in ("settings", "frame_skip", "finished", "game", "seed")},
                budget=config["inputs"],
                inputs=int(ended["inputs"][last]) if len(wins) else config["inputs"],
                won=len(wins) > 0,
                deaths=int(ended["deaths"][last]) if ended else 0,
                mastered=mastered(ended["outcome"] == "win", ended["inputs"]) if ended else float("nan"),
                success=success(ended["outcome"] == "win", ended["inputs"]) if ended else np.zeros((2, 0)),
                curve=np.array([curve.get(name, none) for name in ("inputs", "unique_states")], float),
                visits=np.array([visits.get(name, none) for name in VISITS], np.int64).T,
                outcome=str(ended["outcome"][-1]) if ended else "",
                rate=config["settings"].get("inputs_per_second", INPUTS_PER_SECOND),
                reached=dict(zip(near.get("thing", none).tolist(), near.get("inputs", none).tolist())),
                track=np.array([track.get(name, none) for name in TRACKS], float).T,
            )
        )
    return found


def split(frame: pd.DataFrame) -> dict[tuple, dict[str, np.ndarray]]:
    """The columns of each run's rows, by the run's front columns."""
    groups = frame.groupby([*FRONT], sort=False)
    return {tuple(key): {str(name): rows[name].to_numpy() for name in rows} for key, rows in groups}  # pyright: ignore


def mastered(won: np.ndarray, inputs: np.ndarray) -> float:
    """Inputs of the run when 90 % of the last 100 episodes were won for the first time; NaN if never."""
    total = np.concatenate([[0], np.cumsum(won)])
    reached = np.flatnonzero(total[WINDOW:] - total[:-WINDOW] >= MASTERED * WINDOW)
    return float(inputs[reached[0] + WINDOW - 1]) if len(reached) else float("nan")


def success(won: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """float64 (2, m): the inputs, and the share that was won of the last 100 episodes (at first, of those so far)."""
    total = np.concatenate([[0], np.cumsum(won)])
    ends = np.arange(1, len(won) + 1)
    begins = np.maximum(ends - WINDOW, 0)
    return np.array([inputs, (total[ends] - total[begins]) / (ends - begins)], float)


def area(curve: np.ndarray, budget: float) -> float:
    """The mean height of a curve (2, m) from 0 to ``budget`` inputs; it is 0 at first, and each height holds on."""
    inputs, heights = curve
    lasts = np.diff(np.minimum(np.append(inputs, budget), budget))
    return float((heights * lasts).sum() / budget)


def times_of(runs: Sequence[Played]) -> tuple[np.ndarray, np.ndarray]:
    """(float64 (n,) inputs to the first win or to the end, bool (n,) whether it was a win)."""
    return np.array([run.inputs for run in runs], float), np.array([run.won for run in runs], bool)


def kaplan_meier(
    times: np.ndarray, won: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Times in order (n,), and the share that has not won after each: (n,), or (resamples, n) for weights so shaped.

    Runs that never won are censored at their time: they leave the count, and are no win (Kaplan and Meier 1958).
    ``weights`` says how often each run is in a resample. A win and a censoring at one time: the win comes first.
    """
    order = np.lexsort((~won.astype(bool), times))
    weights = np.ones(len(times)) if weights is None else weights[..., order]
    at_risk = np.cumsum(weights[..., ::-1], axis=-1)[..., ::-1]
    leaves = np.where(won[order], weights, 0) / np.maximum(at_risk, 1e-9)
    return times[order], np.cumprod(1 - leaves, axis=-1)


def median_time(times: np.ndarray, won: np.ndarray) -> float:
    """Median inputs to the first win, as R's survival package prints it; infinity where less than half are seen to win.

    The first time at which at most half have not won yet; where the curve is flat at exactly one half until it falls
    further, the middle of that stretch. A stretch that the curve ends with counts from its beginning.
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

    A scalar, or (resamples,) for weights (resamples, n). After its last run a curve goes on level.
    """
    ordered, share = kaplan_meier(times, won, weights)
    edges = np.minimum(np.concatenate([[0.0], ordered, [horizon]]), horizon)
    before = np.concatenate([np.ones((*share.shape[:-1], 1)), share], axis=-1)
    return (before * np.diff(edges)).sum(-1)


def is_known(times: np.ndarray, won: np.ndarray, horizon: float) -> bool:
    """Whether a mean restricted to ``horizon`` says anything: somebody won, or stayed so long."""
    return bool(won.any()) or times.max() >= horizon - 1


def horizon_of(times: np.ndarray, won: np.ndarray) -> float:
    """How far a survival curve is known: to its end, if all have won by then, and else to its last run."""
    _, share = kaplan_meier(times, won)
    return float("inf") if share[-1] < 1e-9 else float(times.max())


def ratio_to_original(
    version: Sequence[Played],
    original: Sequence[Played],
    limit: float | None = None,
    weights: tuple[np.ndarray, np.ndarray] | None = None,
) -> Ratio | None:
    """Ratio of the restricted mean inputs to the first win, with its bootstrap interval over runs or people.

    Restricted to ``limit`` inputs, and None where in one of the groups nobody won and nobody stayed so long: all of its
    mean would be made up. Without a limit, restricted to how far both curves are known, and None where less than half
    are seen to win the original: there is nothing to compare with. ``weights`` are (resamples, n) of either, drawn
    together where the same people played both.
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
    above, below = (float(restricted_mean(*group, horizon)) for group in groups)
    low = high = None
    n = min(len(version), len(original))
    if n >= LEAST:
        both = weights or bootstrap_weights([version, original])
        means = [restricted_mean(*group, horizon, drawn) for group, drawn in zip(groups, both)]
        low, high = np.quantile(means[0] / means[1], quantiles(n)).tolist()
    return Ratio(above / below, low, high, bound, len(version), len(original))


def bootstrap_weights(groups: Sequence[Sequence[Played]], seed: int = 0) -> list[np.ndarray]:
    """Of each group (RESAMPLES, n): how often each of its plays is in each resample.

    Drawn are people (or an agent's runs), with all their plays, among those who played in the same groups, so that
    each resample has as many of them as there are.
    """
    generator = np.random.default_rng(seed)
    where: dict[str, list[tuple[int, int]]] = {}
    for number, group in enumerate(groups):
        for place, run in enumerate(group):
            where.setdefault(run.participant or f"{number} {place}", []).append((number, place))
    strata: dict[tuple[int, ...], list[str]] = {}
    for participant, places in where.items():
        strata.setdefault(tuple(sorted({number for number, _ in places})), []).append(participant)
    weights = [np.zeros((RESAMPLES, len(group)), np.int32) for group in groups]
    for members in strata.values():
        drawn = resamples(len(members), generator)
        for column, participant in enumerate(members):
            for number, place in where[participant]:
                weights[number][:, place] = drawn[:, column]
    return weights


def resamples(n: int, generator: np.random.Generator) -> np.ndarray:
    """(RESAMPLES, n): how often each of n is drawn, with replacement, in each resample."""
    return generator.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)


def quantiles(n: int) -> tuple[float, float]:
    """Of the resamples of n runs, those between which a 95 % interval lies.

    Plain percentiles are too narrow for few runs; these are widened as Student's interval is (the expanded percentile
    interval of Hesterberg, The American Statistician 69, 2015). For three runs that is the whole range.
    """
    tail = float(ndtr(np.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 - CONFIDENCE) / 2)))
    return tail, 1 - tail


def grid_of(inputs: float) -> np.ndarray:
    """Counts of inputs from 1 to ``inputs``, evenly spaced on a log scale, the same for every player."""
    steps = int(np.ceil(CURVE_POINTS * np.log10(max(inputs, 10))))
    return np.minimum(10 ** (np.arange(steps + 1) / CURVE_POINTS), max(inputs, 10))


def exploration_curve(runs: Sequence[Played], grid: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean unique states of some runs at ``grid`` (m,), and the 95 % band (2, m) over runs; no band below LEAST runs.

    A run that has ended keeps its count, and the curve stops (NaN) where the longest run does.
    """
    return mean_curve([np.insert(run.curve, 0, 1, axis=1) for run in runs], runs, grid)


def mean_curve(
    each: Sequence[np.ndarray], runs: Sequence[Played], grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """The mean of a curve (2, k) of each run at ``grid``, as ``exploration_curve`` gives that of unique states."""
    curves = np.array([np.interp(grid, *curve) for curve in each])
    reached = grid <= max(run.budget for run in runs)
    mean = np.where(reached, curves.mean(axis=0), np.nan)
    if len(curves) < LEAST:
        return mean, None
    means = bootstrap_weights([runs])[0] @ curves / len(curves)
    return mean, np.where(reached, np.quantile(means, quantiles(len(curves)), axis=0), np.nan)
