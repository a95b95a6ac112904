"""Every page that a participant can see, in each language and at three sizes of screen: nothing is cut, all is reached.

PAGES=FOLDER pytest tests/soak/test_pages.py leaves their pictures in that folder, to be looked at.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pygame
import pytest

from priorlab.human_study.study.assignment import StudyFull, take_place
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import DEFAULT
from priorlab.human_study.window.forms import ChoiceForm, Form, SeveralForm, TypedForm
from priorlab.human_study.window.key_form import KeyForm
from priorlab.human_study.window.paper import ACCENT, GROUND, Paper, check_font
from priorlab.human_study.window.session import Session

SIZES = [(1024, 600), (1366, 768), (1920, 1080)]
QUESTIONS = ["age", "plays", "plate_1", "plate_2", "known", "aim"]
OWN = [
    "years",
    "warmth",
    "story",
    "some",
    "points",
    "many",
]  # of these tests: every kind that the shipped texts don't ask
MINE = """
[questions.years]
kind = "number"
text = "{years}"
least = 0
most = 120

[questions.warmth]
kind = "number"
text = "{warmth}"
least = -5.5
most = 40
decimals = 1
decline = "{decline}"

[questions.story]
kind = "text"
text = "{story}"
decline = "{decline}"

[instructions.read]
title = "{many}"
text = "{story} {warmth}"

[questions.some]
kind = "several"
text = "{many}"
options = {{ a = "{years}", b = "{decline}", c = "{warmth}" }}
least = 1

[questions.points]
kind = "scale"
text = "{many}"
points = 11
labels = {{ 1 = "{decline}", 11 = "{story}" }}
decline = "{decline}"

[questions.check]
kind = "choice"
text = "{many}"
options = {{ wrong = "{decline}", right = "{story}" }}

