"""The words that a participant sees, one TOML file per language, and the questions, as data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from priorlab.envs.base.files import one_line, read_toml

FOLDER = Path(__file__).parent / "languages"
MODEL = "en"  # every other language has the same names
FONT_ENTRIES = {"file": "", "direction": "ltr", "script": ""}
KINDS: dict[str, dict[str, type]] = {  # the entries of each kind of question besides kind and text
    "choice": {"options": dict},
    "several": {"options": dict},
    "scale": {"points": int, "labels": dict},
    "text": {},
    "number": {"least": float, "most": float},
    "plate": {"shows": int, "cones": str, "nothing": str},
}
OPTIONAL: dict[str, dict[str, type]] = {
    "several": {"least": int, "most": int},
    "scale": {"decline": str},
    "text": {"decline": str},
    "number": {"decline": str, "decimals": int},
}
TYPES = {str: "a text", int: "a whole number", float: "a number", dict: "a section"}
CONES = ("L", "M", "nobody")
MOST_POINTS = 11  # of a scale
BETWEEN = ";"  # in tables, between the options of one answer
SIGNS = ".:=!<>"  # which follow a question's name in logs, and in conditions
MOST_DECIMALS, FARTHEST = 6, 10**9  # of typed numbers; a float can tell all of them apart


@dataclass(frozen=True)
class Question:
    """A question. ``options``, by the name that is recorded: what a choice offers, or an alternative to typing.

    Those of a scale are its points, "1" and so on, with their labels, which may be empty; they are recorded as numbers.
    """

    name: str
    kind: str
    text: str
    options: dict[str, str]
    least: int | float = 0  # of a number; of several: how many options
    most: int | float = 0
    decimals: int = 0  # of a number; 0: whole numbers
    shows: int = 0
    cones: str = "nobody"

    @property
    def points(self) -> dict[str, str]:
        """Of a scale, without the option that stands for no answer; none of any other question."""
        return {name: text for name, text in self.options.items() if self.kind == "scale" and name.isdigit()}

    @property
    def most_options(self) -> int:
        """How many of several options can be chosen."""
        return int(self.most) or len(self.options)

    def answer(self, option: str) -> str | int:
        """What is recorded for that option."""
        return int(option) if option in self.points else option


@dataclass(frozen=True)
class Passage:
    """A page of instructions."""

    title: str
    text: str


class Plural(Formatter):
    """``{minutes:minute|minutes}`` is the first word if minutes is 1, the second otherwise."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, bar, more = format_spec.partition("|")
        return super().format_field(value, format_spec) if not bar else one if str(value) == "1" else more


@dataclass(frozen=True)
class Texts:
    """The words of one language: ``texts("page.next")``. ``Texts.load`` reads and checks a file."""

    path: Path
    code: str  # of the language, such as "en"
    language: str  # its name, in the language
    font: dict[str, str]
    words: dict[str, str]  # by section.name
    questions: dict[str, Question]
    instructions: dict[str, Passage]

    @staticmethod
    def load(language: str) -> "Texts":
        """From a language that Priorlab has (en, de), or from a file ending in .toml, which may extend one.

        Raises ValueError, one line that names the file and the entry; FileNotFoundError.
        """
        path = Path(language)
        if path.suffix != ".toml":
            path = FOLDER / f"{language}.toml"
            if not path.exists():
                raise ValueError(f"unknown texts {language!r}: expected {', '.join(languages())}, or a .toml file")
        try:
            return read(path)
        except ValueError as error:
            raise ValueError(one_line(path, error)) from None

    def __call__(self, name: str, **filled: object) -> str:
        """The words of that name, with ``filled`` in place of names in braces; numbers as the language writes them."""
        numbers = {key: self.number(each) for key, each in filled.items() if isinstance(each, (int, float))}
        return Plural().vformat(self.words[name], (), {**filled, **numbers}).strip()

    def number(self, value: int | float) -> str:
        """With the language's decimal point."""
        return (str(value) if isinstance(value, int) else f"{value:.15g}").replace(".", self.words["answer.point"])

    def every(self) -> Iterator[str]:
        """Everything that can be shown, to check which characters there are."""
        yield from self.words.values()
        for question in self.questions.values():
            yield question.text
            yield from question.options.values()
        for passage in self.instructions.values():
            yield from (passage.title, passage.text)

    def ask(self, names: Iterable[str]) -> list[Question]:
        """The questions of these names. Raises ValueError for one that the texts don't have."""
        for name in names:
            if name not in self.questions:
                raise ValueError(f"{self.path}: no question {name!r}: expected one of {', '.join(self.questions)}")
        return [self.questions[name] for name in names]

    def instruct(self, names: Iterable[str]) -> list[Passage]:
        """The instructions of these names. Raises ValueError for one that the texts don't have."""
        for name in names:
            if name not in self.instructions:
                expected = f"one of {', '.join(self.instructions)}" if self.instructions else "a section of that name"
                raise ValueError(f"{self.path}: no instructions.{name}: expected {expected}")
        return [self.instructions[name] for name in names]


