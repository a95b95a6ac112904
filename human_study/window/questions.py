"""Pages of text and questions: what each shows, what keys do on it, and what it is answered with."""

from functools import lru_cache
from typing import Any

import numpy as np
import pygame

from priorlab.human_study.study.answers import LONGEST, again, bounds, cleaned, is_within, number, plain, refused
from priorlab.human_study.study.texts import Question, Texts
from priorlab.human_study.window.letters import clusters
from priorlab.human_study.window.paper import Block, Choices, Code, Entry, Note, Paper, Picture, Text, Title, digits
from priorlab.human_study.window.plates import plate

TEXT_LINES = 3  # that are free for a text
SCROLL = 0.6  # of what is seen of a page that is scrolled at most at once
ENTER = (pygame.K_RETURN, pygame.K_KP_ENTER)


class Page:
    """A page of text that Enter ends, and what other pages have in common."""

    typing = False  # whether text is typed
    cancels = False  # whether Escape is the page's own, and does not leave it

    def __init__(self, texts: Texts, *blocks: Block, hint: str = "page.next"):
        self.texts, self._blocks, self._hint = texts, blocks, hint
        self.done, self.back = False, False
        self.answer: Any = None

    def blocks(self) -> list[Block]:
        return [*self._blocks]

    def hint(self) -> str:
        return self.texts(self._hint) if self._hint else ""

    def given(self) -> Any:
        """The answer that Enter would give now; None where it would give none."""
        return None

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type != pygame.KEYDOWN:
            return
        if event.key in ENTER:
            self.enter()
        elif event.key in (pygame.K_DOWN, pygame.K_UP):
            self.move(1 if event.key == pygame.K_DOWN else -1, paper)
        elif event.key in (pygame.K_PAGEDOWN, pygame.K_PAGEUP):
            paper.scroll += round(SCROLL * paper.view) * (1 if event.key == pygame.K_PAGEDOWN else -1)
        elif event.key == pygame.K_LEFT:
            self.back = True

    def enter(self) -> None:
        self.done = True

    def move(self, way: int, paper: Paper) -> None:
        """Up (-1) or down (1): scrolls."""
        paper.scroll += way * round(SCROLL * paper.view)


class Choice(Page):
    """One of some options, by name; at first none is chosen."""

    def __init__(self, texts: Texts, options: dict[str, str], *blocks: Block, chosen: str | None = None):
        super().__init__(texts, *blocks, hint="page.choose")
        self.options, self.chosen = options, list(options).index(chosen) if chosen in options else None

    def blocks(self) -> list[Block]:
        return [*self._blocks, Choices(list(self.options.values()), self.chosen)]

    def given(self) -> str | None:
        return None if self.chosen is None else list(self.options)[self.chosen]

    def enter(self) -> None:
        self.answer = self.given()
        self.done = self.answer is not None

    def move(self, way: int, paper: Paper) -> None:
        """The next option where it can be seen; else the page scrolls until it can, or as far as one reads at once."""
        target = (-1 if self.chosen is None else self.chosen) + way
        if not 0 <= target < len(self.options):
            return super().move(way, paper)
        box, is_last = paper.options[target], target == len(self.options) - 1
        lowest = paper.most if is_last else box.bottom + paper.em - paper.view  # nothing is left below the last one
        wanted = min(max(paper.scroll, lowest), max(box.top - paper.em, 0))
        reach = round(SCROLL * paper.view)
        paper.scroll = min(max(wanted, paper.scroll - reach), paper.scroll + reach)
        if box.top >= paper.scroll and box.bottom <= paper.scroll + paper.view:
            self.chosen = target


