"""The site's settings: `make site` builds every Markdown page of the repository into build/site.

The source folder is the repository's root, so that a link reads the same on a forge and on the site.
"""

import re
import sys
from importlib import import_module
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build" / "pages"  # what scripts/site/build.py made of the rows of results
LONGEST_VALUE = 100  # characters of a constant's value that is shown
sys.path.insert(0, str(ROOT))

project = "Priorlab"
author = copyright = "Priorlab maintainers"
root_doc = "docs/index"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
include_patterns = ["docs/**.md", "results/**.md", "CHANGELOG.md", "CONTRIBUTING.md", "human_study/study/*.md"]
exclude_patterns = [".*", "build", "priorlab", "runs"]

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_block", "colon_fence"]

default_role = "code"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries, and of ours that are not public

html_theme = "furo"
html_title = "Priorlab"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = [str(PAGES)]
html_copy_source = False
html_show_sphinx = False


class Face(SphinxDirective):
    """``{face} priorlab.envs``: a table of a room's public names, then each with its docstring.

    The names are the module's ``__all__``, so that a new one is on the page without an edit.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = self.arguments[0]
        room = import_module(module)
        values = {name: getattr(room, name) for name in sorted(room.__all__, key=str.lower)}
        described = {name: value for name, value in values.items() if callable(value)}
        text = ["```{eval-rst}", f".. currentmodule:: {module}", "", ".. autosummary::", "   :nosignatures:", ""]
        text += [f"   {name}" for name in described]
        for name, value in values.items():
            text += ["", *(documented(name, value) if name in described else constant(name, value))]
        return self.parse_text_to_nodes("\n".join([*text, "```"]))


def documented(name: str, value: object) -> list[str]:
    if not isinstance(value, type):
        return [f".. autofunction:: {name}"]
    return [f".. auto{'exception' if issubclass(value, Exception) else 'class'}:: {name}", "   :members:"]


def constant(name: str, value: object) -> list[str]:
    """A name without a docstring: its type, and its value where that is short."""
    shown = [f"   :value: {value!r}"] if len(repr(value)) < LONGEST_VALUE else []
    return [f".. py:data:: {name}", f"   :type: {type(value).__name__}", *shown]


def add_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Puts below the title of a results page a link to the page with every figure, and its findings into the index."""
    if not docname.startswith("results/") or not docname.endswith("/README"):
        return
    folder = Path(docname).parent
    title, rest = source[0].split("\n", 1)
    page = next((name for name in ("report.html", "index.html") if (PAGES / folder / name).is_file()), None)
    if page:
        title += f'\n\n<p class="page"><a href="{page}">All figures and numbers on one page</a></p>'
    if (ROOT / folder / "FINDINGS.md").is_file():
        rest += "\n```{toctree}\n:hidden:\n\nFINDINGS\n```\n"
    source[0] = f"{title}\n\n{rest}"


def escape(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Docstrings are plain text with code between backticks: to reST no other character of them means anything."""
    for number, line in enumerate(lines):
        if not line.startswith("    "):
            parts = re.split(r"(`+[^`]*`+)", line)
            parts[::2] = (re.sub(r"[*|]|(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2])
            lines[number] = "".join(parts)


def setup(app: Sphinx) -> None:
    app.add_directive("face", Face)
    app.connect("source-read", add_page)
    app.connect("autodoc-process-docstring", escape)
