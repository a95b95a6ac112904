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

HERE = Path(__file__).resolve().parent
STYLE = HERE / "style.css"
FOLDER = HERE / "adapters" / "folder.js"
IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";.*\n', re.M)
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
    return as_files(description, joined("served.js"), {}, "'self'")


def as_files(
    description: Mapping[str, Any], script: str, more: Mapping[str, Any], connections: str, head: str = "",
    style: str = "",
) -> Site:  # fmt: skip
    """A page that fetches its parts. ``more``: further parts, by the name that the script knows them by;
    ``connections``: where it may send to, as a policy names it; ``head``: further elements of the page's head;
    ``style``: further rules of style."""
    data_files = {
        name: hashed("json", as_json(part).encode()) for name, part in {"description": description, **more}.items()
    }
    fetched = {**data_files, "engine": hashed("wasm", engine()), "worker": hashed("js", joined("worker.js").encode())}
    (script_name, _), (style_name, _) = linked = (
        hashed("js", script.encode()),
        hashed("css", STYLE.read_bytes() + style.encode()),
    )
    names = {part: name for part, (name, _) in fetched.items()}
    preloads = [f'<link rel="preload" as="fetch" crossorigin href="{name}">' for name in names.values()]
    scripts = [data("files", as_json(names)), f'<script type="module" src="{script_name}"></script>']
    heads = [head, f'<link rel="stylesheet" href="{style_name}">', *preloads]
    files = dict([*fetched.values(), *linked])
    return Site(filled("\n".join(heads).strip(), scripts), files, files_policy(connections))


def as_one_file(description: Mapping[str, Any], script: str, more: Mapping[str, Any], connections: str) -> bytes:
    """A page that holds its parts. The other parameters are those of ``as_files``."""
    style = STYLE.read_text(encoding="utf-8")
    if "</script" in script or "</style" in style:
        raise ValueError(f"{HERE}: a script or style that ends its own element: expected none")
    parts = {name: as_json(part).encode() for name, part in {"description": description, **more}.items()}
    parts |= {"engine": engine(), "worker": joined("worker.js").encode()}
    scripts = [data(name, packed(part)) for name, part in parts.items()] + [f'<script type="module">{script}</script>']
    policy = POLICY.format(scripts=source_hash(script), styles=source_hash(style), connections=connections)
    return filled(f"{policy_element(policy)}\n<style>{style}</style>", scripts)


def files_policy(connections: str) -> str:
    """Of a page that fetches its parts."""
    return POLICY.format(scripts="'self'", styles="'self'", connections=connections)


def policy_element(policy: str) -> str:
    """For a page whose host sends no such header."""
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


@cache
def joined(name: str, adapter: Path = FOLDER) -> str:
    """A module with all that it imports, as one script: each module becomes a function that returns what it exports.

    Whatever imports adapters/folder.js gets ``adapter`` instead. Raises ValueError, one line, if a module can't be
    joined; OSError.
    """
    modules: dict[Path, str] = {}
    add(modules, (HERE / name).resolve(), adapter)
    return '"use strict";\n' + "".join(modules.values())


def add(modules: dict[Path, str], path: Path, adapter: Path) -> None:
    """Adds a module after those that it imports."""
    source = path.read_text(encoding="utf-8")

    def target(name: str) -> Path:
        found = (path.parent / name).resolve()
        return adapter.resolve() if found == FOLDER else found

    for _, name in IMPORT.findall(source):
        if target(name) not in modules:
            add(modules, target(name), adapter)
    names = ", ".join(name for _, name in EXPORT.findall(source))
    body = IMPORT.sub(lambda found: f"const {{{found[1]}}} = {variable(target(found[2]))};\n", source)
    body = EXPORT.sub(r"\1", body)
    if left := re.search(r"^(import|export) .*", body, re.M):
        raise ValueError(f'{path}: {left[0]!r}: expected import {{names}} from "./file.js", or export before a name')
    modules[path] = f"const {variable(path)} = (() => {{\n{body}return {{ {names} }};\n}})();\n"


def variable(path: Path) -> str:
    return re.sub(r"\W", "_", f"{path.parent.name}_{path.stem}")


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
