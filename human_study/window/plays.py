"""The plays of a session at the window, with the questions in the middle of them."""

import time
from typing import Any

from priorlab.human_study.data.practice import PracticeRecorder
from priorlab.human_study.data.recorder import LEFT, STOPPED, Recorder
from priorlab.human_study.protocol.probes import Schedule, caught_up
from priorlab.human_study.window.game_loop import drain, keys_for, run
from priorlab.human_study.window.speaker import Speaker, WindowClosed


class Stopped(Exception):
    """The participant wants to stop."""


class Plays(Speaker):
    """Plays games that ``recorder`` records, in these ``versions``."""

    recorder: Recorder | None = None
    versions: tuple[str, ...] = ()

    @property
    def _recorder(self) -> Recorder:
        assert self.recorder
        return self.recorder

    def play(self, number: int) -> None:
        """The play of that number, from its beginning or from where it was interrupted. Raises Stopped."""
        study, recorder, window = self.study, self._recorder, self.window
        wait = "resumed" if recorder.course else ""
        course = recorder.course or recorder.begin(study.settings(self.versions[number]), study.limit)
        schedule = caught_up(study.probes, recorder.events) if wait else Schedule(study.probes, course.rate)
        while True:
            if schedule.due:
                window.pause("probe")
                wait, chosen = "probe", self._probe(number, schedule)
            else:
                window.play(keys_for(course), wait)
                if run(recorder, course, window, schedule.after):
                    return
                if schedule.due:
                    continue
                wait, chosen = "stop", self._after_escape(self._is_last(number))
            if chosen in ("leave", "stop"):
                recorder.end(LEFT if chosen == "leave" else STOPPED)
                if chosen == "stop":
                    raise Stopped
                return

    def _probe(self, number: int, schedule: Schedule) -> str | None:
        """Asks what is due in the play of that number; if the participant presses Escape, as ``ask_to_stop``."""
        while schedule.due:
            question, why = schedule.due[0]
            about: dict[str, Any] = {"play": number, "step": schedule.inputs}
            form, began = self.form(self.script.question(question)), time.perf_counter()
            drain(self.window, self._recorder)
            self._recorder.note("page", page=f"probe:{question}", what="begin", **about)
            while (how := self.show(form)) == "escape":
                chosen = self.ask_to_stop(self._is_last(number))
                if chosen in ("leave", "stop"):
                    return chosen
            drain(self.window, self._recorder)
            if how == "closed":
                raise WindowClosed
            fields = self.rightness(question, form.answer) | {"seconds": round(time.perf_counter() - began, 3)}
            self._recorder.note("probe", sync=True, question=question, answer=form.answer, why=why, **about, **fields)
            self._recorder.note("page", page=f"probe:{question}", what="end", **about)
            schedule.due.pop(0)
        return None

    def practise(self) -> None:
        """A short game that is none of the plays. Raises Stopped."""
        window = self.window
        taker, wait = PracticeRecorder(self._recorder, self.study.practice_game, self.study.practice_limit), ""
        while True:
            window.play(keys_for(taker.course), wait)
            if ended := run(taker, taker.course, window):
                return taker.end(ended)
            if self._after_escape(is_last=True) == "stop":
                taker.end("quit")
                raise Stopped
            wait = "stop"

    def rightness(self, question: str, answer: Any) -> dict[str, Any]:
        """Whether the answer is right, for the log, if the study says what is."""
        return {"right": self.study.is_right(question, answer)} if question in self.study.right else {}

    def _after_escape(self, is_last: bool) -> str | None:
        """After Escape in a game: as ``ask_to_stop``. Raises WindowClosed if the game ended for another reason."""
        if self.window.reason != "escape":
            raise WindowClosed
        self.window.closed = False
        self.window.pause("stop")
        return self.ask_to_stop(is_last)

    def _is_last(self, number: int) -> bool:
        return number + 1 == len(self.versions)

    def ask_to_stop(self, is_last: bool = True) -> str | None:
        """The answer to ``Script.stop``; None if the participant left the page by Escape."""
        form = self.form(self.script.stop(is_last))
        drain(self.window, self._recorder)
        self._recorder.note("page", page="stop", what="begin")
        how = self.show(form)
        drain(self.window, self._recorder)
        self._recorder.note("page", page="stop", what="end", value=form.answer)
        if how == "closed":
            raise WindowClosed
        return form.answer
