"""The page of a comparison: one HTML file that holds everything it shows, and its numbers as CSV files next to it."""

from collections.abc import Sequence
from pathlib import Path

from priorlab.agents.priors.player_settings import GIVEN
from priorlab.envs.base.files import write_whole
from priorlab.envs.game.level import Level
from priorlab.envs.results.load import Results
from priorlab.scripts.analysis.comparison import MINUTES, analyse
from priorlab.scripts.analysis.excluding import without
from priorlab.scripts.analysis.flow import Flow, Session, flow_of, flow_rows
from priorlab.scripts.analysis.players import Section, differences, geometry, sections_of
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.analysis.resampling import RESAMPLES
from priorlab.scripts.analysis.statistics import LEAST, Played, played
from priorlab.scripts.analysis.tables import tables_of, write_tables
from priorlab.scripts.report.course_panels import MOST_LINES
from priorlab.scripts.report.figures import remove_figures, write_figures
from priorlab.scripts.report.missed import MISSED, rows_of, second_analysis
from priorlab.scripts.report.render import render
from priorlab.scripts.report.section import limits, show


def write_report(
    results: Results,
    path: Path,
    versions: Sequence[str],
    level: str = "princess",
    quick: bool = False,
    reachable: int | None = None,
    figures: bool = False,
    lives: Sequence[Played] = (),
    beside: Sequence[Section] = (),
) -> Path:
    """Writes the report on the runs and plays of ``versions`` on ``level`` to ``path``.

    Runs on another level are left out and listed. ``reachable``: the exact number of reachable positions, if known.
    ``figures`` as for ``write_page``. ``lives``: further plays of the level; ``beside``: sections that follow.
    """
    compared = Level.read(level)
    runs, left_out = on_level(played(results), compared, versions)
    runs += lives
    section = Section(
        compared.game,
        compared.text(),
        tuple(versions),
        tuple(runs),
        tuple(differences(runs)),
        limit=longest_limit(runs),
    )
    problems = [*results.problems, *left_out]
    sections = [section, *beside]
    return write_page(
        path, sections, problems=problems, quick=quick, reachable=reachable, figures=figures, by_game=True
    )


def write_comparison(
    results: Results, path: Path, limit: float = MINUTES, paired: bool = False, exclude: Sequence[str] = (),
    missed: float = MISSED, *, sessions: Sequence[Session] = (), figures: bool = False, chosen: Sequence[str] = (),
) -> Path:  # fmt: skip
    """Writes the comparison of everything in ``results``, one section per game, level, study and time limit.

    Means are counted to ``limit`` minutes, or to the longest possible play of a section. ``paired`` compares the plays
    of the same people; ``exclude`` excludes people by their answers; a second analysis excludes people's plays that
    missed more than the share ``missed`` of their steps. ``sessions``: those of ``read_sessions``, for the way from
    consent to analysis. ``figures`` and ``chosen`` as for ``write_page``.
    """
    recorded = played(results)
    runs, notes = without(recorded, exclude)
    sections, beyond = sections_of(runs, paired)
    known = sorted({version for section in sections for version in section.versions})
    if unknown := [version for version in chosen if version not in known]:
        raise ValueError(f"no plays of {', '.join(unknown)} for the figure in print: expected {', '.join(known)}")
    flows = [flow_of(section, recorded, runs, sessions) for section in sections]
    return write_page(
        path, sections, limit, paired, missed, flows=flows, figures=figures, chosen=chosen,
        notes=notes, problems=[*results.problems, *beyond],
    )  # fmt: skip


def write_page(
    path: Path,
    sections: Sequence[Section],
    limit: float = MINUTES,
    paired: bool = False,
    missed: float = MISSED,
    *,
    flows: Sequence[Flow | None] = (),
    figures: bool = False,
    chosen: Sequence[str] = (),
    notes: Sequence[str] = (),
    problems: Sequence[str] = (),
    quick: bool = False,
    reachable: int | None = None,
    by_game: bool = False,
) -> Path:
    """Writes the page of these sections to ``path``, and their tables to the folder ``data`` next to it.

    ``flows``: the way from consent to analysis of each section. ``figures``: every figure is also written to the folder
    ``figures`` next to the page, as SVG and PDF; those of an earlier page are removed from there. ``chosen``: the
    versions in the figure for print; none: all. ``by_game``: the page's headline has a sentence for each section, of
    which the first alone has the number ``reachable``.
    """
    flows = flows or [flow_of(section, section.runs, section.runs) for section in sections]
    analyses = [analyse(section, limit, paired) for section in sections]
    seconds = [second_analysis(analysis, missed) for analysis in analyses]
    tables = [
        tables_of(analysis)
        | ({"without_missed": rows_of(second)} if second else {})
        | ({"flow": flow_rows(analysis.section, flow)} if flow else {})
        for analysis, second, flow in zip(analyses, seconds, flows)
    ]
    known = [reachable, *[None] * len(sections[1:])]
    parts = [show(*each, chosen) for each in zip(analyses, seconds, flows, tables, known)]
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
        by_game=by_game,
        given={name: GIVEN[name] for kind in kinds for name in kind.given},
        published=published_figures(),
        published_ratio=published_ratio,
        limit=f"{limit:g}",
        paired=paired,
        problems=problems,
        unfinished=[run.folder for section in sections for run in section.runs if not run.finished],
        resamples=f"{RESAMPLES:,}",
        least=LEAST,
        most_lines=MOST_LINES,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    write_tables(path.parent / "data", tables)
    remove_figures(path.parent / "figures")  # of an earlier page
    if figures:
        write_figures(path.parent / "figures", parts)
    return path


def longest_limit(runs: Sequence[Played]) -> float | None:
    """The longest time limit of these plays, in minutes; None if any has none recorded, or without plays."""
    limits = [run.limit for run in runs if run.player != "agent"]
    return max((limit for limit in limits if limit), default=None) if all(limits) else None


def on_level(runs: Sequence[Played], level: Level, versions: Sequence[str]) -> tuple[list[Played], list[str]]:
    """The runs on that level and those versions, and one line for each of the others."""
    kept, lines = [], []
    here = geometry(level.text())
    for run in runs:
        if geometry(run.level) != here:
            lines.append(f"{run.folder}: not on {level.name}, the level compared here")
        elif run.version not in versions:
            lines.append(f"{run.folder}: version {run.version}, which is not compared here")
        else:
            kept.append(run)
    return kept, lines
