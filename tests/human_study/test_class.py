"""A class: what its server answers and refuses, what its lines show, and that nobody learns a version too early."""

import base64
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from priorlab.envs.game.rules import UNIQUE_STATES
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.progress import progress
from priorlab.human_study.classroom import lesson as lessons
from priorlab.human_study.classroom import serving
from priorlab.human_study.classroom.app import ClassServer, application
from priorlab.human_study.classroom.curves import LEAST, mean_curve
from priorlab.human_study.classroom.lesson import Lesson, Revealed
from priorlab.human_study.classroom.serving import checked_link, hold, students_link
from priorlab.human_study.server.address import Address, link_of, private_link
from priorlab.human_study.server.refusals import Refusal
from priorlab.scripts.analysis.published import published_line, published_note
from tests.support.asgi import TestClient

TOKEN = "the lecturer's token"
VERSIONS = ("original", "masked_objects")
NAMES = ("original", "masked", "princess", "key_door", "semantics", "gravity")
RIGHT = 2


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> ClassServer:
    lesson = Lesson("princess", VERSIONS, 1, 0, clock)
    reveals = {version: Revealed(version, "what it masks", published_line(version)) for version in VERSIONS}
    return ClassServer(lesson, reveals, published_note(), TOKEN, "http://hall.example/")


@pytest.fixture
def client(server: ClassServer) -> TestClient:
    return TestClient(application(server), base_url="http://127.0.0.1")


@pytest.fixture
def lecturer(server: ClassServer) -> TestClient:
    client = TestClient(application(server), base_url="http://127.0.0.1")
    assert client.post("/lecturer", data={"token": TOKEN}).status_code == 200
    return client


def join(client: TestClient, counted: bool = True) -> dict:
    answer = client.post("/api/join", json={"counted": counted})
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(client: TestClient, joined: dict, inputs: str, first: int = 0, left: bool = False):
    headers = {"Authorization": f"Bearer {joined['token']}"}
    return client.post("/api/inputs", json={"n": first, "inputs": inputs, "left": left}, headers=headers)


def test_the_lines_are_those_of_the_plays(server: ClassServer, client: TestClient, lecturer: TestClient, clock: Clock):
    rng = np.random.default_rng(3)
    everybody = [join(client) for _ in range(4 * LEAST)]
    assert {joined["game"] for joined in everybody} == {arm.file for arm in server.lesson.arms}
    clock.now += 30
    plays = {arm.version: [] for arm in server.lesson.arms}
    for joined in everybody:
        inputs = rng.integers(0, 6, 600)
        version = server.lesson.find(joined["token"]).arm.version
        play = Play.of(inputs, version, game="princess")
        text = "".join(map(str, inputs))
        half = send(client, joined, text[:300]).json()
        answer = send(client, joined, text[250:], first=250).json()
        rows = progress(play)
        covered = 1 - rows["remaining"].iloc[-1] / rows["remaining"].iloc[0]
        assert (half["next"], answer["next"]) == (300, 600) and answer["share"] == pytest.approx(covered)
        seconds = 30 * np.arange(21)
        at = np.searchsorted(rows["inputs"], seconds, "right") - 1
        plays[version].append(1 - rows["remaining"].to_numpy()[at] / rows["remaining"].iloc[0])
    now = lecturer.get("/lecturer/now").json()
    assert (now["joined"], now["playing"], now["measure"]) == (4 * LEAST, 4 * LEAST, "share")
    for arm, shown in zip(server.lesson.arms, now["arms"]):
        assert shown["players"] == 2 * LEAST
        np.testing.assert_allclose(shown["curve"], np.mean(plays[arm.version], 0), atol=6e-4)


def test_fewer_than_five_have_no_line(client: TestClient, lecturer: TestClient, clock: Clock):
    everybody = [join(client) for _ in range(2 * LEAST - 1)]
    clock.now += 10
    for joined in everybody:
        assert send(client, joined, "0" * 90).status_code == 200
    arms = lecturer.get("/lecturer/now").json()["arms"]
    shown = {arm["players"]: (len(arm["curve"]), arm["won"]) for arm in arms}
    assert shown == {LEAST: (4, 0), LEAST - 1: (0, None)}


