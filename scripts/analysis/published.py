"""The published figures of the people's study, with their grades (``published.toml``)."""

import tomllib
from pathlib import Path


def published_figures() -> dict:
    """The figures of the people's study, with their grades."""
    return tomllib.loads(Path(__file__).with_name("published.toml").read_text(encoding="utf-8"))


def published_ratio(figures: dict, version: str) -> float | None:
    here = figures["versions"].get(version)
    return here["minutes"] / figures["versions"]["original"]["minutes"] if here and version != "original" else None


def published_means() -> dict[str, float]:
    """The published mean minutes of each version, of the people who finished."""
    return {version: row["minutes"] for version, row in published_figures()["versions"].items()}


def published_line(version: str) -> str:
    """The published figure of a version, with its grade, such as "4.3 minutes, 2.4 times the original's (grade B)"."""
    figures = published_figures()
    if version == "retextured":
        motivating = figures["motivating"]
        return f"{motivating['retextured']}, on another game (grade {motivating['grade']})"
    row = figures["versions"].get(version)
    if row is None:
        return "no published figure"
    about = "about " if "minutes" in row.get("about", ()) else ""
    ratio = published_ratio(figures, version)
    times = f", {about}{ratio:.1f} times the original's" if ratio else ""
    return f"{about}{row['minutes']:g} minutes{times} (grade {row['grade']})"


def published_note() -> str:
    """Where the figures come from, and what their grades say."""
    figures = published_figures()
    grades = "; ".join(f"{grade}: {meaning}" for grade, meaning in figures["grades"].items())
    return f"Published: {figures['source']}; {figures['game']}, in another layout. {figures['note']} Grades: {grades}."
