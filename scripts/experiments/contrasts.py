"""Does the interval of a ratio of ratios cover the truth, and does it find nothing where nothing is planted?

`python -m priorlab.scripts.experiments.contrasts` simulates studies: people with log-normal times, quits and a time
limit, whom versions slow by known factors or not at all; and an agent whose runs no version slows. The functions of
`priorlab compare` analyse each. It writes `coverage.csv` and README.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro
from scipy.special import ndtr
from statsmodels.stats.proportion import proportion_confint

from priorlab.envs.base.workers import worker_pool
from priorlab.scripts.analysis.planning import Design, sample
from priorlab.scripts.analysis.players import Section, title_of
from priorlab.scripts.analysis.published import published_means
from priorlab.scripts.analysis.slowdown import Contrast, contrasts_of, draw
from priorlab.scripts.analysis.statistics import Played
from priorlab.scripts.console import plain_console
from priorlab.scripts.report.readme import readme, table, write

VERSIONS = ("gravity", "masked_semantics", "masked_objects", "all_masked")  # the published slow-downs, from 1.7 to 11.1
PEOPLE, SEEDS = (20, 40), (3, 5, 10)
SPREADS = (0.6, 1.0)  # standard deviation of the log of an agent's inputs
PATIENCE, LIMIT = 60.0, 30.0  # minutes
RATE = 30.0  # inputs per second of people
AGENT_INPUTS, BUDGET = 1e6, 4e6  # an agent's mean inputs to the first win, and the most of a run
SURE = 0.975  # share of resamples from which on it is called sure here
SEED = 28_000  # of all studies; the method was chosen on others
ANY = "any"  # of the versions of a study


def slow_downs(is_planted: bool) -> dict[str, float]:
    """How many times as long people take on each version, before quits and the limit."""
    means = published_means()
    return {"original": 1.0} | {
        version: means[version] / means["original"] if is_planted else 1.0 for version in VERSIONS
    }


def restricted(mean: float, spread: float, limit: float) -> float:
    """The mean of log-normal times, each counted as at most ``limit``: what a restricted mean estimates."""
    centre = np.log(mean) - spread**2 / 2
    z = (np.log(limit) - centre) / spread
    return float(mean * ndtr(z - spread) + limit * ndtr(-z))


def truths(slowed: Mapping[str, float], design: Design) -> dict[str, float]:
    """The true ratio of ratios of each version: people's ratio of restricted means, since no agent is slowed."""
    means = {version: restricted(design.minutes * by, design.spread, design.limit) for version, by in slowed.items()}
    return {version: means[version] / means["original"] for version in VERSIONS}


def study(slowed: Mapping[str, float], people: int, seeds: int, spread: float, seed: Sequence[int]) -> Section:
    """A simulated study: equally many people on each version, and as many runs of an agent on each."""
    generator, runs = np.random.default_rng(seed), []
    person = Design({"version": 1.0}, patience=PATIENCE, limit=LIMIT)
    agent = Design({"version": 1.0}, AGENT_INPUTS, spread, limit=BUDGET)
    for version, by in slowed.items():
        for number, (minutes, won) in enumerate(zip(*sample(person, by, people, generator))):
            runs.append(played("person", version, number, minutes * 60 * RATE, bool(won)))
        for number, (inputs, won) in enumerate(zip(*sample(agent, 1.0, seeds, generator))):
            runs.append(played("agent", version, number, inputs, bool(won)))
    return Section("key_door", "", tuple(slowed), tuple(runs), limit=LIMIT)


def played(player: str, version: str, number: int, inputs: float, won: bool) -> Played:
    """A play or run of which only the inputs to the first win are known."""
    name = f"{player} {version} {number}"
    return Played(
        version=version, method="person" if player == "person" else "ppo", player=player, privileged=False, folder=name,
        level="", settings={"player_id": name}, frame_skip=1, finished=True, budget=int(np.ceil(inputs)),
        inputs=int(np.ceil(inputs)), won=won, deaths=0, mastered=np.nan, curve=np.zeros((2, 0)),
        visits=np.zeros((0, 3), np.int64), game="key_door", seed=number, outcome="win" if won else "quit", rate=RATE,
    )  # fmt: skip


def measure(setting: tuple[bool, float, int, int], studies: int) -> pd.DataFrame:
    """How often the intervals of one setting (planted, spread, people, seeds) cover the truth, and what is found."""
    is_planted, spread, people, seeds = setting
    slowed = slow_downs(is_planted)
    truth = truths(slowed, Design({"version": 1.0}, limit=LIMIT))
    found: list[dict[str, Contrast]] = []
    for number in range(studies):
        section = study(
            slowed, people, seeds, spread, [SEED, int(is_planted), round(10 * spread), people, seeds, number]
        )
        found.append({each.version: each for each in contrasts_of(section, LIMIT, draw(section))})
    rows = []
    for version in (*VERSIONS, ANY):
        each = [study_[version] for study_ in found if version in study_]
        if version == ANY:
            each = [contrast for study_ in found for contrast in study_.values()]
        row: dict = {"planted": int(is_planted), "agent_spread": spread, "people": people, "seeds": seeds}
        row |= {"version": version, "truth": truth.get(version), "studies": studies}
        if version != ANY:
            ends = np.array([(contrast.low, contrast.high) for contrast in each], float)
            row |= {"known": len(each), "below": int((ends[:, 1] < truth[version]).sum())}
            row |= {
                "above": int((ends[:, 0] > truth[version]).sum()),
                "width": float(np.median(ends[:, 1] / ends[:, 0])),
            }
        groups = [[one] for one in each] if version != ANY else [list(study_.values()) for study_ in found]
        row |= {"more": sum(any(one.is_more for one in group) for group in groups)}
        row |= {"less": sum(any(one.is_less for one in group) for group in groups)}
        row |= {"sure": sum(any(is_sure(one) for one in group) for group in groups)}
        rows.append(row)
    return pd.DataFrame(rows)


