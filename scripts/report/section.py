"""What the page shows of one section: its words, numbers, pictures and figures, as ``section.html`` takes them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from priorlab.envs.game.versions import games
from priorlab.scripts.analysis.comparison import TESTS, Analysis, Cell, Estimate, order_of
from priorlab.scripts.analysis.excluding import answer_counts
from priorlab.scripts.analysis.flow import Flow, waits_of
from priorlab.scripts.analysis.hypotheses import FEW
from priorlab.scripts.analysis.players import Kind, Section, of_kind, title_of, title_of_game
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.analysis.reaching import in_order, reaches_of
from priorlab.scripts.analysis.statistics import LEAST, Played
from priorlab.scripts.report import courses, headlines, layout, panels, progress, summary, version_figures
from priorlab.scripts.report.contrasts import checks_words, show_contrasts, show_orders
from priorlab.scripts.report.missed import Second, note_on, show_second
from priorlab.scripts.report.pictures import data_uri, heat_map, is_turned, numbered, picture_of, trajectories
from priorlab.scripts.report.plots import THINGS, Drawing
from priorlab.scripts.report.progress import Curves
from priorlab.scripts.report.quality import show_quality
from priorlab.scripts.report.render import NARROW, WIDE
from priorlab.scripts.report.summary import NOTHING, estimate_text, number, percent

WIDTHS = {"wide": WIDE, "narrow": NARROW}
ABOUT_REACHABLE = {"princess": 5900}  # reachable positions, rounded: an exact search of its states counted them
MOST_THINGS = 24  # drawn of a level; the tables have all
RECORDED: dict[str, Callable[[Played], bool]] = {  # what some kinds of players may lack
    "minutes and quits": lambda run: run.player != "agent",
    "deaths": lambda run: not np.isnan(run.deaths),
    "progress": lambda run: run.progress.size > 0,
    "places": lambda run: len(run.visits) > 0,
    "tracks": lambda run: len(run.track) > 0,
    "what was reached": lambda run: len(run.reached) > 0,
}
LINE = "#ffb27a"  # of tracks, on dark gray


def show(
    analysis: Analysis, second: Second | None, flow: Flow | None, tables: Mapping[str, pd.DataFrame],
    reachable: int | None, chosen: Sequence[str] = (),
) -> dict:  # fmt: skip
    """What the page shows of one section; ``chosen``: the versions in the figure for print, by default all."""
    section, kinds = analysis.section, analysis.section.kinds
    curves = progress.curves_of(section, tables)
    published = published_figures()
    same_game = title_of_game(section.game) == published["game"]
    orders = [order for kind in kinds if same_game and (order := order_of(analysis, kind))]
    places = reachable or ABOUT_REACHABLE.get(section.name.lower())
    return {
        "title": section.title,
        "limit": f"{analysis.limit:g}",
        "band": FEW,
        "name": section.name,
        "headline": (said := headlines.headline(analysis)),
        "within": said if said[1].isupper() else f"{said[0].lower()}{said[1:]}",  # after a colon
        "support": summary.support(analysis),
        "findings": summary.findings(analysis, orders),
        "kinds": kinds,
        "human": [kind for kind in kinds if not kind.is_agent],
        "agents": [kind for kind in kinds if kind.is_agent],
        "again": summary.plays_again(section.runs),
        "notes": [*section.notes, *note_on(second), *left_out(section)],
        "versions": [
            show_version(version, analysis, tables, curves) | courses.panels_of(version, section, tables, curves.last)
            for version in section.versions
        ],
        "entropy": courses.entropy_table(section, tables),
        "learning": courses.learning_table(section, tables),
        "progress": show_progress(curves, section.versions, chosen),
        "maps": {name: show_maps(name, section) for name in ("heat", "tracks")},
        "table": [
            (version, [cell_words(cell, places) for cell in analysis.cells if cell.version == version])
            for version in section.versions
        ],
        "tests": test_words(analysis),
        "missed": show_second(second),
        "quality": show_quality(flow, waits_of(section), WIDTHS),
        "made": tests_made(analysis),
        "meanings": "; ".join(summary.EFFECTS[name] for name in tests_made(analysis)),
        "effects": [TESTS[name] for name in tests_made(analysis)],
        "models": models(analysis),
        "untested": untested(analysis),
        "figures": figures(analysis, published, same_game),
        "reach": show_reach(analysis),
        "same_game": same_game,
        "has_key": section.game == "key_door",
        "few_human": any(cell.single for cell in analysis.cells),
        "has_mastery": any(cell.kind.is_agent for cell in analysis.cells),
        "contrasts": show_contrasts(analysis, WIDTHS),
        "orders": show_orders(analysis),
        "checks": checks_words(analysis),
        "has_person": any(kind.player == "person" for kind in kinds),
        "answers": list(answer_counts(section.runs).items()),
        "runs": [run_words(kind, of_kind(section.runs, kind)) for kind in kinds],
        "reachable": f"{reachable:,}" if reachable else f"about {places:,}" if places else "",
    }  # fmt: skip


def means(published: Mapping) -> dict[str, float]:
    """The published mean minutes of each version."""
    return {version: row["minutes"] for version, row in published["versions"].items()}


def limits(analysis: Analysis, limit: float) -> list[str]:
    """A line if means are counted to fewer minutes than ``limit``, or if plays may have been shorter than that."""
    section = analysis.section
    if analysis.limit < limit:
        return [
            f"Means are counted to {analysis.limit:g} minutes instead of {limit:g}: these plays could not last longer."
        ]
    if section.about and section.limit is None:
        return [f"The time limit of these plays is not recorded; means are counted to {limit:g} minutes."]
    return []


def left_out(section: Section) -> list[str]:
    """One line for each measure that does not apply here."""
    lines = []
    if not any(run.curve.size for run in section.runs):
        lines.append(
            "Unique states, places and what was reached are left out: the game does not report the player's position."
        )
    missing: dict[str, list[str]] = {}
    for what, has in RECORDED.items():
        kinds = [kind.heading for kind in section.kinds if not any(map(has, of_kind(section.runs, kind)))]
        if kinds and len(kinds) < len(section.kinds):
            missing.setdefault(", ".join(kinds), []).append(what)
    if missing:
        words = [
            f"{' and '.join(filter(None, [', '.join(what[:-1]), what[-1]]))} of {who}" for who, what in missing.items()
        ]
        lines.append(f"Not recorded: {'; '.join(words)}.")
    some = [kind.label for kind in section.kinds if len(set(map(RECORDED["deaths"], of_kind(section.runs, kind)))) > 1]
    if some:
        lines.append(f"Deaths of {', '.join(some)} are counted in the versions where they are recorded for every run.")
    return lines


def show_version(version: str, analysis: Analysis, tables: Mapping[str, pd.DataFrame], curves: Curves) -> dict:
    """What the page draws for one version: its picture and its curves."""
    section, kinds = analysis.section, analysis.section.kinds
    here = [kind for kind in kinds if of_kind(section.runs, kind, version)]
    human = [kind for kind in here if not kind.is_agent]
    picture = picture_of(version, section.level)
    drawn = [measure.column for measure in curves.measures if curves.has(measure, version)]
    return {
        "name": version,
        "drawn": drawn,
        "change": summary.CHANGES.get(version, ""),
        "picture": data_uri(np.rot90(picture, turn_of(section, version))) if picture is not None else "",
        **{measure.column: progress.measure_panel(curves, measure, version) for measure in curves.measures},
        "survival": panels.survival_panel(tables["survival_inputs"], version, here, "inputs", longest(section)),
        "minutes": panels.survival_panel(
            tables["survival_minutes"], version, human, "minutes", longest_minutes(analysis)
        )
        if human
        else "",
    }


def turn_of(section: Section, version: str) -> int:
    """Quarters by which an upright picture is turned to be as on the screen."""
    return -1 if section.game in games() and is_turned(section.game, version) else 0


def longest(section: Section) -> float:
    """The most inputs of a play or run, on versions that can be compared: an agent's runs on a single version do not
    stretch the axes of all others."""
    several = [kind for kind in section.kinds if len({run.version for run in of_kind(section.runs, kind)}) > 1]
    return max([1000, *(run.budget for kind in several or section.kinds for run in of_kind(section.runs, kind))])


def longest_minutes(analysis: Analysis) -> float:
    """Where axes of minutes end: with the longest play, at most at the limit."""
    played = [run.minutes for run in analysis.section.runs if run.player != "agent"]
    return min(analysis.limit, max([1.0, *(1.02 * each for each in played)]))


def show_progress(curves: Curves, versions: Sequence[str], chosen: Sequence[str]) -> dict:
    """What the page shows of progress and unique states at matched inputs."""
    return {
        "columns": [measure.column for measure in curves.measures],
        "last": number(curves.last),
        "kinds": curves.kinds,
        "table": progress.shares_at(curves, versions),
        "print": progress.print_figure(curves, [name for name in versions if name in (chosen or versions)]),
    }


def show_maps(name: str, section: Section) -> dict:
    """Maps of where each kind of player went on each version: "heat" from visits, "tracks" from the tracks of plays."""
    shown, per_version = [], []
    for version in section.versions:
        picture = picture_of(version, section.level)
        for kind in section.kinds if picture is not None else ():
            runs = of_kind(section.runs, kind, version)
            recorded = [run for run in runs if len(run.track if name == "tracks" else run.visits)]
            if recorded and picture is not None:
                drawn = trajectories(recorded, picture, LINE) if name == "tracks" else heat_map(recorded, picture)
                shown.append((version, kind, data_uri(np.rot90(drawn, turn_of(section, version)))))
        per_version.append(sum(each[0] == version for each in shown))
    return {"shown": shown, "style": layout.columns(len(shown), layout.maps([n for n in per_version if n]))}


def show_reach(analysis: Analysis) -> dict | None:
    """When and in which order things were reached: a picture with their names, a panel for each, and a figure of the
    order. None if nothing was reached."""
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
    placed = [kind for kind in kinds if any(each.kind == kind and each.place for each in reach)]
    placed_on = [name for name in versions if any(each.version == name and each.place for each in reach)]
    ends = [end for each in reach for end in ((each.median.value, each.median.low) if each.median else each.times)]
    times = [end for end in ends if end and np.isfinite(end)]
    first, last = min([1 / 60, *times]) * 0.8, max([1.0, analysis.limit, *times])
    picture = picture_of("original", section.level)
    of_thing = {thing: [each for each in reach if each.thing == thing] for thing in kept}
    return {
        "kinds": kinds,
        "placed": placed,
        "picture": data_uri(numbered(things, picture)) if picture is not None else "",
        "things": [(thing.name, thing.short, THINGS.get(thing.kind, thing.kind)) for thing in things],
        "panels": [
            (thing, version_figures.reach_times(of_thing[thing], versions, kinds, first, last)) for thing in kept
        ],
        "order": {
            name: version_figures.reach_order(reach, kept, placed_on, placed, width)
            for name, width in WIDTHS.items()
            if placed
        },
        "few": any(each.place is None for each in reach),
        "least": LEAST,
        "missing": [thing.name for thing in things if thing not in kept],
        "turned": any(is_turned(section.game, version) for version in versions),
    }


def figures(analysis: Analysis, published: Mapping, same_game: bool) -> dict[str, dict[str, Drawing]]:
    """The figures that span the page, drawn for a screen and for a phone; empty if there is nothing to draw."""
    section = analysis.section
    game = "rebuilt here" if same_game else "another game"
    notes = {"": f"published people,\n{game} (grade)"}
    ratios = {name: published_ratio(dict(published), name) for name in section.versions}
    for version, ratio in ratios.items():
        notes[version] = f"{summary.times(ratio)} ({published['versions'][version]['grade']})" if ratio else NOTHING
    on_axis = {name: ratio for name, ratio in ratios.items() if ratio and same_game}
    drawn: dict[str, dict[str, Drawing]] = {name: {} for name in ("slowdown", "minutes", "quits", "deaths")}
    compared = {(cell.version, cell.kind): cell.ratio for cell in analysis.cells if cell.ratio}
    for name, width in WIDTHS.items():
        if compared:
            words = notes if name == "wide" else {}
            drawn["slowdown"][name] = version_figures.slowdown(
                section.versions, section.kinds, compared, width, words, on_axis
            )
        if any(cell.worst for cell in analysis.cells):
            drawn["minutes"][name] = version_figures.minutes(analysis, width, means(published) if same_game else {})
            if any(cell.quits for cell in analysis.cells if not cell.kind.is_agent):
                drawn["quits"][name] = version_figures.quits(analysis, width)
        if section.runs:
            drawn["deaths"][name] = version_figures.deaths(analysis, width)
    return drawn


def cell_words(cell: Cell, reachable: int | None) -> dict:
    """One row of the tables as text."""
    return {
        "kind": cell.kind,
        "n": cell.n,
        "won": f"{cell.won} of {cell.n}",
        "is_agent": cell.kind.is_agent,
        "first": summary.single_text(cell) if cell.single else summary.median_text(cell, cell.median),
        "ratio": summary.ratio_text(cell.ratio),
        "interval": summary.interval_text(cell.ratio),
        "extra": summary.extra_text(cell),
        "finishers": estimate_text(cell.finishers),
        "mastered": summary.median_text(cell, cell.mastered) if cell.kind.is_agent and not cell.kind.lives else NOTHING,
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


def quit_text(share: Estimate) -> str:
    return f"{percent(share.value)} ({percent(share.low or 0)} \u2013 {percent(share.high or 0)})"


def test_words(analysis: Analysis) -> list[dict]:
    """The tests, one row per kind of player and version."""
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
        if any(not np.isnan(test.p) for test in cell.tests.values())
    ]


def untested(analysis: Analysis) -> list[str]:
    """One sentence for each reason why tests were not made, such as "No log-rank test of PPO (7 versions): ..."."""
    places: dict[tuple[str, str, str], int] = {}  # (reason, test, kind of player) -> versions
    for cell in analysis.cells:
        for name, test in cell.tests.items():
            if test.why:
                key = (test.why, TESTS[name][0].replace("Log", "log"), cell.kind.label)
                places[key] = places.get(key, 0) + 1
    whose: dict[str, dict[str, list[str]]] = {}  # by reason and kinds of players: the tests
    for why, test in dict.fromkeys((why, test) for why, test, _ in places):
        kinds = [(label, n) for (reason, other, label), n in places.items() if (reason, other) == (why, test)]
        words = ", ".join(f"{label} ({n} version{'s' * (n > 1)})" for label, n in kinds)
        whose.setdefault(why, {}).setdefault(words, []).append(test)
    return [
        f"No {' or '.join(tests)} test of {words}: {why}."
        for why, of_why in whose.items()
        for words, tests in of_why.items()
    ]


def models(analysis: Analysis) -> list[str]:
    """One sentence for each model of deaths, with the kinds of players that it is of."""
    labels: dict[str, list[str]] = {}
    for label, model in analysis.notes.items():
        labels.setdefault(model, []).append(label)
    return [f"Deaths of {', '.join(each)}: {title_of(model)}." for model, each in labels.items()]


def tests_made(analysis: Analysis) -> list[str]:
    """Those that at least one kind of player on one version had enough players for."""
    tested = [(name, test) for cell in analysis.cells for name, test in cell.tests.items()]
    return [each for each in TESTS if any(name == each and not np.isnan(test.p) for name, test in tested)]


def run_words(kind: Kind, runs: Sequence[Played]) -> dict:
    """How much a kind of player played, and with which software."""
    settings = runs[0].settings
    return {
        "kind": kind,
        "runs": f"{len(runs)} {'lives' if kind.lives else 'runs' if kind.is_agent else 'plays'}",
        "inputs": number(max(run.budget for run in runs)),
        "skip": " or ".join(str(skip) for skip in sorted({run.frame_skip for run in runs})),
        "software": ", ".join(f"{name} {version}" for name, version in (settings.get("software") or {}).items()),
        "commit": (settings.get("git_commit") or "")[:10],
    }
