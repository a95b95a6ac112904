"""Lines of text in any script: wrapped at the ends of words, measured, and drawn in reading order."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

import pygame

CACHED = 2000  # measured and drawn lines that are kept; a long answer has a new one at each key
SURE = 0.9  # share of a line's width up to which the widths of its words prove that they fit
JOINED = "\xa0\u202f\u2007"  # spaces at which no line is wrapped
WIDE = r"\u2e80-\u2fff\u3001-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60"  # written without spaces
WORD = re.compile(rf"[^\S{JOINED}]+|[{WIDE}]|(?:[^\s{WIDE}]|[{JOINED}])+")
LEFTWARDS = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
ZWJ = "\u200d"
# Unicode's classes of direction (UAX 9): letters rightwards and leftwards, Numbers, what is in and around Numbers
CLASSES = {"L": "L", "R": "R", "AL": "R", "EN": "N", "AN": "N", "CS": "C", "ES": "S", "ET": "T"}


def clusters(text: str) -> list[int]:
    """Where the caret can be: the ends of what readers see as one character, with its accents and joined emoji.

    Follows the rules of Unicode's UAX 29 for marks, joiners, emoji and flags.
    """
    ends, flags = [0], 0
    for at, each in enumerate(text):
        is_flag = "\U0001f1e6" <= each <= "\U0001f1ff"
        extends = (
            unicodedata.category(each).startswith("M")
            or each in (ZWJ, "\u200c")
            or "\U0001f3fb" <= each <= "\U0001f3ff"  # skin tones
            or "\U000e0020" <= each <= "\U000e007f"  # tags of regional flags
        )
        if at and (extends or text[at - 1] == ZWJ or (is_flag and flags % 2)):
            ends[-1] = at + 1
        else:
            ends.append(at + 1)
        flags = flags + 1 if is_flag else 0
    return ends


def runs(text: str, right_to_left: bool) -> list[tuple[str, bool]]:
    """(part, whether it runs leftwards), from left to right on the screen.

    Follows Unicode's UAX 9 without its control characters; a sign stays before its number, so that -5 reads as -5.
    """
    if not text or (not right_to_left and not LEFTWARDS.search(text)):
        return [(text, False)]
    kinds = ""
    for each in text:
        name = unicodedata.bidirectional(each)
        kinds += (kinds[-1:] or "o") if name == "NSM" else CLASSES.get(name, "o")
    kinds = re.sub(r"(?<=N)[CS](?=N)|(?<![LRN])S(?=N)|T+(?=N)|(?<=N)T+", lambda match: "N" * len(match[0]), kinds)
    base = "R" if right_to_left else "L"
    strong, resolved = base, ""
    for kind in kinds:  # a number among rightward letters is one of them
        strong = kind if kind in "LR" else strong
        resolved += "L" if kind == "N" and strong == "L" else kind
    levels: list[int] = []
    for match in re.finditer(r"[LRN]|[^LRN]+", resolved):
        kind = match[0]
        if kind not in ("L", "R", "N"):  # neutral: as both of its sides, if they agree; else as the page
            before, after = resolved[: match.start()][-1:] or base, resolved[match.end() :][:1] or base
            sides = {"R" if side == "N" else side for side in (before, after)}
            kind = sides.pop() if len(sides) == 1 else base
        levels += [{"L": 2 if right_to_left else 0, "R": 1, "N": 2}[kind]] * len(match[0])
    ordered: list[tuple[int, str]] = []
    at = 0  # where an embedded part goes: before the parts that are read before it
    for level, group in groupby(zip(levels, text), key=lambda pair: pair[0]):
        ordered.insert(at if level else len(ordered), (level, "".join(each for _, each in group)))
        at = at if level else len(ordered)
    return [(part, level == 1) for level, part in ordered]


class Letters:
    """The fonts of one pair of files, plain and bold. ``script``: ISO 15924's name, if its letters join or stack."""

    def __init__(self, paths: Sequence[Path], right_to_left: bool, script: str):
        self._paths, self.right_to_left, self._script = paths, right_to_left, script
        self._font = cache(self._open)
        self.word = lru_cache(CACHED)(self.width)
        self.wrap = lru_cache(CACHED)(self._wrap)
        self.line = lru_cache(CACHED // 10)(self._draw)

    def font(self, size: int, bold: bool) -> pygame.font.Font:
        return self._font(size, bold, self.right_to_left, self._script)

    def _open(self, size: int, bold: bool, leftwards: bool, script: str) -> pygame.font.Font:
        font = pygame.font.Font(str(self._paths[bold]), size)
        if script:
            font.set_script(script)
        font.set_direction(pygame.DIRECTION_RTL if leftwards else pygame.DIRECTION_LTR)
        return font

    def _parts(self, text: str, size: int, bold: bool) -> list[tuple[pygame.font.Font, str]]:
        """(font that draws it in its direction, part) for each part of a line, from left to right."""
        parts = []
        for part, leftwards in runs(text, self.right_to_left):
            script = self._script if leftwards == self.right_to_left else ""
            if leftwards and not script:
                script = "Arab" if any(unicodedata.bidirectional(each) == "AL" for each in part) else "Hebr"
            parts.append((self._font(size, bold, leftwards, script), part))
        return parts

    def width(self, text: str, size: int, bold: bool = False) -> int:
        return sum(font.size(part)[0] for font, part in self._parts(text, size, bold))

    def _draw(self, text: str, size: int, bold: bool, colour: tuple[int, int, int]) -> pygame.Surface:
        drawn = [font.render(part, True, colour) for font, part in self._parts(text, size, bold)]
        if len(drawn) == 1:
            return drawn[0]
        high = max(part.get_height() for part in drawn)
        sheet, x = pygame.Surface((sum(part.get_width() for part in drawn), high), pygame.SRCALPHA), 0
        for part in drawn:
            sheet.blit(part, (x, 0))
            x += part.get_width()
        return sheet

    def _wrap(self, text: str, width: int, size: int, bold: bool = False) -> list[str]:
        """Lines of at most ``width`` px; a word that is longer is broken anywhere."""
        lines: list[str] = []
        for paragraph in text.split("\n"):
            line, total = "", 0  # px of its words, one by one
            for word in WORD.findall(paragraph):
                total += self.word(word, size, bold)
                if line and total > SURE * width and self.width((line + word).rstrip(), size, bold) > width:
                    lines.append(line.rstrip())
                    line, total = "", self.word(word, size, bold)
                    if word.isspace():
                        total = 0
                        continue
                while self.width(word, size, bold) > width and len(ends := clusters(word)) > 2:
                    fitting = bisect_right(ends, width, key=lambda end: self.width(word[:end], size, bold)) - 1
                    cut = ends[min(max(fitting, 1), len(ends) - 2)]
                    lines.append(word[:cut])
                    word = word[cut:]
                    total = self.word(word, size, bold)
                line += word
            lines.append(line)
        return lines
