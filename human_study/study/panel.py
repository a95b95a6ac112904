"""Panels such as Prolific or MTurk, from which participants come: the section [panel] of a study's file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote, urlsplit

ENDS = ("complete", "stopped", "screened_out", "refused")  # what a panel distinguishes
LONGEST = 100  # characters of an id
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")  # of a part of an address
ID = re.compile(r"[\w.~:@+=-]+", re.ASCII)
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Panel:
    """What a panel puts into the address of the study, and what it gets back.

    ``participant``, ``study`` and ``session`` are the names under which the address holds its ids; "": it holds none.
    The other entries are the codes for each way in which a session can end, the same for everybody. ``redirect`` is
    where the browser then goes, with {code} in place of the code; "": the page shows the code.
    """

    participant: str = "PROLIFIC_PID"
    study: str = "STUDY_ID"
    session: str = "SESSION_ID"
    complete: str = ""
    stopped: str = ""
    screened_out: str = ""
    refused: str = ""
    redirect: str = ""

    @staticmethod
    def read(entries: Any) -> "Panel":
        """From the section of a study's file. Raises ValueError, one line, for a wrong entry."""
        if not isinstance(entries, dict):
            raise ValueError(f"panel is {entries!r}: expected a section [panel]")
        known = [each.name for each in fields(Panel)]
        for name, value in entries.items():
            if name not in known:
                raise ValueError(f"panel: unknown entry {name!r}: expected some of {', '.join(known)}")
            if type(value) is not str:
                raise ValueError(f"panel.{name} is {value!r}: expected a text")
        panel = Panel(**entries)
        if not panel.participant:
            raise ValueError('panel.participant is empty: expected a name in the address, such as "PROLIFIC_PID"')
        for name in ("participant", "study", "session"):
            if (value := getattr(panel, name)) and not NAME.fullmatch(value):
                raise ValueError(f"panel.{name} is {value!r}: expected a name in the address, such as PROLIFIC_PID")
        for name in ENDS:
            if (value := getattr(panel, name)) and not CODE.fullmatch(value):
                raise ValueError(f"panel.{name} is {value!r}: expected a code of letters, digits, '-' and '_'")
        if panel.redirect and (urlsplit(panel.redirect).scheme != "https" or "{code}" not in panel.redirect):
            raise ValueError(f"panel.redirect is {panel.redirect!r}: expected an https address that holds {{code}}")
        return panel

    def ids(self, query: Mapping[str, Any]) -> dict[str, str]:
        """The ids in the address: participant, study and session. Raises ValueError without the participant's."""
        found = {name: query.get(getattr(self, name), "") for name in ("participant", "study", "session")}
        for name, value in found.items():
            if not isinstance(value, str) or len(value) > LONGEST or (value and not ID.fullmatch(value)):
                raise ValueError(
                    f"{getattr(self, name)} in the address: expected an id of at most {LONGEST} characters"
                )
        if not found["participant"]:
            raise ValueError(f"{self.participant} is missing in the address: expected the link that the panel gives")
        return found

    def answer(self, end: str) -> dict[str, str]:
        """The code for that end, and where the browser goes; none of what the study does not say."""
        code = getattr(self, end)
        if not code:
            return {}
        redirect = {"redirect": self.redirect.replace("{code}", quote(code))} if self.redirect else {}
        return {"code": code, **redirect}
