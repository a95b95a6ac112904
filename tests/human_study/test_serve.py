"""The study's server: what it answers, what it refuses, and that its sessions become logs."""

import json
import logging
import re
from pathlib import Path

import pytest

from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.play import Play, new_id
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.imported import import_study
from priorlab.human_study.data.progress import progress
from priorlab.human_study.data.verify import verify
from priorlab.human_study.data.withdraw import withdraw
from priorlab.human_study.protocol.ready import load_study
from priorlab.human_study.server import sessions as server_sessions
from priorlab.human_study.server.address import Address
from priorlab.human_study.server.app import Server, application
from priorlab.human_study.study.assignment import taken_places
from priorlab.human_study.study.study_file import Study
from tests.envs.test_play import EASY
from tests.human_study.test_study import a_study
from tests.support.asgi import TestClient
from tests.support.browser_participant import Journal, agreed, bearer, game_bytes, post_all
from tests.support.commands import refused

SECRET = "the researcher's token"
STUDY = {
    "game": "princess", "level": "easy.txt", "versions": ["masked_objects", "gravity"], "participants": 2,
    "before": ["age", "plate_2"], "after": ["aim"], "contact": "us",
}  # fmt: skip
WIN = [2] * 13


def a_server(folder: Path, **entries: object) -> Server:
    (folder / "easy.txt").write_text(EASY, encoding="utf-8")
    study = a_study(folder, **{**STUDY, **entries})
    return Server(*load_study(study.path), SECRET)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return a_server(tmp_path)


@pytest.fixture
def client(server: Server) -> TestClient:
    return TestClient(application(server), base_url="http://127.0.0.1")


