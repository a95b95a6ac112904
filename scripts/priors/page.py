"""The page of `priorlab priors`: README.md and its figures, from whatever rows there are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from priorlab.envs.base.files import write_whole
from priorlab.scripts.analysis.players import title_of
from priorlab.scripts.analysis.published import published_figures, published_note
from priorlab.scripts.priors import tables
from priorlab.scripts.priors.aims import DECIDED, FEW_SEEDS, Aim, aims_of
from priorlab.scripts.priors.cast import (
    ABLATIONS,
    CAST,
    CONTROLS,
    FULL,
    MATRIX_FULL,
    RANDOM,
    TOLD,
    Member,
    givens,
    in_order,
)
from priorlab.scripts.priors.cells import ORIGINAL, Cells
from priorlab.scripts.priors.comparing import without_priors, won_by
from priorlab.scripts.priors.figures import matrix_figure, ratios_of, slowdown_figure
from priorlab.scripts.priors.matrix import (
    ALL,
    LEAST_SOLVED,
    LESS,
    MORE,
    MOST,
    OPEN,
    PLAYERS,
    SETS,
    VERSIONS,
    Matrix,
    claim_of,
    matrices_of,
)
from priorlab.scripts.priors.recorded import GROUPS, IN_GROUP, Recorded, read_recorded
from priorlab.scripts.priors.sealed import SOFTWARE, read_rows
from priorlab.scripts.priors.slowdowns import Slowdown, find, slowdowns_of
from priorlab.scripts.report import readme
from priorlab.scripts.report.plots import Drawing
from priorlab.scripts.report.summary import NOTHING, number, percent

USUAL = Path("results/priors")
WITHOUT_PRIORS = (Path("results/reproduce"), Path("results/compare"))  # committed rows of agents
APPRAISAL = Path("results/raising/appraisal.csv")
NUMBERS = "numbers.csv"  # every player in every group and version
GAMES = ("princess", "key_door")


@dataclass(frozen=True, eq=False)
class Found:
    """What the page is about, worked out once."""

    recorded: Recorded
    groups: dict[str, Cells]  # that have lives
    slowdowns: Sequence[Slowdown]
    matrices: dict[str, Matrix]
    aims: Sequence[Aim]

    @staticmethod
    def of(recorded: Recorded) -> "Found":
        cells = Cells.of(recorded)
        groups, matrices = cells.by_group(), matrices_of(cells)
        slowdowns = slowdowns_of(recorded, groups)
        return Found(recorded, groups, slowdowns, matrices, aims_of(slowdowns, matrices, recorded.unfinished))

    @property
    def sets(self) -> list[Matrix]:
        """The matrices that have a seed."""
        return [each for each in self.matrices.values() if each.relief]


def write_page(folder: Path) -> str:
    """Writes README.md, its figures and NUMBERS into ``folder``, from its rows; returns the finding, one sentence.

    ValueError, in one line, where there are no rows.
    """
    found = Found.of(read_recorded(folder))
    readme.write(folder, text_of(folder, found), figures_of(found))
    write_whole(folder / NUMBERS, numbers_of(found.slowdowns))
    return headline(found)


def readme_of(folder: Path) -> str:
    """The text of README.md."""
    return text_of(folder, Found.of(read_recorded(folder)))


def text_of(folder: Path, found: Found) -> str:
    recorded = found.recorded
    out, seen = readme.elsewhere(folder, USUAL), tables.common(recorded.perception)
    return readme.readme(
        "priors.md",
        folder,
        title="Knowledge that agents bring, under the masks",
        finding=headline(found),
        made=[readme.command("priors", fix=True, out=out), readme.command("priors", out=out)],
        again=readme.command("priors", report_only=True, out=out),
        software=readme.made_with(read_rows(folder / SOFTWARE)["software"], recorded.lives["commit"].astype(str)),
        html=False,
        so_far=so_far(recorded),
        cast=cast_of(recorded),
        matrices=[(each, figure_of(each), claim_of(each), SETS[each.set]) for each in found.sets],
        claim=claim_of(found.matrices[ALL]),
        matrix_table=tables.matrix_table(found.matrices),
        without_affordance=without_affordance(found.matrices[ALL]),
        left_out=left_out(found.matrices[ALL]),
        unsolved=unsolved(recorded),
        seeds=len(found.matrices[ALL].seeds) + len(found.matrices[ALL].left_out),
        rule={"times": f"{MOST:g}", "solved": percent(LEAST_SOLVED), "limit": f"{recorded.limit:,}"},
        aims=[[each.aim, each.found or NOTHING, each.words] for each in found.aims],
        pictures=pictures_of(recorded),
        groups=[group_of(found, name) for name in found.groups],
        order=tables.order_table(found.groups, [FULL, MATRIX_FULL, *(name for name in CONTROLS if name != RANDOM)]),
        agents=agents_of(found),
        controls=compared(found, CONTROLS),
        ablations=compared(found, ABLATIONS),
        players_perception=tables.players_perception(seen),
        seen_in=", ".join(dict.fromkeys(seen["place"])),
        givens=givens(set(seen["player"])),
        appraisal=tables.appraisal_table(pd.read_csv(APPRAISAL)) if APPRAISAL.exists() else None,
        compute=tables.compute_table(recorded),
        published=published_note(),
        address=published_figures()["address"],
    )  # fmt: skip


def numbers_of(slowdowns: Sequence[Slowdown]) -> str:
    """Every number of ``slowdowns``, a row each, as CSV."""
    frame = pd.json_normalize([asdict(each) for each in slowdowns], sep="_")
    return frame.dropna(axis=1, how="all").to_csv(index=False, float_format="%.6g", lineterminator="\n")


def unsolved(recorded: Recorded) -> str:
    """How many of the matrix's lives were not solved, in one sentence; "" where all were."""
    lives = recorded.lives
    own = lives[lives["player"].isin(PLAYERS) & lives["version"].isin(VERSIONS)]
    missed = int((~own["solved"]).sum())
    if not missed:
        return ""
    worst = own.groupby("version")["solved"].mean().idxmin()
    share = 100 * (1 - float(own.loc[own["version"] == worst, "solved"].mean()))
    were, they = ("was", "it counts") if missed == 1 else ("were", "they count")
    where = f"most on {title_of(worst)} ({share:.1f} %)"
    text = f"Of {len(own):,} lives of the matrix, {missed:,} {were} not solved, {where}"
    return f"{text}; {they} as the limit, so increments with unsolved lives are not exact"


