"""`priorlab plan`: how many people a comparison needs, by simulation."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.table import Table

from priorlab.envs.results.load import load
from priorlab.scripts.analysis.planning import Design, enough_of, from_pilot, published_effects, smallest_n
from priorlab.scripts.analysis.statistics import played
from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console
from priorlab.scripts.run import run


def main(
    effect: float = 1.5, power: float = 0.8, *, versions: tuple[str, ...] = (), tests: int = 1, minutes: float = 1.8,
    spread: float = 0.6, patience: float = 60.0, limit: float = 30.0, alpha: float = 0.05,
    test: Literal["log-rank", "mann-whitney"] = "log-rank", repetitions: int = 1000, seed: int = 0,
    pilot: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
) -> None:  # fmt: skip
    """Prints the power for several n, and the smallest n a version that reaches what is asked for.

    Args:
        effect: how many times as long a version takes, on average
        power: chance to find each of the differences that is wanted
        versions: take the effects that people's study published for these versions instead, as `--versions gravity`
        tests: how many versions of that effect are compared with the original (Holm's correction)
        minutes: mean time to solve the original
        spread: deviation of the log of times between people
        patience: minutes after which 63 % would have quit (Weibull, shape 2; inf: nobody quits)
        limit: minutes a play may last
        alpha: level of the tests, two-sided
        test: which test finds a difference
        repetitions: simulated studies for each n
        seed: of the simulation
        pilot: folder with people's plays, whose spread, patience and original minutes are taken
    """
    check_positive(effect=effect, tests=tests)
    effects = published_effects(versions) or {f"version {k + 1}": effect for k in range(tests)}
    design = Design(effects, minutes, spread, patience, limit, test, alpha)
    if pilot is not None:
        if not pilot.exists():
            raise ValueError(f"{pilot}: no such folder: expected one with people's plays")
        design = from_pilot(design, [run for run in played(load(pilot)) if run.player == "person"])
    table = Table("n a version", "version", "times as long", "power", "95 %", "solved", title=test)
    tried = smallest_n(design, power, repetitions, seed)
    for each in (each for found in tried for each in found):
        numbers = f"{design.effects[each.version]:.2f}", f"{each.value:.3f}", f"{each.low:.3f} to {each.high:.3f}"
        table.add_row(str(each.n), each.version, *numbers, f"{each.solved:.0%}")
    n, console = enough_of(tried, power), plain_console()
    console.print(table)
    told = f"spread {design.spread:.2f}, patience {design.patience:.0f} min, original {design.minutes:.1f} min"
    console.print(f"{n} people a version, {n * (len(effects) + 1)} in all ({told}).")


if __name__ == "__main__":
    run("plan")
