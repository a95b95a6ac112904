"""The participant's page without a browser: what is sent, and that its JavaScript agrees with the lab's Python."""

import base64
import gzip
import hashlib
import json
import random
import re
import unicodedata
from dataclasses import replace

import pytest

from priorlab.envs.browser import game_file
from priorlab.envs.game.rules import HAS_KEY
from priorlab.envs.game.versions import versions
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Course
from priorlab.human_study.browser.bundle import HERE, as_one_file, joined, site
from priorlab.human_study.protocol.described import described, probe_data
from priorlab.human_study.protocol.probes import Schedule
from priorlab.human_study.protocol.steps import after_stop, can_go_back, resumed, round_begins, steps
from priorlab.human_study.study import answers
from priorlab.human_study.study.probes import Probe
from priorlab.human_study.study.study_file import EXAMPLE, Study
from priorlab.human_study.study.texts import Question, Texts
from tests.support.javascript import evaluated

VERSIONS = versions("key_door")
STUDY = Study(
    EXAMPLE, "sleepless", tuple(VERSIONS), design="within", before=("age", "plays"), after_each=("aim",),
    after=("known",),
)  # fmt: skip
MOST_BYTES = 400_000  # of a page without plates


@pytest.fixture(scope="module")
def description():
    return described(STUDY, {code: Texts.load(code) for code in ("en", "de")})


@pytest.fixture(scope="module")
def admission():
    games = [base64.b64encode(game_file(STUDY.settings(version))).decode() for version in STUDY.versions[:2]]
    return {"token": "none", "code": "abcd2345", "language": "en", "games": games}


def elements(page):
    """The content of scripts and styles by their attributes."""
    return dict(re.findall(r"<(?:script|style)\b([^>]*)>(.*?)</(?:script|style)>", page.decode(), re.S))


def test_nothing_that_is_sent_names_a_version_the_game_or_the_study(description, admission):
    made = site(description)
    sent = [made.index, *made.files.values(), *(name.encode() for name in made.files), json.dumps(admission).encode()]
    for name in (*VERSIONS, STUDY.name, STUDY.game, "princess"):
        if name not in ("original", "gravity"):  # English words that a text may hold
            assert not any(name.encode() in part for part in sent), name
    assert not any(b"original" in part or b"gravity" in part for part in sent[1:])


def test_files_are_named_after_their_content(description):
    one, other = site(description), site(description | {"minutes": 7})
    assert one == site(description)
    assert len(one.files.keys() ^ other.files.keys()) == 2 and one.index != other.index
    assert all(re.fullmatch(r"files/[0-9a-f]{16}\.(js|css|wasm|json)", name) for name in one.files)
    assert all(name.encode() in one.index for name in one.files)
    assert {one.type_of(name) for name in one.files} == {
        "text/javascript", "text/css", "application/wasm", "application/json",
    }  # fmt: skip