[questions.many]
kind = "choice"
text = "{many}"
[questions.many.options]
"""
WORDS = {
    "en": ("How many years have you lived here?", "How warm is it?", "What happened?", "Which?", "I'd rather not"),
    "de": ("Seit wie vielen Jahren wohnen Sie hier?", "Wie warm ist es?", "Was geschah?", "Welche?", "Lieber nicht"),
    "he": ("כמה שנים אתה גר כאן?", "כמה חם, במעלות צלזיוס? 5- או 40", "מה קרה?", "איזה?", "אני מעדיף לא לומר"),
}  # fmt: skip
LONG = {
    "en": "A paragraph of a consent form, as boards write them: who is responsible, what is stored where. ",
    "de": "Ein Absatz einer Einwilligungserklärung, wie Kommissionen sie schreiben: Verantwortliche, Fristen. ",
    "he": "פסקה של טופס הסכמה: מי אחראי, מה נשמר והיכן, ולכמה זמן. ",
}
HEBREW = """extends = "en"
language = "עברית"
[font]
file = ""
direction = "rtl"
script = "Hebr"
[page]
next = "לחץ Enter כדי להמשיך"
choose = "בחר בחצים ↑ ↓ ואז לחץ Enter"
type = "הקלד את תשובתך ואז לחץ Enter"
more = "↓ יש עוד למטה"
back = "← חזרה לשאלה הקודמת"
pause = "לחץ על מקש כלשהו"
[consent]
title = "השתתפות במחקר"
text = "אתה מוזמן לשחק משחק מחשב (לכל היותר {minutes} דקות). תוכל לעצור בכל עת: לחץ Escape. מסור את הקוד אל {contact}."
agree = "קראתי, ואני מסכים להשתתף"
refuse = "אינני רוצה להשתתף"
[thanks]
text = "הקוד שלך: {id}\\n\\nרשום אותו, ומסור אותו אל {contact}."
"""  # noqa: RUF001


class Glass:
    """A window that nobody looks through: what a session asks of one."""

    def __init__(self) -> None:
        self.controls, self.pads, self.happened, self.closed, self.notice = DEFAULT, None, [], False, None

        self.size = SIZES[0]

    def about(self) -> dict[str, Any]:
        return {}

    def name_pads(self) -> None:
        """There are none."""


class Reader:
    """Stands in for ``show``: looks at each page in all its states and sizes, then answers it as ``will`` says."""

    def __init__(self, language: str, may_scroll: tuple[str, ...] = ()):
        self.language, self.may_scroll = language, may_scroll
        self.will: dict[str, list[str]] = {}  # by an option's name among a page's: what to answer, in order
        self.seen: list[str] = []

    def show(
        self, page: Form, window: Glass, paper: Paper, dots: tuple[int, int] = (0, 0), back: bool = False
    ) -> str:  # fmt: skip
        name = f"{len(self.seen):02d}-{'-'.join(getattr(page, 'options', {})) or type(page).__name__}"[:50]
        assert window.notice is None or window.notice.get_width() < SIZES[0][0]
        if isinstance(page, TypedForm):
            name = f"{len(self.seen):02d}-{page.question.name}"
        hints = [page.hint, (lambda: paper.texts("page.back")) if back else (lambda: "")]
        for number, state in enumerate(states(page, paper)):
            for size in SIZES:
                self._look(page, paper, size, dots, hints, f"{name}-{number}-{state}")
        self.seen.append(name)
        return self._answer(page)

    def _look(self, page: Form, paper: Paper, size: tuple[int, int], dots: Any, hints: Any, name: str) -> None:
        """Draws the page at every place to which it scrolls."""
        surface = pygame.Surface(size)
        hint = "   ".join(filter(None, (words() for words in hints)))
        picture = f"{self.language}-{size[0]}-{name}"
        paper.scroll, seen, number = 0, set(), 0
        while True:
            paper.draw(surface, page.blocks(), hint, dots)
            if "PAGES" in os.environ:
                Path(os.environ["PAGES"]).mkdir(parents=True, exist_ok=True)
                pygame.image.save(
                    surface, str(Path(os.environ["PAGES"]) / f"{picture}{f'-{number}' if number else ''}.png")
                )
            seen |= check_view(surface, paper, picture)
            if paper.scroll == paper.most:
                break
            assert any(each in name for each in self.may_scroll), f"{picture}: scrolls by {paper.most} px"
            before, number = paper.scroll, number + 1
            Form.move(page, 1, paper)
            assert paper.scroll > before
        left = [unit for number, unit in enumerate(paper.units) if number not in seen]
        assert not left, f"{picture}: never seen whole: {left}"
        if isinstance(page, ChoiceForm):
            self._choose_each(page, paper, surface, hint, dots, picture)

    def _choose_each(
        self, page: ChoiceForm, paper: Paper, surface: pygame.Surface, hint: str, dots: Any, picture: str
    ) -> None:
        chosen, paper.scroll = page.chosen, 0
        page.chosen, reached = None, set()
        for _ in range(200):
            if len(reached) == len(page.options):
                break
            page.move(1, paper)
            paper.draw(surface, page.blocks(), hint, dots)
            if page.chosen is not None:
                box = paper.options[page.chosen]
                assert paper.scroll <= box.top and box.bottom <= paper.scroll + paper.view, f"{picture}: hidden"
                reached.add(page.chosen)
        assert reached == set(range(len(page.options))), f"{picture}: {reached}"
        page.chosen, paper.scroll = chosen, 0

    def _answer(self, page: Form) -> str:
        if isinstance(page, ChoiceForm):
            wanted = next((self.will[each].pop(0) for each in page.options if self.will.get(each)), None)
            wanted = "25_34" if "25_34" in page.options else wanted  # old enough for every study
            if wanted == "closed":
                return "closed"
            page.chosen = [*page.options].index(wanted) if wanted else page.chosen or 0
            if isinstance(page, SeveralForm):
                page.marked = [*page.options]
        elif isinstance(page, TypedForm):
            page.text, page.declined = "7", False
        page.enter()
        assert page.done
        return "done"


def check_view(surface: pygame.Surface, paper: Paper, picture: str) -> set[int]:
    """Which units are seen whole; none is seen in part, and nothing reaches the sides."""
    pixels = pygame.surfarray.array3d(surface).swapaxes(0, 1)
    top = max((paper.view - (paper.most + paper.view)) // 3, 0)
    whole = set()
    for number, unit in enumerate(paper.units):
        above, below = unit.top - paper.scroll, unit.bottom - paper.scroll
        if above >= 0 and below <= paper.view:
            whole.add(number)
        elif below > 0 and above < paper.view and unit.height <= paper.view // 2:
            part = pixels[max(above, 0) + top : min(below, paper.view) + top]
            assert (part == GROUND).all(), f"{picture}: {unit} is cut"
    for side in (pixels[:, :4], pixels[:, -4:]):
        assert ((side == GROUND) | (side == ACCENT)).all(), f"{picture}: something is cut at the side"
    return whole


def press(page: Form, paper: Paper, *keys: int, down: int = pygame.KEYDOWN) -> None:
    for key in keys:
        page.take(pygame.Event(down, key=key, scancode=pygame.KSCAN_A + key - pygame.K_a), paper)


def states(page: Form, paper: Paper) -> Iterator[str]:
    """Puts a page into each of its states, one after the other, and names it."""
    yield "first"
    if isinstance(page, KeyForm):
        yield from states_of_keys(page, paper)
    elif isinstance(page, TypedForm):
        yield from states_of_typed(page, paper)
    elif isinstance(page, SeveralForm):
        page.enter()
        yield "empty"
        page.marked = [*page.options]
        yield "marked"


def states_of_keys(page: KeyForm, paper: Paper) -> Iterator[str]:
    press(page, paper, pygame.K_a)
    assert page.lit
    yield "lit"
    press(page, paper, pygame.K_a, down=pygame.KEYUP)
    press(page, paper, pygame.K_TAB)
    yield "asked"
    press(page, paper, pygame.K_x, pygame.K_x)
    yield "taken"
    press(page, paper, pygame.K_p)
    yield "reserved"
    press(page, paper, pygame.K_ESCAPE)
    yield "cancelled"
    press(page, paper, pygame.K_TAB, *(pygame.K_f + number for number in range(5)))
    assert page.controls.chosen
    yield "changed"
    page.pads = SimpleNamespace(held=dict, count=1)  # type: ignore[assignment]
    yield "pad"
    page.pads = None


def states_of_typed(page: TypedForm, paper: Paper) -> Iterator[str]:
    for text in ("x", "12,34", "99999"):
        page.text, page.caret, page.note = "", 0, ""
        page._type(text)
        page.enter() if page.is_number and page.text and page.given() is None else None
        if page.note:
            yield f"note-{text}"
    page._set("", 0)
    if page.is_number:
        page.enter()
        yield "empty"
    else:
        page._type("words " * 100)
        yield "long"
        page._set("", 0)
    page.note = ""
    if page.question.options:
        page.declined = True
        yield "declined"
        page.declined = False


@pytest.fixture(params=["en", "de", "he"])
def language(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    def play(session: Session, number: int) -> None:
        session.ask_to_stop(is_last=number > 0)

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(Session, "play", play)
    monkeypatch.setattr(Session, "practise", lambda _: None)
    for module in ("session", "plays"):
        monkeypatch.setattr(f"priorlab.human_study.window.{module}.drain", lambda *_: None)
    return request.param


def a_study(folder: Path, language: str, long: bool = False) -> Study:
    """Two games within subjects, and every question."""
    years, warmth, story, many, decline = WORDS[language]
    begin = HEBREW if language == "he" else f'extends = "{language}"\n'
    if long:
        begin = begin.split("[consent]")[0] + f'[consent]\ntext = """{(LONG[language] * 8 + chr(10)) * 6}"""\n'
    words = MINE.format(years=years, warmth=warmth, story=story, many=many, decline=decline)
    words += "\n".join(f'o{number} = "{number}: {decline}"' for number in range(25 if long else 8))
    folder.mkdir(exist_ok=True)
    (folder / "texts.toml").write_text(begin + words, encoding="utf-8")
    (folder / "study.toml").write_text(
        f'name = "pages"\nversions = ["original", "masked_objects"]\ndesign = "within"\ntexts = "texts.toml"\n'
        f'participants = 1\ncontact = "anna@example.org"\n'
        f"minutes = {1 if not long else 0.5}\nbefore = {QUESTIONS + OWN}\nafter = []\n"
        'instructions = ["read"]\npractice = 20\nchecks = ["check"]\nright = { check = "right" }\nrounds = 2\n'
        'when_failed = "continue"\n',
        encoding="utf-8",
    )
    return Study.load(folder / "study.toml")


def session(study: Study, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("priorlab.human_study.window.speaker.show_page", reader.show)
    texts = Texts.load(study.path_to(study.texts[0]))
    check_font(texts)
    return Session(study, {"": texts}, Glass()).run()  # type: ignore[arg-type]


def test_every_page_fits_every_screen(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    study, reader = a_study(tmp_path / "a", language), Reader(language, may_scroll=("story-1-long",))
    reader.will = {"agree": ["refuse"]}
    assert "no consent" in session(study, reader, monkeypatch)
    reader.will = {"agree": ["agree"], "go_on": ["closed"]}
    assert "can be resumed" in session(study, reader, monkeypatch)
    study = replace(study, participants=2)
    reader.will = {"mine": ["mine"], "done": ["withdraw", "withdraw"], "keep": ["keep", "delete"]}
    assert "withdrew" in session(study, reader, monkeypatch)
    with pytest.raises(StudyFull):
        take_place(study, "another"), take_place(study, "and_another")
        take_place(study, "last")
    with pytest.raises(StudyFull):
        session(study, reader, monkeypatch)
    kinds = {name.split("-", 1)[1] for name in reader.seen}
    assert {*QUESTIONS, *OWN} & kinds == {"plate_1", "plate_2", "aim", "years", "warmth", "story"}
    assert {
        "KeyForm",
        "Form",
        "a-b-c",
        "wrong-right",
        "agree-refuse",
        "mine-other",
        "go_on-stop",
        "done-withdraw",
        "keep-delete",
    } <= kinds


def test_long_pages_scroll_without_cutting_anything(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    reader = Reader(f"{language}-long", may_scroll=("agree-refuse", "o0-o1", "story-1-long"))
    reader.will = {"agree": ["agree"]}
    assert "saved" in session(a_study(tmp_path / "b", language, long=True), reader, monkeypatch)
