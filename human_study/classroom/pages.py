"""The pages of a class: the student's, which is the participants' with other words, and the lecturer's."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import segno

from priorlab.envs.base.files import read_toml
from priorlab.envs.plays.play import INPUTS_PER_SECOND
from priorlab.human_study.browser.bundle import Site, as_files, hashed, joined
from priorlab.human_study.protocol.described import playing
from priorlab.human_study.protocol.keys import INPUT_NUMBERS
from priorlab.human_study.study.texts import Plural, Texts

HERE = Path(__file__).parent
SHELF = f"../{HERE.name}"  # as the bundle finds the scripts
STUDYS = ("page.", "keys.", "end.", "stop.")  # sections of a study's words that students read, too
LECTURER = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
LEFT_OPEN = {name: f"{{{name}}}" for name in ("far", "time")}  # filled in where the page is shown


def description(minutes: int) -> dict[str, Any]:
    """What the student's page knows before anybody joins; entries as in docs/description-reference.md."""
    words = read_toml(HERE / "words.toml")
    return {
        "rate": INPUTS_PER_SECOND, "limit": minutes * 60 * INPUTS_PER_SECOND, **playing(),
        "languages": {code: language(Texts.load(code), words[code], minutes) for code in words},
    }  # fmt: skip


def language(texts: Texts, words: Mapping[str, str], minutes: int) -> dict[str, Any]:
    ours = {name: Plural().vformat(text, (), {"minutes": minutes, **LEFT_OPEN}).strip() for name, text in words.items()}
    title, caps = ours["title"], [[name, texts(f"inputs.{name}")] for name in INPUT_NUMBERS]
    stop = {name: texts(f"stop.{name}") for name in ("go_on", "stop")}
    wishes = {name: ours[name] for name in ("join", "uncounted", "leave")}
    later = {name: ours[name] for name in ("uncounted", "leave")}
    shared = {name: text for name, text in texts.words.items() if name.startswith(STUDYS)}
    return {
        "name": texts.language, "direction": texts.font["direction"],
        "words": {**shared, **ours, "consent.title": title, "browser.offline": ""},
        "pages": {
            "notice": choice(title, ours["notice"], wishes, texts),
            "again": choice(title, ours["again_notice"], later, texts),
            "begin": {
                "kind": "read", "hint": texts("begin.go"),
                "blocks": [
                    block("title", texts("begin.title")), block("text", ours["begin"]),
                    {"type": "caps", "text": "", "rows": caps}, block("dim", texts("begin.stop")),
                ],
            },
            "stop": choice(texts("stop.title"), "", stop, texts),
            **{name: notice(ours[f"{name}_title"], ours[name]) for name in ("left", "phone", "small", "old", "failed")},
        },
    }  # fmt: skip


def choice(title: str, text: str, options: Mapping[str, str], texts: Texts) -> dict[str, Any]:
    pairs = [[name, words] for name, words in options.items()]
    return notice(title, text) | {"kind": "choice", "hint": texts("page.choose"), "options": pairs, "chosen": None}


def notice(title: str, text: str) -> dict[str, Any]:
    blocks = [block("title", title), *([block("text", text)] if text else [])]
    return {"kind": "read", "hint": "", "blocks": blocks}


def block(kind: str, text: str) -> dict[str, Any]:
    return {"type": kind, "text": text}


def student_site(minutes: int) -> Site:
    """The page at the class's address. It holds no game."""
    style = (HERE / "student.css").read_text(encoding="utf-8")
    return as_files(description(minutes), joined(f"{SHELF}/student.js"), {}, "'self'", style=style)


def lecturer_site(link: str) -> Site:
    """The page on the wall. It knows the class's address; everything else it asks for."""
    script = hashed("js", joined(f"{SHELF}/lecturer.js").encode())
    style = hashed("css", (HERE / "lecturer.css").read_bytes())
    code = segno.make(link, error="m", micro=False).svg_inline(omitsize=True, border=3, svgclass="code", light="#fff")
    code = code.replace("<svg", '<svg role="img" aria-label="The address as a code for cameras"', 1)
    filled_in = {"style": style[0], "script": script[0], "link": html.escape(link), "code": code}
    page = (HERE / "lecturer.html").read_text(encoding="utf-8")
    for name, text in filled_in.items():
        page = page.replace(f"{{{{ {name} }}}}", text)
    return Site(page.encode(), dict([script, style]), LECTURER)
