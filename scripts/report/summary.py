"""The words of the report and the cells of its tables, made from the numbers alone."""

from collections.abc import Sequence

import numpy as np

from priorlab.scripts.analysis.comparison import Analysis, Cell, Estimate, Order
from priorlab.scripts.analysis.hypotheses import FEW, Test
from priorlab.scripts.analysis.players import Kind, count, count_of, same_rules, title_of
from priorlab.scripts.analysis.slowdown import Contrast
from priorlab.scripts.analysis.statistics import LEAST, Played, Ratio

CHANGES = {
    "original": "nothing is changed",
    "retextured": "everything gets another arbitrary texture; things of one kind still look alike",
    "masked_semantics": "each kind of object is one plain colour",
    "reversed_semantics": "looks mislead: dangers look like treats, ladders look like fire",
    "masked_objects": "plain colours, hidden among meaningless blocks",
    "masked_affordances": "free space is filled with textures like those of platforms and ladders",
    "masked_similarity": "as masked affordances, and every platform and every ladder has a different texture",
    "ladder_interaction": "climbing needs left and right in turn",
    "gravity": "the game is turned by a quarter",
    "all_masked": "every prior about objects is masked at once",
}
EFFECTS = {  # how to read the effect of each test
    "log_rank": "hazard ratio, below 1 is slower",
    "mann_whitney": "probability that a player of the version takes longer than one of the original, .5 is no "
    "difference",
    "signed_rank": "share of people who took longer on the version than on the original, .5 is no difference",
    "deaths": "deaths per minute as a multiple of the original's",
}
NOTHING, TIMES = "\u2013", "\u00d7"  # a dash and the sign of multiplication


def number(value: float) -> str:
    """Three significant digits, with commas; millions as "1.25M"."""
    if np.isnan(value):
        return NOTHING
    if value >= 999_500:
        return f"{value / 1e6:.3g}M"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 10 or rounded == int(rounded) else f"{rounded:g}"


def times(value: float) -> str:
    """Two significant digits, such as "0.57x", "2.1x" and "11x"."""
    digits = 2 if value < 0.995 else 1 if value < 9.95 else 0
    return f"{value:,.{digits}f}{TIMES}"


def ratio_text(ratio: Ratio | None) -> str:
    """Such as "2.1x", with a sign of at least or at most if runs that never won make it a bound."""
    if ratio is None:
        return NOTHING
    return {"": "", ">=": "≥ ", "<=": "≤ ", "~": "≈ "}[ratio.bound] + times(ratio.value)


def interval_text(ratio: Ratio | None) -> str:
    if ratio is None or ratio.low is None or ratio.high is None:
        return ""
    return f"{times(ratio.low)} \u2013 {times(ratio.high)}".replace(TIMES, "")


def extra_text(cell: Cell) -> str:
    """Inputs beyond the original's, such as "+1,200" or "-30"; a bound as of the ratio."""
    if cell.extra is None or cell.ratio is None:
        return NOTHING
    sign = {"": "", ">=": "≥ ", "<=": "≤ ", "~": "≈ "}[cell.ratio.bound]
    direction = "+" if cell.extra.value >= 0 else "\u2212"
    return f"{sign}{direction}{number(abs(cell.extra.value))}"


def median_text(cell: Cell, value: float) -> str:
    return number(value) if np.isfinite(value) else f"> {number(cell.budget)}"


def each_text(values: Sequence[float], over: Sequence[bool] = ()) -> str:
    """The values of one or two players; those that were ``over`` a value as "> 900"."""
    ends = [*over] or [False] * len(values)
    return " and ".join(f"> {number(value)}" if is_over else number(value) for value, is_over in zip(values, ends))


def single_text(cell: Cell, unit: str = "inputs") -> str:
    """Inputs or minutes to the first win of each of a cell's one or two players."""
    return each_text([getattr(run, unit) for run in cell.single], [not run.won for run in cell.single])


def main_contrasts(analysis: Analysis) -> list[Contrast]:
    """Those of people, or of simulated players without them, with the first agent that learns from pictures alone."""
    known = [each for each in analysis.contrasts if each.p_holm is not None]
    known = [each for each in known if is_bare(each.agent) and each.agent.method != "random"]
    return [each for each in known if (each.kind, each.agent) == (known[0].kind, known[0].agent)]


