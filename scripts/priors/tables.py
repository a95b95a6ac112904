"""The cells of the page's tables: lists of rows of text, made from numbers alone."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from priorlab.agents.priors.roles import ROLES
from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.efficiency import Learner
from priorlab.scripts.analysis.players import title_of
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.priors.aims import SIGNS, is_like
from priorlab.scripts.priors.cast import FULL, MATRIX_FULL, TOLD, in_order, named
from priorlab.scripts.priors.cells import ORIGINAL, VERSIONS, Cells
from priorlab.scripts.priors.comparing import order_of
from priorlab.scripts.priors.matrix import MASK_NAMES, SETS, Matrix
from priorlab.scripts.priors.recorded import GROUPS, LEVELS, Frame, Recorded
from priorlab.scripts.priors.slowdowns import Slowdown, find, times_of
from priorlab.scripts.report.summary import NOTHING, hundredths, number, p_text, percent, ratio_text, times

SLOWDOWNS = (
    "version", "solved", "median", "mean", "extra", "ratio of means", "over seeds (95 %)", "over levels (95 %)",
    "people", "within 2 times", "deaths", "unique states", "progress",
)  # fmt: skip

FINEST = 0.01  # seconds, to which rows are rounded

Table = tuple[Sequence[str], list[list[str]]]


def factor_text(estimate: Estimate | None, bound: str = "") -> str:
    """Such as "≥ 2.31 (1.80 - 2.95)"."""
    if estimate is None:
        return NOTHING
    ends = "" if estimate.low is None or estimate.high is None else (
        f" ({hundredths(estimate.low)} \u2013 {hundredths(estimate.high)})"
    )  # fmt: skip
    return f"{SIGNS[bound]}{hundredths(estimate.value)}{ends}"


def people_text(version: str) -> str:
    """People's published ratio and its grade."""
    figures = published_figures()
    ratio = published_ratio(figures, version)
    return f"{times(ratio)} ({figures['versions'][version]['grade']})" if ratio else NOTHING


def slowdown_table(slowdowns: Sequence[Slowdown], player: str, group: str) -> Table:
    """A player on each version of a group. People's ratios are those on Key and Door; only there they are compared."""
    own = [each for each in slowdowns if (each.player, each.group) == (player, group)]
    rows = []
    for each in own:
        people = published_ratio(published_figures(), each.version)
        like = "" if not people or each.ratio is None else "yes" if is_like(each.ratio, people) else "no"
        rows.append({
            "version": title_of(each.version),
            "solved": f"{percent(each.solved)} of {each.lives}",
            "median": number(each.median),
            "mean": number(each.mean),
            "extra": signed(each),
            "ratio of means": NOTHING if each.ratio is None else f"{SIGNS[each.bound]}{times(each.ratio)}",
            "over seeds (95 %)": factor_text(each.over_seeds, each.bound),
            "over levels (95 %)": factor_text(each.over_levels, each.bound),
            "people": people_text(each.version),
            "within 2 times": like or NOTHING,
            "deaths": f"{each.deaths:.1f}",
            "unique states": number(each.unique_states),
            "progress": percent(each.progress) if np.isfinite(each.progress) else NOTHING,
        })  # fmt: skip
    left_out = {"over levels (95 %)"} if group != LEVELS else set()
    left_out |= {"within 2 times"} if group != "key_door" else set()
    left_out |= {"people"} if group == "princess" else set()
    left_out |= {"progress"} if all(row["progress"] == NOTHING for row in rows) else set()
    header = [name for name in SLOWDOWNS if name not in left_out]
    return header, [[row[name] for name in header] for row in rows]


def players_table(slowdowns: Sequence[Slowdown], group: str) -> Table | None:
    """Every player's ratios to its own original in a group, over seeds, and its mean inputs on the original; None
    without another player than those that have tables of their own."""
    players = in_order({each.player for each in slowdowns if each.group == group})
    if not {*players} - {FULL, TOLD}:
        return None
    changed = [version for version in VERSIONS if version != ORIGINAL]
    rows = []
    for player in players:
        own = {version: find(slowdowns, player, group, version) for version in VERSIONS}
        first = own[ORIGINAL]
        on_original = f"{number(first.mean)} ({percent(first.solved)} solved)" if first else NOTHING
        cells = [factor_text(here.over_seeds, here.bound) if (here := own[version]) else NOTHING for version in changed]
        rows.append([named(player), on_original, *cells])
    return ["player (given)", ORIGINAL, *map(title_of, changed)], rows


