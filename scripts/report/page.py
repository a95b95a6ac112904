"""The page: one HTML file that holds everything it shows, and its numbers as CSV files beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from priorlab.envs.base.files import write_whole
from priorlab.envs.game.level import Level
from priorlab.envs.results.load import Results
from priorlab.scripts.analysis.comparison import MINUTES, TESTS, Analysis, Cell, Estimate, analyse, order_of
from priorlab.scripts.analysis.excluding import answer_counts, without
from priorlab.scripts.analysis.hypotheses import FEW
from priorlab.scripts.analysis.players import (
    Kind,
    Section,
    differences,
    geometry,
    of_kind,
    sections_of,
    title_of,
    title_of_game,
)
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.analysis.reaching import in_order, reaches_of
from priorlab.scripts.analysis.statistics import LEAST, RESAMPLES, Played, played
from priorlab.scripts.analysis.tables import tables_of, write_tables
from priorlab.scripts.report import panels, summary
from priorlab.scripts.report import version_figures as rows
from priorlab.scripts.report.missed import MISSED, Second, note_on, rows_of, second_analysis, show_second
from priorlab.scripts.report.pictures import data_uri, heat_map, is_turned, numbered, picture_of, trajectories
from priorlab.scripts.report.plots import THINGS
from priorlab.scripts.report.render import NARROW, WIDE, render
from priorlab.scripts.report.summary import NOTHING, estimate_text, number, percent

ABOUT_REACHABLE = {"princess": 5900}  # positions that can be reached: "about 5,900", by an exact search of its states
MOST_THINGS = 24  # that are drawn of a level; the tables have all
LINE = "#ffb27a"  # of tracks, on dark gray


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
    found = Level.read(level)
    runs, left_out = on_level(played(results), found, versions)
    section = Section(
        found.game, found.text(), tuple(versions), tuple(runs), tuple(differences(runs)), limit=longest_limit(runs)
    )
    return write_page(path, [section], problems=[*results.problems, *left_out], quick=quick, reachable=reachable)


def write_comparison(
    results: Results, path: Path, limit: float = MINUTES, paired: bool = False, exclude: Sequence[str] = (),
    missed: float = MISSED,
) -> Path:  # fmt: skip
    """Writes the comparison of everything in ``results``, a section a game, level, study and time limit; ``limit`` in
    minutes, to which means are counted, or to as many as the plays of a section could last.

    ``paired`` compares the plays of the same people, ``exclude`` leaves out people by their answers; a second analysis
    leaves out people's plays that missed more than the share ``missed`` of their steps.
    """
    runs, notes = without(played(results), exclude)
    sections, beyond = sections_of(runs, paired)
    return write_page(path, sections, limit, paired, missed, notes=notes, problems=[*results.problems, *beyond])


def write_page(
    path: Path,
    sections: Sequence[Section],
    limit: float = MINUTES,
    paired: bool = False,
    missed: float = MISSED,
    *,
    notes: Sequence[str] = (),
    problems: Sequence[str] = (),
    quick: bool = False,
    reachable: int | None = None,
) -> Path:
    """The page of these sections at ``path``, and their tables in the folder ``data`` beside it."""
    analyses = [analyse(section, limit, paired) for section in sections]
    seconds = [second_analysis(analysis, missed) for analysis in analyses]
    tables = [
        tables_of(analysis) | ({"without_missed": rows_of(second)} if second else {})
        for analysis, second in zip(analyses, seconds)
    ]
    parts = [show(*each, reachable) for each in zip(analyses, seconds, tables)]
    for number_, part in enumerate(parts):
        part["at"] = f"s{number_}-" if number_ else ""
        part["notes"] += limits(analyses[number_], limit)
    kinds = list(dict.fromkeys(kind for section in sections for kind in section.kinds))
    text = render(
        "page.html",
        parts=parts,
        kinds=kinds,
        has_people=any(kind.player == "person" for kind in kinds),
        notes=notes,
        quick=quick,
        published=published_figures(),
        published_ratio=published_ratio,
        limit=f"{limit:g}",
        paired=paired,
        problems=problems,
        unfinished=[run.folder for section in sections for run in section.runs if not run.finished],
        resamples=f"{RESAMPLES:,}",
        least=LEAST,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    write_tables(path.parent / "data", tables)
    return path


def longest_limit(runs: Sequence[Played]) -> float | None:
    """Minutes beyond which no play of these could last; None where that of some is not recorded, or nobody played."""
    limits = [run.limit for run in runs if run.player != "agent"]
    return max((limit for limit in limits if limit), default=None) if all(limits) else None


def on_level(runs: Sequence[Played], level: Level, versions: Sequence[str]) -> tuple[list[Played], list[str]]:
    """The runs on that level and those versions, and a line for each one that is left out."""
    kept, lines = [], []
    here = geometry(level.text())
    for run in runs:
        if geometry(run.level) != here:
            lines.append(f"{run.folder}: not on the level that is compared here, {level.name}")
        elif run.version not in versions:
            lines.append(f"{run.folder}: version {run.version} is not compared here")
        else:
            kept.append(run)
    return kept, lines


def show(analysis: Analysis, second: Second | None, tables: Mapping[str, pd.DataFrame], reachable: int | None) -> dict:
    """What the page shows of one section."""
    section, kinds = analysis.section, analysis.section.kinds
    published = published_figures()
    same_game = title_of_game(section.game) == published["game"]
    orders = [order_of(analysis, kind, means(published)) for kind in kinds] if same_game else []
    orders = [order for order in orders if order]
    places = reachable or ABOUT_REACHABLE.get(section.name.lower())
    return {
        "title": section.title,
        "limit": f"{analysis.limit:g}",
        "band": FEW,
        "headline": summary.headline(analysis),
        "findings": summary.findings(analysis, orders),
        "kinds": kinds,
        "human": [kind for kind in kinds if not kind.is_agent],
        "again": summary.plays_again(section.runs),
        "notes": [*section.notes, *note_on(second), *left_out(section)],
        "versions": [show_version(version, analysis, tables) for version in section.versions],
        "table": [
            (version, [cell_words(cell, places) for cell in analysis.cells if cell.version == version])
            for version in section.versions
        ],
        "tests": test_words(analysis),
        "missed": show_second(second),
        "made": tests_made(analysis),
        "meanings": "; ".join(summary.EFFECTS[name] for name in tests_made(analysis)),
        "effects": [TESTS[name] for name in tests_made(analysis)],
        "models": list(analysis.notes.items()),
        "untested": list(untested(analysis).items()),
        "figures": figures(analysis, published, same_game),
        "reach": show_reach(analysis),
        "same_game": same_game,
        "has_places": len(tables["exploration"]) > 0,
        "orders": [
            (order, [title_of(name) for name in order.versions if name in means(published)]) for order in orders
        ],
        "published_order": [
            title_of(name) for name in sorted(means(published), key=means(published).__getitem__)
            if name in section.versions
        ],
        "answers": list(answer_counts(section.runs).items()),
        "runs": [run_words(kind, of_kind(section.runs, kind)) for kind in kinds],
        "reachable": f"{reachable:,}" if reachable else f"about {places:,}" if places else "",
    }  # fmt: skip


def means(published: Mapping) -> dict[str, float]:
    """The published mean minutes of each version."""
    return {version: row["minutes"] for version, row in published["versions"].items()}


def limits(analysis: Analysis, limit: float) -> list[str]:
    """Where means are not counted to as many minutes as was asked for, or those may be more than plays could last."""
    section = analysis.section
    if analysis.limit < limit:
        return [
            f"Means are counted to {analysis.limit:g} minutes and not to {limit:g}: these plays could not last longer."
        ]
    if section.about and section.limit is None:
        return [f"How long these plays could last is not recorded; means are counted to {limit:g} minutes."]
    return []


def left_out(section: Section) -> list[str]:
    """What does not apply here, a line each."""
    lines = []
    if not any(run.curve.size for run in section.runs):
        lines.append(
            "Unique states, places and what was reached: left out, since the game does not tell where the player is."
        )
    agents = [kind.label for kind in section.kinds if kind.is_agent]
    if agents and len(agents) < len(section.kinds):
        lines.append(f"Minutes, quits, tracks and what was reached are of people's plays; {', '.join(agents)}: none.")
    return lines


def show_version(version: str, analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> dict:
    """What the page draws of one version: its picture, its curves, its heat maps and tracks."""
    section, kinds = analysis.section, analysis.section.kinds
    human = [kind for kind in kinds if not kind.is_agent]
    picture = picture_of(version, section.level)
    turn = -1 if picture is not None and is_turned(section.game, version) else 0
    last = max([1000, *(run.budget for run in section.runs)])
    curves = tables["exploration"]
    most = float(np.nanmax([100.0, *(curves[["states", "high"]].to_numpy(float).ravel() if len(curves) else ())]))
    seen = [(kind, of_kind(section.runs, kind, version)) for kind in kinds]
    shown: dict = {
        "name": version,
        "change": summary.CHANGES.get(version, ""),
        "picture": data_uri(np.rot90(picture, turn)) if picture is not None else "",
        "exploration": panels.exploration_panel(curves, version, kinds, last, most) if len(curves) else "",
        "survival": panels.survival_panel(tables["survival_inputs"], version, kinds, "inputs", last),
        "minutes": panels.survival_panel(tables["survival_minutes"], version, human, "minutes", analysis.limit)
        if human
        else "",
        "heat": [],
        "tracks": [],
    }
    if picture is not None:
        heat = [(kind, heat_map(own, picture)) for kind, own in seen if own]
        lines = [(kind, trajectories(own, picture, LINE)) for kind, own in seen if any(len(run.track) for run in own)]
        for name, drawn in (("heat", heat), ("tracks", lines)):
            shown[name] = [(kind, data_uri(np.rot90(image, turn))) for kind, image in drawn]
    return shown


def show_reach(analysis: Analysis) -> dict | None:
    """When and in which order things were reached: a picture that names them, a panel of each, a figure of order;
    None where nothing was."""
    section = analysis.section
    reach = reaches_of(section)
    if not any(each.times for each in reach):
        return None
    things = in_order(reach)
    counts = {thing.name: sum(len(each.times) for each in reach if each.thing == thing) for thing in things}
    most = sorted(counts, key=lambda name: -counts[name])[:MOST_THINGS]
    kept = [thing for thing in things if counts[thing.name] and thing.name in most]
    kinds = [kind for kind in section.kinds if any(each.kind == kind for each in reach)]
    versions = [version for version in section.versions if any(each.version == version for each in reach)]
    ends = [end for each in reach for end in ((each.median.value, each.median.low) if each.median else each.times)]
    times = [end for end in ends if end and np.isfinite(end)]
    first, last = min([1 / 60, *times]) * 0.8, max([1.0, analysis.limit, *times])
    picture = picture_of("original", section.level)
    return {
        "kinds": kinds,
        "picture": data_uri(numbered(things, picture)) if picture is not None else "",
        "things": [(thing.name, thing.short, THINGS.get(thing.kind, thing.kind)) for thing in things],
        "panels": [
            (thing, rows.reach_times([each for each in reach if each.thing == thing], versions, kinds, first, last))
            for thing in kept
        ],
        "order": {
            name: rows.reach_order(reach, kept, versions, kinds, width)
            for name, width in (("wide", WIDE), ("narrow", NARROW))
            if any(each.place for each in reach)
        },
        "few": any(each.place is None for each in reach),
        "least": LEAST,
        "missing": [thing.name for thing in things if thing not in kept],
        "turned": any(is_turned(section.game, version) for version in versions),
    }


def figures(analysis: Analysis, published: Mapping, same_game: bool) -> dict[str, dict[str, str]]:
    """The figures that span the page, each drawn for a screen and for a phone; empty where there is nothing to draw."""
    section = analysis.section
    game = "rebuilt here" if same_game else "another game"
    beside = {"": f"published people,\n{game} (grade)"}
    ratios = {name: published_ratio(dict(published), name) for name in section.versions}
    for version, ratio in ratios.items():
        beside[version] = f"{summary.times(ratio)} ({published['versions'][version]['grade']})" if ratio else NOTHING
    on_axis = {name: ratio for name, ratio in ratios.items() if ratio and same_game}
    drawn: dict[str, dict[str, str]] = {name: {} for name in ("slowdown", "minutes", "quits", "deaths")}
    compared = {(cell.version, cell.kind): cell.ratio for cell in analysis.cells if cell.ratio}
    for name, width in (("wide", WIDE), ("narrow", NARROW)):
        if compared:
            words = beside if name == "wide" else {}
            drawn["slowdown"][name] = rows.slowdown(section, compared, width, words, on_axis)
        if any(cell.worst for cell in analysis.cells):
            drawn["minutes"][name] = rows.minutes(analysis, width, means(published) if same_game else {})
            drawn["quits"][name] = rows.quits(analysis, width)
        if section.runs:
            drawn["deaths"][name] = rows.deaths(analysis, width)
    return drawn


def cell_words(cell: Cell, reachable: int | None) -> dict:
    """One row of the tables, as it is shown."""
    return {
        "kind": cell.kind,
        "n": cell.n,
        "won": f"{cell.won} of {cell.n}",
        "is_agent": cell.kind.is_agent,
        "first": summary.single_text(cell) if cell.single else summary.median_text(cell, cell.median),
        "ratio": summary.ratio_text(cell.ratio),
        "interval": summary.interval_text(cell.ratio),
        "mastered": summary.median_text(cell, cell.mastered) if cell.kind.is_agent else NOTHING,
        "deaths": summary.each_text([run.deaths for run in cell.single]) or number(cell.deaths),
        "mean_deaths": estimate_text(cell.mean_deaths),
        "states": number(cell.states.value) if cell.states else summary.each_text([run.states for run in cell.single]),
        "share": f"{100 * cell.states.value / reachable:.0f} %" if reachable and cell.states else "",
        "minutes": estimate_text(cell.minutes),
        "each": summary.single_text(cell, "minutes"),
        "worst": estimate_text(cell.worst),
        "worst_ratio": summary.times(cell.worst_ratio.value) if cell.worst_ratio else NOTHING,
        "quit": quit_text(cell.quit) if cell.quit else f"{cell.quits} of {cell.n}",
    }


def quit_text(found: Estimate) -> str:
    return f"{percent(found.value)} ({percent(found.low or 0)} \u2013 {percent(found.high or 0)})"


def test_words(analysis: Analysis) -> list[dict]:
    """The tests, a row a kind of player and version."""
    return [
        {
            "kind": cell.kind,
            "version": cell.version,
            "n": f"{max(test.n for test in cell.tests.values())}, {max(t.n_against for t in cell.tests.values())}",
            "tests": [
                (summary.p_text(cell.tests[name].p_holm), summary.effect_text(name, cell.tests[name]))
                if name in cell.tests
                else (NOTHING, NOTHING)
                for name in tests_made(analysis)
            ],
        }
        for cell in analysis.cells
        if cell.tests
    ]


def untested(analysis: Analysis) -> dict[str, list[str]]:
    """Why tests have no answer, and which those are: "Log-rank test (People, masked objects)"."""
    found: dict[str, dict[str, list[str]]] = {}
    for cell in analysis.cells:
        for name, test in cell.tests.items():
            if test.why:
                of_test = found.setdefault(test.why, {}).setdefault(TESTS[name][0], [])
                of_test.append(f"{cell.kind.label}, {title_of(cell.version)}")
    return {
        why: [f"{test} test ({'; '.join(whose)})" for test, whose in of_why.items()] for why, of_why in found.items()
    }


def tests_made(analysis: Analysis) -> list[str]:
    return [name for name in TESTS if any(name in cell.tests for cell in analysis.cells)]


def run_words(kind: Kind, runs: Sequence[Played]) -> dict:
    """How much a kind of player played, and with what."""
    settings = runs[0].settings
    return {
        "kind": kind,
        "runs": f"{len(runs)} {'runs' if kind.is_agent else 'plays'}",
        "inputs": number(max(run.budget for run in runs)),
        "skip": " or ".join(str(skip) for skip in sorted({run.frame_skip for run in runs})),
        "software": ", ".join(f"{name} {version}" for name, version in (settings.get("software") or {}).items()),
        "commit": (settings.get("git_commit") or "")[:10],
    }