def is_bare(kind: Kind) -> bool:
    """Whether it sees pictures and is given nothing else."""
    return not (kind.privileged or kind.given)


def headline(analysis: Analysis) -> str:
    """The finding in one sentence: in how many versions the change clearly slows people more than an agent or, without
    such a comparison, in how many it clearly slowed each kind of player."""
    contrasts = main_contrasts(analysis)
    if contrasts:
        what = "Changed looks" if same_rules(analysis.section) else "Changed looks or rules"
        who, agent = contrasts[0].kind.label.lower(), contrasts[0].agent.label
        more = among(sum(each.is_more for each in contrasts), len(contrasts))
        return f"{what} slow {who} clearly more than {agent} in {more}"
    parts = []
    for kind in analysis.section.kinds:
        known = [cell for cell in analysis.of_kind(kind) if cell.ratio and cell.ratio.low is not None]
        if kind.method == "random" or not is_bare(kind) or not known:
            continue
        slower = sum(cell.is_slower for cell in known)
        name = kind.label if kind.is_agent else kind.label.lower()
        many = count([cell.n for cell in known], kind)
        parts.append(f"{name} in {among(slower, len(known))} ({many} each)")
    if not parts:
        many = [(cell.kind, cell.version) for cell in analysis.cells if cell.n >= LEAST]
        enough = any((kind, "original") in many for kind, version in many if version != "original")
        return f"Too few have {'won' if enough else 'played'} yet to judge what changed looks do"
    what = "looks" if same_rules(analysis.section) else "looks or rules"
    return f"Changed {what} clearly slowed " + " and ".join(parts)


def support(analysis: Analysis) -> str:
    """How sure the headline is: the range of the ratios of ratios, the largest with its interval, and how many played;
    "" if the headline is not about them."""
    contrasts = main_contrasts(analysis)
    if not contrasts:
        return ""
    most = max(contrasts, key=lambda each: (each.bound != "<=", each.value))
    agent = most.agent
    assert most.low is not None and most.high is not None
    interval = f"95\u00a0% interval {times(most.low)} \u2013 {times(most.high)}".replace(TIMES, "")
    bound = {"": "", ">=": "at least ", "<=": "at most ", "~": "about "}[most.bound]
    size = f"{bound}{times(most.value)} as much as {agent.label} ({interval})"
    many = count([each.people.n for each in contrasts], most.kind)
    runs = count([each.agents.n for each in contrasts], agent)
    planted = " Their slow-downs are planted." if most.kind.player == "simulated" else ""
    return f"Most in {title_of(most.version)}: {size}. {many} and {runs} of {agent.label} per version.{planted}"


def among(some: int, n: int) -> str:
    """Such as "2 of 5 versions"; for a single version, whether it is that one."""
    if n == 1:
        return "the one version compared" if some else "no version"
    return f"{some or 'none'} of {n} versions"


def plays_again(runs: Sequence[Played]) -> int:
    """Plays by people who had played any version before: they know the game, so these are not first encounters."""
    players = [run.settings.get("player_id") for run in runs if run.player == "person"]
    known = [player for player in players if player]
    return len(known) - len(set(known))


def findings(analysis: Analysis, orders: Sequence[Order]) -> list[tuple[Kind, str]]:
    """A few sentences per kind of player: its inputs on the original, its ratios, and how far to trust them."""
    paragraphs = []
    for kind in analysis.section.kinds:
        cells = analysis.of_kind(kind)
        original = analysis.find(kind, "original")
        order = next((on_order(order) for order in orders if order.kind == kind), "")
        sentences = [on_original(original, kind, analysis.limit), on_changed(cells), order, caution(cells)]
        paragraphs.append((kind, " ".join(filter(None, sentences))))
    return paragraphs