def signed(each: Slowdown) -> str:
    if each.extra is None:
        return NOTHING
    return f"{SIGNS[each.bound]}{'+' if each.extra >= 0 else chr(0x2212)}{number(abs(each.extra))}"


def beside_table(recorded: Recorded, players: Sequence[str], cells: Cells) -> Table | None:
    """How many times as many inputs as their reference these players need, version by version; None without rows."""
    references = {player: reference_of(recorded, player) for player in players}
    found = {
        (version, player): times_of(cells, (player, version), (references[player], version))
        for version in VERSIONS
        for player in players
    }
    shown = [player for player in players if any(found[version, player] for version in VERSIONS)]
    if not shown:
        return None
    header = ["version", *(f"{named(player)} / {references[player]}" for player in shown)]
    rows = []
    for version in VERSIONS:
        here = [found[version, player] for player in shown]
        if any(here):
            words = [factor_text(each.over_seeds, each.bound) if each else NOTHING for each in here]
            rows.append([title_of(version), *words])
    return header, rows


def reference_of(recorded: Recorded, player: str) -> str:
    """The player with all priors that learned from as many pictures; ``full`` for a player that was not raised."""
    raising = recorded.fixed.get("players", {}).get(player, {}).get("raising") or player  # whose weights it has
    pictures = recorded.raised.groupby("player")["pictures"].max()
    same = raising in pictures and MATRIX_FULL in pictures and pictures[raising] == pictures[MATRIX_FULL]
    return MATRIX_FULL if same else FULL


def order_table(groups: Mapping[str, Cells], players: Sequence[str]) -> Table | None:
    """Kendall's tau of each player's order of versions with people's, by group; None without any."""
    header = ["player (given)", "places", "versions", "seeds", "Kendall's tau (95 %)", "p"]
    rows = []
    for player in players:
        for group, cells in groups.items():
            found = order_of(cells, player)
            if found is not None and np.isfinite(found.tau):
                ends = "" if found.low is None else f" ({found.low:.2f} \u2013 {found.high:.2f})"
                counts = [str(len(found.second.versions)), str(found.second.n[0])]
                rows.append([named(player), GROUPS[group], *counts, f"{found.tau:.2f}{ends}", p_text(found.p)])
    return (header, rows) if rows else None


def agents_table(slowdowns: Sequence[Slowdown], learners: Sequence[Learner], game: str) -> Table | None:
    """Ratios of a game's agents without priors beside the learned player's; None where no agent has a ratio. An agent
    with several budgets counts by the first."""
    first = {(each.kind.label, each.version): each for each in reversed(learners)}
    ratios = {name: ratio for name, each in first.items() if (ratio := each.reached["first"].ratio)}
    agents = [name for name in dict.fromkeys(each.kind.label for each in learners) if name != "Random"]
    agents = [name for name in agents if any(label == name for label, _ in ratios)]
    if not agents:
        return None
    rows = []
    for version in VERSIONS:
        own = find(slowdowns, FULL, game, version)
        found = [ratios.get((name, version)) for name in agents]
        if version != ORIGINAL and any(found):
            learned = factor_text(own.over_seeds, own.bound) if own else NOTHING
            rows.append([title_of(version), people_text(version), learned, *map(ratio_and_ends, found)])
    return ["version", "people, Key and Door (grade)", named(FULL), *(f"{name} (nothing)" for name in agents)], rows


def ratio_and_ends(ratio) -> str:
    if ratio is None or ratio.low is None:
        return ratio_text(ratio)
    return factor_text(Estimate(ratio.value, ratio.low, ratio.high, ratio.n), ratio.bound)


def matrix_table(matrices: Mapping[str, Matrix]) -> Table:
    """The relief of each set of places over seeds, and beside it over levels; and each mask's own."""
    header = ["places", "seeds that count", "relief (95 %, seeds)", "relief (95 %, levels)", *MASK_NAMES.values()]
    rows = []
    for each in matrices.values():
        if each.relief:
            seeds = f"{len(each.seeds)} of {len(each.seeds) + len(each.left_out)}"
            rows.append([SETS[each.set], seeds, *map(factor_text, [each.factor, each.over_levels, *each.by_mask])])
    return header, rows


def perception_table(perception: Frame, player: str, group: str) -> Table | None:
    """Recall and, in brackets, the mean probability of the true role, by version and role; and nats per cell."""
    rows = perception[(perception["player"] == player) & (perception["group"] == group)]
    if not len(rows):
        return None
    roles = [role for role in ROLES if role in set(rows["role"])]
    shown = []
    for version in (name for name in VERSIONS if name in set(rows["version"])):
        here = rows[rows["version"] == version]
        cells = [weighted(here[here["role"] == role]) for role in roles]
        words = [NOTHING if not len(each) else f"{each['recall']:.2f} ({each['probability']:.2f})" for each in cells]
        shown.append([title_of(version), *words, f"{weighted(here)['nll']:.3f}"])
    return ["version", *roles, "nats per cell"], shown