def languages() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def model() -> dict[str, Any]:
    return read_toml(FOLDER / f"{MODEL}.toml")


def read(path: Path) -> Texts:
    entries = read_toml(path)
    code = base = entries.pop("extends", None)
    if base is not None:
        if base not in languages():
            raise ValueError(f"extends {base!r}: expected one of {', '.join(languages())}")
        entries = joined(read_toml(FOLDER / f"{base}.toml"), entries)
    check_names(entries, model())
    sections = {name: section for name, section in entries.items() if isinstance(section, dict)}
    font = FONT_ENTRIES | sections.pop("font", {})
    if set(font) != set(FONT_ENTRIES) or font["direction"] not in ("ltr", "rtl"):
        raise ValueError(f'font is {font}: expected file, direction ("ltr" or "rtl") and script')
    asked, read = sections.pop("questions"), sections.pop("instructions")
    questions = {name: read_question(name, content) for name, content in asked.items()}
    instructions = {name: read_passage(name, content) for name, content in read.items()}
    words = {f"{name}.{word}": text for name, section in sections.items() for word, text in section.items()}
    for name, text in words.items():
        check_word(name, text)
    return Texts(path, code or path.stem, entries["language"], font, words, questions, instructions)


def joined(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes``; a changed question replaces the old one completely."""
    merged = dict(base)
    for section, entries in changes.items():
        old = base.get(section)
        merged[section] = {**old, **entries} if isinstance(old, dict) and isinstance(entries, dict) else entries
    return merged


def check_names(entries: dict[str, Any], like: dict[str, Any]) -> None:
    """Raises ValueError unless sections and words are those of the model, each a text. Any questions will do."""
    if missing := sorted(set(like) - set(entries)):
        raise ValueError(f'missing: {", ".join(missing)}; a file that changes only some texts begins: extends = "en"')
    if unknown := sorted(set(entries) - set(like)):
        raise ValueError(f"unknown: {', '.join(unknown)}; expected {', '.join(like)}")
    for section, content in entries.items():
        if type(content) is not type(like[section]):
            raise ValueError(f"{section} is {content!r}: expected a {'section' if section != 'language' else 'text'}")
        if not isinstance(content, dict) or section in ("questions", "instructions", "font"):
            continue
        different = [f"{section}.{name}" for name in sorted(set(content) ^ set(like[section]))]
        if different:
            raise ValueError(f"missing or unknown: {', '.join(different)}; expected {', '.join(like[section])}")


def check_word(name: str, text: Any) -> None:
    section, word = name.split(".")
    if type(text) is not str:
        raise ValueError(f"{name} is {text!r}: expected a text")
    try:
        allowed, used = fields_of(model()[section][word]), fields_of(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not used <= allowed:
        expected = ", ".join(f"{{{field}}}" for field in sorted(allowed)) or "none"
        raise ValueError(f"{name} holds {{{min(used - allowed)}}}: expected of these: {expected}")


def fields_of(text: str) -> set[str]:
    """The names in braces. Raises ValueError if braces don't match, or have other than two words for one and more."""
    try:
        fields = [(field, spec or "") for _, field, spec, _ in Formatter().parse(text) if field is not None]
    except ValueError as error:
        raise ValueError(f"{text[:30]!r}...: {error}; write {{{{ for a brace itself") from None
    for field, spec in fields:
        if spec and (spec.count("|") != 1 or "{" in spec):
            raise ValueError(
                f"{{{field}:{spec}}}: expected {{{field}:one|more}}, the words for 1 and for other numbers"
            )
    return {field for field, _ in fields}


def is_of(value: Any, kind: type) -> bool:
    """Whether a value read from TOML is of that kind. A whole number is a float, too; true is not a number."""
    return type(value) is kind or (kind is float and type(value) is int)


def check_bounds(name: str, given: dict[str, Any]) -> None:
    """Raises ValueError, one line, if a number's bounds could not be typed."""
    decimals = given.get("decimals", 0)
    if not 0 <= decimals <= MOST_DECIMALS:
        raise ValueError(f"questions.{name}.decimals is {decimals}: expected 0 (whole numbers) to {MOST_DECIMALS}")
    for entry in ("least", "most"):
        bound = given[entry]
        if not abs(bound) <= FARTHEST or bound != round(bound, decimals):
            expected = (
                f"at most {decimals} decimals (its entry decimals)" if decimals else "a whole number, or decimals = 1"
            )
            raise ValueError(f"questions.{name}.{entry} is {bound}: expected {expected}, within {FARTHEST} of 0")
    if given["least"] > given["most"]:
        raise ValueError(f"questions.{name}: least is more than most")


def check_several(name: str, given: dict[str, Any], options: dict[str, str]) -> None:
    """Raises ValueError, one line, unless so many options can be chosen, and the answer can stand in a table."""
    least, most = given.get("least", 0), given.get("most", len(options))
    if not 0 <= least <= most <= len(options) or most < 1:
        expected = f"least up to most, and most from 1 to {len(options)}, the number of options"
        raise ValueError(f"questions.{name}: least is {least}, and most is {most}: expected {expected}")
    if wrong := [option for option in options if BETWEEN in option]:
        raise ValueError(f"questions.{name}.options: {wrong[0]!r}: expected a name without {BETWEEN!r}")


def points_of(name: str, points: int, labels: dict[str, Any]) -> dict[str, str]:
    """The options of a scale. Raises ValueError, one line, for other labels than those of its points."""
    if not 2 <= points <= MOST_POINTS:
        raise ValueError(f"questions.{name}.points is {points}: expected 2 to {MOST_POINTS}")
    names = [str(point) for point in range(1, points + 1)]
    if not set(labels) <= set(names) or not all(type(label) is str for label in labels.values()):
        raise ValueError(f"questions.{name}.labels: expected texts, by points from 1 to {points}")
    return {each: labels.get(each, "") for each in names}


def read_passage(name: str, content: Any) -> Passage:
    if not isinstance(content, dict) or set(content) != {"title", "text"} or not all(map(is_words, content.values())):
        raise ValueError(f"instructions.{name} is {content!r}: expected title and text, each a text")
    return Passage(**content)


def is_words(value: Any) -> bool:
    return type(value) is str and value.strip() != ""


def check_name(name: str) -> None:
    """Raises ValueError, one line, for a name that logs, pages or conditions could not tell from another."""
    if set(name) & set(SIGNS) or not name.strip() or name != name.strip():
        raise ValueError(f"questions.{name}: expected a name without {' '.join(SIGNS)} and without spaces at its ends")


def read_question(name: str, content: Any) -> Question:
    check_name(name)
    kind = content.get("kind") if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"questions.{name}: kind is {kind!r}: expected one of {', '.join(KINDS)}")
    given = {entry: value for entry, value in content.items() if entry != "kind"}
    optional = OPTIONAL.get(kind, {})
    expected: dict[str, type] = {
        "text": str,
        **KINDS[kind],
        **{each: optional[each] for each in optional if each in given},
    }
    for entry in {**expected, **given}:
        if entry not in expected or not is_of(given.get(entry), expected[entry]):
            entries = ", ".join(f"{known} ({TYPES[kind]})" for known, kind in {**expected, **optional}.items())
            raise ValueError(f"questions.{name}.{entry} is missing, unknown or of the wrong kind: expected {entries}")
    options = given.pop("options", {})
    if kind in ("choice", "several") and (len(options) < 2 or not all(type(text) is str for text in options.values())):
        raise ValueError(f"questions.{name}.options: expected two or more texts")
    if kind == "several":
        check_several(name, given, options)
    if kind == "scale":
        options = points_of(name, given.pop("points"), given.pop("labels"))
    if given.get("cones", "nobody") not in CONES:
        raise ValueError(f"questions.{name}.cones is {given['cones']!r}: expected one of {', '.join(CONES)}")
    if kind == "number":
        check_bounds(name, given)
    if "nothing" in given:
        options = {"nothing": given.pop("nothing")}
    if "decline" in given:
        options = {**options, "not_said": given.pop("decline")}
    return Question(name, kind, options=options, **given)
