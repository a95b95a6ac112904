"""Entries of a TOML file."""

import json
from typing import Any


def in_toml(entries: dict[str, Any]) -> str:
    return "\n".join(f"{name} = {value_in_toml(value)}" for name, value in entries.items())


def value_in_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {value_in_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_in_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
