"""The participant's page, put together from its parts: as files that a server offers, or as one file."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from priorlab.envs.browser import engine

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.M)
EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.M)
NAMED = 16  # hexadecimal digits of a file's name
TYPES = {"js": "text/javascript", "css": "text/css", "wasm": "application/wasm", "json": "application/json"}
POLICY = (
    "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; worker-src blob:; style-src {styles}; "
    "connect-src {connections}; img-src data:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Site:
    """What a server offers: ``index``, the page; ``files`` by their names next to it, which change with their content;
    ``policy``, the header Content-Security-Policy."""

    index: bytes
    files: Mapping[str, bytes]
    policy: str

    @staticmethod
    def type_of(name: str) -> str:
        """The media type of a file of that name."""
        return TYPES[name.rpartition(".")[2]]


def site(description: Mapping[str, Any]) -> Site:
    """The page of a study, from ``described``. It asks the server that offers it, under ``api/`` next to itself."""
    script, style = joined("main.js").encode(), (HERE / "style.css").read_bytes()
    parts = {
        "description": hashed("json", as_json(description).encode()), "engine": hashed("wasm", engine()),
        "worker": hashed("js", joined("worker.js").encode()), "script": hashed("js", script),
        "style": hashed("css", style),
    }  # fmt: skip
    names = {part: name for part, (name, _) in parts.items()}
    fetched = as_json({part: names[part] for part in ("description", "engine", "worker")})
    head = f'<link rel="stylesheet" href="{names["style"]}">'
    preloads = [f'<link rel="preload" as="fetch" crossorigin href="{name}">' for name in json.loads(fetched).values()]
    scripts = [data("files", fetched), f'<script type="module" src="{names["script"]}"></script>']
    policy = POLICY.format(scripts="'self'", styles="'self'", connections="'self'")
    return Site(filled("\n".join([head, *preloads]), scripts), dict(parts.values()), policy)


def single_file(description: Mapping[str, Any], admission: Mapping[str, Any]) -> bytes:
    """One HTML file that shows a study to one participant, without a server: ``admission`` is what one would answer.

    At the end, the participant saves the record as a file.
    """
    script, style = joined("main.js"), (HERE / "style.css").read_text(encoding="utf-8")
    if "</script" in script or "</style" in style:
        raise ValueError(f"{HERE}: a script or style that ends its own element: expected none")
    parts = {
        "description": as_json(description).encode(), "admission": as_json(admission).encode(), "engine": engine(),
        "worker": joined("worker.js").encode(),
    }  # fmt: skip
    scripts = [data(name, packed(part)) for name, part in parts.items()] + [f'<script type="module">{script}</script>']
    policy = POLICY.format(scripts=source_hash(script), styles=source_hash(style), connections="'none'")
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{style}</style>'
    return filled(head, scripts)


@cache
def joined(name: str) -> str:
    """A module with all that it imports, as one script: each module becomes a function that returns what it exports."""
    modules: dict[Path, str] = {}
    add(modules, (HERE / name).resolve())
    return '"use strict";\n' + "".join(modules.values())


def add(modules: dict[Path, str], path: Path) -> None:
    """Adds a module after those that it imports."""
    source = path.read_text(encoding="utf-8")
    others = [(path.parent / name).resolve() for _, name in IMPORT.findall(source)]
    for other in others:
        if other not in modules:
            add(modules, other)
    names = ", ".join(name for _, name in EXPORT.findall(source))
    body = IMPORT.sub(lambda found: f"const {{{found[1]}}} = {variable(path.parent / found[2])};\n", source)
    body = EXPORT.sub(r"\1", body)
    if left := re.search(r"^(import|export) .*", body, re.M):
        raise ValueError(f'{path}: {left[0]!r}: expected import {{names}} from "./file.js", or export before a name')
    modules[path] = f"const {variable(path)} = (() => {{\n{body}return {{ {names} }};\n}})();\n"


def variable(path: Path) -> str:
    return f"{path.stem}_module"


def filled(head: str, scripts: list[str]) -> bytes:
    page = (HERE / "page.html").read_text(encoding="utf-8")
    page = page.replace("<!-- style -->", head).replace("<!-- scripts -->", "\n".join(scripts))
    return page.encode()


def data(name: str, text: str) -> str:
    """An element that holds text and is never run."""
    return f'<script type="text/plain" id="{name}">{text}</script>'


def packed(content: bytes) -> str:
    """As gzip in base64: a game is large and repeats itself."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def as_json(value: Any) -> str:
    """JSON that can stand in an element of a page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def hashed(kind: str, content: bytes) -> tuple[str, bytes]:
    """A file's name, which nothing but its content decides, and the content."""
    return f"files/{hashlib.sha256(content).hexdigest()[:NAMED]}.{kind}", content


def source_hash(text: str) -> str:
    """As a policy names a script or style within a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
