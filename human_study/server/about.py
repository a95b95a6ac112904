"""What a browser says of its computer."""

import re
from typing import Any

from priorlab.envs.plays.events import encode
from priorlab.human_study.data.verify import PRIVATE_FIELDS
from priorlab.human_study.server.refusals import Refusal

NAME = re.compile(r"[a-z][a-z_]{0,31}")
MOST, LONGEST = 30, 200  # entries, characters of each
OURS = frozenset({  # names that a log has already
    "n", "t", "event", "hash", "schema", "id", "participant", "study", "date", "software", "place", "block", "versions",
    "face", "design", "minutes", "wasm", "machine",
})  # fmt: skip


def checked_about(about: Any) -> dict[str, Any]:
    """What a browser says of its computer, for the log. Raises Refusal for what does not belong there."""
    if not isinstance(about, dict) or len(about) > MOST:
        raise Refusal(400, f"about: expected at most {MOST} entries about the screen and the system")
    for name, value in about.items():
        if not NAME.fullmatch(name) or name in PRIVATE_FIELDS or name in OURS:
            raise Refusal(400, f"about: {name[:40]!r}: expected a name that the log does not have already")
        if len(encode({name: value})) > LONGEST or isinstance(value, dict):
            raise Refusal(400, f"about: {name}: expected a number, a short text or a list of numbers")
    return about
