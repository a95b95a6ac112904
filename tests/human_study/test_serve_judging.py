"""Right answers stay with the server: what pages get, what it says of answers, and that nobody passes for free."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from priorlab.envs.plays.events import read_events
from priorlab.human_study.data.chunks import chunks_path
from priorlab.human_study.data.imported import import_session, import_study
from priorlab.human_study.data.judging import Unearned
from priorlab.human_study.data.verify import verify
from priorlab.human_study.protocol.ready import load_study
from priorlab.human_study.server.app import Server, application
from priorlab.human_study.study.study_file import Study
from tests.envs.test_play import EASY
from tests.human_study.test_guidance import TEXTS, guided
from tests.human_study.test_serve import PANEL, SECRET, begun
from tests.support.asgi import TestClient
from tests.support.browser_participant import Journal, agreed, bearer
from tests.support.javascript import evaluated

HANDED = '[questions.handed]\nkind = "choice"\ntext = "Which hand?"\noptions = { left = "left", right = "right" }\n'
WHO = {"PROLIFIC_PID": "5f2a9c"}
RIGHT, WRONG = {"goal": "door", "keys": ["jump", "left"]}, {"goal": "fire", "keys": ["left"]}
LEFT = {"handed": "left"}


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "easy.txt").write_text(EASY, encoding="utf-8")
    study = guided(tmp_path, eligible={"handed": ["left"]}, contact="us", game="princess", level="easy.txt")
    (tmp_path / "texts.toml").write_text(TEXTS + HANDED, encoding="utf-8")
    lines = [f"{name} = {json.dumps(value)}" for name, value in PANEL.items()]
    study.path.write_text(study.path.read_text() + "\n[panel]\n" + "\n".join(lines), encoding="utf-8")
    return Server(*load_study(study.path), SECRET)


@pytest.fixture
def client(server: Server) -> TestClient:
    return TestClient(application(server), base_url="http://127.0.0.1")


class Page:
    """A browser that sends what happens at once."""

    def __init__(self, client: TestClient, **wishes: Any):
        self.client, self.journal, self.count = client, Journal(), 0
        self.admission = begun(client, panel=WHO, answers=LEFT, **wishes)
        self.journal.note("answer", question="handed", answer="left")

    def check(self, answers: dict[str, Any]) -> None:
        for question, answer in answers.items():
            self.journal.note("answer", question=question, answer=answer, seconds=1.5)
        self.journal.note("judged")

    def send(self) -> None:
        chunk = {"n": self.count, "entries": self.journal.entries}
        answer = self.client.post("/api/chunk", json=chunk, headers=bearer(self.admission))
        assert answer.status_code == 200, answer.text
        self.journal.entries, self.count = [], self.count + 1

    def verdict(self) -> Any:
        self.send()
        return self.client.post("/api/judge", json={}, headers=bearer(self.admission)).json()

    def play(self, study: Study) -> None:
        self.journal.play(0, study.settings("original"), [0] * 3, "left by the participant for the next game")
        self.journal.finish()
        self.send()

    def end(self) -> str:
        told = self.client.post("/api/finish", json={"chunks": self.count}, headers=bearer(self.admission)).json()
        return told["code"]


def events_of(study: Study, page: Page) -> list[dict[str, Any]]:
    import_session(study, chunks_path(study.folder, page.admission["code"]))
    log = study.folder / f"{page.admission['code']}.session.jsonl"
    assert not [line for each in verify([log]) for line in each.problems]
    return read_events(log).events


def test_no_page_knows_a_right_answer(server: Server):
    (description,) = (part for name, part in server.files.items() if name.endswith(".json"))
    pages = json.loads(description.content)["languages"]["en"]["pages"]
    assert not [name for name, page in pages.items() if "right" in page]
    assert pages["question:handed"]["excludes"]["options"] == []


def test_the_server_says_who_can_take_part(server: Server, client: TestClient):
    asked = [client.post("/api/judge", json={"question": "handed", "answer": each}).json() for each in ("left", "x")]
    assert asked == [{"eligible": True}, {"eligible": False}]
    assert client.post("/api/judge", json={"question": "goal", "answer": "door"}).status_code == 400
    for answers in ({}, {"handed": "right"}, {"handed": ["left"]}, [], None):
        answer = client.post("/api/begin", json=agreed(panel=WHO, answers=answers))
        assert answer.status_code == 403 and "handed" in answer.json()["error"]
    server.sessions.judgements.rate = server.sessions.judgements._left = 0
    assert client.post("/api/judge", json={"question": "handed", "answer": "left"}).status_code == 429


def test_a_round_of_checks_is_judged_by_what_was_recorded(server: Server, client: TestClient):
    page, study = Page(client), server.sessions.study
    page.journal.note("answer", question="colour", answer=3, seconds=1.5)
    page.send()
    assert "error" in page.verdict(), "no round was answered yet"
    page.check(WRONG)
    assert page.verdict() == {"again": True, "ends": False}
    page.journal.note("answer", question="goal", answer="door", seconds=1.5)
    page.journal.note("answer", question="keys", answer=["left", "jump"], seconds=1.5)
    assert page.verdict() == {"again": True, "ends": False}, "nobody tries other answers in the same round"
    page.journal.note("page", page="check:keys", what="end", again=True)
    page.check(RIGHT)
    assert page.verdict() == {"again": False, "ends": False}
    page.journal.note("page", page="check:keys", what="end", again=False)
    page.play(study)
    assert page.end() == "C1"
    events = events_of(study, page)
    assert not [event for event in events if event["event"] == "judged"]
    rights = [event["right"] for event in events if "right" in event]
    assert rights == [False, False, False, True, True, True, True]
    rounds = [[event["round"], event["wrong"], event["again"]] for event in events if "round" in event]
    assert rounds == [[1, ["goal", "keys"], True], [2, [], False]]
    later = Server(study, load_study(study.path)[1], SECRET)
    assert later.sessions.running[page.admission["code"]].tally.end == "complete", "also after a restart"


def test_after_the_last_round_the_session_ends(server: Server, client: TestClient):
    page = Page(client)
    for ended in ({"again": True, "ends": False}, {"again": False, "ends": True}):
        page.check(WRONG)
        assert page.verdict() == ended
        if ended["again"]:
            page.journal.note("page", page="check:keys", what="end", again=True)
    page.journal.note("excluded", why="checks")
    page.journal.finish()
    page.send()
    assert page.end() == "C3"
    (excluded,) = (event for event in events_of(server.sessions.study, page) if event["event"] == "excluded")
    assert (excluded["round"], excluded["wrong"], excluded["again"]) == (2, ["goal", "keys"], False)


FORGED = {
    "goes on after a wrong round": lambda page: (
        page.check(WRONG), page.journal.note("page", page="check:keys", what="end", again=False)
    ),
    "was never asked": lambda page: None,
    "says that a wrong answer is right": lambda page: page.journal.note(
        "answer", question="goal", answer="fire", right=True
    ),
    "can not take part": lambda page: page.journal.note("answer", question="handed", answer="right"),
    "is too young": lambda page: page.journal.note("answer", question="age", answer="under_18"),
    "answers with what no page has": lambda page: page.check({"goal": {"door": 1}, "keys": [{}, ["jump"]]}),
    "asks twice in a round": lambda page: (page.check(WRONG), page.check(RIGHT)),
    "was not judged after the last round": lambda page: [
        (page.check(WRONG), page.journal.note("page", page="check:keys", what="end")) for _ in range(2)
    ],
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGED)
def test_whoever_claims_an_unearned_pass_is_named(server: Server, client: TestClient, forgery: str):
    page, study = Page(client), server.sessions.study
    FORGED[forgery](page)
    page.play(study)
    assert page.end() == "C3", "the panel's code is that of somebody who was screened out"
    with pytest.raises(Unearned, match=r"line \d: ") as error:
        events_of(study, page)
    assert "\n" not in str(error.value)
    (line,) = (each.problem for each in import_study(study))
    assert line.startswith("Unearned: ") and "\n" not in line


def test_answers_are_judged_by_what_held_when_the_session_began(server: Server, client: TestClient):
    page, study = Page(client), server.sessions.study
    page.check(RIGHT)
    page.journal.note("page", page="check:keys", what="end", again=False)
    page.play(study)
    before = events_of(study, page)
    changed = replace(study, right={**study.right, "goal": "fire"}, eligible={"handed": ["right"]})
    assert events_of(changed, page) == before


def test_an_answered_round_waits_for_its_verdict_after_a_reload():
    steps = [
        {"kind": "page", "page": f"question:{each}", "log": f"check:{each}", "play": None, "after_stop": []}
        for each in ("goal", "keys")
    ]  # fmt: skip
    steps[1]["again"] = {"to": 0, "checks": ["goal", "keys"]}  # type: ignore[assignment]
    goal = ["e", 1, "page", {"page": "check:goal", "what": "end"}]
    judged, end = ["e", 2, "judged", {}], {"page": "check:keys", "what": "end"}
    journals = [
        [goal], [goal, judged], [goal, judged, ["e", 3, "page", end | {"again": True}]],
        [goal, judged, ["e", 3, "page", end | {"again": False}]],
        [goal, judged, ["e", 3, "excluded", {"why": "checks"}]],
    ]  # fmt: skip
    code = """
        const { Progress, retraced } = await load("progress.js");
        return given.journals.map((entries) => {
            const progress = new Progress(given.steps);
            const past = retraced(progress, entries);
            return [past.isJudged, progress.at, past.rounds];
        });
    """
    found = evaluated(code, {"steps": steps, "journals": journals})
    assert found == [[False, 1, 0], [True, 1, 0], [False, 0, 1], [False, 2, 0], [False, 1, 0]]


def test_a_page_that_needs_the_server_says_so_and_tries_again():
    code = """
        const { patiently } = await load("patience.js");
        const { Refusal } = await load("uploads.js");
        globalThis.document = { createElement: () => ({ append(...parts) { this.text = parts.join(""); } }) };
        const shown = [];
        const paper = {
            wait: () => shown.push("wait"), connect: () => {},
            show: (content) => shown.push(content.map(({ text }) => text).join("|")),
        };
        const tries = [new Error("offline"), new Refusal(429, {}), new Error("offline"), "verdict"];
        const ask = async () => {
            const next = tries.shift();
            if (typeof next !== "string") throw next;
            return next;
        };
        const words = { "browser.needed_title": "title", "browser.needed_text": "text" };
        const soon = setTimeout;
        globalThis.setTimeout = (act) => soon(act, 1);
        const told = await patiently(ask, paper, words);
        const gone = async () => { throw new Refusal(410, {}); };
        const no = await patiently(gone, paper, words).catch(({ status }) => status);
        return [told, no, shown];
    """
    assert evaluated(code, None) == ["verdict", 410, ["wait", "title|text|", "wait"]]