def without_affordance(matrix: Matrix) -> str:
    """The relief without the dial that hides little from a wide view, in two sentences; "" without a seed."""
    if not matrix.relief:
        return ""
    return (
        "At 0, the dial of affordance hides platforms and ladders from a learner that sees one cell, not from one that "
        "sees the whole picture, as these players do ([masks](../masks/README.md#the-whole-picture)). Without its row "
        f"and column, the relief over all places is {tables.factor_text(matrix.factor_without('affordance'))}: a check "
        "that was added after the rows were played."
    )


def headline(found: Found) -> str:
    """The claim of the matrix, if there is one, else how soon the learned player solves Key and Door; and the aims."""
    return found.recorded.so_far(f"{first_finding(found)}; {aims_met(found.aims)}")


def aims_met(aims: Sequence[Aim]) -> str:
    """How many aims have which verdict, those without rows left out; such as "of 9 aims, 5 met so far, 3 missed so far,
    1 with too few seeds"."""
    counts = Counter(each.words for each in aims)
    if not any(each.verdict in DECIDED for each in aims):
        return "no aim is decided yet"
    parts = [f"{counts[words]} {words}" for words in counts if words.startswith(DECIDED)]
    few = counts[FEW_SEEDS]
    parts += [f"{few} with {FEW_SEEDS}"] if few else []
    return f"of {len(aims)} aims, {', '.join(parts)}"


def first_finding(found: Found) -> str:
    matrix = found.matrices[ALL]
    if matrix.verdict in (LESS, MORE):
        return f"A player raised without a prior is {matrix.verdict} slowed by the mask of that prior"
    if matrix.verdict == OPEN:
        return "Whether a player raised without a prior is less slowed by its mask is inconclusive"
    here = find(found.slowdowns, FULL, "key_door", ORIGINAL)
    if here is None:
        return "No life of the learned player on Key and Door is recorded yet"
    if here.median >= found.recorded.limit:
        return f"At first sight, the learned player solves Key and Door in {percent(here.solved)} of its lives"
    return f"At first sight, the learned player solves Key and Door in {number(here.median)} inputs (median)"


def so_far(recorded: Recorded) -> str:
    """How many lives there are, of how many planned, in one or two sentences."""
    lives, planned = recorded.lives, sum(recorded.planned.values())
    of_planned = f" of {planned:,} planned" if planned else ""
    text = f"{counted(len(lives), 'life', 'lives')}{of_planned}, of {counted(lives['player'].nunique(), 'player')}"
    return f"{text}. They are played in rounds: the first life of everything before the second of anything."


