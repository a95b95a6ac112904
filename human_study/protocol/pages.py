"""Pages as data: what each shows and what it asks. ``window`` shows them with pygame; a browser could, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from priorlab.human_study.protocol.blocks import Block, Plate, Text, Title
from priorlab.human_study.study.answers import bounds
from priorlab.human_study.study.texts import Question, Texts


@dataclass(frozen=True)
class Page:
    """Something to read. ``hint`` is the name of the text that says how to continue."""

    blocks: Sequence[Block]
    hint: str = "page.next"


@dataclass(frozen=True, kw_only=True)
class Choice(Page):
    """One of several options, by name. ``chosen`` is the option that is selected at first; None for none of them."""

    options: dict[str, str]
    chosen: str | None = None
    question: Question | None = None  # that it asks
    hint: str = "page.choose"


@dataclass(frozen=True, kw_only=True)
class Several(Page):
    """Some of several options; ``chosen`` are those that are selected at first."""

    question: Question
    chosen: Sequence[str] = ()
    hint: str = "page.several"


@dataclass(frozen=True, kw_only=True)
class Typed(Page):
    """A typed text or number, or the question's only option, which stands for no answer.

    ``former`` is an earlier answer, which the page shows. ``study.answers`` says what can be typed.
    """

    question: Question
    former: Any = None


@dataclass(frozen=True)
class KeysPage:
    """The keys of the game, to be tried and, if ``remap``, to be chosen.

    ``names`` is what each input is called, by its name in ``INPUT_NUMBERS``.
    """

    names: dict[str, str]
    remap: bool


def question_page(question: Question, texts: Texts, former: Any = None) -> Page:
    """The page of a question; ``former`` is an earlier answer to it."""
    blocks: list[Block] = [Title(question.text)]
    if question.kind in ("choice", "scale"):
        chosen = next((option for option in question.options if question.answer(option) == former), None)
        return Choice(blocks, options=question.options, chosen=chosen, question=question)
    if question.kind == "several":
        chosen = [option for option in question.options if isinstance(former, list) and option in former]
        return Several(blocks, question=question, chosen=chosen)
    if question.kind == "plate":
        blocks.append(Plate(question.shows, question.cones))
    if question.kind == "number":
        blocks.append(Text(texts("answer.bounds", **bounds(question, texts)), dim=True))
    hint = "page.type_or_choose" if question.options else "page.type"
    return Typed(blocks, question=question, former=former, hint=hint)
