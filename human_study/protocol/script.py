"""The pages of a session, filled with a study's words. Participants see them, and so does the preview."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from priorlab.human_study.data.interrupted import Interrupted
from priorlab.human_study.protocol.blocks import Block, Caps, Code, Text, Title
from priorlab.human_study.protocol.keys import INPUT_NUMBERS
from priorlab.human_study.protocol.pages import Choice, KeysPage, Page, question_page
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import KINDS, Question, Texts

DEFAULTS = {field.name: field.default for field in fields(Question)}


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
        """Title, text and, if there is a minimum age, who can take part."""
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

    # before the session

    def resume(self, interrupted: Interrupted) -> Choice:
        day, clock = self.texts(f"resume.{interrupted.day}"), "%H:%M"
        return self.resume_in(day, interrupted.began.strftime(clock), interrupted.ended.strftime(clock))

    def resume_in(self, day: str, began: str, ended: str) -> Choice:
        """Never shows the code: the next person at this computer would learn it."""
        texts = self.texts
        text = texts("resume.text", day=day, began=began, ended=ended)
        options = {"mine": texts("resume.mine"), "other": texts("resume.other")}
        return Choice([Title(texts("resume.title")), Text(text)], options=options)

    def consent(self) -> Choice:
        title, *rest = self.consent_words
        return Choice([Title(title), *map(Text, rest)], options=self.consent_options)

    def refused(self) -> Page:
        return Page([Title(self.texts("consent.refused"))])

    def full(self) -> Page:
        return Page([Title(self.texts("full.title")), Text(self.texts("full.text"))])

    # the session

    def code(self, code: str) -> Page:
        text = self.texts("code.text", id=code, contact=self.contact)
        return Page([Title(self.texts("code.title")), *with_code(text, code)])

    def keys(self) -> KeysPage:
        return KeysPage(self._input_names(), self.study.remap)

    def question(self, name: str, former: Any = None) -> Page:
        """``former`` is an earlier answer to that question."""
        return question_page(self.texts.questions[name], self.texts, former)

    def begin(self, number: int, caps: Mapping[str, Sequence[str]]) -> Page:
        """Before the play of that number, from 0. ``caps``: what the keys of each input are called."""
        texts, again = self.texts, "again_" if number else ""
        text = texts("begin.again_text") if again else texts("begin.text", minutes=self.study.minutes)
        return self._before_game(texts(f"begin.{again}title"), text, caps)

    def practice(self, caps: Mapping[str, Sequence[str]]) -> Page:
        """Before practice; ``caps`` as for ``begin``."""
        text = self.texts("practice.text", seconds=self.study.practice)
        return self._before_game(self.texts("practice.title"), text, caps)

    def _before_game(self, title: str, text: str, caps: Mapping[str, Sequence[str]]) -> Page:
        rows = [(name, caps[each], False) for each, name in self._input_names().items()]
        stop = Text(self.texts("begin.stop"), dim=True)
        return Page([Title(title), Text(text), Caps(rows), stop], hint="begin.go")

    def stop(self, is_last: bool) -> Choice:
        """go_on, leave (skip to the next game, unless this is the last) or stop."""
        words = ("go_on", "stop") if is_last else ("go_on", "leave", "stop")
        options = {word: self.texts(f"stop.{word}") for word in words}
        return Choice([Title(self.texts("stop.title")), Text(self.texts("stop.text"))], options=options)

    def instructions(self, name: str) -> Page:
        passage = self.texts.instructions[name]
        return Page([Title(passage.title), Text(passage.text)])

    def again(self) -> Page:
        """After a round of questions about the instructions with wrong answers."""
        return self._titled("again")

    # after the session

    def not_eligible(self) -> Page:
        return self._titled("not_eligible")

    def failed_checks(self) -> Page:
        return self._titled("failed_checks")

    def too_young(self) -> Page:
        text = self.texts("too_young.text", age=self.study.minimum_age)
        return Page([Title(self.texts("too_young.title")), Text(text)])

    def debriefing(self) -> Page | None:
        """None if the texts have none."""
        text = self.texts("debriefing.text")
        return Page([Title(self.texts("debriefing.title")), Text(text)]) if text else None

    def thanks(self, code: str) -> Choice:
        texts = self.texts
        text = texts("thanks.text", id=code, contact=self.contact)
        options = {"done": texts("thanks.done"), "withdraw": texts("thanks.withdraw")}
        return Choice([Title(texts("thanks.title")), *with_code(text, code)], options=options, chosen="done")

    def sure(self) -> Choice:
        options = {"keep": self.texts("thanks.keep"), "delete": self.texts("thanks.delete")}
        return Choice([Title(self.texts("thanks.sure"))], options=options)

    def deleted(self) -> Page:
        return Page([Title(self.texts("thanks.deleted"))])

    def failed(self, is_kept: bool) -> Page:
        """``is_kept``: whether there is a record up to the failure."""
        kept = [Text(self.texts("failed.kept"))] if is_kept else []
        title, text = Title(self.texts("failed.title")), Text(self.texts("failed.text"))
        return Page([title, text, *kept], hint="failed.close")

    def _titled(self, name: str) -> Page:
        return Page([Title(self.texts(f"{name}.title")), Text(self.texts(f"{name}.text"))])

    def _input_names(self) -> dict[str, str]:
        fire = self.study.settings(self.study.versions[0]).is_atari
        return {each: self.texts(f"inputs.{'fire' if fire and each == 'jump' else each}") for each in INPUT_NUMBERS}

    # the wording, to be stored with the data

    def wording(self) -> dict[str, Any]:
        """The consent, the instructions and the debriefing as they are shown, and the study's questions, in order."""
        study, texts = self.study, self.texts
        debriefing = texts("debriefing.text")
        read = [f"{each.title}\n\n{each.text}" for each in texts.instruct(study.instructions)]
        return {
            "language": texts.language,
            "consent_version": study.consent_version,
            "consent": "\n\n".join([*self.consent_words, *self.consent_options.values()]),
            **({"instructions": "\n\n".join(read)} if read else {}),
            "debriefing": f"{texts('debriefing.title')}\n\n{debriefing}" if debriefing else "",
            "questions": {question.name: question_wording(question) for question in texts.ask(study.questions)},
        }


def language_page(languages: Mapping[str, Texts]) -> Choice:
    """Each language by its own name. The words around them are in the first one's letters, so in its font."""
    title = " / ".join(dict.fromkeys(texts("page.language") for texts in languages.values()))
    return Choice([Title(title)], options={code: texts.language for code, texts in languages.items()})


def question_wording(question: Question) -> dict[str, Any]:
    """Everything the question shows and allows, without what its kind does not have."""
    return {
        name: value
        for name, value in asdict(question).items()
        if name != "name" and (value != DEFAULTS[name] or name in KINDS[question.kind])
    }


def with_code(text: str, code: str) -> list[Block]:
    """A text that contains a code, with the code in a block of its own."""
    before, match, after = text.partition(code)
    blocks = [Text(before.strip()), Code(code), Text(after.lstrip(" .,;\n").rstrip())] if match else [Text(text)]
    return [block for block in blocks if block.text]