def interval(count: int, n: int) -> str:
    """A share with Wilson's 95 % interval, in %."""
    low, high = np.array(proportion_confint(count, n, method="wilson"), float)
    return f"{100 * count / n:.1f} ({100 * low:.1f} \N{EN DASH} {100 * high:.1f})"


def is_sure(contrast: Contrast) -> bool:
    return contrast.share is not None and not 1 - SURE < contrast.share < SURE


def sizes(rows: Any, is_planted: int, spread: float) -> Iterator[tuple[list[str], Any, Any]]:
    """For each number of people and of runs: both as text, the rows by version, and that of any version."""
    here = rows[(rows["planted"] == is_planted) & (rows["agent_spread"] == spread)]
    for size, group in here.groupby(["people", "seeds"]):
        by = group.set_index("version")
        yield [str(each) for each in size], by.loc[list(VERSIONS)], by.loc[ANY]


def coverage_table(rows: Any, is_planted: int, spread: float) -> str:
    """Share of studies whose interval covers the truth, %, one row per number of people and of runs."""
    cells, truth = [], {}
    for size, by, _ in sizes(rows, is_planted, spread):
        covered, truth = by["known"] - by["below"] - by["above"], by["truth"]
        each = [interval(int(covered[name]), int(by["known"][name])) for name in VERSIONS]
        total = f"{100 * covered.sum() / by['known'].sum():.1f}"
        cells.append((*size, *each, total, f"{by['width'].median():.1f}"))
    return table(
        ("people", "runs", *(f"{title_of(name)}, {truth[name]:.2f}" for name in VERSIONS), "all", "width"), cells
    )


def found_table(rows: Any, spread: float) -> str:
    """Where nothing is planted: share of studies in which any version is called different, %."""
    cells = [
        (*size, interval(int(study_["more"] + study_["less"]), int(study_["studies"])),
         f"{100 * by['sure'].sum() / by['known'].sum():.1f}")
        for size, by, study_ in sizes(rows, 0, spread)
    ]  # fmt: skip
    return table(("people", "runs", "studies that find something", "versions with a sure share"), cells)


def power_table(rows: Any, spread: float) -> str:
    """Where slow-downs are planted: share of studies in which people are clearly slowed more, %."""
    cells = [
        (*size, *(f"{100 * by['more'][name] / by['studies'][name]:.0f}" for name in VERSIONS))
        for size, by, _ in sizes(rows, 1, spread)
    ]
    return table(("people", "runs", *map(title_of, VERSIONS)), cells)


def readme_of(folder: Path) -> str:
    """The text of README.md from the rows in ``folder``."""
    rows: Any = pd.read_csv(folder / "coverage.csv")
    parts = []
    for spread in SPREADS:
        single = rows[(rows["version"] != ANY) & (rows["agent_spread"] == spread)]
        nothing = rows[(rows["version"] == ANY) & (rows["planted"] == 0) & (rows["agent_spread"] == spread)]
        covered = 1 - (single["below"] + single["above"]).sum() / single["known"].sum()
        found = (nothing["more"] + nothing["less"]).sum() / nothing["studies"].sum()
        parts.append(f"{100 * covered:.1f} % and {100 * found:.1f} % if an agent's log inputs spread by {spread}")
    finding = (
        "The 95 % interval of a ratio of ratios covers the truth about as often as it says, and few studies find "
        f"something where nothing is planted: {', '.join(parts)}"
    )
    command = "python -m priorlab.scripts.experiments.contrasts --out results/ratio-of-ratios"
    return readme(
        "contrasts.md", folder, title="Ratios of ratios: is the truth covered?", finding=finding,
        made=[command], again=f"{command} --report-only", studies=int(rows["studies"].max()), spreads=SPREADS,
        patience=PATIENCE, limit=LIMIT, people=Design({"version": 1.0}), budget=BUDGET / AGENT_INPUTS,
        sure=SURE,
        coverage=lambda is_planted, spread: coverage_table(rows, is_planted, spread),
        found=lambda spread: found_table(rows, spread), power=lambda spread: power_table(rows, spread),
    )  # fmt: skip


def main(
    studies: int = 200, *, workers: int = 2, out: Path = Path("runs/ratio-of-ratios"), report_only: bool = False,
) -> None:  # fmt: skip
    """Simulate studies of every size, and write how often intervals cover the truth.

    Args:
        studies: simulated studies per setting
        workers: settings simulated in parallel
        out: folder for the rows and README.md
        report_only: simulate nothing; only write README.md from the rows
    """
    for name, value in (("studies", studies), ("workers", workers)):
        if value < 1:
            raise SystemExit(f"contrasts: {name} must be at least 1, got {value}")
    console = plain_console()
    out.mkdir(parents=True, exist_ok=True)
    if not report_only:
        settings = list(product((True, False), SPREADS, PEOPLE, SEEDS))
        with worker_pool(workers) as pool:
            tables = []
            for setting, rows in zip(settings, pool.map(partial(measure, studies=studies), settings)):
                tables.append(rows)
                console.print(f"{setting}\n{rows.to_string(index=False)}", markup=False, highlight=False)
        pd.concat(tables).to_csv(out / "coverage.csv", index=False)
    write(out, readme_of(out), {})
    console.print(out / "README.md", highlight=False)


if __name__ == "__main__":
    tyro.cli(main)
