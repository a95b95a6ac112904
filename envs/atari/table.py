"""The table of masked Atari, ``atari.toml``."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "atari.toml"


@cache
def table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
