"""A session with a participant: consent, keys, questions, games, questions, thanks; and one that was interrupted."""

import hashlib
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from envs.events import locked
from envs.files import release
from envs.play import Outcome, new_id
from human_study.assign import Place, Station, StudyFull, is_full, take
from human_study.controls import INPUTS, Controls, name_of
from human_study.loop import drain, end_words, keys_for, run
from human_study.pages import Choice, KeysPage, Page, ask, notice, show, with_code
from human_study.paper import Caps, Paper, Text, Title, check_font
from human_study.recorder import Recorder, unfinished
from human_study.study import Study
from human_study.texts import Texts
from human_study.window import Window
from human_study.withdraw import withdraw

RECENT = 12 * 3600  # seconds after which nobody is asked any more whether an interrupted session is theirs


class Left(Exception):
    """The window was closed: the session waits to be taken up again."""


class Stopped(Exception):
    """The participant wants to stop."""


@dataclass(frozen=True)
class Step:
    """One page, or one play, of a session; ``play`` is the number of the play that it belongs to."""

    kind: str  # controls, question, begin, play
    name: str = ""
    play: int | None = None

    @property
    def page(self) -> str:
        """What the log calls it."""
        return ":".join(str(part) for part in (self.kind, self.name, self.play) if part not in ("", None))


def steps(study: Study, plays: int) -> list[Step]:
    """What comes between consent and thanks."""
    found = [Step("controls")] if study.try_keys else []
    found += [Step("question", name) for name in study.before]
    for number in range(plays):
        found += [Step("begin", play=number), Step("play", play=number)]
        found += [Step("question", name, number) for name in study.after_each]
    return found + [Step("question", name) for name in study.after]


def after_stop(found: list[Step], at: int) -> list[Step]:
    """What is left of all steps for a participant who stops at one of them: who has played is asked about that.

    Who stops at a question is asked no more.
    """
    step = found[at]
    if step.kind == "question" or not any(each.kind == "play" for each in found[: at + 1]):
        return []
    plays = (None, step.play) if step.kind == "play" else (None,)
    return [each for each in found[at + 1 :] if each.kind == "question" and each.play in plays]


def taken_up(found: list[Step], events: list[dict[str, Any]], plays: int) -> tuple[list[Step], int]:
    """(the steps of a session that was interrupted, at which of them it is), by its log; ``plays`` of it are over."""
    past = {Step("play", play=number).page for number in range(plays)}
    for event in (event for event in events if event["event"] == "page"):
        pages = [step.page for step in found]
        if event["what"] == "end":
            past.add(event["page"])
        elif event["what"] == "stop" and event["page"] in pages:  # the study may have lost that question since
            at = pages.index(event["page"])
            found = [*found[:at], *after_stop(found, at)]
    return found, next((at for at, step in enumerate(found) if step.page not in past), len(found))


