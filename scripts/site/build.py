"""`make site`: writes the results pages from their rows, lets Sphinx build the guides, and checks every link."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import tyro

from priorlab import ROOT
from priorlab.envs.base.workers import worker_pool
from priorlab.scripts.lecture import lives_beside, reproduced
from priorlab.scripts.run import run
from priorlab.scripts.site.front import draw_front
from priorlab.scripts.site.links import broken_links

RESULTS, BUILD = ROOT / "results", ROOT / "build"
PAGES, SITE = BUILD / "pages", BUILD / "site"

# The folders of results and the commands that write their pages, the slowest first.
COMMANDS = {
    "transfer/ever_more_masked": ("transfer", "--sequence", "ever_more_masked"),
    "transfer/atari_masks": ("transfer", "--sequence", "atari_masks"),
    "transfer/levels": ("transfer", "--sequence", "levels"),
    "reproduce": ("reproduce",),
    "lecture": ("lecture",),
    "reproduce-on-device": ("reproduce",),
    "transfer/permuted-digits": ("transfer", "--sequence", "permuted-digits"),
    "transfer/rotating-digits": ("transfer", "--sequence", "rotating-digits"),
    "tickets": ("tickets",),
}
READ = {"lecture": (reproduced.KEPT, lives_beside.KEPT)}  # folders whose rows the pages of another one show, too
EYEBROW = r'(<p class="eyebrow">)(?:Priorlab · )?'  # of a page, where the way back to the front page goes
FRONT_PAGE = '<!doctype html><title>Priorlab</title><meta http-equiv="refresh" content="0; url=docs/index.html">\n'


def main() -> None:
    """Build the guides, the reference, all results and the lecture as one offline site, build/site/index.html."""
    if find_spec("sphinx") is None:
        sys.exit("site: Sphinx must be installed; run make site, or pip install -e '.[site]'")
    with worker_pool(2) as pool:
        list(pool.map(write_pages, COMMANDS))
    (PAGES / "index.html").write_text(FRONT_PAGE)
    draw_front(PAGES / "results" / "reproduce" / "princess" / "numbers.csv", BUILD / "front")
    shutil.rmtree(SITE, ignore_errors=True)  # so that no page outlives its source
    strict = ["-q", "-n", "-W", "--keep-going"]
    sphinx = [sys.executable, "-m", "sphinx", *strict, "-c", ROOT / "docs", "-d", BUILD / "doctrees", ROOT, SITE]
    if subprocess.run(sphinx).returncode:
        sys.exit("site: Sphinx warned; see above")
    checked, broken = broken_links(SITE)
    if broken:
        sys.exit("\n".join(["site: broken links", *broken]))
    print(f"{checked:,} links checked. The site: {SITE / 'index.html'}")


def write_pages(folder: str) -> None:
    """Writes the HTML pages of one folder of results into a copy of it, unless they are up to date."""
    rows, pages = RESULTS / folder, PAGES / "results" / folder
    newest = max(path.stat().st_mtime for path in sources(folder))
    if all(path.stat().st_mtime > newest for path in pages.glob("*.html")) and any(pages.glob("*.html")):
        return
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(rows, pages, ignore=shutil.ignore_patterns("*.html"))
    command, *words = COMMANDS[folder]
    run(command, [*words, "--report-only", "--out", str(pages.parent if command == "transfer" else pages)])
    for page in pages.glob("*.html"):
        home = "../" * len(page.parent.relative_to(PAGES).parts) + "docs/index.html"
        text = re.sub(EYEBROW, rf'\1<a href="{home}">Priorlab</a> · ', page.read_text(encoding="utf-8"), count=1)
        page.write_text(text, encoding="utf-8")


def sources(folder: str) -> Iterator[Path]:
    """The files on which the pages of one folder of results depend."""
    for read in (RESULTS / folder, *READ.get(folder, ()), ROOT / "scripts"):
        yield from files(read)


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


if __name__ == "__main__":
    tyro.cli(main)
