"""The steps of a session between consent and the farewell, as data: which come, which remain, which are over."""

from dataclasses import dataclass
from typing import Any

from priorlab.human_study.study.study_file import Study

GONE_BACK = ("question", "instructions", "check")
ROUND = ("instructions", "practice", "check")  # what a participant who answers wrongly sees again


@dataclass(frozen=True)
class Step:
    """One page or one play of a session; ``play`` is the number of the play it belongs to."""

    kind: str  # code, controls, question, instructions, practice, check, begin, play
    name: str = ""
    play: int | None = None

    @property
    def page(self) -> str:
        """Its name in the log."""
        return ":".join(str(part) for part in (self.kind, self.name, self.play) if part not in ("", None))

    @property
    def shows(self) -> str:
        """The page it shows: questions are the same after each play, and when they check something."""
        return f"{'question' if self.asks else self.kind}:{self.name}" if self.name else self.page

    @property
    def asks(self) -> bool:
        return self.kind in ("question", "check")

    @property
    def key(self) -> str:
        """The name under which the answer to its question is logged."""
        return self.name if self.play is None else f"{self.name}.{self.play}"


def steps(study: Study, plays: int) -> list[Step]:
    """All steps of a session with that many plays."""
    planned = [Step("code")] + ([Step("controls")] if study.try_keys else [])
    planned += [Step("question", name) for name in study.before]
    planned += [Step("instructions", name) for name in study.instructions]
    planned += [Step("practice")] if study.practice_limit else []
    planned += [Step("check", name) for name in study.checks]
    for number in range(plays):
        planned += [Step("begin", play=number), Step("play", play=number)]
        planned += [Step("question", name, number) for name in study.after_each]
    return planned + [Step("question", name) for name in study.after]


def can_go_back(planned: list[Step], at: int) -> bool:
    """Whether a participant can go back from step ``at`` to the one before: from pages to read or answer to others."""
    return at > 0 and all(step.kind in GONE_BACK for step in planned[at - 1 : at + 1])


def ends_round(planned: list[Step], at: int) -> bool:
    """Whether step ``at`` is the last question about the instructions."""
    return planned[at].kind == "check" and planned[at + 1].kind != "check"


def round_begins(planned: list[Step]) -> int:
    """The number of the step at which a further round of instructions and questions about them begins."""
    return next(at for at, step in enumerate(planned) if step.kind in ROUND)


def after_stop(planned: list[Step], at: int) -> list[Step]:
    """The steps that remain when a participant stops at step ``at``: after a play, the questions about it.

    A participant who stops at a question gets no further questions.
    """
    step = planned[at]
    if step.kind == "question" or not any(each.kind == "play" for each in planned[: at + 1]):
        return []
    plays = (None, step.play) if step.kind == "play" else (None,)
    return [each for each in planned[at + 1 :] if each.kind == "question" and each.play in plays]


def resumed(planned: list[Step], events: list[dict[str, Any]], plays: int) -> tuple[list[Step], int]:
    """(steps, number of the current one) of an interrupted session, from its log; ``plays`` of its plays are over."""
    done = {Step("play", play=number).page for number in range(plays)}
    for event in events:
        if event["event"] == "excluded":
            return planned, len(planned)
        if event["event"] != "page":
            continue
        pages = [step.page for step in planned]
        if event["what"] == "end":
            done.add(event["page"])
            if event.get("again"):
                done -= {step.page for step in planned if step.kind in ROUND}
        elif event["what"] == "stop" and event["page"] in pages:  # the study may have lost that question since
            at = pages.index(event["page"])
            planned = [*planned[:at], *after_stop(planned, at)]
    return planned, next((at for at, step in enumerate(planned) if step.page not in done), len(planned))