def test_a_single_file_allows_only_its_own_parts_and_is_small(description, admission):
    page = as_one_file(description, joined("hosted.js"), {"host": admission}, "'none'")
    assert len(page) < MOST_BYTES
    found = elements(page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page.decode())
    assert policy and "'unsafe-inline'" not in policy[1] and "connect-src 'none'" in policy[1]
    for attributes in (' type="module"', ""):
        digest = base64.b64encode(hashlib.sha256(found[attributes].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    packed = {name: found[f' type="text/plain" id="{name}"'] for name in ("description", "host")}
    unpacked = {name: json.loads(gzip.decompress(base64.b64decode(text))) for name, text in packed.items()}
    assert unpacked == {"description": description, "host": admission}
    assert not re.search(r"https?://", page.decode())  # nothing is asked of anybody


def test_every_module_is_part_of_the_page():
    together = "".join(map(joined, ("served.js", "hosted.js", "worker.js", "timeline.js")))
    for path in HERE.glob("*.js"):
        assert path.stem == "types" or f"const browser_{path.stem} = " in together
        assert len(path.read_text(encoding="utf-8").splitlines()) < 400


# what is typed

TYPED = "0123456789.,-\u2212\u0663\u066b\uff0c\uff0e\uff0dx \t\u2028\u200d\u00a0\x1c\x85é"
QUESTIONS = [
    Question("n", "number", "", {}, least=least, most=99, decimals=decimals) for least in (-5, 0) for decimals in (0, 2)
] + [Question("p", "plate", "", {}), Question("t", "text", "", {})]


def test_what_can_be_typed_is_the_same_as_at_the_window():
    chance = random.Random(0)
    texts = ["".join(chance.choices(TYPED, k=chance.randrange(8))) for _ in range(800)]
    texts += ["".join(chance.choices("0123456789.,-", k=chance.randrange(16))) for _ in range(800)] + [21 * "1"]
    texts += [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Nd"] + ["a" * 4001]
    pages = [
        {
            "kind": each.kind, "least": each.least, "most": each.most, "decimals": each.decimals,
            "signed": answers.is_signed(each),
            "longest": answers.LONGEST if each.kind == "text" else answers.LONGEST_NUMBER,
        }
        for each in QUESTIONS
    ]  # fmt: skip
    code = """
        const { cleaned, isWithin, number, plain, rejection, stripped } = await load("answers.js");
        return given.texts.map((text) => given.pages.map((page) => {
            if (page.kind === "text") return [stripped(cleaned(text)), rejection(cleaned(text), page)];
            const typed = plain(text), why = rejection(typed, page), value = why ? null : number(typed);
            return [typed, why, value, value !== null && isWithin(value, page)];
        }));
    """
    for text, found in zip(texts, evaluated(code, {"texts": texts, "pages": pages}), strict=True):
        assert found == [typed(text, question) for question in QUESTIONS], ascii(text)


def typed(text, question):
    if question.kind == "text":
        kept = answers.cleaned(text)
        return [kept.strip(), "long" if len(kept) > answers.LONGEST else ""]
    plain = answers.plain(text)
    why = answers.rejection(plain, question).removeprefix("answer.")
    value = None if why else answers.number(plain, question)
    return [plain, why.split("_")[0], value, value is not None and answers.is_within(value, question)]


# where a session goes on

ROUNDS = replace(
    STUDY, before=("age", "plays"), after=("known",), instructions=("one", "two"), checks=("first", "second"),
    practice=5, rounds=9,
)  # fmt: skip


def interrupted(study, chance):
    """(events, plays that are over) of a session that was cut anywhere, as the window goes through it."""
    planned = steps(study, len(study.versions))
    events, over, at = [], 0, 0
    for _ in range(chance.randrange(1, 45)):
        if at >= len(planned):
            break
        step = planned[at]
        if step.kind == "play":
            over += 1
            if chance.random() < 0.3:
                events.append({"event": "page", "page": step.page, "what": "stop"})
                planned[at + 1 :] = after_stop(planned, at)
            at += 1
            continue
        events.append({"event": "page", "page": step.page, "what": "begin"})
        if chance.random() < 0.05:
            events.append({"event": "page", "page": step.page, "what": "stop"})
            planned[at + 1 :] = after_stop(planned, at)
            at += 1
        elif can_go_back(planned, at) and chance.random() < 0.2:
            at -= 1
        elif step.name == "second" and chance.random() < 0.5:
            events.append({"event": "page", "page": step.page, "what": "end", "again": True})
            at = round_begins(planned)
        else:
            events.append({"event": "page", "page": step.page, "what": "end"})
            at += 1
    return events, over


def entries_of(events, over, study):
    """The same as a browser's journal has it, with its plays where they were."""
    planned, entries, begun = steps(study, len(study.versions)), [], 0
    firsts = [f"begin:{number}" for number in range(len(study.versions))]
    for event in events:
        fields = {name: value for name, value in event.items() if name != "event"}
        is_begin = event["page"] in firsts and event["what"] == "end"
        stopped = [["q", 0, "stopped by the participant"]] if event["page"].startswith("play:") else []
        entries += [*stopped, ["e", 0, "page", fields]]
        if is_begin and begun < over:
            entries += [["p", 0, begun], ["s", 0, 0, 0, None]]
            begun += 1
            rest = events[events.index(event) + 1 :]
            if not rest or not rest[0]["page"].startswith("play:"):
                entries.append(["q", 0, "left by the participant for the next game"])
    assert begun == over and planned
    return entries


def test_an_interrupted_session_goes_on_where_it_would_at_the_window():
    chance, study = random.Random(1), replace(ROUNDS, versions=ROUNDS.versions[:3])
    planned = steps(study, 3)
    data = [
        {
            "kind": "play" if step.kind == "play" else "page", "page": step.shows, "log": step.page, "play": step.play,
            "after_stop": [planned.index(each) for each in after_stop(planned, at)],
            **({"again": {"to": round_begins(planned), "checks": []}} if step.name == "second" else {}),
        }
        for at, step in enumerate(planned)
    ]  # fmt: skip
    sessions = [interrupted(study, chance) for _ in range(300)]
    code = """
        const { Progress, retraced } = await load("progress.js");
        return given.journals.map((entries) => {
            const progress = new Progress(given.steps);
            retraced(progress, entries);
            return progress.left.slice(progress.at).map((number) => given.steps[number].log);
        });
    """
    journals = [entries_of(events, over, study) for events, over in sessions]
    for (events, over), found in zip(sessions, evaluated(code, {"steps": data, "journals": journals}), strict=True):
        remaining, at = resumed(steps(study, 3), events, over)
        assert found == [step.page for step in remaining[at:]], events


SECURED = """
    const { Journal } = await load("journal.js");
    const { Refusal } = await load("uploads.js");
    const results = [];
    for (const { chunks, isFile, answers, sent } of given) {
      const tries = [...answers];
      const kept = [];
      const send = async (_token, chunks) => {
        const answer = tries.length > 1 ? tries.shift() : tries[0];
        if (answer === "offline") throw new Error("no connection");
        if (answer === "refused") throw new Refusal(410, { ended: true });
        return JSON.parse(chunks[0]).n + 1;
      };
      const store = { add: async () => {}, keepSent: async (_token, count) => kept.push(count) };
      const texts = Array.from({ length: chunks }, (_, n) => JSON.stringify({ n, entries: [["e", n, "page", {}]] }));
      const journal = new Journal(store, { isFile, send }, "token", { now: () => 0 }, texts, sent);
      let offered = 0;
      const saved = () => {
        offered++;
        return new Promise((resolve) => answers.length > 1 || setTimeout(resolve, 100));
      };
      await journal.secured(100, saved);
      journal.close();
      results.push([offered, journal.sent, kept.at(-1) ?? null]);
    }
    return results;
"""


def test_a_record_is_never_given_up_before_it_was_sent_or_offered_as_a_file():
    good, offline, refused = ["good"], ["offline"], ["refused"]  # such as when the session has expired
    sessions = [(3, False, good, 0), (3, False, offline, 1), (3, False, refused, 0), (3, False, refused, 3),
                (3, False, [*offline, *good], 0), (3, True, good, 0), (0, True, good, 0)]  # fmt: skip
    given = [dict(zip(("chunks", "isFile", "answers", "sent"), each, strict=True)) for each in sessions]
    assert evaluated(SECURED, given) == [  # how often a file was offered, and how many chunks had arrived
        [0, 3, 3], [1, 1, None], [1, 0, None], [0, 3, None], [1, 3, 3], [1, 3, 3], [0, 0, None],
    ]  # fmt: skip


def test_an_answer_that_is_cut_in_the_middle_is_asked_for_again():
    code = """
        const { Journal } = await load("journal.js");
        const { ServerUploads } = await load("uploads.js");
        const cut = (status) => new Response(new ReadableStream({
            pull(controller) { controller.error(new TypeError("network error")); },
        }), { status });
        const answers = [cut(200), cut(409), new Response('{"ne'), new Response('{"next": 1}')];
        globalThis.fetch = async () => answers.shift() ?? new Response('{"next": 2}');
        const soon = setTimeout;
        globalThis.setTimeout = (act) => soon(act, 1);
        const store = { add: async () => {}, keepSent: async () => {} };
        const chunks = [0, 1].map((n) => JSON.stringify({ n, entries: [["e", n, "page", {}]] }));
        const journal = new Journal(store, new ServerUploads(), "token", { now: () => 0 }, chunks, 0);
        const failures = [];
        journal.onFailure = (error) => failures.push(String(error));
        const isSent = await journal.settled(2000);
        journal.close();
        return [isSent, journal.sent, failures];
    """
    assert evaluated(code, None) == [True, 2, []]


def test_questions_in_a_play_are_due_when_they_are_at_the_window():
    probes = [
        Probe("one", every=0.5, most=3), Probe("two", at=(0.2, 4.0)), Probe("three", after="death", most=1),
        Probe("four", after="death"), Probe("four", every=0.3), Probe("one", at=(1.0, 4.0)),
    ]  # fmt: skip
    course, chance, flags, expected = ChosenGame("key_door", "original", None, 0, 0).open(), random.Random(0), [], []
    assert isinstance(course, Course)
    schedule = Schedule(probes, course.rate)
    for _ in range(900):
        course.step(chance.choice((0, 1, 2, 2, 2, 3)))
        flags.append([any(name == "death" for name, _ in course.happened), bool(course.state[HAS_KEY])])
        schedule.after(course)
        expected.append([[each.question, each.why] for each in schedule.due])
    assert sum(died for died, _ in flags) > 1
    data = [probe_data(each, course.rate) for each in probes]
    code = """
        const { Schedule } = await load("schedule.js");
        const schedule = new Schedule(given.probes);
        return given.flags.map((flags) => schedule.after(...flags).map(({ question, why }) => [question, why]));
    """
    assert evaluated(code, {"probes": data, "flags": flags}) == expected


def test_keys_pauses_and_the_focus_do_what_they_do_at_the_window():
    """Times in ms; keys 1 and 2 give left and right; p pauses, and e is Escape. After each, the step of that time."""
    code = """
        const { Playing } = await load("playing.js");
        class Keys { // the engine's rule, without the order of jumps
            held_ = new Map(); pressed = [];
            press(code, input) { this.held_.set(code, input); this.pressed.push(input); }
            release(code) { this.held_.delete(code); }
            releaseAll() { this.held_.clear(); this.pressed = []; }
            get held() { return this.held_.size > 0; }
            take() {
                const taken = this.pressed.pop() ?? [...this.held_.values()].pop() ?? 0;
                this.pressed = [];
                return taken;
            }
        }
        const game = { step: () => ({ won: false, died: false }), state: () => new Int32Array(2) };
        const times = { rate: 10, limit: 900, idle_seconds: 20, refocus_seconds: 0.25 };
        const rules = { ...times, probes: [], keys: { 1: 1, 2: 2 } };
        return given.map(({ held, wait, happens }) => {
            const playing = new Playing(game, new Keys(), rules, []);
            playing.begin(0, held, wait);
            for (const [ms, what] of happens) {
                const at = 1000 * ms, key = { at, code: "12".indexOf(what[0]) + 1, name: what };
                const press = { ...key, isDown: what[1] === "+", isPause: what === "p+", isEscape: what === "e+" };
                if (what === "step") playing.step(at, at);
                else if (what === "lost" || what === "gained") playing.focus(what === "gained", at);
                else playing.key(press);
            }
            const told = playing.entries.filter((entry) => entry[2] !== "key");
            const words = ([, , event, { what, why }]) => `${event} ${what} ${why ?? ""}`;
            return told.map((entry) => entry[0] === "s" ? entry[1] : words(entry));
        });
    """

    def play(*happens, held=(), wait=""):
        return {"held": list(held), "wait": wait, "happens": list(happens)}

    cases = {
        "a key counts while it is held": (
            play((1, "1+"), (100, "step"), (200, "step"), (210, "1-"), (300, "step")), [1, 1, 0],
        ),
        "one that was held before the game counts once it is pressed again": (
            play((1, "1+"), (100, "step"), (110, "1-"), (120, "1+"), (200, "step"), held=[1]), [0, 1],
        ),
        "P pauses until a fresh press, which counts": (
            play((50, "p+"), (100, "step"), (150, "2+"), (200, "step")), ["pause begin key", "pause end key", 2],
        ),
        "a game that waits takes no input": (
            play((100, "step"), (150, "1+"), (200, "step"), wait="resumed"),
            ["pause begin resumed", "pause end resumed", 1],
        ),
        "keys that go down just after the focus came back were held": (
            play((10, "1+"), (50, "lost"), (100, "step"), (150, "gained"), (200, "1+"), (300, "step"), (450, "2+"),
                 (500, "step")),
            ["focus lost ", "pause begin focus", "focus gained ", "pause end focus", 2],
        ),
        "nobody there for 20 seconds": (
            play((19_900, "step"), (20_100, "step"), (20_200, "step"), (20_250, "1+"), (20_300, "step")),
            [0, "idle begin idle", "idle end idle", 1],
        ),
        "a held key is somebody": (play((10, "1+"), (30_000, "step")), [1]),
        "Escape stops the game at once": (play((100, "step"), (150, "e+"), (200, "step")), [0]),
    }  # fmt: skip
    found = evaluated(code, [case for case, _ in cases.values()])
    assert dict(zip(cases, found)) == {name: expected for name, (_, expected) in cases.items()}
