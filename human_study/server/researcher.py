"""The researcher's page: how far each place has come, and how well the game runs there. It names the versions."""

import time
from datetime import datetime

from priorlab.human_study.data.chunks import SETTLED
from priorlab.human_study.server.login import pages
from priorlab.human_study.server.running import Running
from priorlab.human_study.server.sessions import Sessions
from priorlab.human_study.study.assignment import capacity

COOKIE = "priorlab_researcher"
LATE = 0.05  # share of inputs taken late above which a place is marked


class Researcher:
    """Shows the sessions."""

    def __init__(self, sessions: Sessions):
        self.sessions = sessions

    def page(self) -> str:
        study = self.sessions.study
        running = sorted(self.sessions.running.values(), key=lambda each: each.place)
        for each in running:
            each.look()
        rows = [row_of(each) for each in running]
        ends = [row["state"] for row in rows]
        return pages().get_template("researcher.html").render(
            study=study.name, places=capacity(study), rows=rows, problems=self._problems(),
            counts={state: ends.count(state) for state in dict.fromkeys(ends)},
            now=datetime.now().astimezone().strftime("%H:%M:%S"),
        )  # fmt: skip

    def _problems(self) -> list[str]:
        return [*self.sessions.problems, *([self.sessions.trouble] if self.sessions.trouble else [])]


def row_of(running: Running) -> dict[str, object]:
    """What the page shows of a place."""
    tally, ago = running.tally, max(time.time() - running.heard, 0)
    late = tally.late / tally.inputs if tally.inputs else 0.0
    return {
        "place": running.place, "versions": ", ".join(running.versions), "state": state_of(running, ago),
        "page": tally.page, "plays": tally.plays, "inputs": f"{tally.inputs:,}",
        "late": f"{100 * late:.1f} %" if tally.inputs else "", "is_late": late > LATE, "reloads": tally.reloads,
        "offline": tally.offline, "heard": "" if running.is_gone else minutes(ago), "problem": running.problem,
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
