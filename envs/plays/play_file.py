"""The file of a play: JSON with a checksum; inputs are one character each, one second per line."""

import hashlib
import json
from typing import Any

from priorlab.envs.base.files import decoded
from priorlab.envs.game.level import Level

FORMAT, SCHEMA = "priorlab play", 1
SUFFIX = ".play"
CHARACTERS = ".lrjud"  # of the inputs 0 to 5
OUTCOMES = ("win", "limit", "quit")
PLAYERS = ("person", "agent", "simulated")

# The file: name and kind of every entry, in order; "level" and "inputs" are lists of lines.
KINDS: dict[str, type] = {
    "id": str, "player": str, "player_id": str, "date": str, "game": str, "version": str, "look_seed": int,
    "rules": str, "engine": int, "seed": int, "inputs_per_second": int, "ended": str, "unfinished": bool,
    "last_state": str, "first_picture": str, "software": dict, "level": list, "inputs": list,
}  # fmt: skip
FRAME = ("format", "schema", "checksum")


def checksum(content: dict[str, Any]) -> str:
    """The checksum of everything except itself, independent of spacing and order."""
    rest = {name: value for name, value in content.items() if name != "checksum"}
    plain = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def decode(data: bytes) -> dict[str, Any]:
    """The fields of the play in a file's bytes, not yet replayed; ValueError says what is wrong."""
    try:
        content = json.loads(decoded(data))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"cut off or altered: not complete JSON ({error})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f'not a play: expected JSON with "format": "{FORMAT}"')
    if content.get("schema") != SCHEMA:
        raise ValueError(f"schema {content.get('schema')!r}: expected {SCHEMA}, the only one that this Priorlab reads")
    if content.get("checksum") != checksum(content):
        raise ValueError("altered: its content does not match its checksum")
    if set(content) != {*KINDS, *FRAME}:
        names = ", ".join(sorted(set(content) ^ {*KINDS, *FRAME}))
        raise ValueError(f"missing or unknown: {names}; expected exactly {', '.join(KINDS)}")
    for name, kind in KINDS.items():
        if type(content[name]) is not kind:
            raise ValueError(f"{name} is {content[name]!r}: expected a {kind.__name__}")
    for name in ("level", "inputs"):
        if not all(type(line) is str for line in content[name]):
            raise ValueError(f"{name}: expected a list of lines")
    for name, values in (("ended", OUTCOMES), ("player", PLAYERS)):
        if content[name] not in values:
            raise ValueError(f"{name} is {content[name]!r}: expected one of {', '.join(values)}")
    if content["inputs_per_second"] < 1:
        raise ValueError(f"inputs_per_second is {content['inputs_per_second']}: expected 1 or more")
    inputs = "".join(content["inputs"])
    check_inputs(inputs)
    level = Level.read("\n".join(content["level"]) + "\n")
    if level.game != content["game"]:
        raise ValueError(f"game is {content['game']!r}, but its level belongs to {level.game!r}")
    fields = {name: content[name] for name in KINDS if name not in ("game", "level", "inputs")}
    return {**fields, "level": level, "inputs": inputs}


def check_inputs(inputs: str) -> None:
    if unknown := set(inputs) - set(CHARACTERS):
        wrong = min(map(inputs.index, unknown))
        raise ValueError(f"input {wrong} is {inputs[wrong]!r}: expected characters of {CHARACTERS!r}")


def encode(level: Level, inputs: str, fields: dict[str, Any]) -> str:
    """The content of a play's file; ``fields``: the other fields of ``KINDS``, without the game."""
    second = fields["inputs_per_second"]
    lines = {
        "game": level.game,
        "level": level.text().splitlines(),
        "inputs": [inputs[start : start + second] for start in range(0, len(inputs), second)],
    }
    content: dict[str, Any] = {"format": FORMAT, "schema": SCHEMA} | {name: (fields | lines)[name] for name in KINDS}
    return json.dumps(content | {"checksum": checksum(content)}, indent=1, ensure_ascii=False) + "\n"
