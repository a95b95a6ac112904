"""The text of a preregistration, made from a study's file and the numbers of ``priorlab plan`` alone.

Its sections answer the questions of AsPredicted and of the Open Science Framework's standard template. Each number has
its source next to it; what the files can't know is left for the researcher, between square brackets.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from priorlab.envs.base.provenance import git_commit, lab_version
from priorlab.envs.game.level import Level
from priorlab.envs.plays.play import ENGINE
from priorlab.human_study.protocol.ready import load_languages
from priorlab.human_study.study.assignment import arms, capacity, level_hash, taken_numbers
from priorlab.human_study.study.study_file import Study
from priorlab.scripts.analysis.comparison import TESTS
from priorlab.scripts.analysis.designs import Design, default_test
from priorlab.scripts.analysis.hypotheses import FEW
from priorlab.scripts.analysis.planning import (
    Power,
    enough_of,
    from_pilot,
    people_in,
    power_at,
    published_effects,
    smallest_n,
)
from priorlab.scripts.analysis.players import title_of, title_of_game
from priorlab.scripts.analysis.resampling import RESAMPLES
from priorlab.scripts.analysis.statistics import LEAST, ORIGINALS
from priorlab.scripts.report.exclusions import in_words, options_in_words, right_in_words
from priorlab.scripts.report.missed import MISSED
from priorlab.scripts.report.render import render
from priorlab.scripts.report.summary import CHANGES, EFFECTS, percent

ALPHA = 0.05  # of the verdicts of `priorlab compare`
MEASURED = {True: ("signed_rank",), False: ("log_rank", "mann_whitney", "deaths")}  # tests, by whether within subjects


@dataclass(frozen=True)
class Assumptions:
    """What the planned size rests on, as in `priorlab plan`; ``published``: the published effect of each version."""

    effect: float = 1.5
    power: float = 0.8
    published: bool = False
    minutes: float = 1.8
    spread: float = 0.6
    patience: float = 60.0
    correlation: float = 0.5
    practice: float = 0.8
    repetitions: int = 1000
    seed: int = 0
    pilot: Path | None = None


@dataclass(frozen=True)
class Size:
    """The planned size: people per version, within subjects in total. ``powers``: by version, at the study's size."""

    design: Design
    enough: int  # the smallest number that reaches the power
    powers: tuple[Power, ...]

    @property
    def least(self) -> float:
        """The power for the version with the smallest."""
        return min(each.value for each in self.powers)


def text_of(study: Study, assumed: Assumptions, exclude: Sequence[str] = (), missed: float = MISSED) -> str:
    """The preregistration in Markdown. Raises ValueError for conditions that the study's questions can't meet, and for
    assumptions that can't be planned with."""
    texts = next(iter(load_languages(study).values()))
    rules = [in_words(condition, study, texts) for condition in exclude]
    within, compared = study.design == "within", compared_in(study)
    size = size_of(study, assumed) if compared else None
    return render(
        "preregistration.md",
        study=study, file=study.path.name, texts=texts, questions=texts.ask(study.questions), within=within,
        game=title_of_game(study.game), level=level_of(study), compared=compared, changes=CHANGES, title=title_of,
        original="the game without a mask" if "none" in study.versions else "the original",
        orders=len(arms(study)), places=capacity(study),
        taken=len(taken_numbers(study)), size=size, assumed=assumed, sources=sources_of(assumed, within),
        tests=[(TESTS[name][0], EFFECTS[name]) for name in MEASURED[within]], exclude=list(zip(exclude, rules)),
        missed=f"{missed:.3g}", plan=plan_command(study, assumed), compare=compare_command(study, exclude, missed),
        version=lab_version(), commit=git_commit(), engine=ENGINE, alpha=f"{ALPHA:g}", least=LEAST, few=FEW,
        resamples=f"{RESAMPLES:,}", percent=percent, fill=fill,
        options=options_in_words, right=right_in_words,
    )  # fmt: skip


def fill(what: str) -> str:
    """A part for the researcher to write."""
    return f"**[To be filled in by the researcher: {what}]**"


def compared_in(study: Study) -> list[str]:
    """The versions that are compared with the original; none if the study lacks it."""
    others = [version for version in study.versions if ORIGINALS.get(version, version) != "original"]
    return others if len(others) < len(study.versions) else []


def level_of(study: Study) -> str:
    """The level's name and, of a level that the study names, the hash by which a change of its file is noticed."""
    chosen = study.settings(study.versions[0])
    if chosen.is_atari or chosen.game == "random":
        return ""
    name = Level.read(chosen.level or chosen.game or "").name
    return f"{name}, content {level_hash(study)}" if level_hash(study) else name


def size_of(study: Study, assumed: Assumptions) -> Size:
    within, versions = study.design == "within", compared_in(study)
    effects = published_effects(versions) if assumed.published else dict.fromkeys(versions, assumed.effect)
    design = Design(
        effects, assumed.minutes, assumed.spread, assumed.patience, study.minutes, default_test(within), ALPHA,
        within=within, correlation=assumed.correlation, practice=assumed.practice,
    )  # fmt: skip
    if assumed.pilot:
        design = from_pilot(design, people_in(assumed.pilot))
    tried = smallest_n(design, assumed.power, assumed.repetitions, assumed.seed)
    powers = power_at(design, study.participants, assumed.repetitions, assumed.seed)
    return Size(design, enough_of(tried, assumed.power), tuple(powers))


def sources_of(assumed: Assumptions, within: bool) -> dict[str, str]:
    """Where each assumption comes from: the pilot, the published study, an option, or nothing but the default."""
    sources = {}
    fitted = ("minutes", "spread", "patience", *(("correlation", "practice") if within else ()))
    for name, default in ((field.name, field.default) for field in fields(Assumptions)):
        if assumed.pilot and name in fitted:
            sources[name] = f"fitted to the plays in {assumed.pilot}"
        elif name == "effect" and assumed.published:
            sources[name] = "published means, `priorlab/scripts/analysis/published.toml`"
        elif getattr(assumed, name) != default:
            sources[name] = f"`--{name}`"
        else:
            sources[name] = f"default of `--{name}`"
    return sources


def plan_command(study: Study, assumed: Assumptions) -> str:
    """The call of `priorlab plan` that finds the same number."""
    versions = compared_in(study)
    words: list[Any] = ["priorlab", "plan"]
    words += ["--versions", *versions] if assumed.published else ["--effect", assumed.effect, "--tests", len(versions)]
    words += ["--power", assumed.power, "--limit", study.minutes, "--alpha", ALPHA]
    words += ["--repetitions", assumed.repetitions, "--seed", assumed.seed]
    words += ["--within"] if study.design == "within" else []
    if assumed.pilot:
        words += ["--from", assumed.pilot]
    else:
        names = ("minutes", "spread", "patience", *(("correlation", "practice") if study.design == "within" else ()))
        words += [word for name in names for word in (f"--{name}", getattr(assumed, name))]
    return in_shell(words)


def compare_command(study: Study, exclude: Sequence[str], missed: float) -> str:
    words: list[Any] = ["priorlab", "compare", study.data, "--out", "compare", "--limit", study.minutes]
    words += ["--paired"] if study.design == "within" else []
    return in_shell([*words, "--missed", missed, *(["--exclude", *exclude] if exclude else [])])


def in_shell(words: Sequence[Any]) -> str:
    return shlex.join(f"{word:g}" if isinstance(word, float) else str(word) for word in words)
