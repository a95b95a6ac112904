"""The page of keys at the window: participants try them and, where a study allows it, choose others."""

import pygame

from priorlab.human_study.protocol.blocks import Block, Caps, Commands, Note, Text, Title
from priorlab.human_study.protocol.keys import INPUT_NUMBERS
from priorlab.human_study.protocol.pages import KeysPage, Page
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import DEFAULT, RESERVED, Controls, Gamepads, key_name
from priorlab.human_study.window.forms import Form
from priorlab.human_study.window.paper import Paper


class KeyForm(Form):
    """Keys to be tried and chosen; the answer is the ``Controls``.

    A key of the game lights up and does nothing else, and the page's commands are keys that can't be keys of the game.
    While keys are being chosen, Escape leaves them unchanged.
    """

    def __init__(self, page: KeysPage, texts: Texts, controls: Controls, pads: Gamepads | None):
        super().__init__(Page([], hint=""), texts)
        self.names, self.remap, self.controls, self.pads = page.names, page.remap, controls, pads
        self.lit: dict[object, int] = {}  # the input of everything that is held
        self.asked: list[str] = []  # inputs whose keys are still to be chosen
        self.new: dict[int, int] = {}  # by scancode
        self.note = ""  # what is wrong with a key
        self.message = texts("controls.text")

    @property
    def cancels(self) -> bool:
        return bool(self.asked)

    def blocks(self) -> list[Block]:
        message = self.texts("controls.press", input=self.names[self.asked[0]]) if self.asked else self.message
        rows = [self._row(each, name) for each, name in self.names.items()]
        blocks: list[Block] = [Title(self.texts("controls.title")), Text(message), Caps(rows)]
        if self.pads is not None and self.pads.count:
            blocks.append(Text(self.texts("controls.pad"), dim=True))
        if self.asked:
            blocks.append(Note(self.note))
        commands = [(self.texts(f"keys.{key}"), self.texts(f"controls.{does}")) for key, does in self._commands()]
        return [*blocks, Commands(commands)]

    def _row(self, each: str, name: str) -> tuple[str, list[str], bool]:
        """An input's name, the caps of its keys, and whether they light up."""
        if [each] == self.asked[:1]:
            return name, ["?"], True
        keys = self.new if self.asked else self.controls.keys
        caps = [key_name(code, self.texts) for code, given in keys.items() if given == INPUT_NUMBERS[each]]
        return name, caps, INPUT_NUMBERS[each] in self.lit.values()

    def _commands(self) -> list[tuple[str, str]]:
        """(key, what it does) for the commands available now."""
        if self.asked:
            return [("escape", "cancel")]
        choose = [("tab", "choose"), *([("backspace", "default")] if self.controls.chosen else [])]
        return [("return", "keep"), *(choose if self.remap else [])]

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.KEYUP:
            self.lit.pop(event.scancode, None)
        elif event.type != pygame.KEYDOWN:
            return
        elif self.asked:
            self._choose(event)
        elif event.scancode in self.controls.keys:
            self.lit[event.scancode] = self.controls.keys[event.scancode]
        elif self.remap and event.key == pygame.K_TAB:
            self.asked, self.new, self.lit, self.note = list(self.names), {}, {}, ""
        elif self.remap and event.key == pygame.K_BACKSPACE and self.controls.chosen:
            self._set(DEFAULT, "controls.text")
        else:
            super().take(event, paper)

    def take_pads(self, held: dict[tuple[int, str, int], int]) -> bool:
        """Lights up what is held on gamepads; returns whether anything changed."""
        before, keys = self.lit, {key: number for key, number in self.lit.items() if isinstance(key, int)}
        self.lit = {**keys, **held}
        return self.lit != before

    def _choose(self, event: pygame.Event) -> None:
        if event.key == pygame.K_ESCAPE:
            self.asked = []
            self._set(self.controls, "controls.cancelled")
        elif event.key in RESERVED:
            self.note = self.texts("controls.reserved")
        elif event.scancode in self.new:
            self.note = self.texts("controls.taken")
        else:
            self.new[event.scancode], self.note = INPUT_NUMBERS[self.asked.pop(0)], ""
            if not self.asked:
                self._set(Controls(self.new, chosen=True), "controls.changed")

    def _set(self, controls: Controls, message: str) -> None:
        self.controls, self.lit, self.message = controls, {}, self.texts(message)

    def enter(self) -> None:
        self.answer, self.done = self.controls, True
