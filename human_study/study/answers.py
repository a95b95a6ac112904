"""What can be typed as an answer: which characters a text keeps, and which texts are numbers."""

import re
import unicodedata
from typing import Any

from priorlab.human_study.study.texts import Question, Texts

LONGEST = 4000  # characters of a text
LONGEST_NUMBER = 20  # characters; enough for any bound of a question
BREAKS = "\t\n\v\f\r\x85\u2028\u2029"  # end a line or a cell; an answer is one line
POINTS = ".,\u066b"  # decimal separators, including the Arabic one; full-width ones are replaced before
MINUS = "-\u2212"
FULL_WIDTH = {0xFF0C: ",", 0xFF0D: "-", 0xFF0E: "."}  # as input methods for Chinese and Japanese type them


def cleaned(text: str) -> str:
    """A text without control characters. Joiners, marks and spaces of any kind stay; a line break becomes a space."""
    spaced = "".join(" " if each in BREAKS else each for each in text)
    return "".join(each for each in spaced if unicodedata.category(each) not in ("Cc", "Cs"))


def plain(text: str) -> str:
    """A typed number with digits of any script as 0 to 9, and one kind of minus."""
    text = text.translate(FULL_WIDTH)
    text = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)
    return re.sub(f"[{MINUS}]", "-", text).replace("\u066b", ",")


def rejection(text: str, question: Question) -> str:
    """Why this can't be, or become, a number that answers the question: the name of a text; empty if it can."""
    minus, decimals = is_signed(question), question.decimals
    if len(text) > LONGEST_NUMBER:
        return "answer.long"
    if re.fullmatch(rf"{'-?' if minus else ''}[0-9]*{f'([.,][0-9]{{0,{decimals}}})?' if decimals else ''}", text):
        return ""
    if decimals and re.fullmatch(rf"{'-?' if minus else ''}[0-9]*[.,][0-9]+", text):
        return "answer.decimals"
    return f"answer.digits{'_point' if decimals else ''}{'_minus' if minus else ''}"


def is_signed(question: Question) -> bool:
    return question.kind == "number" and question.least < 0


def number(text: str, question: Question) -> int | float | None:
    """The typed number: an int, or a float if the question allows decimals; None if it is not a number yet."""
    if not re.search("[0-9]", text):
        return None
    return float(text.replace(",", ".")) + 0.0 if question.decimals else int(text)  # + 0.0: -0 is 0


def retyped(former: Any, question: Question, texts: Texts) -> str:
    """An earlier answer as it would be typed; empty if it can't be, for example because the question was changed."""
    if question.kind == "text":
        return former if isinstance(former, str) else ""
    typed = texts.number(former) if isinstance(former, (int, float)) else ""
    return "" if rejection(plain(typed), question) else typed


def is_within(value: int | float, question: Question) -> bool:
    return question.kind == "plate" or question.least <= value <= question.most


def bounds(question: Question, texts: Texts) -> dict[str, str]:
    """The bounds as texts, for the words about them."""
    return {"least": texts.number(question.least), "most": texts.number(question.most)}