def counted(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def pictures_of(recorded: Recorded) -> str:
    """From how many pictures players learned, in one sentence; "" where all learned from as many."""
    raised: dict[int, list[str]] = {}
    for player, pictures in recorded.raised.groupby("player")["pictures"].max().items():
        raised.setdefault(int(pictures), []).append(str(player))
    if len(raised) < 2:
        return ""
    parts = [f"{', '.join(in_order({*own}))} from {n:,}" for n, own in sorted(raised.items(), reverse=True)]
    text = f"Not all learned from equally many pictures: {'; '.join(parts)}"
    return f"{text}. So what a raising does is seen beside {MATRIX_FULL}, not beside {FULL}."


def cast_of(recorded: Recorded) -> list[list[str]]:
    """Each player: what it is given, what it is, its training seeds, its lives, and those planned."""
    lives, planned = recorded.lives, recorded.planned
    rows = []
    for name in in_order({*lives["player"], *planned}):
        own, member = lives[lives["player"] == name], CAST.get(name, Member("unknown", ""))
        of_planned = f" of {planned[name]:,}" if name in planned else ""
        rows.append([name, *member, str(own["seed"].nunique()), f"{len(own):,}{of_planned}"])
    return rows


def left_out(matrix: Matrix) -> list[tuple[int, tuple[str, ...]]]:
    """The training seeds that don't count over all places, and why."""
    return sorted(matrix.left_out.items())


def figure_of(matrix: Matrix) -> str:
    return f"matrix-{matrix.set.replace('_', '-')}.svg"


def slowdown_file(group: str) -> str:
    return f"slowdowns-{group.replace('_', '-')}.svg"


def figures_of(found: Found) -> dict[str, Drawing]:
    """The figures that there are rows for, by the names of their files."""
    drawn: dict[str, Drawing] = {figure_of(each): matrix_figure(found.matrices, each.set) for each in found.sets}
    for group in found.groups:
        figure = slowdown_figure(found.slowdowns, group)
        drawn |= {slowdown_file(group): figure} if figure else {}
    return drawn


def group_of(found: Found, group: str) -> dict[str, Any]:
    """What the page shows of one group of places."""
    slowdowns, perception = found.slowdowns, found.recorded.perception
    shown = [name for name in (FULL, TOLD) if any((each.player, each.group) == (name, group) for each in slowdowns)]
    return {
        "name": group,
        "title": GROUPS[group],
        "where": IN_GROUP[group],
        "unfinished": unfinished(found.groups[group]),
        "figure": slowdown_file(group) if ratios_of(slowdowns, group) else "",
        "tables": [(name, CAST[name], tables.slowdown_table(slowdowns, name, group)) for name in shown],
        "misled": misled(slowdowns, group),
        "players": tables.players_table(slowdowns, group),
        "perception": tables.perception_table(perception, FULL, group),
    }


def misled(slowdowns: Sequence[Slowdown], group: str) -> str:
    """Whether reversed semantics mislead the learned player, in one or two sentences; "" without an interval."""
    reversed_ = find(slowdowns, FULL, group, "reversed_semantics")
    factor = reversed_.over_seeds if reversed_ else None
    if factor is None or factor.low is None or factor.high is None:
        return ""
    cost = f"inputs are {tables.factor_text(factor)} times those on the original"
    if factor.low > 1:
        return f"Reversed semantics mislead `{FULL}`: {cost}."
    raised = "It met no treats when it was raised."
    return f"We found no evidence that reversed semantics mislead `{FULL}`: {cost}. {raised}"


def unfinished(cells: Cells) -> str:
    """The training seeds that have a version in some places only, by player; "" where there are none."""
    seeds = ((player, ", ".join(map(str, own))) for player, own in cells.unfinished().items())
    return "; ".join(f"{player}, {own}" for player, own in seeds)


def compared(found: Found, players: Sequence[str]) -> list[tuple[str, tables.Table]]:
    """Tables of these players beside their reference, by group."""
    made = [(GROUPS[name], tables.beside_table(found.recorded, players, cells)) for name, cells in found.groups.items()]
    return [(title, table) for title, table in made if table]


def agents_of(found: Found) -> list[dict[str, Any]]:
    """Agents without priors on each game that has committed rows: a table, or how far they got."""
    shown = []
    for game in GAMES:
        learners = without_priors(WITHOUT_PRIORS, game)
        if learners:
            table = tables.agents_table(found.slowdowns, learners, game)
            shown.append({"title": GROUPS[game], "won": won_by(learners), "table": table})
    return shown