class Typed(Page):
    """Something typed: a text, or a number; or the one option that stands for no answer.

    What can't be part of the answer is refused as a whole, and a note says why: nothing that was typed turns into
    another number.
    """

    typing = True

    def __init__(self, question: Question, texts: Texts, *blocks: Block, former: Any = None):
        super().__init__(texts, *blocks, hint="page.type_or_choose" if question.options else "page.type")
        self.question, self.is_number, self.former = question, question.kind != "text", former
        self.composing, self.note, self._left_held = "", "", False
        self.declined = former is not None and former in question.options
        self.text = "" if self.declined else again(former, question, texts)
        self.caret = len(self.text)

    def blocks(self) -> list[Block]:
        lines = 1 if self.is_number else TEXT_LINES
        entry = Entry(self.text, self.caret, self.composing, active=not self.declined, lines=lines)
        options = list(self.question.options.values())
        choices = [Choices(options, 0 if self.declined else None)] if options else []
        return [*self._blocks, entry, Note(self.note), *choices]

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.TEXTINPUT:
            self._type(event.text)
            paper.follow = True
        elif event.type == pygame.TEXTEDITING:
            self.composing = event.text
            paper.follow = True
        elif event.type == pygame.KEYUP and event.key == pygame.K_LEFT:
            self._left_held = False
        elif event.type == pygame.KEYDOWN and not self.composing:
            self._take_key(event, paper)

    def _take_key(self, event: pygame.Event, paper: Paper) -> None:
        ends = clusters(self.text)
        before = max((end for end in ends if end < self.caret), default=0)
        after = min((end for end in ends if end > self.caret), default=len(self.text))
        on, back = (pygame.K_LEFT, pygame.K_RIGHT) if paper.right_to_left else (pygame.K_RIGHT, pygame.K_LEFT)
        is_first = self.caret == (len(self.text) if paper.right_to_left else 0)
        if event.key == pygame.K_LEFT and (self.declined or is_first):
            self.back = not self._left_held  # and not while the caret is only moved there
        elif event.key in (on, back):
            self.caret = after if event.key == on else before
        elif event.key == pygame.K_BACKSPACE:
            self._set(self.text[:before] + self.text[self.caret :], before)
        elif event.key == pygame.K_DELETE:
            self._set(self.text[: self.caret] + self.text[after:], self.caret)
        elif event.key in (pygame.K_HOME, pygame.K_END):
            self.caret = 0 if event.key == pygame.K_HOME else len(self.text)
        else:
            return super().take(event, paper)
        self._left_held = event.key == pygame.K_LEFT
        paper.follow = True

    def _type(self, typed: str) -> None:
        typed = plain(typed) if self.is_number else cleaned(typed)
        text = self.text[: self.caret] + typed + self.text[self.caret :]
        why = refused(text, self.question) if self.is_number else "answer.long" if len(text) > LONGEST else ""
        self.composing = ""
        if why:
            self.note = self.texts(why, **({"decimals": self.question.decimals} if why == "answer.decimals" else {}))
        else:
            self._set(text, self.caret + len(typed))

    def _set(self, text: str, caret: int) -> None:
        self.text, self.caret, self.note, self.declined = text, caret, "", False

    def move(self, way: int, paper: Paper) -> None:
        self.declined, self.note = way > 0 and bool(self.question.options), ""
        super().move(way, paper)

    def given(self) -> Any:
        if self.declined:
            return next(iter(self.question.options))
        if not self.is_number:
            return self.text.strip() or (None if self.former is None else "")
        value = number(self.text, self.question)
        return value if value is not None and is_within(value, self.question) else None

    def enter(self) -> None:
        answer = self.given()
        if answer is None and self.is_number:
            self.note = self._expected()
        else:
            self.answer, self.done = "" if answer is None else answer, True

    def _expected(self) -> str:
        """What is wrong with a number that is none yet, or out of its bounds."""
        value, options = number(self.text, self.question), list(self.question.options.values())
        if value is not None:
            return self.texts("answer.outside", number=self.text, **bounds(self.question, self.texts))
        return self.texts("answer.empty_decline", decline=options[0]) if options else self.texts("answer.empty")


@lru_cache(maxsize=32)
def dots(shows: int, cones: str) -> np.ndarray:
    """A plate, which takes half a second to lay out; read only."""
    return plate(digits(shows), cones, seed=shows)


def ask(question: Question, texts: Texts, former: Any = None) -> Page:
    """The page of a question; ``former``: the answer that was given to it before, which the page shows."""
    title = Title(question.text)
    if question.kind == "choice":
        return Choice(texts, question.options, title, chosen=former)
    if question.kind == "plate":
        return Typed(question, texts, title, Picture(dots(question.shows, question.cones)), former=former)
    bound = Text(texts("answer.bounds", **bounds(question, texts)), dim=True)
    return Typed(question, texts, title, *([bound] if question.kind == "number" else []), former=former)


def with_code(text: str, code: str) -> list[Block]:
    """A text that holds a code, which is shown large, in a block of its own."""
    before, found, after = text.partition(code)
    blocks = [Text(before.strip()), Code(code), Text(after.lstrip(" .,;\n").rstrip())] if found else [Text(text)]
    return [block for block in blocks if block.text]
