"""The report: one HTML file that holds everything it shows."""

import base64
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import jinja2
import pandas as pd

from envs.level import Level
from envs.results import Results, write_whole
from scripts.report import plots, summary
from scripts.report.pictures import data_uri, heat_map, picture_of
from scripts.report.statistics import RESAMPLES, first_wins
from scripts.report.summary import Cell, Kind, cell_of, kinds_of, of_kind, title_of

HERE = Path(__file__).parent
WIDE, NARROW = 1060.0, 400.0  # px of the figures that span the page, on a screen and on a phone
ABOUT_REACHABLE = 5900  # positions of Princess that can be reached, "about 5,900" by an exact search of its states


def write_report(
    results: Results,
    path: Path,
    versions: Sequence[str],
    level: str = "princess",
    quick: bool = False,
    reachable: int | None = None,
) -> Path:
    """Writes the report of the runs and plays on ``versions`` to ``path``; ``level`` is the one that is compared.

    Runs on another level are left out and listed. ``reachable`` is the exact number of positions of that level, where
    it was counted.
    """
    results, left_out = on_level(results, Level.read(level), versions)
    wins = first_wins(results)
    kinds = kinds_of(wins)
    cells = [(version, cell) for version in versions for kind in kinds if (cell := cell_of(wins, kind, version))]
    today = datetime.now(timezone.utc)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=jinja2.select_autoescape(["html"]), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(number=summary.number, times=summary.times, title=title_of)
    text = environment.get_template("page.html").render(
        style=(HERE / "style.css").read_text(encoding="utf-8"),
        headline=summary.headline([cell for _, cell in cells], kinds),
        findings=summary.findings(cells, kinds),
        kinds=kinds,
        has_people=any(kind.method == "person" for kind in kinds),
        quick=quick,
        versions=[show_version(version, results, wins, kinds) for version in versions],
        table=[(version, [cell_words(cell, reachable) for at, cell in cells if at == version]) for version in versions],
        figures=figures(wins, cells, versions, kinds),
        published=summary.published(),
        published_ratio=summary.published_ratio,
        runs=run_words(results, kinds),
        problems=[*results.problems, *left_out],
        unfinished=results.configs.loc[~results.configs["finished"].astype(bool), "folder"].tolist(),
        reachable=f"{reachable:,}" if reachable else f"about {ABOUT_REACHABLE:,}",
        resamples=f"{RESAMPLES:,}",
        now=f"{today.day} {today:%B %Y}",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    return path


def on_level(results: Results, level: Level, versions: Sequence[str]) -> tuple[Results, list[str]]:
    """The rows on that level and those versions, and a line for each run or play that is left out."""
    configs = results.configs
    if len(configs) == 0:
        return results, []
    same = [Level.read(text).rows == level.rows and Level.read(text).start == level.start for text in configs["level"]]
    kept = pd.Series(same, index=configs.index) & configs["version"].isin(list(versions))
    lines = [f"{row['folder']}: on another level or version, not compared" for _, row in configs[~kept].iterrows()]
    keys = ["experiment", "version", "method", "privileged", "seed"]
    wanted = pd.MultiIndex.from_frame(configs.loc[kept, keys].astype(str))

    def choose(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[pd.MultiIndex.from_frame(frame[keys].astype(str)).isin(wanted)].reset_index(drop=True)

    chosen = [choose(frame) for frame in (results.episodes, results.exploration, results.visits)]
    return Results(*chosen, configs[kept].reset_index(drop=True), results.problems), lines


def show_version(version: str, results: Results, wins: pd.DataFrame, kinds: Sequence[Kind]) -> dict:
    """What the report draws of one version: its picture, its curves, its heat maps."""
    picture = picture_of(version)
    budget = max(1000.0, float(wins["budget"].max()) if len(wins) else 0)
    most = max(100.0, float(wins["all_states"].max()) if len(wins) else 0)
    exploration = results.exploration
    seen = [(kind, of_kind(results.visits, kind, version)) for kind in kinds]
    return {
        "name": version,
        "change": summary.CHANGES.get(version, ""),
        "picture": data_uri(picture),
        "exploration": plots.exploration_panel(exploration, version, kinds, budget, most),
        "survival": plots.survival_panel(wins, version, kinds, budget),
        "heat": [(kind, data_uri(heat_map(visits, picture))) for kind, visits in seen if len(visits)],
    }


def figures(wins: pd.DataFrame, cells: list[tuple[str, Cell]], versions: Sequence[str], kinds: Sequence[Kind]) -> dict:
    """The figures that span the page, each drawn for a screen and for a phone."""
    published = summary.published()
    beside = {"": "published people,\nanother game (grade)"}
    for version in versions:
        ratio = summary.published_ratio(published, version)
        beside[version] = f"{summary.times(ratio)} ({published['versions'][version]['grade']})" if ratio else "–"
    slowdown = {"wide": plots.slowdown(cells, versions, kinds, WIDE, beside)}
    slowdown["narrow"] = plots.slowdown(cells, versions, kinds, NARROW, {})
    deaths = {name: plots.deaths(wins, versions, kinds, width) for name, width in (("wide", WIDE), ("narrow", NARROW))}
    return {
        "slowdown": slowdown if any(cell.ratio for _, cell in cells) else {},
        "deaths": deaths if len(wins) else {},
    }


def cell_words(cell: Cell, reachable: int | None) -> dict:
    """One row of the table, as it is shown."""
    return {
        "kind": cell.kind,
        "won": f"{cell.won} of {cell.n}",
        "first": summary.median_text(cell, cell.median),
        "ratio": summary.ratio_text(cell.ratio),
        "interval": summary.interval_text(cell.ratio),
        "mastered": summary.median_text(cell, cell.mastered) if cell.kind.method != "person" else "–",
        "deaths": summary.number(cell.deaths),
        "states": summary.number(cell.all_states),
        "share": f"{100 * cell.all_states / (reachable or ABOUT_REACHABLE):.0f} %",
    }


def run_words(results: Results, kinds: Sequence[Kind]) -> list[dict]:
    """A row a kind of player: how much it played, and with what settings."""
    rows = []
    for kind in kinds:
        configs = of_kind(results.configs, kind)
        settings = configs["settings"].iloc[0]
        software = settings.get("software", {})
        skips = sorted({int(skip) for skip in configs["frame_skip"]})
        rows.append(
            {
                "kind": kind,
                "runs": f"{len(configs)} {'plays' if kind.method == 'person' else 'runs'}",
                "inputs": summary.number(configs["inputs"].max()),
                "skip": " or ".join(str(skip) for skip in skips),
                "software": ", ".join(f"{name} {number}" for name, number in software.items()),
                "commit": (settings.get("git_commit") or "")[:10],
            }
        )
    return rows
