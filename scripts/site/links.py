"""The links of a built site: every page, picture and anchor that one of its pages names is there, without a network."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"href", "src", "srcset", "poster", "data"}  # attributes that fetch something, except the href of <a>


class Page(HTMLParser):
    """The anchors of a page, what its links name, and what a browser loads to show it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors, self.links, self.loads = {"", "top"}, list[str](), list[str]()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value or "")
            elif name in LOADED and value:
                (self.links if tag == "a" else self.loads).append(value)
            elif name == "style" and value:
                self.loads += in_css(value)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.loads += in_css(data)


def in_css(text: str) -> list[str]:
    return re.findall(r"url\(\s*['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)


def broken_links(site: Path) -> tuple[int, list[str]]:
    """The number of links in the site's pages and style sheets, and one line for each that leads nowhere.

    A link to another host counts as sound and is not followed; a picture, script or style sheet from there does not.
    """
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    named = [(path, link, False) for path, page in pages.items() for link in page.links]
    named += [(path, link, True) for path, page in pages.items() for link in page.loads]
    named += [(path, link, True) for path in sorted(site.rglob("*.css")) for link in in_css(path.read_text())]
    found = ((path, link, problem_of(path, link, loads, pages)) for path, link, loads in named)
    return len(named), [f"{path.relative_to(site)}: {link}: {problem}" for path, link, problem in found if problem]


def problem_of(path: Path, link: str, loads: bool, pages: dict[Path, Page]) -> str:
    """What is wrong with a link of the file at that path: nothing where it is empty."""
    parts = urlsplit(link)
    if parts.scheme == "data":
        return ""
    if parts.scheme or parts.netloc:
        return "loaded from another host" if loads else ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "no such file"
    if target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "no such anchor"
    return ""
