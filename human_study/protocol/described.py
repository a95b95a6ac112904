"""A study as plain data, for a program that shows its pages without Python: every page filled with the study's words,
the steps of a session, and what follows from answers. Nothing in it names a version."""

import base64
import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PIL import Image

from priorlab.envs.browser import game_file
from priorlab.envs.game.rules import DEATHS, HAS_KEY
from priorlab.human_study.protocol.blocks import Block, Caps, Code, Plate, Text, Title
from priorlab.human_study.protocol.codes import CODES, KEYMAP, RESERVED
from priorlab.human_study.protocol.keys import (
    END_SECONDS,
    IDLE_SECONDS,
    INPUT_NUMBERS,
    READABLE_SECONDS,
    REFOCUS_SECONDS,
)
from priorlab.human_study.protocol.pads import reading
from priorlab.human_study.protocol.pages import Choice, KeysPage, Page, Several, Typed
from priorlab.human_study.protocol.plates import plate_picture
from priorlab.human_study.protocol.probes import steps_in
from priorlab.human_study.protocol.script import Script, language_page
from priorlab.human_study.protocol.steps import Step, after_stop, can_go_back, ends_round, round_begins, steps
from priorlab.human_study.study.answers import LONGEST, LONGEST_NUMBER, bounds, is_signed
from priorlab.human_study.study.probes import Probe
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Question, Texts

CODE = "{id}"  # stands for the participant's code
LEFT_OPEN = {name: f"{{{name}}}" for name in ("day", "began", "ended")}  # filled in where the page is shown


def described(study: Study, texts: Mapping[str, Texts], is_judged: bool = False) -> dict[str, Any]:
    """The study with its texts, by the code of their language; docs/description-reference.md explains each entry.

    ``is_judged``: a server judges the answers, so the data do not say which are right, and which of them let somebody
    take part.
    """
    if is_judged:
        questions = next(iter(texts.values())).questions
        study = replace(study, right={}, eligible={name: [*questions[name].options] for name in study.eligible})
    plays = len(study.versions) if study.design == "within" else 1
    rate = study.settings(study.versions[0]).rate
    return {
        "name": hashlib.sha256(study.name.encode()).hexdigest()[:12],  # participants don't see the study's name
        "minutes": study.minutes, "limit": study.limit, "rate": rate, "plays": plays, **playing(),
        "gamepads": reading() if study.gamepad else None,
        "probes": [probe_data(each, rate) for each in study.probes],
        "language": page_data(language_page(texts), Script(study, next(iter(texts.values())))),
        "languages": {code: language(Script(study, each), plays) for code, each in texts.items()},
    }  # fmt: skip


def playing() -> dict[str, Any]:
    """What every game in a browser needs to know of keys and times."""
    names = {number: name for name, number in INPUT_NUMBERS.items()}
    return {
        "idle_seconds": IDLE_SECONDS, "refocus_seconds": REFOCUS_SECONDS, "readable_seconds": READABLE_SECONDS,
        "end_seconds": END_SECONDS, "codes": CODES, "reserved": list(RESERVED),
        "keys": {code: names[KEYMAP[number]] for code, number in CODES.items() if number in KEYMAP},
        "state": {"deaths": DEATHS, "has_key": HAS_KEY},
    }  # fmt: skip


def language(script: Script, plays: int) -> dict[str, Any]:
    """Everything that participants read in one language."""
    texts, study = script.texts, script.study
    practice = {"practice": practice_data(script)} if study.practice_limit else {}
    return {
        "name": texts.language, "direction": texts.font["direction"], "words": texts.words,
        "eligibility": [f"question:{name}" for name in study.eligible],
        "pages": {name: page_data(page, script) for name, page in every_page(script, plays).items()} | practice,
        "steps": steps_data(study, plays),
    }  # fmt: skip


def every_page(script: Script, plays: int) -> dict[str, Page | KeysPage]:
    study = script.study
    no_caps: dict[str, list[str]] = {name: [] for name in INPUT_NUMBERS}
    pages: dict[str, Page | KeysPage] = {
        "consent": script.consent(), "refused": script.refused(), "full": script.full(),
        "resume": script.resume_in(**LEFT_OPEN), "code": script.code(CODE), "controls": script.keys(),
        **{f"question:{name}": script.question(name) for name in study.questions},
        **{f"instructions:{name}": script.instructions(name) for name in study.instructions},
        **{f"begin:{number}": script.begin(number, no_caps) for number in range(plays)},
        "stop": script.stop(is_last=False), "stop_last": script.stop(is_last=True),
        "not_eligible": script.not_eligible(), "again": script.again(), "failed_checks": script.failed_checks(),
        "too_young": script.too_young(), "thanks": script.thanks(CODE), "sure": script.sure(),
        "deleted": script.deleted(), "failed": script.failed(is_kept=True),
    }  # fmt: skip
    debriefing = script.debriefing()
    return pages | ({"debriefing": debriefing} if debriefing else {})


def steps_data(study: Study, plays: int) -> list[dict[str, Any]]:
    planned = steps(study, plays)
    return [
        {
            "kind": "play" if step.kind == "play" else "page", "page": step.shows, "log": step.page, "play": step.play,
            "back": can_go_back(planned, at), "after_stop": [planned.index(each) for each in after_stop(planned, at)],
            **(round_data(study, planned) if ends_round(planned, at) else {}),
        }
        for at, step in enumerate(planned)
    ]  # fmt: skip


