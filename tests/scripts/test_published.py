"""Every published README is derived again from the committed rows: text by text, and its figures are there."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from priorlab.scripts.experiments import beside_agents, calibration, contrasts
from priorlab.scripts.lecture import page as lecture
from priorlab.scripts.lecture.runs import read as read_lecture
from priorlab.scripts.priors import replication_page
from priorlab.scripts.priors.page import readme_of as priors_text
from priorlab.scripts.reproduce.readme import readme_of as reproduce_text
from priorlab.scripts.reproduce.runs import parts_of
from priorlab.scripts.sequences.readme import readme_of as sequence_text
from priorlab.scripts.sequences.runs import Tables, settings_of
from priorlab.scripts.tickets import page as tickets
from priorlab.scripts.tickets.runs import read as read_tickets
from tests.support.paths import ROOT

RESULTS = Path("results")


def sequence(folder: Path) -> str:
    return sequence_text(folder, Tables.read(folder), settings_of(folder, {}))


def reproduced(folder: Path) -> str:
    return reproduce_text(folder, parts_of(folder))


SEQUENCES = sorted(path.parent for path in (ROOT / RESULTS / "transfer").glob("*/settings.json"))
TEXTS: dict[Path, Callable[[Path], str]] = {
    RESULTS / "tickets": lambda folder: tickets.readme_of(folder, *read_tickets(folder)),
    RESULTS / "lecture": lambda folder: lecture.readme_of(folder, read_lecture(folder)),
    RESULTS / "ratio-of-ratios": contrasts.readme_of,
    RESULTS / "raising": calibration.readme_of,
    RESULTS / "compare": beside_agents.readme_of,
    RESULTS / "priors": priors_text,
    RESULTS / "priors-replication": replication_page.readme_of,
    RESULTS / "reproduce": reproduced,
    RESULTS / "reproduce-on-device": reproduced,
} | {folder.relative_to(ROOT): sequence for folder in SEQUENCES}


@pytest.mark.parametrize("folder", TEXTS, ids=str)
def test_a_published_table_is_what_the_rows_say(folder, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text == TEXTS[folder](folder), f"{folder}: {re.findall('.*--report-only.*', text)} writes it again"


@pytest.mark.parametrize("readme", sorted((ROOT / RESULTS).rglob("README.md")), ids=lambda path: path.parent.name)
def test_what_a_readme_links_to_is_there(readme):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme.read_text(encoding="utf-8"))
    assert [link for link in links if not (readme.parent / link).exists()] == []
    assert not [link for link in links if link.endswith(".html")]  # which git ignores


@pytest.mark.parametrize("figure", sorted((ROOT / RESULTS).glob("**/*.svg")), ids=lambda path: path.stem)
def test_a_published_figure_stands_alone_on_light_and_dark(figure):
    if figure.parent.parent.name == "lecture":
        return  # which git ignores
    text = figure.read_text(encoding="utf-8")
    assert fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(--" not in text and "prefers-color-scheme: dark" in text


def test_no_generated_page_is_kept():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"results/**/*.html", "results/**/runs/", "results/lecture/*/", "results/*/*/numbers.csv"} <= {*ignored}
