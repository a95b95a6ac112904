"""Shows a study's pages. Those outside a session are not logged: the language, who can take part, the farewell."""

from collections.abc import Mapping
from typing import Any

from priorlab.human_study.protocol.pages import KeysPage, Page
from priorlab.human_study.protocol.script import Script, language_page
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.forms import Form
from priorlab.human_study.window.paper import Paper
from priorlab.human_study.window.show_page import form_of, show_page
from priorlab.human_study.window.window import Window


class WindowClosed(Exception):
    """The session can be resumed later."""


class Speaker:
    """Shows pages of a study in one of its languages, the first one until another is chosen."""

    def __init__(self, study: Study, languages: Mapping[str, Texts], window: Window):
        """``languages``: the study's texts by code."""
        self.study, self.languages, self.window = study, languages, window
        self.speak(next(iter(languages.values())))

    def speak(self, texts: Texts) -> None:
        self.texts, self.script, self.paper = texts, Script(self.study, texts), Paper(texts)
        self.wording = self.script.wording()

    def form(self, page: Page | KeysPage) -> Form:
        return form_of(page, self.texts, self.window)

    def show(self, form: Form, dots: tuple[int, int] = (0, 0), back: bool = False) -> str:
        return show_page(form, self.window, self.paper, dots, back)

    def ask_alone(self, page: Page) -> Any:
        """The answer to a page outside the session; Escape leaves it unanswered. Raises WindowClosed."""
        form = self.form(page)
        if self.show(form) == "closed":
            raise WindowClosed
        self.window.happened.clear()  # none of it is logged
        return form.answer

    def choose_language(self) -> None:
        while len(self.languages) > 1:
            if chosen := self.ask_alone(language_page(self.languages)):  # Escape leaves the page unanswered
                return self.speak(self.languages[chosen])

    def ask_eligibility(self) -> dict[str, Any] | None:
        """The answers that decide who can take part, up to the first that excludes; None after Escape."""
        answers: dict[str, Any] = {}
        for name in self.study.eligible:
            answers[name] = self.ask_alone(self.script.question(name))
            if answers[name] is None:
                return None
            if not self.study.is_eligible(name, answers[name]):
                break
        return answers
