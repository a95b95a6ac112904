"""What can be typed as an answer: which characters a text keeps, and what is a number; without a screen."""

import re
import unicodedata
from typing import Any

from priorlab.human_study.study.texts import Question, Texts

LONGEST = 4000  # characters of a text
LONGEST_NUMBER = 20  # characters; enough for every bound that a question may have
BREAKS = "\t\n\v\f\r\x85\u2028\u2029"  # they end lines or cells; an answer is one line
POINTS = ".,\u066b"  # what separates decimals, Arabic's own included; full-width ones are made plain before
MINUS = "-\u2212"
FULL_WIDTH = {0xFF0C: ",", 0xFF0D: "-", 0xFF0E: "."}  # as input methods for Chinese and Japanese type them


def cleaned(text: str) -> str:
    """A text without control characters; joiners, marks and spaces of every kind stay. A break becomes a space."""
    spaced = "".join(" " if each in BREAKS else each for each in text)
    return "".join(each for each in spaced if unicodedata.category(each) not in ("Cc", "Cs"))


def plain(text: str) -> str:
    """What was typed of a number, with digits of any script as 0 to 9, and one kind of minus."""
    text = text.translate(FULL_WIDTH)
    text = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)
    return re.sub(f"[{MINUS}]", "-", text).replace("\u066b", ",")


def refused(text: str, question: Question) -> str:
    """Why this can't begin, or be, a number that answers the question: the word of the texts; nothing where it can."""
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
    """The number that was typed: an int, or a float where the question takes decimals; None where it is none yet."""
    if not re.search("[0-9]", text):
        return None
    return float(text.replace(",", ".")) + 0.0 if question.decimals else int(text)  # + 0.0: -0 is 0


def again(former: Any, question: Question, texts: Texts) -> str:
    """A former answer as it could be typed; nothing where it could not be, such as when the question was changed."""
    if question.kind == "text":
        return former if isinstance(former, str) else ""
    typed = texts.number(former) if isinstance(former, (int, float)) else ""
    return "" if refused(plain(typed), question) else typed


def is_within(value: int | float, question: Question) -> bool:
    return question.kind == "plate" or question.least <= value <= question.most


def bounds(question: Question, texts: Texts) -> dict[str, str]:
    """For the words about them."""
    return {"least": texts.number(question.least), "most": texts.number(question.most)}
