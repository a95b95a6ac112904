"""The page's layout and first figure, its figures as files, and the way of people from consent to analysis."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.results.load import load
from priorlab.human_study.data.recorder import Recorder
from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.flow import read_sessions
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.analysis.tables import tables_of
from priorlab.scripts.report.figures import remove_figures
from priorlab.scripts.report.layout import PANELS, PICTURES, columns, maps
from priorlab.scripts.report.page import write_comparison, write_page
from priorlab.scripts.report.progress import PROGRESS, curves_of, measure_panel, print_figure, shares_at
from tests.scripts.test_compare import play
from tests.scripts.test_report import run

VERSIONS = ("original", "gravity")
LIMIT = 60  # inputs of a play in the study below


def walk(*shares):
    """Progress that rises to these shares after 10, 100, ... inputs."""
    return np.array([[0, *(10.0 ** np.arange(1, len(shares) + 1))], [0, *shares]])


def people_and_agents():
    """Ten simulated players per version, who win at 1,000 inputs; three random runs of 100,000 inputs; and five of PPO,
    which wins gravity in a quarter of the inputs that it takes on the original."""
    runs = []
    for version in VERSIONS:
        for number in range(10):
            each = play(1000 / 1800, "win", version, f"{version}{number}", "simulated")
            runs.append(replace(each, progress=walk(0.2, 0.5, 1.0)))
        here = {"level": runs[0].level, "game": "key_door"}
        for seed in range(3):
            each = run(100_000, False, version, "random", np.array([[10, 100_000.0], [5, 3000]]))
            runs.append(replace(each, progress=walk(0.0, 0.05, 0.1, 0.2, 0.3), seed=seed, **here))
        for seed in range(5):
            inputs = (20_000 + 1000 * seed) // (4 if version == "gravity" else 1)
            each = run(inputs, True, version, "ppo", np.array([[10, float(inputs)], [5, 2000]]))
            runs.append(replace(each, progress=walk(0.0, 0.1, 0.2, 0.5), seed=seed, **here))
    return Section("key_door", runs[0].level, VERSIONS, tuple(runs))


@pytest.fixture(scope="module")
def curves():
    section = people_and_agents()
    return curves_of(section, tables_of(analyse(section)))


@pytest.mark.parametrize("n", range(1, 20))
@pytest.mark.parametrize("widths", [PANELS, PICTURES, maps([3, 3]), maps([1, 2, 2])])
def test_no_place_of_a_grid_stays_empty(n, widths):
    style = dict(part.split(": ") for part in columns(n, widths).split("; "))
    for width in ("wide", "middle", "narrow"):
        count, fill = int(style[f"--{width}"]), style[f"--{width}-fill"]
        fills = int(fill.removeprefix("span ")) if fill.startswith("span") else 0
        assert (n + fills) % count == 0 and fills < count
        assert (fills == 0) == (style[f"--{width}-order"] == "-1"), "what fills no place is above the grid"


def test_progress_is_compared_up_to_matched_inputs(curves):
    assert curves.last == 1000, "the longest play; random runs go on to 100,000"
    assert curves.of(PROGRESS)["inputs"].max() <= 1000
    table = shares_at(curves, VERSIONS)
    assert table["marks"] == ["100", "300", "1,000"]
    (version, rows), _ = table["groups"]
    assert version == "original"
    assert [(kind.method, n, shares[0], shares[2]) for kind, n, shares in rows] == [
        ("simulated", 10, "50\u00a0%", "100\u00a0%"),
        ("ppo", 5, "10\u00a0%", "20\u00a0%"),
        ("random", 3, "5\u00a0%", "10\u00a0%"),
    ]


def test_a_version_without_progress_has_no_panel(curves):
    assert measure_panel(curves, PROGRESS, "retextured") is None
    assert measure_panel(curves, PROGRESS, "gravity") is not None


def test_the_figure_in_print_has_the_width_of_a_page_and_names_whose_curves_it_shows(curves):
    drawn = print_figure(curves, VERSIONS)
    assert drawn is not None
    assert drawn.figure.get_size_inches()[0] * 25.4 == pytest.approx(178)
    words = str(drawn)
    assert "Simulated players, planted slow-downs" in words and "Shortest way covered" in words
    assert len(drawn.figure.axes) == 4
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", words)]
    assert min(sizes) >= 6, "points: legible in print"
    chosen = print_figure(curves, ["gravity"])
    assert chosen is not None and len(chosen.figure.axes) == 2


def test_every_figure_is_written_as_svg_and_as_pdf_with_its_fonts(tmp_path):
    page = write_page(tmp_path / "index.html", [people_and_agents()], figures=True).read_text(encoding="utf-8")
    assert page.index('id="progress"') < page.index('id="versions"') < page.index('id="slowdown"')
    assert "Simulated players, planted slow-downs" in page and 'tabindex="0"' in page
    assert (
        "<h1>Changed looks or rules slow simulated players clearly more than PPO in the one version compared.</h1>"
        in page
    )
    assert "Most in gravity: 4.0\u00d7 as much as PPO (95\u00a0% interval" in page and 'id="claim"' in page
    assert "No log-rank test of Random (1 version): nobody won." in page
    names = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert {"paper", "progress-original", "states-gravity", "survival-gravity", "solved-original", "claim"} <= names
    for name in names:
        assert (tmp_path / "figures" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")
        pdf = (tmp_path / "figures" / f"{name}.pdf").read_bytes()
        assert pdf.startswith(b"%PDF") and b"/FontFile2" in pdf and b"/Subtype /Type3" not in pdf
    rows = pd.read_csv(tmp_path / "data" / "progress.csv")
    for _, each in rows.groupby(["version", "player"]):
        assert each["progress"].is_monotonic_increasing
    (tmp_path / "figures" / "mine.svg").touch()
    remove_figures(tmp_path / "figures")  # as the next page does
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["mine.svg"]


def session(folder, version, plays=1, **notes):
    """The log of one participant: consent, and this many plays of 60 inputs, which reach the limit."""
    recorder = Recorder.create(folder, study="ladders", versions=[version], minutes=LIMIT / 1800, machine="yyyy2345")
    recorder.note("consent")
    for event, fields in notes.items():
        recorder.note(event, **fields)
    for _ in range(plays):
        recorder.begin(ChosenGame("princess", version=version), LIMIT)
        for step in range(LIMIT):
            recorder.step(2, step / 30, step / 30)
        recorder.end()
    recorder.finish()


def test_the_flow_counts_everybody_from_consent_to_analysis(tmp_path):
    for version in VERSIONS:
        for _ in range(3):
            session(tmp_path / "study", version, answer={"question": "knew", "answer": "no"})
    session(tmp_path / "study", "gravity", answer={"question": "knew", "answer": "yes"})
    session(tmp_path / "study", "gravity", plays=2)
    session(tmp_path / "study", "original", 0, excluded={"age": 12})
    session(tmp_path / "study", "original", 0, page={"page": "question:aim", "what": "stop"})
    session(tmp_path / "study", "original", 0)
    path = write_comparison(
        load(tmp_path), tmp_path / "out" / "index.html", exclude=["knew=yes"], sessions=read_sessions([tmp_path])
    )
    flow = pd.read_csv(tmp_path / "out" / "data" / "flow.csv").pivot(index="stage", columns="version", values="n")
    assert flow["original"].to_dict() == {
        "consented": 6, "too_young": 1, "stopped_before": 1, "not_begun": 1, "began": 3, "no_input": 0, "played": 3,
        "won": 0, "limit": 3, "quit": 0, "interrupted": 0, "excluded": 0, "later": 0, "analysed": 3,
    }  # fmt: skip
    gravity = flow["gravity"]
    assert (gravity["consented"], gravity["played"], gravity["excluded"], gravity["later"]) == (5, 6, 1, 1)
    kept = flow.loc[["analysed", "excluded", "later"]].sum()
    assert kept.tolist() == flow.loc["played"].tolist()
    page = path.read_text(encoding="utf-8")
    assert "From consent to analysis: Gave consent 11; Played 9; Analysed 7" in page
    assert "Not recorded" not in page and "Pauses and interruptions" in page
