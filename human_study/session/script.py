"""The pages of a session, filled with a study's words: participants see them, and so does the preview."""

from dataclasses import dataclass
from typing import Any

from priorlab.human_study.data.interrupted import Interrupted
from priorlab.human_study.study.study import Study
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import INPUTS, Controls, Pads, name_of
from priorlab.human_study.window.pages import KeysPage
from priorlab.human_study.window.paper import Caps, Text, Title
from priorlab.human_study.window.questions import Choice, Page, ask, with_code


@dataclass(frozen=True)
class Script:
    """Every page that a study can show."""

    study: Study
    texts: Texts

    @property
    def contact(self) -> str:
        return self.study.contact.strip() or self.texts("consent.contact")

    @property
    def consent_words(self) -> list[str]:
        """Title, text and, where there is a minimum age, who can take part."""
        words = [self.texts("consent.title"), self.consent_text]
        age = self.study.minimum_age
        return words + ([self.texts("consent.age", age=age)] if age else [])

    @property
    def consent_text(self) -> str:
        return self.texts("consent.text", minutes=self.study.longest, contact=self.contact)

    @property
    def consent_options(self) -> dict[str, str]:
        age = self.study.minimum_age
        agree = self.texts("consent.agree_age", age=age) if age else self.texts("consent.agree")
        return {"agree": agree, "refuse": self.texts("consent.refuse")}

    # before there is a session

    def resume(self, found: Interrupted) -> Choice:
        """Never shows the code: whoever comes next would learn it."""
        texts, clock = self.texts, "%H:%M"
        text = texts(
            "resume.text", day=texts(f"resume.{found.day}"),
            began=found.began.strftime(clock), ended=found.ended.strftime(clock),
        )  # fmt: skip
        options = {"mine": texts("resume.mine"), "other": texts("resume.other")}
        return Choice(texts, options, Title(texts("resume.title")), Text(text))

    def consent(self) -> Choice:
        title, *rest = self.consent_words
        return Choice(self.texts, self.consent_options, Title(title), *map(Text, rest))

    def refused(self) -> Page:
        return Page(self.texts, Title(self.texts("consent.refused")))

    def full(self) -> Page:
        return Page(self.texts, Title(self.texts("full.title")), Text(self.texts("full.text")))

    # the session

    def code(self, code: str) -> Page:
        texts = self.texts
        text = texts("code.text", id=code, contact=self.contact)
        return Page(texts, Title(texts("code.title")), *with_code(text, code))

    def keys(self, controls: Controls, pads: Pads | None) -> KeysPage:
        return KeysPage(self.texts, controls, pads, self._input_names(), self.study.remap)

    def question(self, name: str, given: Any = None) -> Page:
        """``given``: the answer that was given before."""
        return ask(self.texts.questions[name], self.texts, given)

    def begin(self, number: int, controls: Controls) -> Page:
        """Before the play of that number, from 0."""
        texts, again = self.texts, "again_" if number else ""
        text = texts("begin.again_text") if again else texts("begin.text", minutes=self.study.minutes)
        rows = [
            (name, [name_of(code, texts) for code in controls.codes(INPUTS[each])], False)
            for each, name in self._input_names().items()
        ]
        return Page(
            texts, Title(texts(f"begin.{again}title")), Text(text), Caps(rows), Text(texts("begin.stop"), dim=True),
            hint="begin.go",
        )  # fmt: skip

    def stop(self, is_last: bool) -> Choice:
        """go_on, leave (this game, where it is not the last) or stop."""
        words = ("go_on", "stop") if is_last else ("go_on", "leave", "stop")
        options = {word: self.texts(f"stop.{word}") for word in words}
        return Choice(self.texts, options, Title(self.texts("stop.title")), Text(self.texts("stop.text")))

    # after it

    def too_young(self) -> Page:
        text = self.texts("too_young.text", age=self.study.minimum_age)
        return Page(self.texts, Title(self.texts("too_young.title")), Text(text))

    def debriefing(self) -> Page | None:
        """None where the texts have none."""
        text = self.texts("debriefing.text")
        return Page(self.texts, Title(self.texts("debriefing.title")), Text(text)) if text else None

    def thanks(self, code: str) -> Choice:
        texts = self.texts
        text = texts("thanks.text", id=code, contact=self.contact)
        options = {"done": texts("thanks.done"), "withdraw": texts("thanks.withdraw")}
        return Choice(texts, options, Title(texts("thanks.title")), *with_code(text, code), chosen="done")

    def sure(self) -> Choice:
        options = {"keep": self.texts("thanks.keep"), "delete": self.texts("thanks.delete")}
        return Choice(self.texts, options, Title(self.texts("thanks.sure")))

    def deleted(self) -> Page:
        return Page(self.texts, Title(self.texts("thanks.deleted")))

    def failed(self, is_kept: bool) -> Page:
        """``is_kept``: whether there is a record up to the failure."""
        kept = [Text(self.texts("failed.kept"))] if is_kept else []
        title, text = Title(self.texts("failed.title")), Text(self.texts("failed.text"))
        return Page(self.texts, title, text, *kept, hint="failed.close")

    def _input_names(self) -> dict[str, str]:
        fire = self.study.settings(self.study.versions[0]).is_atari
        return {each: self.texts(f"inputs.{'fire' if fire and each == 'jump' else each}") for each in INPUTS}