def test_a_line_does_not_lean_on_the_fast():
    """A winner's lead does not lift the line beyond where the others are; one who left stays in it."""
    values = np.zeros((8, 61))
    values[:4, 10:] = 1.0  # won after ten seconds
    played = np.array([10] * 4 + [20] * 4)
    is_over = np.array([True] * 4 + [False] * 4)
    curve = mean_curve(values, played, is_over)
    assert curve.tolist() == [0.0] * 10 + [0.5] * 11
    assert len(mean_curve(values, np.array([10] * 4 + [20, 20, 20, 3]), is_over)) == 21
    assert len(mean_curve(values, np.array([10] * 4 + [20, 20, 3, 3]), is_over)) == 4
    assert len(mean_curve(values, np.array([10] * 4 + [20, 20, 3, 3]), np.ones(8, bool))) == 21
    assert not len(mean_curve(values[:4], played[:4], is_over[:4]))


def test_nothing_that_students_get_names_a_version(server: ClassServer, client: TestClient, lecturer: TestClient):
    joined, page = join(client), client.get("/")
    wall = lecturer.get("/lecturer")
    files = re.findall(r"files/[0-9a-f]+\.\w+", page.text + wall.text)
    texts = [page.text, wall.text, lecturer.get("/lecturer/now").text, *(client.get(f"/{name}").text for name in files)]
    texts += [base64.b64decode(joined["game"]).decode("latin-1"), str({**joined, "token": ""})]
    assert len(files) >= 7 and not [name for name in NAMES for text in texts if name in text.lower()]
    for each in (page, wall):
        policy = each.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe-inline" not in policy


def test_the_reveal_ends_the_counting(server: ClassServer, client: TestClient, lecturer: TestClient, clock: Clock):
    joined = join(client)
    assert "masks" not in lecturer.get("/lecturer/now").text
    assert client.post("/lecturer/reveal").status_code == 401 and not server.lesson.is_revealed
    assert lecturer.post("/lecturer/reveal").status_code == 200
    now = lecturer.get("/lecturer/now").json()
    assert {arm["title"] for arm in now["arms"]} == {*VERSIONS} and "ICML" in now["note"]
    shown = {arm["title"]: arm["published"] for arm in now["arms"]}
    assert shown["masked_objects"] == "7.7 minutes, 4.3 times the original's (grade B)"
    assert all(arm["picture"].startswith("data:image/png") for arm in now["arms"])
    clock.now += 9
    assert send(client, joined, "0").status_code == 410
    assert join(client)["token"] == "" and not lecturer.get("/lecturer/now").json()["playing"]


def test_who_is_not_counted_leaves_no_trace(server: ClassServer, client: TestClient):
    joined = join(client, counted=False)
    assert joined["token"] == "" and joined["game"] and not server.lesson.overview()["joined"]


def test_wrong_requests_are_refused_in_one_line(client: TestClient, clock: Clock):
    joined = join(client)
    headers = {"Authorization": f"Bearer {joined['token']}"}
    clock.now += 1
    asked = [
        (400, client.post("/api/join", json={})), (400, client.post("/api/join", content=b"[")),
        (401, client.post("/api/inputs", json={})), (401, send(client, {"token": "x" * 22}, "0")),
        (409, send(client, joined, "0", first=1)), (400, send(client, joined, "6")),
        (400, send(client, joined, "0", -1)),
        (400, send(client, joined, "0" * 999)), (400, client.post("/api/inputs", json={"n": 0}, headers=headers)),
        (413, client.post("/api/inputs", content=b" " * (1 << 20) + b"{}", headers=headers)),
        (403, client.post("/api/join", headers={"sec-fetch-site": "cross-site"})),
        (401, client.get("/lecturer/now")), (404, client.get("/files/lecturer")), (405, client.get("/api/join")),
    ]  # fmt: skip
    for status, answer in asked:
        line = answer.json()["error"]
        assert answer.status_code == status and line and "\n" not in line, (status, answer.status_code, line)
    assert "lecturer.js" not in client.get("/lecturer").text and "token" in client.get("/lecturer").text


