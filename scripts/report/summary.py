"""What the report says in words and in its tables, made from the numbers alone."""

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.report.statistics import Played, Ratio, median_time, ratio_to_original, times_of

CHANGES = {
    "original": "nothing is changed",
    "retextured": "everything gets another arbitrary texture; like things still look alike",
    "masked_semantics": "each kind of object is one plain colour",
    "reversed_semantics": "looks mislead: dangers look like treats, ladders look like fire",
    "masked_objects": "plain colours, hidden among blocks that mean nothing",
    "masked_affordances": "free space is filled with textures like those of platforms and ladders",
    "masked_similarity": "like affordances; and each platform and each ladder has a texture of its own",
    "ladder_interaction": "climbing takes left and right in turn",
    "gravity": "the whole game is turned by a quarter",
    "all_masked": "every prior about objects is masked at once",
}
NOTHING, TIMES = "\u2013", "\u00d7"  # a dash and the sign of multiplication
FEW = 5  # runs below which an interval is called rough


@dataclass(frozen=True)
class Kind:
    """A kind of player: all runs of one method."""

    method: str
    label: str  # as shown, with "(privileged)" where it is
    short: str  # as shown within figures, with a star where it is privileged
    colour: str  # its name in the style sheet
    privileged: bool
    unit: str  # what is counted: people or seeds


@dataclass(frozen=True)
class Cell:
    """One kind of player on one version; counts are of runs or people."""

    kind: Kind
    n: int
    won: int
    median: float  # inputs to the first win; infinity: at least half never won
    budget: int  # most inputs of a run
    ratio: Ratio | None
    deaths: float  # median, before the first win
    states: float  # mean unique states at the end
    mastered: float  # median inputs until 90 of the last 100 episodes were won, infinity where less than half did
    n_mastered: int


def kinds_of(runs: Sequence[Played]) -> list[Kind]:
    """People first, random last, privileged methods after the others."""
    names = {
        "person": "People", "ppo": "PPO", "ppo-no-bonus": "PPO, no bonus",
        "ppo-privileged-counts": "PPO, told positions",
        "random": "Random",
    }  # fmt: skip
    order = {"person": 0, "ppo": 1, "random": 9}
    found = sorted({(order.get(run.method, 5), run.privileged, run.method, run.player) for run in runs})
    free = itertools.cycle(("fourth", "fifth", "sixth", "seventh"))
    kinds = []
    for _, privileged, method, player in found:
        name = names.get(method, method)
        label, short = (f"{name} (privileged)", f"{name.split(',')[0]}*") if privileged else (name, name)
        colour = method if method in order and not privileged else next(free)
        kinds.append(Kind(method, label, short, colour, privileged, "people" if player == "person" else "seeds"))
    return kinds


def of_kind(runs: Sequence[Played], kind: Kind, version: str | None = None) -> list[Played]:
    """The runs of that kind of player, on that version where one is given."""
    found = [run for run in runs if run.method == kind.method and run.privileged == kind.privileged]
    return [run for run in found if version in (None, run.version)]


def cell_of(runs: Sequence[Played], kind: Kind, version: str) -> Cell | None:
    """None where that kind never played that version."""
    here = of_kind(runs, kind, version)
    if not here:
        return None
    is_mastered = np.array([not np.isnan(run.mastered) for run in here])
    mastered = np.array([run.budget if np.isnan(run.mastered) else run.mastered for run in here])
    return Cell(
        kind=kind,
        n=len(here),
        won=sum(run.won for run in here),
        median=median_time(*times_of(here)),
        budget=max(run.budget for run in here),
        ratio=None if version == "original" else ratio_to_original(here, of_kind(runs, kind, "original")),
        deaths=float(np.median([run.deaths for run in here])),
        states=float(np.mean([run.states for run in here])),
        mastered=median_time(mastered, is_mastered),
        n_mastered=int(is_mastered.sum()),
    )


def title_of(version: str) -> str:
    return version.replace("_", " ")


def number(value: float) -> str:
    """With three digits that count, and commas; millions as "1.25M"."""
    if np.isnan(value):
        return NOTHING
    if value >= 999_500:
        return f"{value / 1e6:.3g}M"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 10 or rounded == int(rounded) else f"{rounded:g}"


def times(value: float) -> str:
    return f"{value:.1f}{TIMES}" if value < 9.95 else f"{value:,.0f}{TIMES}"


def ratio_text(ratio: Ratio | None) -> str:
    """As "2.1x", with a sign of at least or at most where runs that never won make it a bound."""
    if ratio is None:
        return NOTHING
    return {"": "", ">=": "≥ ", "<=": "≤ ", "~": "≈ "}[ratio.bound] + times(ratio.value)