def on_original(cell: Cell | None, kind: Kind, limit: float) -> str:
    if cell is None:
        return "No plays of the original yet, so there is nothing to compare."
    many = count_of([cell.n], kind.units)
    if cell.single and cell.won:
        return f"First win on the original after {single_text(cell)} inputs ({many})."
    if not np.isfinite(cell.median):
        return f"{cell.won or 'None'} of {many} won the original within {number(cell.budget)} inputs."
    who = f"median of {many}" if cell.n > 1 else many
    first = f"First win on the original after {number(cell.median)} inputs ({who})."
    if cell.n_mastered:
        first += f" 90 of the last 100 episodes won after {median_text(cell, cell.mastered)}."
    if cell.minutes and cell.n > 1:
        first += f" Mean {estimate_text(cell.minutes)} minutes, counted to {limit:g}."
    return first


def on_changed(cells: Sequence[Cell]) -> str:
    ratios = [(cell.ratio, title_of(cell.version)) for cell in cells if cell.ratio]
    if not ratios:
        return ""
    ratio, version = max(ratios, key=lambda pair: pair[0].value)
    interval = f" (95\u00a0% interval {interval_text(ratio)})" if ratio.low is not None else ""
    words = f"Longest on {version}: {ratio_text(ratio)} the inputs of the original{interval}."
    known = [cell for cell in cells if cell.ratio and cell.ratio.low is not None]
    if known:
        slower, faster = sum(cell.is_slower for cell in known), sum(cell.is_faster for cell in known)
        is_tested = any(cell.is_tested for cell in known)
        rule = "the whole interval above 1" + " and corrected p below .05" * is_tested
        words += f" Clearly slower, {rule}, in {among(slower, len(known))}"
        words += f"; clearly faster in {faster}." if faster else "."
    return words


def on_order(order: Order) -> str:
    tau = order.tau
    interval = "" if tau.low is None else f" (95\u00a0% interval {tau.low:.2f} \u2013 {tau.high:.2f})"
    return f"Order of {tau.n} versions compared with the published one: Kendall's tau {tau.value:.2f}{interval}."


def caution(cells: Sequence[Cell]) -> str:
    fewest = min((min(cell.ratio.n, cell.ratio.n_original) for cell in cells if cell.ratio), default=FEW)
    alone = [title_of(cell.version) for cell in cells if cell.single]
    if alone:
        many = cells[0].kind.units[1]
        return f"Fewer than {LEAST} {many} on {', '.join(alone)}: shown one by one, an example, not a finding."
    if fewest >= FEW:
        return ""
    if fewest < LEAST:
        many = cells[0].kind.independent[1]
        return f"With fewer than {LEAST} {many} there is no interval: an example, not a finding."
    return f"With {count([fewest], cells[0].kind)} the intervals are wide and rough: a first sign, not a result."


def percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def decimal(value: float) -> str:
    """Such as "0.22", "4.3" or "17.0"."""
    return f"{value:.{decimals(value)}f}"


def decimals(value: float) -> int:
    return 2 if value < 0.995 else 1 if value < 99.95 else 0


def estimate_text(estimate: Estimate | Ratio | None, form: str = "") -> str:
    """The value and its interval with equally many decimals, such as "4.2 (3.9 - 4.6)"."""
    if estimate is None:
        return NOTHING
    if not form and not any((estimate.value, estimate.low, estimate.high)):
        return "0"
    form = form or f".{decimals(estimate.value)}f"
    interval = "" if estimate.low is None else f" ({estimate.low:{form}} \u2013 {estimate.high:{form}})"
    return f"{estimate.value:{form}}{interval}"


def p_text(p: float) -> str:
    return NOTHING if np.isnan(p) else "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


ONE_SIDED = {0.0: "0 (never, or all later)", np.inf: "∞ (all earlier)"}  # hazard ratios without an interval


def effect_text(name: str, test: Test) -> str:
    """The effect of a test of that name, with its interval if it has one."""
    if np.isnan(test.effect):
        return NOTHING
    if test.low is None or test.high is None:
        words = ONE_SIDED if name == "log_rank" else {}
        return words.get(test.effect, hundredths(test.effect))
    return f"{hundredths(test.effect)} ({hundredths(test.low)} \u2013 {hundredths(test.high)})"


def hundredths(value: float) -> str:
    """With two decimals, from ten on with none."""
    return f"{value:.2f}" if value < 9.995 else f"{value:,.0f}"
