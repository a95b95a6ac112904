"""A session with a participant: consent, code, keys, questions, games, debriefing, thanks; also an interrupted one."""

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from priorlab.envs.base.files import one_line
from priorlab.envs.plays.play import new_id
from priorlab.human_study.data.interrupted import interrupted_here, machine_id
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.withdraw import withdraw
from priorlab.human_study.data.wordings import store_wording, wording_name
from priorlab.human_study.protocol.pages import KeysPage, Page
from priorlab.human_study.protocol.steps import (
    Step,
    after_stop,
    can_go_back,
    ends_round,
    resumed,
    round_begins,
    steps,
)
from priorlab.human_study.study.assignment import Station, StudyFull, StudyPlace, free_place, is_full, take_place
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import Controls, key_names
from priorlab.human_study.window.game_loop import drain, end_words
from priorlab.human_study.window.paper import Paper
from priorlab.human_study.window.plays import Plays, Stopped
from priorlab.human_study.window.show_page import notice
from priorlab.human_study.window.speaker import WindowClosed
from priorlab.human_study.window.window import Window


class Excluded(Exception):
    """The session is over for a participant who is too young, or who failed the checks of the instructions."""

    def __init__(self, page: str, reason: str):
        """``page`` says so to the participant, ``reason`` to the researcher."""
        super().__init__(reason)
        self.page = page


