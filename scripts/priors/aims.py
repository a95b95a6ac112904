"""The aims that were set for the learned player before it met the study's games, and whether the rows meet them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from priorlab.scripts.analysis.players import title_of
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.priors.cast import FULL
from priorlab.scripts.priors.cells import ORIGINAL, VERSIONS
from priorlab.scripts.priors.matrix import ALL, FEW, LESS, PLAYERS, Matrix
from priorlab.scripts.priors.recorded import GROUPS
from priorlab.scripts.priors.slowdowns import Slowdown, find
from priorlab.scripts.report.summary import number, percent, times

MET, MISSED, NONE, FEW_SEEDS = "met", "missed", "no rows yet", "too few seeds"
DECIDED = (MET, MISSED)
MEDIANS = {"key_door": 1000, "princess": 150}  # most inputs on the original
SOLVED = 0.95  # of lives, in every version
WITHIN = 2.0  # times people's ratio, or that part of it
LIKE_PEOPLE = ("masked_semantics", "masked_affordances", "masked_objects", "masked_similarity", "all_masked")
SIGNS = {"": "", ">=": "≥ ", "<=": "≤ ", "~": "≈ "}  # of ratios that are bounds


@dataclass(frozen=True)
class Aim:
    """An aim, what was found, and one of MET, MISSED, NONE and FEW_SEEDS; ``is_final``: whether all lives that it is
    about were played, so that no further row can change the verdict."""

    aim: str
    found: str
    verdict: str
    is_final: bool = True

    @property
    def words(self) -> str:
        """The verdict, such as "met so far"."""
        return f"{self.verdict} so far" if self.verdict in DECIDED and not self.is_final else self.verdict


def aims_of(slowdowns: Sequence[Slowdown], matrices: Mapping[str, Matrix], unfinished: Set[str]) -> list[Aim]:
    """All of them, whatever rows there are; ``unfinished``: players of whom planned lives are missing."""
    own = [each for each in slowdowns if each.player == FULL]
    alone = [*medians(own), solved_everywhere(own), *like_people(own)]
    is_final, all_final = FULL not in unfinished, unfinished.isdisjoint(PLAYERS)
    return [
        *(replace(aim, is_final=is_final and aim.is_final) for aim in alone),
        replace(diagonal(matrices[ALL]), is_final=all_final),
    ]


def medians(own: Sequence[Slowdown]) -> Iterator[Aim]:
    for group, most in MEDIANS.items():
        aim = f"{GROUPS[group]}, original, at first sight: median of at most {most:,} inputs"
        here = find(own, FULL, group, ORIGINAL)
        if here is None:
            yield Aim(aim, "", NONE)
        else:
            yield Aim(aim, f"{number(here.median)}{lives_of(here)}", MET if here.median <= most else MISSED)


def solved_everywhere(own: Sequence[Slowdown]) -> Aim:
    """Of all versions in all groups; those that have no lives yet leave it open."""
    aim = f"{percent(SOLVED)} of lives solved in every version of both games and of the levels"
    if not own:
        return Aim(aim, "", NONE)
    least = min(own, key=lambda each: each.solved)
    below = sum(each.solved < SOLVED for each in own)
    found = f"fewest: {percent(least.solved)}, {title_of(least.version)} ({GROUPS[least.group]})"
    found += f"; below {percent(SOLVED)} in {below} of {len(own)}" if below else ""
    found = found if least.solved < 1 else f"all, in {len(own)} of {len(GROUPS) * len(VERSIONS)}"
    return Aim(aim, found, MISSED if below else MET, len(own) == len(GROUPS) * len(VERSIONS))


def like_people(own: Sequence[Slowdown]) -> Iterator[Aim]:
    figures = published_figures()
    for version in LIKE_PEOPLE:
        people = published_ratio(figures, version)
        assert people is not None
        aim = f"Key and Door, {title_of(version)}: within a factor of two of people's {times(people)}"
        here = find(own, FULL, "key_door", version)
        if here is None or here.ratio is None:
            yield Aim(aim, "", NONE)
        else:
            found = f"{SIGNS[here.bound]}{times(here.ratio)}{lives_of(here)}"
            yield Aim(aim, found, MET if is_like(here.ratio, people) else MISSED)


def lives_of(here: Slowdown) -> str:
    """How many lives it rests on."""
    return f" ({here.lives} {'life' if here.lives == 1 else 'lives'} of {here.seeds} seed{'s' * (here.seeds > 1)})"


def is_like(ratio: float, people: float) -> bool:
    """Whether it is within a factor of WITHIN."""
    return people / WITHIN <= ratio <= people * WITHIN


def diagonal(matrix: Matrix) -> Aim:
    aim = "Raised without: the interval of the diagonal's relief lies above 1"
    factor = matrix.factor
    if factor is None:
        return Aim(aim, "", FEW_SEEDS if matrix.left_out else NONE)
    if factor.low is None or matrix.verdict == FEW:
        return Aim(aim, f"{factor.value:.2f}", FEW_SEEDS)
    found = f"{factor.value:.2f} ({factor.low:.2f} \u2013 {factor.high:.2f})"
    return Aim(aim, found, MET if matrix.verdict == LESS else MISSED)
