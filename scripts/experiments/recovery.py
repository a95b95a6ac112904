"""Does the analysis find the effects that exist, and no others? Simulated studies with planted effects.

`python -m priorlab.scripts.experiments.recovery` simulates studies, with the published ratios planted and with nothing
planted, and analyses each with the functions of `priorlab compare`. It prints tables, and writes them as CSV files with
one figure.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import tyro
from rich.console import Console
from scipy.special import ndtr
from scipy.stats import kendalltau
from statsmodels.stats.proportion import proportion_confint

from priorlab.envs.players.simulated import LIMIT_MINUTES, MINUTE, planted_versions, simulated_setting, simulated_times
from priorlab.scripts.analysis.designs import TESTS
from priorlab.scripts.analysis.hypotheses import Group
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.analysis.statistics import restricted_mean
from priorlab.scripts.report.plots import INKS, STYLE, panel, standalone, svg

ALPHA = 0.05
Study = dict[str, Group]  # by version: inputs, and whether each was a win


def study_of(game: str, plant: str, n: int, repetition: int, seed: int = 0) -> Study:
    """A study of ``n`` simulated players per version; no player is in two repetitions."""
    numbers = range(repetition * n, (repetition + 1) * n)
    return {
        version: simulated_times(simulated_setting(game, version, plant), seed, numbers)
        for version in planted_versions(game)
    }


def studies_of(game: str, plant: str, n: int, repetitions: int, seed: int = 0, workers: int = 1) -> list[Study]:
    study_of(game, plant, 1, 0, seed)  # compiles and draws the atlases once
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda repetition: study_of(game, plant, n, repetition, seed), range(repetitions)))


def means_of(study: Study) -> np.ndarray:
    """Restricted mean minutes of each version, quits and the limit censored, as on the page of `priorlab compare`."""
    horizon = LIMIT_MINUTES * MINUTE
    return np.array([float(restricted_mean(*group, horizon)) / MINUTE for group in study.values()])


def truth_of(versions: Iterable[str]) -> np.ndarray:
    """The published mean minutes of each version."""
    return np.array([published_figures()["versions"][version]["minutes"] for version in versions])


def taus_of(studies: list[Study]) -> np.ndarray:
    """Kendall's tau between each study's order of versions and the published one."""
    return np.array([kendalltau(means_of(study), truth_of(study))[0] for study in studies], float)


def pooled(studies: list[Study]) -> Study:
    """All players of all studies."""
    return {
        version: (
            np.concatenate([study[version][0] for study in studies]),
            np.concatenate([study[version][1] for study in studies]),
        )
        for version in studies[0]
    }


def taus_at(studies: list[Study], n: int, generator: np.random.Generator) -> np.ndarray:
    """``taus_of`` equally many studies of ``n`` players per version, drawn with replacement from all players."""
    pool = pooled(studies)
    drawn: list[Study] = []
    for _ in studies:
        picks = {version: generator.integers(len(times), size=n) for version, (times, _) in pool.items()}
        drawn.append({version: (times[picks[version]], won[picks[version]]) for version, (times, won) in pool.items()})
    return taus_of(drawn)


def ceiling(versions: Iterable[str], n: int, spread: float) -> float:
    """Expected tau for means of ``n`` log-normal times with that spread and the published means.

    A pair is in order with the normal probability of its difference in standard errors; tau is the mean of 2 p - 1.
    """
    truth = truth_of(versions)
    errors = truth * np.sqrt((np.exp(spread**2) - 1) / n)
    pairs = combinations(range(len(truth)), 2)
    ordered = [ndtr(abs(truth[i] - truth[j]) / np.hypot(errors[i], errors[j])) for i, j in pairs]
    return float(np.mean(2 * np.array(ordered) - 1))


def swaps_of(studies: list[Study]) -> pd.DataFrame:
    """The pairs of versions in the wrong order in some studies, with the share of studies."""
    means, truth, names = np.array([means_of(study) for study in studies]), truth_of(studies[0]), list(studies[0])
    rows = []
    for i, j in combinations(range(len(names)), 2):
        share = float(((means[:, i] < means[:, j]) != (truth[i] < truth[j])).mean())
        rows.append((names[i], names[j], truth[i], truth[j], share))
    rows = sorted((row for row in rows if row[-1]), key=lambda row: -row[-1])
    return pd.DataFrame(rows, columns=["version", "other", "published", "published_other", "swapped"])


def table_of(studies: list[Study]) -> pd.DataFrame:
    """Summary of the simulated plays on each version, over all studies."""
    means, truth, rows = np.array([means_of(study) for study in studies]), truth_of(studies[0]), []
    for k, (version, (times, won)) in enumerate(pooled(studies).items()):
        at_limit = times == LIMIT_MINUTES * MINUTE
        rows.append({
            "version": version, "players": len(times), "published": truth[k],
            "published_ratio": truth[k] / truth[0], "restricted_mean": means[:, k].mean(),
            "ratio": means[:, k].mean() / means[:, 0].mean(), "won": won.mean(),
            "quit": (~won & ~at_limit).mean(), "limit": (~won & at_limit).mean(),
            "spread_of_log": float(np.log(times[won]).std()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def false_alarms(studies: list[Study]) -> pd.DataFrame:
    """How often tests find something: single tests, and studies after Holm's correction; 95 % Clopper-Pearson.

    The interval of single tests assumes independence, which the tests of one study lack.
    """
    rows = []
    for name, test in TESTS.items():
        results: list[list] = [test(study, effects=False) for study in studies]
        counts: dict[str, tuple[int, int]] = {
            "single tests": (sum(each.p < ALPHA for tests in results for each in tests), sum(map(len, results))),
            "studies": (sum(min(each.p_holm for each in tests) < ALPHA for tests in results), len(results)),
        }
        for k, version in enumerate(list(studies[0])[1:]):
            counts[version] = (sum(tests[k].p < ALPHA for tests in results), len(results))
        for what, (count, total) in counts.items():
            low, high = proportion_confint(count, total, method="beta")
            rows.append((name, what, count, total, count / total, low, high))
    return pd.DataFrame(rows, columns=["test", "of", "found", "n", "share", "low", "high"])


def order_figure(by_n: pd.DataFrame) -> str:
    """SVG: mean tau against the players on each version, and the most that sampling allows."""
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(560, 250, (54, 46, 24, 14))
        for column, ink, words in (("ceiling", "soft", "ceiling"), ("tau", "simulated", "simulated players")):
            axes.plot(by_n["n"], by_n[column], color=INKS[ink], marker="o", markersize=4, clip_on=False)
            end = by_n.iloc[0]
            axes.annotate(words, (end["n"], end[column]), (8, -12), textcoords="offset points", color=INKS[ink])
        axes.set_xscale("log")
        axes.set_xticks(by_n["n"], by_n["n"].astype(str))
        axes.minorticks_off()
        axes.set_yticks([0.8, 0.85, 0.9, 0.95, 1])
        axes.set_xlabel("simulated players on each version, planted slow-downs")
        axes.set_ylabel("Kendall's tau")
        return standalone(svg(figure, "Kendall's tau with the planted order against the players on each version"))


def main(
    n: int = 120, repetitions: int = 200, *, game: str = "key_door", seed: int = 0, workers: int = 2,
    out: Path = Path("runs/recovery"),
) -> None:  # fmt: skip
    """Simulate studies, and print the results of their analysis.

    Args:
        n: players per version
        repetitions: number of studies
        game: key_door, on which the published means were measured, or princess
        seed: seed of the players
        workers: studies simulated in parallel
        out: folder for the tables (CSV) and the figure
    """
    for name, value in (("n", n), ("repetitions", repetitions), ("workers", workers)):
        if value < 2 - (name == "workers"):
            raise SystemExit(f"recovery: {name} must be at least {2 - (name == 'workers')}, got {value}")
    console = Console(width=140)
    out.mkdir(parents=True, exist_ok=True)

    def show(name: str, make: Callable[[], pd.DataFrame]) -> None:
        table = make()
        table.to_csv(out / f"{name}.csv", index=False)
        console.print(f"\n{name}\n{table.round(3).to_string(index=False)}", markup=False, highlight=False)

    studies = studies_of(game, "published", n, repetitions, seed, workers)
    taus, generator = taus_of(studies), np.random.default_rng(seed)
    pd.DataFrame({"tau": taus}).to_csv(out / "taus.csv", index=False)
    show("planted", lambda: table_of(studies))
    show("swapped", lambda: swaps_of(studies))
    low, median, high = np.quantile(taus, [0.025, 0.5, 0.975])
    console.print(
        f"\nKendall's tau with {n} players per version, {repetitions} studies: mean {taus.mean():.3f} (standard error "
        f"{taus.std(ddof=1) / np.sqrt(len(taus)):.3f}), median {median:.3f}, 95 % of studies {low:.3f} to {high:.3f}; "
        f"over .9 in {(taus > 0.9).mean():.0%}\nceiling: {ceiling(studies[0], n, 0.6):.3f} with a spread of .6",
        highlight=False,
    )
    sizes = [n // 4, n // 2, n, 2 * n, 4 * n, 8 * n]
    show("tau_by_n", lambda: pd.DataFrame(
        [(size, taus_at(studies, size, generator).mean(), ceiling(studies[0], size, 0.6)) for size in sizes],
        columns=["n", "tau", "ceiling"],
    ))  # fmt: skip
    (out / "order.svg").write_text(order_figure(pd.read_csv(out / "tau_by_n.csv")), encoding="utf-8")
    show("nothing_planted", lambda: false_alarms(studies_of(game, "none", n, repetitions, seed, workers)))


if __name__ == "__main__":
    tyro.cli(main)
