"""`make site`: writes the results pages from their rows, lets Sphinx build the guides, and checks every link."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec

import tyro

from priorlab import ROOT
from priorlab.envs.base.workers import worker_pool
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
EYEBROW = r'(<p class="eyebrow">)(?:Priorlab · )?'  # of a page, where the way back to the front page goes
FRONT_PAGE = '<!doctype html><title>Priorlab</title><meta http-equiv="refresh" content="0; url=docs/index.html">\n'


def main() -> None:
    """Build the guides, the reference, all results and the lecture as one offline site, build/site/index.html."""
    if find_spec("sphinx") is None:
        sys.exit("site: Sphinx must be installed; run make site, or pip install -e '.[site]'")
    for made in (PAGES, SITE):  # all of it anew: what a page shows can lie in any folder, or be gone
        shutil.rmtree(made, ignore_errors=True)
    with worker_pool(2) as pool:
        list(pool.map(write_pages, COMMANDS))
    (PAGES / "index.html").write_text(FRONT_PAGE)
    draw_front(PAGES / "results" / "reproduce" / "princess" / "numbers.csv", BUILD / "front")
    strict = ["-q", "-E", "-n", "-W", "--keep-going"]
    sphinx = [sys.executable, "-m", "sphinx", *strict, "-c", ROOT / "docs", "-d", BUILD / "doctrees", ROOT, SITE]
    if subprocess.run(sphinx).returncode:
        sys.exit("site: Sphinx warned; see above")
    checked, broken = broken_links(SITE)
    if broken:
        sys.exit("\n".join(["site: broken links", *broken]))
    print(f"{checked:,} links checked. The site: {SITE / 'index.html'}")


def write_pages(folder: str) -> None:
    """Writes the HTML pages of one folder of results into a copy of it."""
    rows, pages = RESULTS / folder, PAGES / "results" / folder
    shutil.copytree(rows, pages, ignore=shutil.ignore_patterns("*.html"))
    command, *words = COMMANDS[folder]
    run(command, [*words, "--report-only", "--out", str(pages.parent if command == "transfer" else pages)])
    for page in pages.glob("*.html"):
        home = "../" * len(page.parent.relative_to(PAGES).parts) + "docs/index.html"
        text = re.sub(EYEBROW, rf'\1<a href="{home}">Priorlab</a> · ', page.read_text(encoding="utf-8"), count=1)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
