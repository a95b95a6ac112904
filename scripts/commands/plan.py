"""`priorlab plan`: finds by simulation how many people a comparison needs."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.table import Table

from priorlab.envs.results.load import load
from priorlab.scripts.analysis.planning import Design, enough_of, from_pilot, published_effects, smallest_n
from priorlab.scripts.analysis.statistics import played
from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console


def main(
    effect: float = 1.5, power: float = 0.8, *, versions: tuple[str, ...] = (), tests: int = 1, minutes: float = 1.8,
    spread: float = 0.6, patience: float = 60.0, limit: float = 30.0, alpha: float = 0.05,
    test: Literal["log-rank", "mann-whitney"] = "log-rank", repetitions: int = 1000, seed: int = 0,
    pilot: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
) -> None:  # fmt: skip
    """Print the power for several n, and the smallest n per version that reaches the power you ask for.

    Args:
        effect: mean time on a version divided by the mean time on the original
        power: probability of detecting each difference
        versions: use the published effects of these versions instead, such as `--versions gravity`
        tests: number of versions with that effect compared with the original (Holm's correction)
        minutes: mean time to solve the original
        spread: standard deviation of the log of times between people
        patience: minutes after which 63 % would have quit (Weibull, shape 2; inf: nobody quits)
        limit: longest duration of a play, in minutes
        alpha: two-sided level of the tests
        test: the test that must detect the difference
        repetitions: simulated studies per n
        seed: seed of the simulation
        pilot: take spread, patience and the minutes on the original from the people's plays in this folder
    """
    check_positive(effect=effect, tests=tests)
    effects = published_effects(versions) or {f"version {k + 1}": effect for k in range(tests)}
    design = Design(effects, minutes, spread, patience, limit, test, alpha)
    if pilot is not None:
        if not pilot.exists():
            raise ValueError(f"{pilot}: no such folder: expected a folder with people's plays")
        design = from_pilot(design, [run for run in played(load(pilot)) if run.player == "person"])
    table = Table("n per version", "version", "times as long", "power", "95 %", "solved", title=test)
    tried = smallest_n(design, power, repetitions, seed)
    for each in (each for powers in tried for each in powers):
        numbers = f"{design.effects[each.version]:.2f}", f"{each.value:.3f}", f"{each.low:.3f} to {each.high:.3f}"
        table.add_row(str(each.n), each.version, *numbers, f"{each.solved:.0%}")
    n, console = enough_of(tried, power), plain_console()
    console.print(table)
    assumed = f"spread {design.spread:.2f}, patience {design.patience:.0f} min, original {design.minutes:.1f} min"
    console.print(f"{n} people per version, {n * (len(effects) + 1)} in total ({assumed}).")
