"""A participant of an experiment in jsPsych, simulated: what jsPsych saves, for a session with given inputs."""

import json
from collections.abc import Sequence
from typing import Any

from tests.support.hosted_participant import Hosted

BUTTON = {"rt": 812, "stimulus": '<p>Say "yes", or no</p>', "response": 0, "trial_type": "html-button-response"}


def rows_of(person: Hosted, size: int = 4) -> list[dict[str, Any]]:
    """An experiment's data: a trial of the plugin for each chunk of so many entries, between trials of another one."""
    opening = json.dumps(person.opening)
    records = [json.loads(person.packed([opening, json.dumps(chunk)])) for chunk in person.journal.chunks(size)]
    trials = [{"code": person.opening["id"], "record": record, "trial_type": "priorlab"} for record in records]
    rows = [BUTTON, *(row for trial in trials for row in (trial, BUTTON))]
    return [{**row, "trial_index": number} for number, row in enumerate(rows)]


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """As jsPsych writes it: every cell in quotes, objects as JSON."""
    names = [*dict.fromkeys(name for row in rows for name in row)]
    cells = [names, *([text_of(row.get(name, "")) for name in names] for row in rows)]
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\r\n" for line in cells)


def text_of(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)
