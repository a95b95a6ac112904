"""Pages and READMEs from their templates."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from priorlab.scripts.analysis.players import Kind, title_of
from priorlab.scripts.report import layout, summary
from priorlab.scripts.report.plots import variables

TEMPLATES = Path(__file__).parent / "templates"
WIDE, NARROW = 1060.0, 400.0  # px of the figures that span the page, on a screen and on a phone


def render(template: str, **values: Any) -> str:
    """The text of that template; of a page with the style within it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(times=summary.times, title=title_of, who=who)
    environment.globals.update(columns=layout.columns, PICTURES=layout.PICTURES, PAIRS=layout.PAIRS)
    assert not environment.globals.keys() & values.keys(), "a value would hide what all templates use"
    today = datetime.now(UTC)
    style = variables() + (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return environment.get_template(template).render(style=style, now=f"{today.day} {today:%B %Y}", **values)


def who(kind: Kind) -> Markup:
    """The name of a kind of player in a table, with what it is given on a line of its own."""
    given = Markup("<small>given {}</small>").format(", ".join(kind.given)) if kind.given else ""
    return escape(kind.name) + given
