"""What the page shows of how plays go: entropy, deaths over time, single plays, and learning over repeated plays."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from priorlab.scripts.analysis.entropy import MATCHED
from priorlab.scripts.analysis.players import Kind, Section
from priorlab.scripts.report import course_panels, learning_panels
from priorlab.scripts.report.panels import curve
from priorlab.scripts.report.plots import Drawing
from priorlab.scripts.report.summary import NOTHING, number

Tables = Mapping[str, pd.DataFrame]
PANELS = ("mean_deaths", "entropy", "single_states", "single_covered", "plays", "episodes")


def panels_of(version: str, section: Section, tables: Tables, last: float) -> dict[str, Drawing | str]:
    """The drawings of one version, by PANELS; "" where nothing is recorded. ``last``: inputs at which axes end."""
    drawn: dict[str, Drawing | str] = dict.fromkeys(PANELS, "")
    deaths, entropy, single, learning = (
        tables.get(name, pd.DataFrame()) for name in ("mean_deaths", "mean_entropy", "single", "learning")
    )
    deaths = deaths.loc[deaths["inputs"] <= last] if len(deaths) else deaths
    matched = entropy.dropna(subset="at_inputs") if len(entropy) else entropy
    if len(rows := of_version(deaths, version)):
        most = float(np.nanmax([1.0, *deaths[["high", "cumulative_deaths"]].to_numpy(float).ravel()]))
        drawn["mean_deaths"] = course_panels.deaths_panel(deaths, version, kinds_in(rows, section), last, most)
    if len(rows := of_version(matched, version)):
        bits = float(np.nanmax([1.0, *matched[["high", "mean_entropy"]].to_numpy(float).ravel()]))
        ends = 1.3 * float(matched["at_inputs"].to_numpy(float).max()), bits
        drawn["entropy"] = course_panels.entropy_panel(matched, version, kinds_in(rows, section), *ends)
    shown = single["inputs"] <= last if len(single) else pd.Series(dtype=bool)
    rows = single.loc[shown & (single["version"] == version)] if len(single) else single
    for column in (name for name in course_panels.SINGLE if name in rows and rows[name].notna().to_numpy(bool).any()):
        most = float(np.nanmax(single.loc[shown, column].to_numpy(float))) if column == "states" else 1.0
        drawn[f"single_{column}"] = course_panels.single_panel(
            rows, version, kinds_in(rows, section), column, last, most
        )
    kinds = kinds_in(of_version(learning, version), section)
    if any(not kind.is_agent for kind in kinds):
        drawn["plays"] = learning_panels.plays_panel(learning, version, kinds)
    if any(kind.is_agent for kind in kinds):
        drawn["episodes"] = learning_panels.episodes_panel(learning, version, kinds)
    return drawn


def of_version(frame: pd.DataFrame, version: str) -> pd.DataFrame:
    return frame.loc[frame["version"] == version] if len(frame) else frame


def kinds_in(rows: pd.DataFrame, section: Section) -> list[Kind]:
    there = set(rows["player"]) if len(rows) else set()
    return [kind for kind in section.kinds if kind.label in there]


def entropy_table(section: Section, tables: Tables) -> dict:
    """Mean entropy of each kind of player on each version at numbers of inputs: ``marks``, and by version the rows of
    (kind, texts, text of complete plays and runs)."""
    frame = tables.get("mean_entropy", pd.DataFrame())
    if not len(frame):
        return {}
    there = set(frame["at_inputs"].dropna())
    marks = [inputs for inputs in MATCHED if inputs in there]
    groups = []
    for version in section.versions:
        rows = []
        for kind in section.kinds:
            here = curve(frame, kind, version)
            if len(here):
                at = {
                    None if each["at_inputs"] is pd.NA else each["at_inputs"]: each for each in here.to_dict("records")
                }
                rows.append((kind, [entropy_text(at.get(inputs)) for inputs in marks], entropy_text(at.get(None))))
        groups.append((version, rows))
    return {"marks": [number(inputs) for inputs in marks], "groups": [group for group in groups if group[1]]}


def entropy_text(row: Mapping | None) -> str:
    """The mean with its interval and n."""
    if row is None:
        return NOTHING
    value, low, high, n = (
        float("nan" if row[name] is None else row[name]) for name in ("mean_entropy", "low", "high", "n")
    )
    return f"{value:.1f}" + (f" ({low:.1f} \u2013 {high:.1f})" if np.isfinite(low) else "") + f", n {n:.0f}"


def learning_table(section: Section, tables: Tables) -> list[tuple[str, list[dict]]]:
    """By version, one row per kind of people and number of the play."""
    frame, groups = tables.get("learning", pd.DataFrame()), []
    for version in section.versions if len(frame) else ():
        rows = [
            {"kind": kind, "attempt": each["attempt"], "n": each["n"], **learning_words(each)}
            for kind in section.kinds
            if not kind.is_agent
            for each in curve(frame, kind, version).to_dict("records")
        ]
        groups += [(version, rows)] if rows else []
    return groups


def learning_words(row: Mapping) -> dict[str, str]:
    """The estimates of one row as text."""
    words = {}
    for name in ("mean_inputs", "ratio_to_first", "mean_deaths", "share_won", "mean_covered"):
        value, low, high = (float("nan") if row[key] is None else row[key] for key in ends(name))
        scale, form, unit = (100, ".0f", " %") if name in ("share_won", "mean_covered") else (1, ".3g", "")
        texts = [f"{scale * each:{form}}" if each < 1000 else number(each) for each in (value, low, high)]
        words[name] = NOTHING if np.isnan(value) else f"{texts[0]}{unit} ({texts[1]} \u2013 {texts[2]})"
    return words


def ends(name: str) -> Sequence[str]:
    return name, f"{name}_low", f"{name}_high"