def test_memory_and_requests_are_bounded(
    server: ClassServer, client: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lessons, "MOST_STUDENTS", 2)
    first, second, third = (join(client) for _ in range(3))
    clock.now += 100
    assert [send(client, each, "0").status_code for each in (first, second, third)] == [200, 200, 429]
    clock.now += 1000
    assert send(client, first, "0" * 1799, first=1).json()["next"] == 1800, "a play is as long as the class says"
    assert send(client, first, "0", first=1800).status_code == 400
    assert send(client, first, "0" * (1 << 15)).status_code == 413, "and no longer is what is read of it"
    bucket = server.lesson.find(first["token"]).bucket
    bucket._left = bucket.rate = 0
    assert send(client, first, "", first=1800).status_code == 429


ONE = np.zeros(1, np.uint8)


def play_on(lesson: Lesson, token: str, seconds: int) -> bool:
    """Sends a second more of a play, of which the page has so many; returns whether it was taken."""
    try:
        student = lesson.find(token)
        new = np.zeros(30 * seconds - student.followed.inputs, np.uint8)
        return lesson.take(student, student.followed.inputs, new, False) == 30 * seconds
    except Refusal as refusal:
        assert refusal.status == 429
        return False


def test_joining_takes_nothing(clock: Clock):
    """Also a thousand times a second: whoever joined before still finds a place."""
    lesson = Lesson("princess", VERSIONS, 1, 0, clock)
    token, _ = lesson.join(True)
    versions = [lesson.join(True)[1].version for _ in range(3000)]
    assert {*map(versions.count, VERSIONS)} == {1500}, "versions are balanced among all who joined"
    assert not lesson.playing
    lesson.take(lesson.find(token), 0, ONE, False)
    assert [*lesson.playing] == [token] and lesson.overview()["joined"] == 3001
    for wrong in (f"{token[:-1]}{'0' if token[-1] != '0' else '1'}", f"1{token}", "a.1.b", "ä"):
        with pytest.raises(Refusal, match="unknown token"):
            lesson.find(wrong)


