"""What the study's server makes of requests that no page of ours sends, and of files that were lost."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NoReturn

import pytest
from starlette.requests import Request

from priorlab.human_study.data.judging import Judge
from priorlab.human_study.data.recorder import LEFT
from priorlab.human_study.server import guard, login, serving
from priorlab.human_study.server import sessions as server_sessions
from priorlab.human_study.server.address import Address
from priorlab.human_study.server.app import Server, application
from priorlab.human_study.server.refusals import Refusal
from priorlab.human_study.server.running import Running
from priorlab.human_study.server.serving import connections, serve
from priorlab.human_study.server.tally import Tally
from priorlab.human_study.study.assignment import place_path, taken_places
from priorlab.human_study.study.criteria import Criteria
from tests.human_study.test_serve import SECRET, a_server, begun, server_languages, with_panel
from tests.support.asgi import TestClient
from tests.support.browser_participant import agreed, bearer

HERE = "http://127.0.0.1"
ANYBODY = Criteria({}, {}, [], 1, "end", 0)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return a_server(tmp_path)


@pytest.fixture
def client(server: Server) -> TestClient:
    return TestClient(application(server), base_url=HERE)


@pytest.mark.parametrize("content", ["", '{"number": 0'])
def test_a_lost_place_takes_no_recording_with_it(server: Server, client: TestClient, content: str):
    study = server.sessions.study
    codes = [begun(client)["code"] for _ in range(2)]
    files = [server.sessions.running[code].writer.path for code in codes]
    place_path(study, 0).write_text(content, encoding="utf-8")
    (study.folder / f"{codes[0]}.session.jsonl").unlink()
    later = Server(study, server_languages(server), SECRET)
    assert all(path.exists() for path in files) and [*later.sessions.running] == codes[1:]
    assert any(codes[0] in line for line in later.sessions.problems)


def test_chunks_without_a_place_are_kept(server: Server, client: TestClient):
    admission = begun(client)
    client.post("/api/chunk", json={"n": 0, "entries": [["r", 1]]}, headers=bearer(admission))
    place_path(server.sessions.study, 0).unlink()
    (server.sessions.study.folder / f"{admission['code']}.session.jsonl").unlink()
    Server(server.sessions.study, server_languages(server), SECRET)
    assert server.sessions.running[admission["code"]].writer.path.exists()


def test_who_knows_only_a_panels_participant_gets_no_token(tmp_path: Path):
    _, client = with_panel(tmp_path)
    who = {"PROLIFIC_PID": "5f2a9c", "STUDY_ID": "s1", "SESSION_ID": "t1"}
    begun(client, panel=who)
    for other in ({"SESSION_ID": "t2"}, {"STUDY_ID": "s2"}, {"STUDY_ID": "", "SESSION_ID": ""}):
        answer = client.post("/api/begin", json=agreed(client="e" * 16, panel=who | other))
        assert answer.status_code == 409 and "token" not in answer.json()


@pytest.mark.parametrize("reason", ["stopped by the participant", "won", "", None, ["left"]])
def test_only_who_leaves_for_the_next_game_has_played_this_one(reason: object):
    tally = Tally(1, Judge(ANYBODY))
    tally.take([["p", 1, 0], ["q", 2, reason], ["f", 3]])
    assert tally.end == "stopped"
    (left := Tally(1, Judge(ANYBODY))).take([["p", 1, 0], ["q", 2, LEFT], ["f", 3]])
    assert left.end == "complete"


def test_nothing_follows_the_end_of_a_session(server: Server, client: TestClient):
    own = bearer(begun(client))
    sent = [
        {"n": 0, "entries": [["f", 1]]},
        {"n": 1, "entries": [["e", 2, "page", {}]]},
        {"n": 0, "entries": [["f", 1]]},
    ]
    assert [client.post("/api/chunk", json=each, headers=own).status_code for each in sent] == [200, 410, 200]


def test_a_damaged_table_of_the_panel_is_said_to_the_researcher(tmp_path: Path):
    server, client = with_panel(tmp_path)
    table = server.sessions.study.folder / "panel.csv"
    table.write_text("my notes\nand more", encoding="utf-8")
    answer = client.post("/api/begin", json=agreed(panel={"PROLIFIC_PID": "x"}))
    assert answer.status_code == 507 and "panel.csv" not in answer.text and not taken_places(server.sessions.study)
    assert "panel.csv: expected a table" in client.post("/researcher", data={"token": SECRET}).text
    table.unlink()
    begun(client, panel={"PROLIFIC_PID": "x"})
    assert "panel.csv" not in client.get("/researcher").text


def test_a_code_that_is_drawn_twice_deletes_nothing(
    server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    sessions = server.sessions
    code = begun(client)["code"]
    before = {path: path.read_bytes() for path in sessions._files(code)}
    monkeypatch.setattr(server_sessions, "new_id", iter([code, "kept2345"]).__next__)
    assert begun(client)["code"] == "kept2345"
    monkeypatch.setattr(sessions, "_new_code", lambda: code)  # another process was faster
    assert client.post("/api/begin", json=agreed(client="d" * 16)).status_code == 507
    assert {path: path.read_bytes() for path in before} == before and len(taken_places(sessions.study)) == 2


def test_an_import_that_was_killed_is_tried_again(server: Server, client: TestClient):
    class Killed(ThreadPoolExecutor):
        def submit(self, *_: object) -> NoReturn:  # type: ignore
            raise BrokenProcessPool

    running, imports = server.sessions.running[begun(client)["code"]], server.imports
    running.imported, imports._pool = -1, Killed(1)  # type: ignore
    asyncio.run(imports._import(running))
    assert "killed" in running.problem and running.imported == -1 and imports._pool is None
    imports._pool = ThreadPoolExecutor(1)  # type: ignore
    asyncio.run(imports._import(running))
    assert (running.problem, running.imported) == ("", 0)


def test_a_folder_that_is_away_ends_no_imports(server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch):
    running, looks = server.sessions.running[begun(client)["code"]], []

    def away(_: object) -> NoReturn:
        looks.append(1)
        raise OSError("stale file handle")

    async def for_a_moment() -> None:
        task = asyncio.create_task(server.imports.run())
        while not looks:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()

    running.heard = 0
    monkeypatch.setattr(Running, "look", away)
    asyncio.run(asyncio.wait_for(for_a_moment(), 10))


def test_what_takes_long_leaves_threads_for_chunks(server: Server, monkeypatch: pytest.MonkeyPatch):
    under_way, most = 0, 0

    def slow(_: object) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.02)
        under_way -= 1

    async def many() -> None:
        token = server.sessions.token("kept2345").encode()
        request = Request({"type": "http", "method": "POST", "headers": [(b"authorization", b"Bearer " + token)]})
        await asyncio.gather(*(server.withdraw(request) for _ in range(4)))

    monkeypatch.setattr(server.sessions, "delete", slow)
    asyncio.run(many())
    assert most == 1


@pytest.mark.parametrize("entries", [[], [["p", 1, 0]], [["p", 1, 7], ["s", 0, 1, 1, None]]])
def test_without_the_plays_nobody_has_completed(tmp_path: Path, entries: list):
    _, client = with_panel(tmp_path)
    admission = begun(client, panel={"PROLIFIC_PID": "x"})
    client.post("/api/chunk", json={"n": 0, "entries": [*entries, ["f", 2]]}, headers=bearer(admission))
    assert client.post("/api/finish", json={"chunks": 1}, headers=bearer(admission)).json()["code"] == "C2"


def test_reading_a_session_again_stops_nobody_else(server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def is_in_loop(*_: object) -> Iterator[str]:
        for part in ('{"chunks":', "[]}"):
            with pytest.raises(RuntimeError, match="no running"):
                asyncio.get_running_loop()
            yield part

    admission = begun(client)
    monkeypatch.setattr(server_sessions, "written_chunks", is_in_loop)
    for encoding in ("gzip", "identity"):
        answer = client.get("/api/chunks", headers=bearer(admission) | {"accept-encoding": encoding})
        assert answer.json() == {"chunks": []}


def test_whoever_reads_a_session_slowly_holds_one_part_of_it(server: Server, client: TestClient):
    admission = begun(client)
    chunks = [{"n": n, "entries": [["e", n, "page", {"page": "ä" * 99}]]} for n in range(20)]
    for chunk in chunks:
        assert client.post("/api/chunk", json=chunk, headers=bearer(admission)).status_code == 200
    parts = server.sessions.chunks(server.sessions.running[admission["code"]])
    assert max(map(len, parts)) < 1000
    found = client.get("/api/chunks", headers=bearer(admission)).json()["chunks"]
    assert [json.loads(each) for each in found] == chunks
    server.sessions.running[admission["code"]].writer.path.unlink()
    assert client.get("/api/chunks", headers=bearer(admission)).status_code == 410


def test_a_session_that_takes_long_to_import_waits_for_the_others(
    server: Server, client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    imported: list[str] = []

    async def note(running: Running) -> None:
        imported.append(running.code)

    async def for_a_moment() -> None:
        task = asyncio.create_task(server.imports.run())
        while len(imported) < 2:
            await asyncio.sleep(0.01)
        task.cancel()

    slow, other = (server.sessions.running[begun(client)["code"]] for _ in range(2))
    slow.took, slow.heard, other.heard, slow.imported, other.imported = 99.0, 0.0, 0.0, -1, -1
    monkeypatch.setattr(server.imports, "_import", note)
    asyncio.run(asyncio.wait_for(for_a_moment(), 10))
    assert imported == [other.code, slow.code]


def test_whoever_reads_a_session_again_and_again_waits_alone(server: Server, client: TestClient):
    admission, other = begun(client, client="c" * 16), begun(client)
    running = server.sessions.running[admission["code"]]
    running.reads.rate, running.reads._left = 0, 3
    ways = [
        lambda: client.get("/api/session", headers=bearer(admission)),
        lambda: client.get("/api/chunks", headers=bearer(admission)),
        lambda: client.post("/api/begin", json=agreed(client="c" * 16)),
    ]
    assert [ask().status_code for ask in [*ways, *ways]] == [200] * 3 + [429] * 3
    sent = client.post("/api/chunk", json={"n": 0, "entries": []}, headers=bearer(admission))
    assert sent.status_code == 200 and client.get("/api/session", headers=bearer(other)).status_code == 200


def test_withdrawals_wait_for_each_other(server: Server, client: TestClient):
    server.sessions.deletions.rate, server.sessions.deletions._left = 0, 1
    first, second = begun(client), begun(client)
    asked = [client.post("/api/withdraw", json={}, headers=bearer(each)).status_code for each in (first, second, first)]
    assert asked == [200, 429, 200], "also what was done already is answered"


def test_no_entry_spoils_the_researchers_page(server: Server, client: TestClient):
    admission = begun(client)
    body = f'{{"n": 0, "entries": [["p", 1, {"9" * 4300}], ["e", 2, "page", {{"page": "{"long" * 99}", "what": ""}}]]}}'
    assert client.post("/api/chunk", content=body, headers=bearer(admission)).status_code == 200
    page = client.post("/researcher", data={"token": SECRET})
    assert page.status_code == 200 and "long" * 50 in page.text and "long" * 51 not in page.text
    assert server.sessions.running[admission["code"]].tally.plays == 0


def test_wrong_wishes_keep_nobody_out(server: Server, client: TestClient):
    server.sessions.beginnings.rate, server.sessions.beginnings._left = 0, 1
    assert [client.post("/api/begin", json={}).status_code for _ in range(3)] == [400] * 3
    own = bearer(begun(client, client="c" * 16))
    assert client.post("/api/begin", json=agreed(client="d" * 16)).status_code == 429
    assert client.post("/api/chunk", json={"n": 0, "entries": [["f", 1]]}, headers=own).status_code == 200
    assert client.post("/api/begin", json=agreed(client="c" * 16)).status_code == 429, (
        "a new session of a known browser"
    )


def test_a_full_study_frees_the_places_of_those_who_never_sent_anything(server: Server, client: TestClient):
    admissions = [begun(client) for _ in range(4)]
    client.post("/api/chunk", json={"n": 0, "entries": [["r", 1]]}, headers=bearer(admissions[0]))
    client.post("/api/withdraw", json={}, headers=bearer(admissions[1]))
    for each in admissions[:3]:
        server.sessions.running[each["code"]].heard -= server_sessions.SILENT
    new = begun(client)
    answers = [client.get("/api/session", headers=bearer(each)).status_code for each in [*admissions, new]]
    assert answers == [200, 410, 410, 200, 200]
    study = server.sessions.study
    assert taken_places(study)[server.sessions.running[new["code"]].place].participant == new["code"]
    assert not [path for path in study.folder.rglob("*") if admissions[2]["code"] in path.name]
    assert client.post("/api/begin", json=agreed(client="d" * 16)).json()["full"]


def test_the_researchers_token_stays_off_an_open_network(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(serving, "run", lambda *_: None)
    serve(server.sessions.study.path, Address("0.0.0.0", 8123, insecure_lan=True))
    participants, researcher = capsys.readouterr().out.splitlines()
    assert "http://127.0.0.1:8123/researcher " in researcher and "0.0.0.0" not in participants


@pytest.mark.parametrize(("hard", "expected"), [(1024, 512), (4096, 2048), (1 << 20, 5000), (-1, 5000)])
def test_connections_leave_files_for_the_rest(monkeypatch: pytest.MonkeyPatch, hard: int, expected: int):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    assert connections() == expected


def test_without_encryption_other_sites_are_known_by_their_origin(client: TestClient):
    wishes = json.dumps(agreed())
    for origin, expected in (("http://evil.example", 403), ("null", 403), (f"{HERE}:81", 403), (HERE, 200)):
        headers = {"origin": origin, "content-type": "text/plain"}
        assert client.post("/api/begin", content=wishes, headers=headers).status_code == expected, origin
    assert client.get("/researcher").headers["referrer-policy"] == "same-origin", "else a form's origin is null"


def test_only_names_of_this_computer_lead_to_a_server_that_is_only_for_it(server: Server):
    client = TestClient(application(server, is_local=True), base_url=HERE)
    for host, expected in (
        ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("", 403), ("localhost:8000", 200), ("[::1]:8000", 200),
    ):  # fmt: skip
        assert client.get("/", headers={"host": host}).status_code == expected, host
    assert Address().is_local and not Address(trusted_proxy="127.0.0.1").is_local
    assert not Address("0.0.0.0", insecure_lan=True).is_local


def test_odd_numbers_and_kinds_are_refused_in_one_line(server: Server, client: TestClient):
    own = bearer(begun(client))
    odd: list[dict[str, Any]] = [{"language": ["en"]}, {"language": {}}, {"seconds": 10**400}]
    wishes = [json.dumps(agreed(**each)) for each in odd]
    asked = [client.post("/api/begin", content=each) for each in wishes]
    asked += [client.post("/api/begin", content=wishes[0].replace("3.2", "1e999").replace('["en"]', '"en"'))]
    asked += [client.post("/api/chunk", content='{"n": 0, "entries": [["e", 1e999]]}', headers=own)]
    deep = "[" * 900 + "]" * 900
    asked += [client.post("/api/chunk", content=f'{{"n": 0, "entries": [["e", {deep}]]}}', headers=own)]
    asked += [client.post("/api/begin", content=b" " * (16 << 10) + json.dumps(agreed()).encode())]
    assert [each.status_code for each in asked] == [400, 400, 400, 400, 400, 400, 413]
    assert all("\n" not in each.json()["error"] for each in asked) and len(taken_places(server.sessions.study)) == 1


def test_no_address_leads_to_another_host(client: TestClient):
    answer = client.get("/researcher/", headers={"host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 404


def test_a_form_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    async def receive() -> dict:
        await asyncio.sleep(10)
        return {"type": "http.disconnect"}

    monkeypatch.setattr(guard, "PATIENCE", 0.01)
    with pytest.raises(Refusal, match="did not arrive"):
        asyncio.run(login.form_of(Request({"type": "http", "method": "POST", "headers": []}, receive)))
