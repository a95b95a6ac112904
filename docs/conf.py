"""The site's settings: `make site` builds every Markdown page of the repository into build/site.

The source folder is the repository's root, so that a link reads the same on a forge and on the site.
"""

import importlib
import sys
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = "Priorlab"
author = copyright = "Priorlab maintainers"
root_doc = "docs/index"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
include_patterns = ["docs/*.md", "results/**/README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
exclude_patterns = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in ("docs", "results")]

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline", "colon_fence"]

html_theme = "furo"
html_title = "Priorlab"
html_static_path = ["static"]
html_extra_path = [str(ROOT / "build" / "pages")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
