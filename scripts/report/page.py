"""The report: one HTML file that holds everything it shows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import jinja2

from envs.files import write_whole
from envs.level import Level
from envs.results import Results
from scripts.report import plots, summary
from scripts.report.pictures import data_uri, heat_map, picture_of
from scripts.report.statistics import RESAMPLES, Played, played
from scripts.report.summary import NOTHING, Cell, Kind, cell_of, kinds_of, of_kind, title_of

HERE = Path(__file__).parent
WIDE, NARROW = 1060.0, 400.0  # px of the figures that span the page, on a screen and on a phone
ABOUT_REACHABLE = 5900  # positions of Princess that can be reached: "about 5,900", by an exact search of its states


def write_report(
    results: Results,
    path: Path,
    versions: Sequence[str],
    level: str = "princess",
    quick: bool = False,
    reachable: int | None = None,
) -> Path:
    """Writes the report of the runs and plays on ``versions`` to ``path``; ``level`` is the one that is compared.

    Runs on another level are left out and listed. ``reachable`` is the exact number of positions of that level that
    can be reached, where it was counted.
    """
    runs, left_out = on_level(played(results), Level.read(level), versions)
    kinds = kinds_of(runs)
    cells = [(version, cell) for version in versions for kind in kinds if (cell := cell_of(runs, kind, version))]
    today = datetime.now(UTC)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(times=summary.times, title=title_of)
    text = environment.get_template("page.html").render(
        style=(HERE / "style.css").read_text(encoding="utf-8"),
        headline=summary.headline([cell for _, cell in cells], kinds),
        findings=summary.findings(cells, kinds),
        kinds=kinds,
        has_people=any(run.player == "person" for run in runs),
        again=summary.plays_again(runs),
        quick=quick,
        versions=[show_version(version, runs, kinds) for version in versions],
        table=[(version, [cell_words(cell, reachable) for at, cell in cells if at == version]) for version in versions],
        figures=figures(runs, cells, versions, kinds),
        published=summary.published(),
        published_ratio=summary.published_ratio,
        runs=[run_words(kind, of_kind(runs, kind)) for kind in kinds],
        problems=[*results.problems, *left_out],
        unfinished=[run.folder for run in runs if not run.finished],
        reachable=f"{reachable:,}" if reachable else f"about {ABOUT_REACHABLE:,}",
        resamples=f"{RESAMPLES:,}",
        now=f"{today.day} {today:%B %Y}",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    return path


def on_level(runs: Sequence[Played], level: Level, versions: Sequence[str]) -> tuple[list[Played], list[str]]:
    """The runs on that level and those versions, and a line for each one that is left out."""
    kept, lines = [], []
    for run in runs:
        own = Level.read(run.level)
        if (own.rows, own.start, own.goal, own.goal_size) != (level.rows, level.start, level.goal, level.goal_size):
            lines.append(f"{run.folder}: not on the level that is compared here, {level.name}")
        elif run.version not in versions:
            lines.append(f"{run.folder}: version {run.version} is not compared here")
        else:
            kept.append(run)
    return kept, lines


def show_version(version: str, runs: Sequence[Played], kinds: Sequence[Kind]) -> dict:
    """What the report draws of one version: its picture, its curves, its heat maps."""
    picture = picture_of(version)
    last = max([1000, *(run.budget for run in runs)])
    most = max([100.0, *(run.states for run in runs)])
    seen = [(kind, of_kind(runs, kind, version)) for kind in kinds]
    return {
        "name": version,
        "change": summary.CHANGES.get(version, ""),
        "picture": data_uri(picture),
        "exploration": plots.exploration_panel(runs, version, kinds, last, most),
        "survival": plots.survival_panel(runs, version, kinds, last),
        "heat": [(kind, data_uri(heat_map(own, picture))) for kind, own in seen if own],
    }


def figures(
    runs: Sequence[Played], cells: list[tuple[str, Cell]], versions: Sequence[str], kinds: Sequence[Kind]
) -> dict[str, dict[str, str]]:
    """The figures that span the page, each drawn for a screen and for a phone; empty where there is nothing to draw."""
    published = summary.published()
    beside = {"": "published people,\nanother game (grade)"}
    for version in versions:
        ratio = summary.published_ratio(published, version)
        beside[version] = f"{summary.times(ratio)} ({published['versions'][version]['grade']})" if ratio else NOTHING
    drawn: dict[str, dict[str, str]] = {"slowdown": {}, "deaths": {}}
    for name, width in (("wide", WIDE), ("narrow", NARROW)):
        if any(cell.ratio for _, cell in cells):
            drawn["slowdown"][name] = plots.slowdown(cells, versions, kinds, width, beside if name == "wide" else {})
        if runs:
            drawn["deaths"][name] = plots.deaths(runs, versions, kinds, width)
    return drawn


def cell_words(cell: Cell, reachable: int | None) -> dict:
    """One row of the table, as it is shown."""
    return {
        "kind": cell.kind,
        "won": f"{cell.won} of {cell.n}",
        "first": summary.median_text(cell, cell.median),
        "ratio": summary.ratio_text(cell.ratio),
        "interval": summary.interval_text(cell.ratio),
        "mastered": summary.median_text(cell, cell.mastered) if cell.kind.method != "person" else NOTHING,
        "deaths": summary.number(cell.deaths),
        "states": summary.number(cell.states),
        "share": f"{100 * cell.states / (reachable or ABOUT_REACHABLE):.0f} %",
    }


def run_words(kind: Kind, runs: Sequence[Played]) -> dict:
    """How much a kind of player played, and with what."""
    settings = runs[0].settings
    return {
        "kind": kind,
        "runs": f"{len(runs)} {'plays' if kind.method == 'person' else 'runs'}",
        "inputs": summary.number(max(run.budget for run in runs)),
        "skip": " or ".join(str(skip) for skip in sorted({run.frame_skip for run in runs})),
        "software": ", ".join(f"{name} {number}" for name, number in settings.get("software", {}).items()),
        "commit": (settings.get("git_commit") or "")[:10],
    }
