"""Pages at the window: what keys do on each, and what it is answered with."""

from typing import Any

import pygame

from priorlab.human_study.protocol.blocks import Block, Choices, Entry, Note
from priorlab.human_study.protocol.pages import Choice, Page, Several, Typed
from priorlab.human_study.study.answers import LONGEST, bounds, cleaned, is_within, number, plain, rejection, retyped
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.letters import clusters
from priorlab.human_study.window.paper import Paper

TEXT_LINES = 3  # that an empty text field has
SCROLL = 0.6  # share of the visible part by which a page scrolls at once, at most
ENTER = (pygame.K_RETURN, pygame.K_KP_ENTER)


class Form:
    """A page of text that Enter ends, and what all forms have in common.

    ``done`` with an ``answer``, or ``back`` to go to the previous page.
    """

    typing = False  # whether text is typed
    cancels = False  # whether Escape has a meaning on this page and does not leave it

    def __init__(self, page: Page, texts: Texts):
        self.page, self.texts = page, texts
        self.done, self.back = False, False
        self.answer: Any = None

    def blocks(self) -> list[Block]:
        return [*self.page.blocks]

    def hint(self) -> str:
        return self.texts(self.page.hint) if self.page.hint else ""

    def given(self) -> Any:
        """The answer that Enter would give now; None if it would give none."""
        return None

    def take(self, event: pygame.Event, paper: Paper) -> None:
        """Reacts to an event; ``paper`` has drawn the page, and says where it can scroll."""
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


class ChoiceForm(Form):
    """One of several options; ``chosen`` is its number."""

    def __init__(self, page: Choice, texts: Texts):
        super().__init__(page, texts)
        self.question, self.options = page.question, page.options
        self.chosen = None if page.chosen is None else list(page.options).index(page.chosen)

    def blocks(self) -> list[Block]:
        return [*self.page.blocks, Choices(self._lines(), self.chosen)]

    def _lines(self) -> list[str]:
        """What stands on each option; on points of a scale their numbers, too."""
        points = {} if self.question is None else self.question.points
        return [f"{name}   {text}".strip() if name in points else text for name, text in self.options.items()]

    def given(self) -> Any:
        if self.chosen is None:
            return None
        option = list(self.options)[self.chosen]
        return option if self.question is None else self.question.answer(option)

    def enter(self) -> None:
        self.answer = self.given()
        self.done = self.answer is not None

    def move(self, way: int, paper: Paper) -> None:
        """To the next option if it is visible. If not, the page scrolls towards it, by as much as one reads at once."""
        target = (-1 if self.chosen is None else self.chosen) + way
        if not 0 <= target < len(self.options):
            return super().move(way, paper)
        box, is_last = paper.options[target], target == len(self.options) - 1
        lowest = paper.most if is_last else box.bottom + paper.em - paper.view  # nothing remains below the last one
        wanted = min(max(paper.scroll, lowest), max(box.top - paper.em, 0))
        reach = round(SCROLL * paper.view)
        paper.scroll = min(max(wanted, paper.scroll - reach), paper.scroll + reach)
        if box.top >= paper.scroll and box.bottom <= paper.scroll + paper.view:
            self.chosen = target


class SeveralForm(ChoiceForm):
    """Some of several options, which Space marks; ``chosen`` is the number of the one that Space would mark."""

    def __init__(self, page: Several, texts: Texts):
        super().__init__(Choice(page.blocks, options=page.question.options, hint=page.hint), texts)
        self.several, self.marked, self.note = page.question, [*page.chosen], ""

    def blocks(self) -> list[Block]:
        choices = Choices(self._lines(), self.chosen, [option in self.marked for option in self.options])
        return [*self.page.blocks, choices, Note(self.note)]

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.KEYDOWN and event.key == pygame.K_SPACE and self.chosen is not None:
            option, self.note = list(self.options)[self.chosen], ""
            (self.marked.remove if option in self.marked else self.marked.append)(option)
        else:
            super().take(event, paper)

    def given(self) -> list[str] | None:
        """The marked options in the order of the question."""
        fits = self.several.least <= len(self.marked) <= self.several.most_options
        return [option for option in self.options if option in self.marked] if fits else None

    def enter(self) -> None:
        self.answer = self.given()
        self.done = self.answer is not None
        if not self.done:
            too_few = len(self.marked) < self.several.least
            word, count = (
                ("answer.at_least", self.several.least) if too_few else ("answer.at_most", self.several.most_options)
            )
            self.note = self.texts(word, count=count)


class TypedForm(Form):
    """A text or a number that is typed, or the one option that stands for no answer.

    Input that can't be part of the answer is rejected completely, and a note says why: nothing that was typed turns
    into a different number.
    """

    typing = True

    def __init__(self, page: Typed, texts: Texts):
        super().__init__(page, texts)
        self.question, self.is_number, self.former = page.question, page.question.kind != "text", page.former
        self.composing, self.note, self._left_held = "", "", False
        self.declined = self.former is not None and self.former in self.question.options
        self.text = "" if self.declined else retyped(self.former, self.question, texts)
        self.caret = len(self.text)

    def blocks(self) -> list[Block]:
        lines = 1 if self.is_number else TEXT_LINES
        entry = Entry(self.text, self.caret, self.composing, active=not self.declined, lines=lines)
        options = list(self.question.options.values())
        choices = [Choices(options, 0 if self.declined else None)] if options else []
        return [*self.page.blocks, entry, Note(self.note), *choices]

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
            self.back = not self._left_held  # but not while the key is held to move the caret there
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
        why = rejection(text, self.question) if self.is_number else "answer.long" if len(text) > LONGEST else ""
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
            self.note = self._problem()
        else:
            self.answer, self.done = "" if answer is None else answer, True

    def _problem(self) -> str:
        """What is wrong with a number that is incomplete or out of bounds."""
        value, options = number(self.text, self.question), list(self.question.options.values())
        if value is not None:
            return self.texts("answer.outside", number=self.text, **bounds(self.question, self.texts))
        return self.texts("answer.empty_decline", decline=options[0]) if options else self.texts("answer.empty")
