"""The compiled engine as it ships: its bytes, and which sources it was compiled from."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).with_name("engine.wasm")
ORIGIN = Path(__file__).with_name("engine.json")
SOURCES = Path(__file__).parents[1]  # envs/
COMMAND = "python -m priorlab.envs.browser.build"


def engine() -> bytes:
    """The compiled engine."""
    return ENGINE.read_bytes()


def digest() -> str:
    """The SHA-256 of the compiled engine, as a session's log names it."""
    return hashlib.sha256(engine()).hexdigest()


def origin() -> dict[str, Any]:
    """engine.json: the engine's SHA-256, its edition, and the SHA-256 of each source that it was compiled from."""
    return json.loads(ORIGIN.read_text(encoding="utf-8"))


def source_hash(name: str) -> str:
    """The SHA-256 of a file under envs/ as text, however a checkout ends its lines; "" where there is none."""
    path = SOURCES / name
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest() if path.is_file() else ""


@cache
def edition() -> int:
    """The number that the engine shares with game files for it.

    Raises ValueError, one line, if the engine was compiled from other sources than are here: it would play other games.
    """
    written = origin()
    changed = [name for name, sha256 in written["sources"].items() if source_hash(name) != sha256]
    if digest() != written["sha256"]:
        changed.append("browser/engine.wasm")
    if changed:
        raise ValueError(f"the engine for browsers is older than envs/{', envs/'.join(changed)}: run `{COMMAND}`")
    return written["edition"]