def interval_text(ratio: Ratio | None) -> str:
    if ratio is None or ratio.low is None or ratio.high is None:
        return ""
    return f"{ratio.low:.2g} \u2013 {ratio.high:.2g}"


def median_text(cell: Cell, value: float) -> str:
    return number(value) if np.isfinite(value) else f"> {number(cell.budget)}"


def published() -> dict:
    """The figures of the people's study, with their grades."""
    return tomllib.loads(Path(__file__).with_name("published.toml").read_text(encoding="utf-8"))


def published_ratio(figures: dict, version: str) -> float | None:
    here = figures["versions"].get(version)
    return here["minutes"] / figures["versions"]["original"]["minutes"] if here and version != "original" else None


def headline(cells: Sequence[Cell], kinds: Sequence[Kind]) -> str:
    """The finding in one sentence: in how many versions the changed look clearly slowed each kind of player."""
    parts = []
    for kind in kinds:
        ratios = [cell.ratio for cell in cells if cell.kind == kind and cell.ratio and cell.ratio.low is not None]
        if kind.method == "random" or kind.privileged or not ratios:
            continue
        slower = sum(is_slower(ratio) for ratio in ratios)
        name = "people" if kind.method == "person" else kind.label
        many = count([ratio.n for ratio in ratios], kind)
        parts.append(f"{name} in {slower or 'none'} of {len(ratios)} versions ({many} each)")
    if not parts:
        return "Too few have played yet to say what changed looks do"
    return "Changed looks clearly slowed " + " and ".join(parts)


def is_slower(ratio: Ratio) -> bool:
    return ratio.low is not None and ratio.low > 1 and ratio.bound != "<="


def is_faster(ratio: Ratio) -> bool:
    return ratio.high is not None and ratio.high < 1 and ratio.bound != ">="


def plays_again(runs: Sequence[Played]) -> int:
    """Plays by people who had played before, on any version: they know the game, so those are no first encounters."""
    players = [run.settings.get("player_id") for run in runs if run.player == "person"]
    known = [player for player in players if player]
    return len(known) - len(set(known))


def count(ns: Sequence[int], kind: Kind) -> str:
    """As "3 seeds", "1 person" or "8 to 10 people"."""
    unit = {"people": "person", "seeds": "seed"}[kind.unit] if max(ns) == 1 else kind.unit
    return f"{min(ns)} {unit}" if min(ns) == max(ns) else f"{min(ns)} to {max(ns)} {unit}"


def findings(cells: Sequence[tuple[str, Cell]], kinds: Sequence[Kind]) -> list[tuple[Kind, str]]:
    """A few sentences a kind of player: its inputs on the original, its ratios, and how far to trust them."""
    told = []
    for kind in kinds:
        own = [(version, cell) for version, cell in cells if cell.kind == kind]
        original = next((cell for version, cell in own if version == "original"), None)
        told.append((kind, " ".join([on_original(original, kind), on_changed(own), caution(own)]).strip()))
    return told


def on_original(cell: Cell | None, kind: Kind) -> str:
    if cell is None:
        return "Not on the original yet, so nothing can be compared."
    many = count([cell.n], kind)
    if not np.isfinite(cell.median):
        return f"{cell.won or 'None'} of {many} won the original within {number(cell.budget)} inputs."
    who = f"median of {many}" if cell.n > 1 else many
    first = f"First win on the original after {number(cell.median)} inputs ({who})."
    if cell.n_mastered:
        first += f" 90 of its last 100 episodes won after {median_text(cell, cell.mastered)}."
    return first


def on_changed(own: Sequence[tuple[str, Cell]]) -> str:
    ratios = [(cell.ratio, title_of(version)) for version, cell in own if cell.ratio]
    if not ratios:
        return ""
    ratio, version = max(ratios, key=lambda pair: pair[0].value)
    interval = f" (95\u00a0% interval {interval_text(ratio)})" if ratio.low is not None else ""
    words = f"Longest on {version}: {ratio_text(ratio)} the inputs of the original{interval}."
    known = [ratio for ratio, _ in ratios if ratio.low is not None]
    if known:
        slower, faster = sum(map(is_slower, known)), sum(map(is_faster, known))
        words += f" Clearly slower, the whole interval above 1, in {slower or 'none'} of {len(known)} versions"
        words += f"; clearly faster in {faster}." if faster else "."
    return words


def caution(own: Sequence[tuple[str, Cell]]) -> str:
    fewest = min((cell.n for _, cell in own if cell.ratio), default=FEW)
    if fewest >= FEW:
        return ""
    if fewest == 1:
        return "Where there is one only, there is no interval: an example, not a finding."
    return f"With {count([fewest], own[0][1].kind)} the intervals are wide and rough: a first sign, not a result."