class Session:
    """Leads one participant through a study at a window. ``run`` tells how it ended, in words for the terminal."""

    def __init__(self, study: Study, texts: Texts, window: Window, station: Station | None = None):
        self.study, self.texts, self.window, self.station = study, texts, window, station
        self.paper = Paper(texts)
        self.recorder: Recorder | None = None
        self.versions: tuple[str, ...] = ()
        self.steps: list[Step] = []
        self.at = 0  # which of the steps
        self.answers: dict[str, Any] = {}  # by question, as they are logged; the last of each

    def run(self) -> str:
        """Raises OSError, one line, where nothing can be recorded (any more); what was recorded is kept."""
        try:
            if not self._take_up() and (reason := self._consent()):
                return reason
            recorder = self._recorder
            try:
                self._walk()
            except Left:
                drain(self.window, recorder)
                recorder.close()
                return f"the window was closed; {recorder.path} can be taken up again"
            drain(self.window, recorder)
            recorder.finish()
            return self._thank()
        except Left:
            return "the window was closed before anything was recorded"

    @property
    def _recorder(self) -> Recorder:
        assert self.recorder
        return self.recorder

    # before there is a session

    def _take_up(self) -> bool:
        """Whether the participant goes on with a session that was interrupted."""
        now = time.time()
        paths = [path for path in unfinished(self.study.folder) if now - path.stat().st_mtime < RECENT]
        for path in paths:
            try:
                release(locked(path))
            except OSError:
                continue  # somebody is at it
            name = path.name.split(".")[0]
            options = {"mine": self.texts("resume.mine", id=name), "other": self.texts("resume.other")}
            page = Choice(self.texts, options, Title(self.texts("resume.title")), Text(self.texts("resume.text")))
            if self._ask_alone(page) == "mine":
                self._resume(Recorder.resume(path))
                return True
        return False

    def _resume(self, recorder: Recorder) -> None:
        self.recorder = recorder
        header, events = recorder.events[0], recorder.events
        recorder.note("screen", **self.window.about())
        self._begin(tuple(header["versions"]))
        for event in events:
            if event["event"] == "controls":
                self.window.controls = Controls.of(event)
            if event["event"] == "answer":
                self.answers[event["question"]] = event["answer"]
        self.steps, self.at = taken_up(self.steps, events, recorder.plays - (recorder.course is not None))

    def _consent(self) -> str:
        """Asks for consent, and begins the session; why there is none, else nothing."""
        texts, study = self.texts, self.study
        if is_full(study, self.station):
            return self._full()
        contact = study.contact or texts("consent.contact")
        text = texts("consent.text", minutes=study.longest, contact=contact)
        options = {"agree": texts("consent.agree"), "refuse": texts("consent.refuse")}
        began = time.perf_counter()
        page = Choice(texts, options, Title(texts("consent.title")), Text(text))
        if self._ask_alone(page) != "agree":
            self._ask_alone(Page(texts, Title(texts("consent.refused"))))
            return "no consent: nothing was recorded"
        name = new_id()
        try:
            place = take(study, name, self.station)
        except StudyFull:
            return self._full()
        self._create(name, place)
        self._recorder.note(
            "consent", sync=True, version=study.consent_version, language=texts.language,
            text=hashlib.sha256(text.encode()).hexdigest(), seconds=round(time.perf_counter() - began, 3),
        )  # fmt: skip
        self._begin(place.versions)
        return ""

    def _create(self, name: str, place: Place) -> None:
        about = {
            key: value for key, value in asdict(place).items() if key not in ("participant", "date", "number", "rule")
        }
        settings = {"design": self.study.design, "minutes": self.study.minutes}
        self.recorder = Recorder.create(
            self.study.folder, id=name, place=place.number, **about, **settings, **self.window.about()
        )

    def _begin(self, versions: tuple[str, ...]) -> None:
        self.window.name_pads()
        self.versions, self.steps = versions, steps(self.study, len(versions))
        size = self.paper.em if self.paper.em > 20 else 20
        self.window.notice = notice(self.paper, self.texts("page.pause"), size)
        self.window.words = end_words(self.paper, self.window.size[1])

    def _full(self) -> str:
        self._ask_alone(Page(self.texts, Title(self.texts("full.title")), Text(self.texts("full.text"))))
        raise StudyFull(f"{self.study.path}: all places are taken; nothing was recorded")

    def _ask_alone(self, page: Page) -> Any:
        """A page outside the session's; Escape leaves it unanswered."""
        if show(page, self.window, self.paper) == "closed":
            raise Left
        self.window.happened.clear()  # nothing is kept of it
        return page.answer

    # the session

    def _walk(self) -> None:
        """All steps in order; a question can be gone back to from the next one."""
        while self.at < len(self.steps):
            step = self.steps[self.at]
            try:
                went = self._play(step.play or 0) if step.kind == "play" else self._show(step)
            except Stopped:
                self._recorder.note("page", page=step.page, what="stop")
                self.steps[self.at + 1 :] = after_stop(self.steps, self.at)
                went = 1
            self.at += went

    def _show(self, step: Step) -> int:
        """One page; how many steps to go on, -1 for back."""
        page, recorder = self._page_of(step), self._recorder
        can_go_back = step.kind == "question" and self.at > 0 and self.steps[self.at - 1].kind == "question"
        began = time.perf_counter()
        recorder.note("page", page=step.page, what="begin")
        while True:
            how = show(page, self.window, self.paper, (self.at, len(self.steps)), back=can_go_back)
            drain(self.window, recorder)
            if how == "closed":
                raise Left
            if how != "escape":
                break
            if self._asks_whether_to_stop() == "stop":
                raise Stopped
        seconds = round(time.perf_counter() - began, 3)
        if how == "done":
            self._note_answer(step, page, seconds)
            recorder.note("page", page=step.page, what="end")
        elif page.given() not in (None, self.answers.get(key_of(step))):  # changed, and left by going back
            page.answer = page.given()
            self._note_answer(step, page, seconds)
        return 1 if how == "done" else -1

    def _page_of(self, step: Step) -> Page:
        texts = self.texts
        if step.kind == "controls":
            return KeysPage(texts, self.window.controls, self.window.pads, self._input_names(), self.study.remap)
        if step.kind == "question":
            return ask(self.texts.questions[step.name], texts, self.answers.get(key_of(step)))
        again = "again_" if step.play else ""
        text = texts(f"begin.{again}text") if again else texts("begin.text", minutes=self.study.minutes)
        return Page(
            texts, Title(texts(f"begin.{again}title")), Text(text), Caps(self._key_rows()),
            Text(texts("begin.stop"), dim=True), hint="begin.go",
        )  # fmt: skip

    def _note_answer(self, step: Step, page: Page, seconds: float) -> None:
        if step.kind == "controls":
            self.window.controls = page.answer
            pads = self.window.pads.count if self.window.pads is not None else 0
            self._recorder.note("controls", sync=True, **page.answer.about(), gamepads=pads)
        elif step.kind == "question":
            question = self.texts.questions[step.name]
            fields: dict[str, Any] = {"play": step.play} if step.play is not None else {}
            fields |= {"shows": question.shows, "cones": question.cones} if question.kind == "plate" else {}
            name = key_of(step)
            self.answers[name] = page.answer
            self._recorder.note("answer", sync=True, question=name, answer=page.answer, seconds=seconds, **fields)

    def _play(self, number: int) -> int:
        """The play of that number, begun or gone on with."""
        study, recorder, window = self.study, self._recorder, self.window
        wait = "resumed" if recorder.course else ""
        if not recorder.course:
            recorder.begin(study.settings(self.versions[number]), study.limit)
        course = recorder.course
        assert course
        while True:
            window.play(keys_for(course), wait)
            ended: Outcome | None = run(recorder, course, window)
            if ended:
                return 1
            if window.reason != "escape":
                raise Left
            window.closed = False
            window.pause("stop")
            chosen = self._asks_whether_to_stop(is_last=number + 1 == len(self.versions))
            if chosen == "leave":
                recorder.end("left by the participant for the next game")
                return 1
            if chosen == "stop":
                recorder.end("stopped by the participant")
                raise Stopped
            wait = "stop"

    def _asks_whether_to_stop(self, is_last: bool = True) -> str | None:
        """go_on, leave (this game, where it is not the last) or stop; None where the page itself was left."""
        words = ("go_on", "stop") if is_last else ("go_on", "leave", "stop")
        options = {word: self.texts(f"stop.{word}") for word in words}
        page = Choice(self.texts, options, Title(self.texts("stop.title")), Text(self.texts("stop.text")))
        drain(self.window, self._recorder)
        self._recorder.note("page", page="stop", what="begin")
        how = show(page, self.window, self.paper)
        drain(self.window, self._recorder)
        self._recorder.note("page", page="stop", what="end", value=page.answer)
        if how == "closed":
            raise Left
        return page.answer

    # after it

    def _thank(self) -> str:
        """Thanks, and the way to withdraw at once; what was recorded is safe before."""
        texts, name = self.texts, self._recorder.participant
        text = texts("thanks.text", id=name, contact=self.study.contact or texts("consent.contact"))
        options = {"done": texts("thanks.done"), "withdraw": texts("thanks.withdraw")}
        sure = {"keep": texts("thanks.keep"), "delete": texts("thanks.delete")}
        saved = f"saved {self._recorder.path}"
        try:
            while True:
                page = Choice(texts, options, Title(texts("thanks.title")), *with_code(text, name), chosen="done")
                if self._ask_alone(page) != "withdraw":
                    return saved
                if self._ask_alone(Choice(texts, sure, Title(texts("thanks.sure")))) == "delete":
                    withdraw(self.study, name)
                    self._ask_alone(Page(texts, Title(texts("thanks.deleted"))))
                    return f"{name} withdrew: everything recorded was deleted"
        except Left:
            return saved

    def _input_names(self) -> dict[str, str]:
        fire = self.study.settings(self.study.versions[0]).is_atari
        return {each: self.texts(f"inputs.{'fire' if fire and each == 'jump' else each}") for each in INPUTS}

    def _key_rows(self) -> list[tuple[str, list[str], bool]]:
        codes = self.window.controls.codes
        return [
            (name, [name_of(code, self.texts) for code in codes(INPUTS[each])], False)
            for each, name in self._input_names().items()
        ]


def key_of(step: Step) -> str:
    """What an answer to the question of that step is logged under."""
    return step.name if step.play is None else f"{step.name}.{step.play}"


def load(path: str | Path) -> tuple[Study, Texts]:
    """A study and its texts, checked before a participant comes; ValueError, one line, FileNotFoundError."""
    study = Study.load(path)
    texts = Texts.load(study.beside(study.texts))
    texts.ask([*study.before, *study.after_each, *study.after])
    check_font(texts)
    return study, texts