def begun(client: TestClient, /, **wishes: object) -> dict:
    answer = client.post("/api/begin", json=agreed(**{"client": new_id() * 2, **wishes}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def a_journal(study: Study, version: str, inputs: list[int] = WIN) -> Journal:
    journal = Journal()
    journal.read("code")
    journal.answer("age", "25_34")
    journal.answer("plate_2", 57)
    journal.play(0, study.settings(version), inputs)
    journal.answer("aim", "the goal")
    journal.finish()
    return journal


def version_of(server: Server, admission: dict) -> str:
    return server.sessions.running[admission["code"]].versions[0]


def problems(study: Study) -> list[str]:
    return [line for each in verify([study.folder]) for line in each.problems]


def test_a_session_becomes_the_log_that_a_window_writes(server: Server, client: TestClient):
    study = server.sessions.study
    admission = begun(client)
    (place,) = taken_places(study)
    assert place.participant == admission["code"] and not problems(study), "a place has a log beside it at once"
    journal = a_journal(study, place.versions[0])
    count = post_all(client.post, admission, journal)
    assert client.post("/api/finish", json={"chunks": count}, headers=bearer(admission)).json() == {}
    assert [(each.problem, each.is_finished) for each in import_study(study)] == [("", True)]
    log = study.folder / f"{admission['code']}.session.jsonl"
    (recorded,) = read_session(log)
    expected = Play.of(WIN, place.versions[0], level=study.path.parent / "easy.txt")
    assert (recorded.play.inputs, recorded.play.last_state) == (expected.inputs, expected.last_state)
    assert recorded.answers == {"age": "25_34", "plate_2": 57, "aim": "the goal"}
    steps = [entry for entry in journal.entries if entry[0] == "s"]
    assert [tuple(row[:2]) for row in recorded.times.tolist()] == [
        (due / 1e6, done / 1e6) for _, _, due, done, _ in steps
    ]
    events = read_events(log).events
    assert [event["event"] for event in events[:2]] == ["session", "consent"] and events[-1]["event"] == "finish"
    assert events[0]["face"] == "browser" and events[0]["screen"] == [1920, 1080]
    assert next(event for event in events if event.get("question") == "plate_2")["cones"]
    assert not problems(study) and not [each for each in import_study(study) if each.has_news]
    counts = progress(study, [])[place.versions[0]]
    assert counts["finished"] == counts["won"] == counts["taken"] == 1


def test_nothing_that_a_participant_gets_names_a_version(server: Server, client: TestClient):
    admission = begun(client)
    page = client.get("/")
    names = re.findall(r"files/[0-9a-f]+\.\w+", page.text)
    texts = [page.text, json.dumps(admission), *(client.get(f"/{name}").text for name in names)]
    texts += [each.decode("latin-1") for each in game_bytes(admission)]
    assert names and not [
        name for name in ("masked", "gravity", "princess", "original") for text in texts if name in text
    ]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get(f"/{names[0]}").headers["cache-control"].endswith("immutable")


def test_what_is_sent_twice_is_written_once(server: Server, client: TestClient):
    admission = begun(client, client="c" * 16)
    again = begun(client, client="c" * 16)
    assert again == admission and len(taken_places(server.sessions.study)) == 1
    first, second = {"n": 0, "entries": [["r", 1]]}, {"n": 1, "entries": [["r", 2]]}
    post = [client.post("/api/chunk", json=each, headers=bearer(admission)) for each in (first, second, first)]
    assert [each.json() for each in post] == [{"next": 1}, {"next": 2}, {"next": 1}]
    other = client.post("/api/chunk", json={"n": 0, "entries": [["r", 3]]}, headers=bearer(admission))
    ahead = client.post("/api/chunk", json={"n": 7, "entries": []}, headers=bearer(admission))
    assert (other.status_code, ahead.status_code, ahead.json()["next"]) == (409, 409, 2)
    assert client.get("/api/session", headers=bearer(admission)).json() == {**admission, "next": 2}


def test_a_server_that_was_killed_goes_on(server: Server, client: TestClient):
    admission = begun(client)
    journal = a_journal(server.sessions.study, version_of(server, admission))
    chunks = list(journal.chunks())
    for chunk in chunks[:3]:
        client.post("/api/chunk", json=chunk, headers=bearer(admission))
    path = server.sessions.running[admission["code"]].writer.path
    with path.open("ab") as file:
        file.write(b'{"n":3,"entr')  # what was written when the power failed
    orphan = path.with_name(f"{new_id()}.chunks.jsonl")
    server_sessions.ChunkWriter.create(orphan, {"id": orphan.name.partition(".")[0]})  # before it had a place
    later = Server(server.sessions.study, server_languages(server), SECRET)
    client = TestClient(application(later), base_url="http://127.0.0.1")
    assert client.get("/api/session", headers=bearer(admission)).json()["next"] == 3 and not orphan.exists()
    assert post_all_from(client, admission, chunks, 3) == len(chunks)
    assert [each.problem for each in import_study(server.sessions.study)] == [""]


def server_languages(server: Server):
    return {code: script.texts for code, script in server.sessions.scripts.items()}


def post_all_from(client: TestClient, admission: dict, chunks: list, first: int) -> int:
    for chunk in chunks[first:]:
        assert client.post("/api/chunk", json=chunk, headers=bearer(admission)).status_code == 200
    return len(chunks)


def test_every_wrong_request_is_refused_in_one_line(server: Server, client: TestClient):
    admission = begun(client)
    own = bearer(admission)
    forged = {"Authorization": f"Bearer {admission['code']}.{'0' * 64}"}
    elsewhere = {"Authorization": "Bearer ../../etc.x"}
    bodies = {
        400: [b"", b"[]", b"{", b'{"n": NaN}', b'{"n": 0, "entries": [1]}', b'{"n": -1, "entries": []}', b"[" * 9999]
    }
    asked = [
        (status, client.post("/api/chunk", content=body, headers=own)) for status in bodies for body in bodies[status]
    ]
    asked += [
        (401, client.post("/api/chunk", json={})), (401, client.post("/api/chunk", json={}, headers=forged)),
        (401, client.post("/api/finish", json={}, headers=elsewhere)), (401, client.get("/api/session")),
        (413, client.post("/api/chunk", content=b" " * (1 << 20) + b"{}", headers=own)),
        (409, client.post("/api/finish", json={"chunks": 3}, headers=own)),
        (409, client.post("/api/finish", json={"chunks": 0}, headers=own)),
        (404, client.get("/files/..%2f..%2fstudy.toml")), (404, client.get("/study.toml")),
        (405, client.get("/api/begin")), (403, client.post("/api/begin", headers={"sec-fetch-site": "cross-site"})),
        (400, client.post("/api/begin", json=agreed(language="xx"))),
        (400, client.post("/api/begin", json=agreed(client="../x"))),
        (400, client.post("/api/begin", json=agreed(seconds=None))),
        (400, client.post("/api/begin", json=agreed(about={"id": "x"}))),
        (400, client.post("/api/begin", json=agreed(about={"email": "x"}))),
        (400, client.post("/api/begin", json=agreed(about={"screen": "x" * 999}))),
    ]  # fmt: skip
    for status, answer in asked:
        line = answer.json()["error"]
        assert answer.status_code == status and line and "\n" not in line, (status, answer.status_code, line)
    assert len(taken_places(server.sessions.study)) == 1, "what is refused takes no place"


def test_a_full_study_says_so(client: TestClient):
    for _ in range(4):
        begun(client)
    answer = client.post("/api/begin", json=agreed(client="d" * 16))
    assert answer.status_code == 409 and answer.json()["full"]


def test_without_room_on_the_disk_no_place_is_taken(
    server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(server_sessions, "import_session", full)
        assert client.post("/api/begin", json=agreed()).status_code == 507
    study = server.sessions.study
    assert not taken_places(study) and [path.name for path in (study.folder / "browser").iterdir()] == ["secret"]


def test_too_much_at_once_has_to_wait(server: Server, client: TestClient):
    admission = begun(client)
    server.sessions.running[admission["code"]].bucket.rate = 0
    server.sessions.running[admission["code"]].bucket._left = 1
    sent = [client.post("/api/chunk", json={"n": n, "entries": []}, headers=bearer(admission)) for n in range(2)]
    assert [each.status_code for each in sent] == [200, 429]


def test_who_withdraws_leaves_nothing(server: Server, client: TestClient):
    study = server.sessions.study
    admission, other = begun(client), begun(client)
    for each in (admission, other):
        post_all(client.post, each, a_journal(study, version_of(server, each)))
    for _ in range(2):  # the answer to the first may have been lost
        assert client.post("/api/withdraw", json={}, headers=bearer(admission)).status_code == 200
    left = [path.name for path in study.folder.rglob("*") if admission["code"] in path.name]
    assert not left and not problems(study)
    assert client.post("/api/chunk", json={"n": 99, "entries": []}, headers=bearer(admission)).status_code == 410
    withdraw(study, other["code"])  # by `priorlab withdraw`, while the server runs
    page = client.post("/researcher", data={"token": SECRET}).text
    assert page.count("withdrawn") == 3 and "debriefing" not in page
    answer = client.post("/api/chunk", json={"n": 99, "entries": []}, headers=bearer(other))
    assert answer.status_code == 410
    assert client.post("/api/begin", json=agreed(client="e" * 16)).json()["code"] != other["code"]


def test_what_can_not_be_deleted_is_asked_again(server: Server, client: TestClient):
    admission = begun(client)
    damaged = server.sessions.study.folder / "withdrawals.csv"
    damaged.write_text("my notes")
    assert client.post("/api/withdraw", json={}, headers=bearer(admission)).status_code == 507
    damaged.unlink()
    assert client.post("/api/withdraw", json={}, headers=bearer(admission)).status_code == 200
    assert not list(server.sessions.study.folder.glob("*.jsonl"))


def test_a_token_expires(server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch):
    admission = begun(client)
    monkeypatch.setattr(server_sessions, "LIFE", -1)
    answer = client.get("/api/session", headers=bearer(admission))
    assert answer.status_code == 410 and answer.json()["ended"]


PANEL = {
    "participant": "PROLIFIC_PID", "complete": "C1", "stopped": "C2", "screened_out": "C3", "refused": "C4",
    "redirect": "https://panel.example/submissions/complete?cc={code}",
}  # fmt: skip


def with_panel(folder: Path) -> tuple[Server, TestClient]:
    server = a_server(folder)
    path = server.sessions.study.path
    lines = [f"{name} = {json.dumps(value)}" for name, value in PANEL.items()]
    path.write_text(path.read_text() + "\n[panel]\n" + "\n".join(lines), encoding="utf-8")
    server = Server(*load_study(path), SECRET)
    return server, TestClient(application(server), base_url="http://127.0.0.1")


def test_a_panel_gets_its_participants_back(tmp_path: Path):
    server, client = with_panel(tmp_path)
    study = server.sessions.study
    assert client.post("/api/begin", json=agreed()).status_code == 400, "without an id nobody takes part"
    who = {"PROLIFIC_PID": "5f2a9c", "STUDY_ID": "s1", "SESSION_ID": "t1"}
    admission = begun(client, panel=who)
    assert begun(client, panel=who, client="f" * 16)["code"] == admission["code"], "who comes back goes on"
    other = begun(client, panel={"PROLIFIC_PID": "6"}, client="f" * 16)
    assert other["code"] != admission["code"], "another participant at the same computer begins anew"
    journal = a_journal(study, version_of(server, admission))
    count = post_all(client.post, admission, journal)
    chunks = client.get("/api/chunks", headers=bearer(admission)).json()["chunks"]
    assert [json.loads(chunk) for chunk in chunks] == [*journal.chunks()], "also with another browser"
    told = client.post("/api/finish", json={"chunks": count}, headers=bearer(admission)).json()
    assert told == {"code": "C1", "redirect": "https://panel.example/submissions/complete?cc=C1"}
    answer = client.post("/api/begin", json=agreed(client="g" * 16, panel=who))
    assert answer.status_code == 409 and answer.json()["ended"]
    assert client.post("/api/refused", json={"why": "refused"}).json()["code"] == "C4"
    assert client.post("/api/refused", json={"why": "phone"}).json()["code"] == "C3"
    table = study.folder / "panel.csv"
    withdraw(study, other["code"])
    assert "5f2a9c" in table.read_text() and not [
        path for path in study.folder.rglob("*") if path.is_file() and path != table and b"5f2a9c" in path.read_bytes()
    ]
    withdraw(study, admission["code"])
    assert not table.exists()


@pytest.mark.parametrize(
    ("entries", "code"), [([["q", 1, "stopped by the participant"]], "C2"), ([["e", 1, "excluded", {}]], "C3")]
)
def test_each_way_to_end_has_its_own_code(tmp_path: Path, entries: list, code: str):
    _, client = with_panel(tmp_path)
    admission = begun(client, panel={"PROLIFIC_PID": "x"})
    client.post("/api/chunk", json={"n": 0, "entries": [*entries, ["f", 2]]}, headers=bearer(admission))
    assert client.post("/api/finish", json={"chunks": 1}, headers=bearer(admission)).json()["code"] == code


@pytest.mark.parametrize(
    "lines",
    ['[panel]\nparticipant = ""', '[panel]\nredirect = "http://x/{code}"', "[panel]\ncomplete = 3", "panel = 3",
     '[panel]\nfinished = "C1"', '[panel]\ncomplete = "a b"', '[panel]\nstudy = "&"'],
)  # fmt: skip
def test_a_wrong_panel_is_refused_in_one_line(tmp_path: Path, lines: str):
    path = tmp_path / "study.toml"
    path.write_text(f'name = "t"\nversions = ["original"]\n{lines}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="panel") as error:
        Study.load(path)
    assert "\n" not in str(error.value)


def test_only_the_researcher_sees_versions(server: Server, client: TestClient):
    admission = begun(client)
    version = version_of(server, admission)
    assert version not in client.get("/researcher").text
    client.post("/researcher", data={"token": "wrong"})
    assert version not in client.get("/researcher").text
    page = client.post("/researcher", data={"token": SECRET}).text
    assert version in page and admission["code"] not in page


def test_behind_a_proxy_nothing_unencrypted_is_answered(server: Server, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG, "priorlab.serve"):
        client = TestClient(application(server, needs_https=True), base_url="http://study.example")
        assert client.get("/?PROLIFIC_PID=secret").status_code == 403
        safe = TestClient(application(server, needs_https=True), base_url="https://study.example")
        answer = safe.get("/?PROLIFIC_PID=secret")
    assert answer.status_code == 200 and "strict-transport-security" in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer" and "secret" not in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [{"host": "0.0.0.0"}, {"host": "study.example"}, {"port": 99999}, {"root_path": "x"}, {"certificate": Path("x")},
     {"trusted_proxy": "nobody"}],
)  # fmt: skip
def test_an_address_that_others_could_listen_to_is_refused(wrong: dict):
    with pytest.raises(ValueError, match="expected"):
        Address(**wrong).check()
    for right in (Address("0.0.0.0", insecure_lan=True), Address("::1"), Address(trusted_proxy="10.0.0.0/8")):
        right.check()
    assert Address(trusted_proxy="127.0.0.1").needs_https and not Address().needs_https


@pytest.mark.parametrize("command", ["serve", "import"])
def test_a_missing_study_gets_a_one_line_error(command: str):
    assert refused(command, "nowhere.toml").startswith(f"priorlab {command}: ")


def test_a_session_in_a_browser_is_not_resumed_at_the_window(server: Server, client: TestClient):
    admission = begun(client)
    study = server.sessions.study
    with pytest.raises(ValueError, match="in a browser"):
        load_study(study.path, study.folder / f"{admission['code']}.session.jsonl")
    assert taken_places(study)[0].participant == admission["code"], "and its place stays theirs"