def practice_data(script: Script) -> dict[str, Any]:
    """The page before practice, with its game: a file of ``envs.browser`` in base64."""
    page = page_data(script.practice({name: [] for name in INPUT_NUMBERS}), script)
    game = base64.b64encode(game_file(script.study.practice_game)).decode("ascii")
    return page | {"kind": "practice", "limit": script.study.practice_limit, "game": game}


def probe_data(probe: Probe, rate: int) -> dict[str, Any]:
    """A question in the middle of plays; ``every`` and ``at`` count inputs."""
    when: dict[str, Any] = {"after": probe.after}
    if probe.every:
        when = {"every": steps_in(probe.every, rate)}
    elif probe.at:
        when = {"at": [steps_in(seconds, rate) for seconds in probe.at]}
    return {"page": f"question:{probe.question}", "question": probe.question, **when, "most": probe.most}


def round_data(study: Study, planned: list[Step]) -> dict[str, Any]:
    """What follows from wrong answers in a round of instructions and checks."""
    names = [step.name for step in planned if step.kind == "check"]
    again = {"to": round_begins(planned), "checks": names, "rounds": study.rounds, "when_failed": study.when_failed}
    return {"again": again}


def page_data(page: Page | KeysPage, script: Script) -> dict[str, Any]:
    texts = script.texts
    if isinstance(page, KeysPage):
        return {
            "kind": "keys", "blocks": [{"type": "title", "text": texts("controls.title")}], "hint": "",
            "inputs": [[name, text] for name, text in page.names.items()], "remap": page.remap,
        }  # fmt: skip
    data = {"kind": "read", "blocks": [block_data(each) for each in page.blocks], "hint": texts(page.hint)}
    match page:
        case Choice():
            data |= {"kind": "choice", "options": pairs(page.options), "chosen": page.chosen}
            if page.question and page.question.kind == "scale":
                points = page.question.points
                decline = next((each for each in pairs(page.options) if each[0] not in points), None)
                data |= {"kind": "scale", "options": pairs(points), "decline": decline}
        case Several():
            data |= {"kind": "several", "options": pairs(page.question.options), "chosen": list(page.chosen)}
            data |= counts_data(page.question, texts)
        case Typed():
            data |= {"kind": page.question.kind, "decline": next(iter(pairs(page.question.options)), None)}
            data |= typing_data(page, texts)
    question = getattr(page, "question", None)
    return data | (consequences(question, script.study) if question else {})


def counts_data(question: Question, texts: Texts) -> dict[str, Any]:
    """How many options can be chosen, and the notes about it."""
    least, most = question.least, question.most_options
    notes = {"at_least": texts("answer.at_least", count=least), "at_most": texts("answer.at_most", count=most)}
    return {"least": least, "most": most, "notes": notes}


def typing_data(page: Typed, texts: Texts) -> dict[str, Any]:
    """What can be typed, and the notes about what can't. ``{number}`` in the note "outside" is what was typed."""
    question = page.question
    if question.kind == "text":
        return {"longest": LONGEST, "notes": {"long": texts("answer.long")}}
    signed, decimals = is_signed(question), question.decimals
    limits = {"least": question.least, "most": question.most} if question.kind == "number" else {}
    declines = list(question.options.values())
    notes = {
        "digits": texts(f"answer.digits{'_point' if decimals else ''}{'_minus' if signed else ''}"),
        "decimals": texts("answer.decimals", decimals=decimals), "long": texts("answer.long"),
        "outside": texts("answer.outside", number="{number}", **bounds(question, texts)),
        "empty": texts("answer.empty_decline", decline=declines[0]) if declines else texts("answer.empty"),
    }  # fmt: skip
    return {**limits, "signed": signed, "decimals": decimals, "longest": LONGEST_NUMBER, "notes": notes}


def consequences(question: Question, study: Study) -> dict[str, Any]:
    """The question's right answer, which answers end the session, and the page that says so."""
    name, options = question.name, list(question.options)
    data = {"right": study.right[name]} if name in study.right else {}
    if name in study.eligible:
        excluded = [option for option in options if not study.is_eligible(name, option)]
        return data | {"excludes": {"options": excluded, "page": "not_eligible"}}
    if question.kind == "number" and study.is_too_young(name, -1):
        return data | {"excludes": {"below": study.minimum_age, "page": "too_young"}}
    too_young = [option for option in options if study.is_too_young(name, option)]
    return data | ({"excludes": {"options": too_young, "page": "too_young"}} if too_young else {})


def block_data(block: Block) -> dict[str, Any]:
    match block:
        case Title():
            return {"type": "title", "text": block.text}
        case Text():
            return {"type": "dim" if block.dim else "text", "text": block.text}
        case Code():
            return {"type": "code", "text": block.text}
        case Plate():
            return {"type": "plate", "text": "", "picture": as_url(block)}
        case Caps():
            return {"type": "caps", "text": "", "rows": [list(row) for row in zip(INPUT_NUMBERS, names_of(block))]}
    raise TypeError(f"{type(block).__name__}: no page is made with such a block")


def names_of(block: Caps) -> list[str]:
    return [name for name, _, _ in block.rows]


def pairs(options: Mapping[str, str]) -> list[list[str]]:
    return [[name, text] for name, text in options.items()]


def as_url(block: Plate) -> str:
    """The plate as a PNG in a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(plate_picture(block)).save(buffer, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
