"""The researcher's page: how far each place has come, and how well the game runs there. It names the versions."""

import hmac
import time
from collections.abc import Mapping
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from priorlab.human_study.data.chunks import SETTLED
from priorlab.human_study.server.sessions import Running, Sessions
from priorlab.human_study.study.assignment import capacity

COOKIE = "priorlab_researcher"
LOGIN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
LATE = 0.05  # share of inputs taken late above which a place is marked


class Researcher:
    """Shows the sessions to whoever has the token that was printed when the server began."""

    def __init__(self, sessions: Sessions, token: str):
        self.sessions, self._token = sessions, token
        loader = PackageLoader("priorlab.human_study.server", "templates")
        self._pages = Environment(loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined)

    def knows(self, cookies: Mapping[str, str]) -> bool:
        return self.is_token(cookies.get(COOKIE, ""))

    def is_token(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def cookie(self, token: str) -> tuple[str, str] | None:
        """What a browser is given for the right token."""
        return (COOKIE, token) if self.is_token(token) else None

    def login(self) -> str:
        return self._pages.get_template("login.html").render()

    def page(self) -> str:
        study = self.sessions.study
        running = sorted(self.sessions.running.values(), key=lambda each: each.place)
        rows = [row_of(each) for each in running]
        ends = [row["state"] for row in rows]
        return self._pages.get_template("researcher.html").render(
            study=study.name, places=capacity(study), rows=rows, problems=self.sessions.problems,
            counts={state: ends.count(state) for state in dict.fromkeys(ends)},
            now=datetime.now().astimezone().strftime("%H:%M:%S"),
        )  # fmt: skip


def row_of(running: Running) -> dict[str, object]:
    """What the page shows of a place."""
    tally, ago = running.tally, max(time.time() - running.heard, 0)
    late = tally.late / tally.inputs if tally.inputs else 0.0
    return {
        "place": running.place, "versions": ", ".join(running.versions), "state": state_of(running, ago),
        "page": tally.page, "plays": tally.plays, "inputs": f"{tally.inputs:,}",
        "late": f"{100 * late:.1f} %" if tally.inputs else "", "is_late": late > LATE, "reloads": tally.reloads,
        "offline": tally.offline, "heard": minutes(ago), "problem": running.problem,
    }  # fmt: skip


def state_of(running: Running, ago: float) -> str:
    tally = running.tally
    if running.is_gone:
        return "withdrawn"
    if tally.is_finished:
        return {"complete": "finished", "stopped": "stopped", "screened_out": "excluded"}[tally.end]
    return "under way" if ago < SETTLED else "away"


def minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
