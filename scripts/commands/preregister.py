"""`priorlab preregister`: writes the text of a preregistration from a study's file and planned numbers."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.envs.base.files import writing_new
from priorlab.human_study.study.study_file import Study
from priorlab.scripts.checks import check_counts, check_positive
from priorlab.scripts.console import plain_console
from priorlab.scripts.report.missed import MISSED
from priorlab.scripts.report.preregistration import Assumptions, text_of


def main(
    study: Annotated[Path, tyro.conf.Positional], *, out: Path | None = None, effect: float = 1.5, power: float = 0.8,
    published: bool = False, minutes: float = 1.8, spread: float = 0.6, patience: float = 60.0,
    correlation: float = 0.5, practice: float = 0.8, repetitions: int = 1000, seed: int = 0,
    pilot: Annotated[Path | None, tyro.conf.arg(name="from")] = None, exclude: tuple[str, ...] = (),
    missed: float = MISSED,
) -> None:  # fmt: skip
    """Write a preregistration in plain English (Markdown), with the source of each number.

    Square brackets mark what only you can say. An existing file is never overwritten. Versions, design, number of
    participants and time limit are those of the study's file; the other settings are those of `priorlab plan`.

    Args:
        study: the study's TOML file
        out: file to write (default: preregistration.md next to the study's file)
        effect: mean time on each version divided by the mean time on the original
        power: probability of detecting each difference
        published: use the published effect of each version instead
        minutes: mean time to solve the original
        spread: standard deviation of the log of times between people
        patience: minutes after which 63 % would have quit (Weibull, shape 2; inf: nobody quits)
        correlation: within subjects, between the logs of one person's times
        practice: within subjects, a play's time divided by what it would have taken one play earlier
        repetitions: simulated studies per number of people
        seed: seed of the simulation
        pilot: take these numbers, except effect and power, from the people's plays in this folder
        exclude: conditions by which you will exclude people, such as `--exclude known=yes`
        missed: share of missed steps above which the second analysis leaves out a play
    """
    check_positive(effect=effect)
    check_counts(repetitions=repetitions)
    path = out or study.parent / "preregistration.md"
    if path.exists():
        raise ValueError(f"{path}: exists: expected a new file; name one with --out")
    assumed = Assumptions(
        effect, power, published, minutes, spread, patience, correlation, practice, repetitions, seed, pilot
    )
    console = plain_console()
    with console.status("simulating studies"):
        text = text_of(Study.load(study), assumed, exclude, missed)
    with writing_new(path) as file:
        file.write(text.encode())
    console.print(f"{path}: {text.count('**[')} parts in square brackets are left to fill in", soft_wrap=True)