def test_a_flood_that_plays_keeps_nobody_of_the_hall_out(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """Each second a flood takes as many places as the class has; newcomers get one, and who plays on keeps it."""
    monkeypatch.setattr(lessons, "MOST_STUDENTS", 60)
    lesson = Lesson("princess", ("original",), 1, 0, clock)
    hall: dict[str, float] = {}
    waited: list[float] = []
    for second in range(40):
        for _ in range(60):
            play_on_once(lesson, lesson.join(True)[0])
        if second < 20:
            hall[lesson.join(True)[0]] = clock.now
        clock.now += 1
        for token, since in hall.items():
            was_there = token in lesson.playing
            is_there = play_on(lesson, token, int(clock.now - since))
            assert is_there or not was_there, "nobody loses a place while playing"
            waited += [clock.now - since] if is_there and not was_there else []
    assert len(waited) == 20 and all(token in lesson.playing for token in hall)
    assert max(waited) <= lessons.SILENT + 2


def play_on_once(lesson: Lesson, token: str) -> None:
    with suppress(Refusal):
        lesson.take(lesson.find(token), 0, ONE, False)


def test_who_fell_silent_in_a_full_class_gets_a_place_again(
    server: ClassServer, client: TestClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lessons, "MOST_STUDENTS", 1)
    first, second = join(client), join(client)
    clock.now += 40
    assert send(client, first, "0" * 90).status_code == 200
    clock.now += lessons.SILENT
    assert send(client, second, "0" * 90).status_code == 429, "a moment is no silence"
    clock.now += 1
    assert send(client, second, "0" * 90).status_code == 200
    clock.now += lessons.SILENT + 1
    answer = send(client, first, "000", first=90)
    assert (answer.status_code, answer.json()["next"]) == (409, 0), "the page then sends all of its play"
    assert send(client, first, "0" * 93).json()["next"] == 93


def test_a_play_that_is_over_keeps_its_line(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lessons, "MOST_STUDENTS", 2)
    lesson = Lesson("princess", ("original",), 1, 0, clock)
    stopped, brief, sudden, late = (lesson.join(True)[0] for _ in range(4))
    for second in range(1, 33):
        clock.now += 1
        assert play_on(lesson, stopped, second)
        if second < 5:
            assert play_on(lesson, brief, second)
    for token, count in ((stopped, 960), (brief, 120)):
        lesson.take(lesson.find(token), count, ONE[:0], True)
    assert [*lesson.done] == [stopped] and [*lesson.playing] == [brief]
    lesson.take(lesson.find(sudden), 0, np.zeros(900, np.uint8), True)
    assert sudden in lesson.playing, "what came in a moment gives its place away, however long it is"
    clock.now += lessons.SILENT + 1
    assert play_on(lesson, late, 1) and brief not in lesson.playing and stopped in lesson.done


def test_the_token_stays_off_an_unencrypted_network(tmp_path: Path):
    link = "http://10.0.0.7:8000/"
    for address, shown in [
        (Address("0.0.0.0", insecure_lan=True), "http://127.0.0.1:8000/"),
        (Address("::", 81, insecure_lan=True), "http://[::1]:81/"), (Address(), link),
        (Address("0.0.0.0", certificate=tmp_path, key=tmp_path), link), (Address("10.0.0.7", insecure_lan=True), link),
    ]:  # fmt: skip
        assert private_link(address, link) == shown


def test_without_a_known_way_places_are_counted(monkeypatch: pytest.MonkeyPatch, clock: Clock):
    monkeypatch.setattr(lessons, "distances_of", lambda *_: None)
    lesson = Lesson("princess", ("gravity",), 1, 0, clock)
    token, _ = lesson.join(True)
    clock.now += 10
    lesson.take(lesson.find(token), 0, np.full(60, RIGHT, np.uint8), True)
    play = Play.of([RIGHT] * 60, "gravity", game="princess")
    assert lesson.measure == "states" and lesson.find(token).far == play.states[-1, UNIQUE_STATES] > 1
    assert lesson.is_over(lesson.find(token))


def test_a_class_that_can_not_be_held_is_refused_in_one_line():
    for game, versions, minutes in [
        ("princess", (), 3), ("princess", ("original",) * 2, 3), ("princess", ("original",), 0),
        ("atari/pong", ("none",), 3), ("princess", ("blue",), 3), ("chess", ("original",), 3),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="expected") as error:
            Lesson(game, versions, minutes, 0)
        assert "\n" not in str(error.value)
    for host, link, expected in [("0.0.0.0", "", "insecure-lan"), ("127.0.0.1", "javascript:x", "expected an address")]:
        with pytest.raises(ValueError, match=expected):
            hold("princess", VERSIONS, 3, Address(host), link, {}, "")


def test_the_link_is_one_that_students_can_open():
    assert students_link(Address(port=8123)) == "http://127.0.0.1:8123/"
    with pytest.raises(ValueError, match="--link"):
        students_link(Address(root_path="/class", trusted_proxy="127.0.0.1"))
    assert checked_link("https://lab.example/class") == "https://lab.example/class/"
    assert "0.0.0.0" not in link_of(Address("0.0.0.0", insecure_lan=True))


def test_a_class_for_this_computer_answers_only_under_its_names(monkeypatch: pytest.MonkeyPatch):
    apps: list[Any] = []
    monkeypatch.setattr(serving, "run", lambda app, _: apps.append(app))
    for link in ("", "https://hall.example/"):
        hold("princess", VERSIONS, 1, Address(), link, {}, "")
    local, tunnelled = (TestClient(app, base_url="http://127.0.0.1") for app in apps)
    asked = [client.get("/", headers={"host": "evil.example"}).status_code for client in (local, tunnelled)]
    assert asked == [403, 200] and local.get("/").status_code == 200