def players_perception(perception: Frame) -> Table | None:
    """Nats per cell of every player, by version, of rows as ``common`` finds them."""
    rows = perception
    versions = [name for name in VERSIONS if name in set(rows["version"])]
    players = in_order(set(rows["player"]))
    if len(players) < 2:
        return None
    by_player = [rows[rows["player"] == player] for player in players]
    cells = [[weighted(own[own["version"] == version]).get("nll", np.nan) for own in by_player] for version in versions]
    words = [[NOTHING if np.isnan(value) else f"{value:.3f}" for value in row] for row in cells]
    return ["version", *players], [[title_of(version), *row] for version, row in zip(versions, words)]


def common(perception: Frame) -> Frame:
    """The rows of players that can be laid side by side: of the places in which all of them have all their versions;
    training seeds that lack a row which another seed of the player has are left out."""
    rows = perception.assign(at=perception["place"] + " " + perception["version"])
    by_seed = rows.groupby(["player", "seed"])["at"].nunique()
    whole = by_seed == by_seed.groupby("player").transform("max")
    rows = rows[pd.MultiIndex.from_frame(rows[["player", "seed"]]).isin(by_seed.index[whole])]
    versions = rows.groupby(["player", "place"])["version"].nunique().unstack(fill_value=0)
    shared = versions.eq(versions.max(axis=1), axis=0).all()
    return perception.loc[rows.index[rows["place"].isin(shared.index[shared])]]


def weighted(rows: Frame) -> dict[str, float]:
    """Means over cells; empty without a cell."""
    cells = rows["cells"].to_numpy(float)
    if not cells.sum():
        return {}
    known = {name: rows[name].to_numpy(float) for name in ("probability", "recall", "nll")}
    return {name: float(np.average(values, weights=cells)) for name, values in known.items()}


def appraisal_table(appraisal: Frame) -> Table:
    """Recall by dial and role on random levels and looks, from the rows of `priorlab raise`, with nothing revealed."""
    rows = appraisal[appraisal["share"] == 0]
    recalls = [f"recall_{role}" for role in ROLES if f"recall_{role}" in rows]
    cells = rows.groupby("condition", sort=False)[[*recalls, "nll"]].mean()
    header = ["dials", *(name.removeprefix("recall_") for name in recalls), "nats per cell"]
    return header, [
        [str(condition), *("" if np.isnan(value) else f"{value:.2f}" for value in row[:-1]), f"{row[-1]:.3f}"]
        for condition, row in zip(cells.index, cells.to_numpy(float))
    ]


def compute_table(recorded: Recorded) -> Table:
    """CPU seconds: of raising a player, and of its lives; on Key and Door alone, too. Those of raising the player that
    comes with the package are not known, so a total that includes it is a lower bound."""
    lives, raised = recorded.lives, recorded.raised
    header = ["player (given)", "raised", "pictures", "seconds each", "lives", "seconds per life",
              "median on Key and Door", "longest there", "ms per input", "hours in all"]  # fmt: skip
    rows = []
    for player in in_order({*lives["player"], *raised["player"]}):
        own, learned = lives[lives["player"] == player], raised[raised["player"] == player]
        seconds, inputs = float(own["seconds"].sum()), max(float(own["inputs"].sum()), 1)
        raising = [str(len(learned)), *mean_of(learned, "pictures"), *mean_of(learned, "seconds")]
        here = own.loc[own["place"] == "key_door", "seconds"]
        lived = [f"{len(own):,}", *mean_of(own, "seconds"), amount(here.median()), amount(here.max())]
        playing = [*lived, f"{1000 * seconds / inputs:.1f}" if len(own) else NOTHING]
        total, bound = (seconds + float(learned["seconds"].sum())) / 3600, ">=" * bool(learned["seconds"].isna().any())
        rows.append([named(player), *raising, *playing, f"{SIGNS[bound]}{total:.1f}"])
    return header, rows


def mean_of(rows: Frame, column: str) -> Iterator[str]:
    """Of the rows in which it is known."""
    yield amount(float(rows[column].mean()))


def amount(value: float) -> str:
    """A number; a dash for one that is not known, and < for one finer than rows are rounded to."""
    return NOTHING if np.isnan(value) else number(value) if value >= FINEST else f"< {FINEST:g}"
