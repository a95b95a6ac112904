"""`priorlab plan`: finds by simulation how many people a comparison needs."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.table import Table

from priorlab.scripts.analysis import planning
from priorlab.scripts.analysis.designs import Design, default_test
from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console


def main(
    effect: float = 1.5, power: float = 0.8, *, versions: tuple[str, ...] = (), tests: int = 1, minutes: float = 1.8,
    spread: float = 0.6, patience: float = 60.0, limit: float = 30.0, alpha: float = 0.05, within: bool = False,
    correlation: float = 0.5, practice: float = 0.8, repetitions: int = 1000, seed: int = 0,
    test: Literal["log-rank", "mann-whitney", "signed-rank"] | None = None,
    pilot: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
) -> None:  # fmt: skip
    """Print the power for several n, and the smallest n that reaches the power you ask for.

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
        within: each person plays the original and every version, in counterbalanced order
        correlation: within subjects, between the logs of one person's times
        practice: within subjects, a play's time divided by what it would have taken one play earlier
        repetitions: simulated studies per n
        seed: seed of the simulation
        test: the test that must detect the difference (default: log-rank; within subjects signed-rank)
        pilot: take spread, patience, minutes, and within subjects correlation and practice, from people's plays there
    """
    check_positive(effect=effect, tests=tests)
    effects = planning.published_effects(versions) or {f"version {k + 1}": effect for k in range(tests)}
    chosen = test or default_test(within)
    design = Design(
        effects, minutes, spread, patience, limit, chosen, alpha, "log-normal", within, correlation, practice
    )
    design = planning.from_pilot(design, planning.people_in(pilot)) if pilot else design
    table = Table("people" if within else "n per version", "version", "times as long", "power", "95 %", "solved")
    tried = planning.smallest_n(design, power, repetitions, seed)
    for each in (each for powers in tried for each in powers):
        numbers = f"{design.effects[each.version]:.2f}", f"{each.value:.3f}", f"{each.low:.3f} to {each.high:.3f}"
        table.add_row(str(each.n), each.version, *numbers, f"{each.solved:.0%}")
    table.title = chosen
    plain_console().print(table, planning.conclusion(design, planning.enough_of(tried, power)), sep="")