class Session(Plays):
    """Leads one participant through a study at a window. ``run`` returns how it ended, in words for the terminal."""

    def __init__(self, study: Study, languages: Mapping[str, Texts], window: Window, station: Station | None = None):
        super().__init__(study, languages, window)
        self.station = station
        self.machine = machine_id()
        self.steps: list[Step] = []
        self.at = 0  # number of the current step
        self.rounds = 0  # of instructions and questions about them that ended with wrong answers
        self.answers: dict[str, Any] = {}  # by question, as they are logged; the latest of each

    def run(self, resume: Path | None = None) -> str:
        """``resume`` is the log of an interrupted session to continue, without asking whose it is.

        Raises StudyFull; OSError, one line, when recording becomes impossible, after a page that says so. What was
        recorded is kept.
        """
        try:
            return self._lead(resume)
        except StudyFull:
            raise
        except Exception:  # in any case the participant learns that somebody must come
            self._apologize()
            raise

    def _lead(self, resume: Path | None) -> str:
        try:
            if resume:
                self._resume(resume)
            elif not self._meet() and (reason := self._consent()):
                return reason
        except WindowClosed:
            return "the window was closed before anything was recorded"
        recorder = self._recorder
        try:
            self._walk()
        except WindowClosed:
            drain(self.window, recorder)
            recorder.close()
            return f"the window was closed; {recorder.path} can be resumed"
        except Excluded as reason:
            return f"{reason}, which ended the session; {self._farewell(reason.page)}"
        return self._farewell()

    # before there is a session

    def _meet(self) -> bool:
        """Asks for the language, and whether the participant continues a session that was interrupted on this
        computer."""
        self.choose_language()
        for interrupted in interrupted_here(self.study.folder, self.machine):
            if self.ask_alone(self.script.resume(interrupted)) == "mine":
                self._resume(interrupted.path)
                return True
        return False

    def _resume(self, path: Path) -> None:
        self.recorder = recorder = Recorder.resume(path)
        events = recorder.events
        spoken = [event["language"] for event in events if event["event"] == "consent"]
        self.speak(next((each for each in self.languages.values() if each.language in spoken), self.texts))
        recorder.note("screen", **self.window.about())
        self._begin(tuple(events[0]["versions"]))
        for event in events:
            if event["event"] == "controls":
                self.window.controls = Controls.of(event)
            if event["event"] == "answer":
                self.answers[event["question"]] = event["answer"]
            if event.get("again"):
                self._forget_round()
        self.steps, self.at = resumed(self.steps, events, recorder.plays - (recorder.course is not None))
        noted = [event["wording"] for event in events if "wording" in event]
        if noted[-1:] != [wording_name(self.wording)]:  # the texts have changed since
            recorder.note("wording", sync=True, wording=store_wording(self.study.folder, self.wording))

    def _consent(self) -> str:
        """Asks for consent and begins the session; returns why there is none, or an empty text."""
        study = self.study
        if is_full(study, self.station):
            self._end_full()
        began = time.perf_counter()
        agreed = self.ask_alone(self.script.consent()) == "agree"
        seconds = round(time.perf_counter() - began, 3)
        answers = self.ask_eligibility() if agreed else None
        if not agreed or answers is None:
            self.ask_alone(self.script.refused())
            return "no consent: nothing was recorded"
        if not all(self.study.is_eligible(*each) for each in answers.items()):
            self.ask_alone(self.script.not_eligible())
            return "not eligible: nothing was recorded"
        try:
            self._record_consent(seconds, answers)
        except StudyFull:
            self._end_full()
        except OSError as error:
            raise OSError(one_line(study.folder, error)) if error.strerror else error from None
        return ""

    def _record_consent(self, seconds: float, answers: Mapping[str, Any]) -> None:
        """Begins the session of a participant who agreed after that many seconds, and gave these answers before."""
        study, name = self.study, new_id()
        wording = store_wording(study.folder, self.wording)
        place = take_place(study, name, self.station)
        try:
            self._create(name, place)
        except OSError:
            free_place(study, place)
            raise
        self._recorder.note(
            "consent", sync=True, version=study.consent_version, language=self.texts.language, wording=wording,
            minimum_age=study.minimum_age, seconds=seconds,
            text=hashlib.sha256(self.script.consent_text.encode()).hexdigest(),
        )  # fmt: skip
        for question, answer in answers.items():
            self._recorder.note("answer", sync=True, question=question, answer=answer)
        self._begin(place.versions)

    def _create(self, name: str, place: StudyPlace) -> None:
        about = {
            key: value for key, value in asdict(place).items() if key not in ("participant", "date", "number", "rule")
        }
        settings = {"design": self.study.design, "minutes": self.study.minutes, "machine": self.machine}
        self.recorder = Recorder.create(
            self.study.folder, id=name, place=place.number, **about, **settings, **self.window.about()
        )

    def _begin(self, versions: tuple[str, ...]) -> None:
        self.window.name_pads()
        self.versions, self.steps = versions, steps(self.study, len(versions))
        prepare(self.window, self.paper)

    def _end_full(self) -> NoReturn:
        self.ask_alone(self.script.full())
        raise StudyFull(f"{self.study.path}: all places are taken; nothing was recorded")

    # the session

    def _walk(self) -> None:
        """All steps in order. From pages to read or to answer, the participant can go back."""
        while self.at < len(self.steps):
            step, went = self.steps[self.at], 1
            try:
                if step.kind == "play":
                    self.play(step.play or 0)
                else:
                    went = self._show(step)
            except Stopped:
                self._recorder.note("page", page=step.page, what="stop")
                self.steps[self.at + 1 :] = after_stop(self.steps, self.at)
            self.at += went

    def _end_round(self) -> dict[str, Any]:
        """What the log says about the round of instructions and checks that ends with this step."""
        ended = self.study.criteria.round_ended(self.answers, self.rounds)
        if self.study.criteria.ends_with(ended):
            self._recorder.note("excluded", sync=True, why="checks", **ended)
            raise Excluded("failed_checks", f"{', '.join(ended['wrong'])} answered wrongly in round {ended['round']}")
        return ended

    def _forget_round(self) -> None:
        self.rounds += 1
        for name in self.study.checks:
            self.answers.pop(name, None)

    def _begin_round(self) -> int:
        """After wrong answers; returns how many steps to advance to the instructions."""
        self._forget_round()
        form = self.form(self.script.again())
        self._recorder.note("page", page="again", what="begin")
        how = self.show(form)
        drain(self.window, self._recorder)
        if how == "closed":
            raise WindowClosed
        self._recorder.note("page", page="again", what="end")
        return round_begins(self.steps) - self.at

    def _show(self, step: Step) -> int:
        """Shows one page; returns how many steps to advance, -1 for back."""
        form, recorder = self.form(self._page_of(step)), self._recorder
        began, back = time.perf_counter(), can_go_back(self.steps, self.at)
        recorder.note("page", page=step.page, what="begin", sync=True)  # a failed disk is noticed before the page
        while True:
            how = self.show(form, (self.at, len(self.steps)), back)
            drain(self.window, recorder)
            if how == "closed":
                raise WindowClosed
            if how != "escape":
                break
            if self.ask_to_stop() == "stop":
                raise Stopped
        seconds = round(time.perf_counter() - began, 3)
        if how == "done":
            self._note_answer(step, form.answer, seconds)
            if step.kind == "practice":
                self.practise()
            ended = self._end_round() if ends_round(self.steps, self.at) else {}
            recorder.note("page", page=step.page, what="end", **ended)
            if ended.get("again"):
                return self._begin_round()
        elif self._is_changed(step, given := form.given()):
            self._note_answer(step, given, seconds)
        return 1 if how == "done" else -1

    def _is_changed(self, step: Step, given: Any) -> bool:
        """Whether a participant who goes back leaves a new answer. One that is too young counts only after Enter."""
        is_new = given not in (None, self.answers.get(step.key))
        return is_new and not self.study.is_too_young(step.name, given)

    def _page_of(self, step: Step) -> Page | KeysPage:
        script, window = self.script, self.window
        if step.kind == "code":
            return script.code(self._recorder.participant)
        if step.kind == "controls":
            return script.keys()
        if step.kind == "instructions":
            return script.instructions(step.name)
        if step.kind == "practice":
            return script.practice(key_names(window.controls, self.texts))
        if step.asks:
            return script.question(step.name, self.answers.get(step.key))
        return script.begin(step.play or 0, key_names(window.controls, self.texts))

    def _note_answer(self, step: Step, answer: Any, seconds: float) -> None:
        if step.kind == "controls":
            self.window.controls = answer
            pads = self.window.pads.count if self.window.pads is not None else 0
            self._recorder.note("controls", sync=True, **answer.about(), gamepads=pads)
        elif step.asks:
            if self.study.is_too_young(step.name, answer):
                least = self.study.minimum_age
                self._recorder.note("excluded", sync=True, why="minimum_age", minimum_age=least)
                raise Excluded("too_young", f"younger than {least}")
            question = self.texts.questions[step.name]
            fields: dict[str, Any] = {"play": step.play} if step.play is not None else {}
            fields |= {"shows": question.shows, "cones": question.cones} if question.kind == "plate" else {}
            fields |= self.rightness(step.name, answer)
            name = step.key
            self.answers[name] = answer
            self._recorder.note("answer", sync=True, question=name, answer=answer, seconds=seconds, **fields)

    # after it

    def _farewell(self, name: str = "debriefing") -> str:
        """The page of that name, thanks, and the way to withdraw at once. The record is complete and on disk before."""
        script, recorder = self.script, self._recorder
        pages = {"too_young": script.too_young, "failed_checks": script.failed_checks, "debriefing": script.debriefing}
        page = pages[name]()
        drain(self.window, recorder)
        if page:
            recorder.note("page", page=name, what="begin")
        recorder.finish()
        with suppress(WindowClosed):
            if page:
                self.ask_alone(page)
            while self.ask_alone(script.thanks(recorder.participant)) == "withdraw":
                if self.ask_alone(script.sure()) == "delete":
                    return self._withdraw()
        if not recorder.log.is_there():
            raise OSError(f"{recorder.path}: no longer exists: expected the folder to stay until the session is over")
        return f"saved {recorder.path}"

    def _withdraw(self) -> str:
        name = self._recorder.participant
        again = f"run priorlab withdraw {name} {self.study.path}"
        try:
            record = withdraw(self.study, name)
        except (OSError, ValueError) as error:
            raise OSError(
                f"{name} withdrew, but the record could not be deleted: {' '.join(str(error).split())}; {again}"
            ) from None
        with suppress(WindowClosed):
            self.ask_alone(self.script.deleted())
        others = f"; {len(record.mentions)} other files contain that code: {again}" if record.mentions else ""
        return f"{name} withdrew: everything recorded was deleted{others}"

    def _apologize(self) -> None:
        """The page of a session that can't continue."""
        is_kept = False
        if self.recorder:
            with suppress(OSError):
                self.recorder.log.close()
            is_kept = self.recorder.log.is_there()
        with suppress(WindowClosed):
            self.ask_alone(self.script.failed(is_kept))


def prepare(window: Window, paper: Paper) -> None:
    """Draws the words that the window shows on a game."""
    window.notice = notice(paper, paper.texts("page.pause"), max(paper.em, 20))
    window.words = end_words(paper, window.size[1])
