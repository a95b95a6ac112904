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
