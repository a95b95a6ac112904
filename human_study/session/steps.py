"""The steps of a session between consent and the farewell, as data: what comes, what is left, and what is over."""

from dataclasses import dataclass
from typing import Any

from priorlab.human_study.study.study import Study


@dataclass(frozen=True)
class Step:
    """One page, or one play, of a session; ``play`` is the number of the play that it belongs to."""

    kind: str  # code, controls, question, begin, play
    name: str = ""
    play: int | None = None

    @property
    def page(self) -> str:
        """What the log calls it."""
        return ":".join(str(part) for part in (self.kind, self.name, self.play) if part not in ("", None))


def steps(study: Study, plays: int) -> list[Step]:
    """What comes between consent and the farewell."""
    found = [Step("code")] + ([Step("controls")] if study.try_keys else [])
    found += [Step("question", name) for name in study.before]
    for number in range(plays):
        found += [Step("begin", play=number), Step("play", play=number)]
        found += [Step("question", name, number) for name in study.after_each]
    return found + [Step("question", name) for name in study.after]


def after_stop(found: list[Step], at: int) -> list[Step]:
    """The steps that remain after a participant quits at one of them: after a play, the questions about it.

    A participant who quits at a question gets no further questions.
    """
    step = found[at]
    if step.kind == "question" or not any(each.kind == "play" for each in found[: at + 1]):
        return []
    plays = (None, step.play) if step.kind == "play" else (None,)
    return [each for each in found[at + 1 :] if each.kind == "question" and each.play in plays]


def taken_up(found: list[Step], events: list[dict[str, Any]], plays: int) -> tuple[list[Step], int]:
    """(the steps of a session that was interrupted, at which of them it is), by its log; ``plays`` of it are over."""
    past = {Step("play", play=number).page for number in range(plays)}
    for event in events:
        if event["event"] == "excluded":
            return found, len(found)
        if event["event"] != "page":
            continue
        pages = [step.page for step in found]
        if event["what"] == "end":
            past.add(event["page"])
        elif event["what"] == "stop" and event["page"] in pages:  # the study may have lost that question since
            at = pages.index(event["page"])
            found = [*found[:at], *after_stop(found, at)]
    return found, next((at for at, step in enumerate(found) if step.page not in past), len(found))
