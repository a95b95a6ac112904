"""The site: every link that leads nowhere is named, and every folder of results has a page."""

import pytest

from priorlab.envs.game.versions import looks
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.site.build import COMMANDS, RESULTS
from priorlab.scripts.site.front import draw_front
from priorlab.scripts.site.links import broken_links

PAGE = '<h2 id="here">a</h2><a href="#here">a</a><a href="other.html?x#there">b</a><a href="https://example.org">c</a>'

AGENTS = {"ppo": 31_400, "dqn": 42_000}
PUBLISHED = published_figures()["versions"]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text(PAGE + '<img src="data:image/png;base64,AA"><style>a {}</style>')
    (tmp_path / "other.html").write_text('<a name="there"></a><img src="a%20b.png">')
    (tmp_path / "a b.png").write_bytes(b"")
    return tmp_path


def test_sound_links_are_counted(site):
    assert broken_links(site) == (5, [])


@pytest.mark.parametrize(
    "html, problem",
    [
        ('<a href="gone.html">', "gone.html: no such file"),
        ('<a href="other.html#here">', "other.html#here: no such anchor"),
        ('<a href=".">', ".: no such file"),
        ('<img src="https://example.org/a.png">', "https://example.org/a.png: loaded from another host"),
        ('<link href="//example.org/a.css">', "//example.org/a.css: loaded from another host"),
        ("<style>@import 'https://example.org/a.css';</style>", "https://example.org/a.css: loaded from another host"),
        ('<p style="background: url(a.png)">', "a.png: no such file"),
    ],
)
def test_what_leads_nowhere_or_needs_a_network_is_named(site, html, problem):
    (site / "page.html").write_text(html)
    assert broken_links(site) == (6, [f"page.html: {problem}"])


def test_style_sheets_are_checked(site):
    (site / "a.css").write_text("a { background: url('gone.png') } b { background: url(a%20b.png) }")
    assert broken_links(site) == (7, ["a.css: gone.png: no such file"])


def test_every_folder_of_rows_has_a_command_that_writes_its_pages():
    folders = {path.parent.relative_to(RESULTS).as_posix() for path in RESULTS.rglob("settings.json")}
    folders = {folder if folder in COMMANDS else folder.rpartition("/")[0] for folder in folders}
    assert folders - {"compare"} == {*COMMANDS}  # a comparison's page also needs the players, who are simulated anew


def test_the_front_page_shows_people_and_an_agent_in_every_look(tmp_path):
    numbers = tmp_path / "numbers.csv"
    numbers.write_text(
        "version,agent,first_mean,first_mean_low,first_mean_high\n"
        + "".join(f"{look},{agent},{mean},1000,60000\n" for look in looks() for agent, mean in AGENTS.items())
    )
    draw_front(numbers, tmp_path)
    people, agents = (tmp_path.joinpath(name).read_text() for name in ("people.svg", "agents.svg"))
    assert all(look.replace("_", " ") in text for look in looks() for text in (people, agents))
    assert agents.count(">31.4<") == len(looks()) and ">42<" not in agents
    assert all(f">{figures['minutes']:g}<" in people for name, figures in PUBLISHED.items() if name in looks())
