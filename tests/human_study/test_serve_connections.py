"""Connections that keep the server waiting: headers, bodies and answers that never end, and too many of them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import uvicorn

from priorlab.human_study.server import connections, serving
from priorlab.human_study.server.address import Address
from priorlab.human_study.server.guard import Guard

LONGEST = 10.0  # seconds, on a busy machine
LARGE = 1 << 24  # bytes of an answer, more than the system keeps for whoever does not read
GET = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n"
Connect = Callable[..., socket.socket]
POST = b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        body = b"x" * LARGE if scope["path"] == "/large" else b"good"
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server for three connections, whose limits are about a second."""
    monkeypatch.setattr(connections, "IDLE", 1.5)
    monkeypatch.setattr(connections, "RECEIVING", 1.0)
    monkeypatch.setattr(connections, "ANSWERING", 1.0)
    monkeypatch.setattr(serving, "connections", lambda: 3)
    settings: dict[str, Any] = serving.settings(Address(port=0)) | {"lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(Guard(app, needs_https=False), **settings))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = server.force_exit = True
    thread.join()


@pytest.fixture
def connect(port: int) -> Iterator[Callable[..., socket.socket]]:
    """Opens a connection, and sends that on it."""
    with ExitStack() as opened:

        def connection(content: bytes = b"") -> socket.socket:
            made = opened.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            made.sendall(content)
            return made

        yield connection


def is_answered(opened: socket.socket) -> bool:
    answer = b""
    while part := opened.recv(1000):
        answer += part
        if answer.endswith(b"\r\n\r\ngood"):
            return True
    return False


def seconds_until_closed(opened: socket.socket, every: float = 0.0, part: bytes = b"") -> float:
    """How long the server kept the connection, on which that came so often meanwhile; not much more than LONGEST."""
    began = time.monotonic()
    opened.settimeout(every or LONGEST)
    while time.monotonic() < began + LONGEST:
        with suppress(TimeoutError):
            try:
                if not opened.recv(1 << 20):
                    break
            except ConnectionError:
                break
        with suppress(OSError):
            opened.sendall(part)
    return time.monotonic() - began


def test_headers_that_do_not_end_close_the_connection(connect: Connect):
    assert seconds_until_closed(connect(GET)) < LONGEST
    trickling = connect(GET)
    assert seconds_until_closed(trickling, every=0.05, part=b"x-more: 1\r\n") < LONGEST, (
        "also if some of it comes each moment"
    )


def test_a_body_that_nobody_waits_for_closes_the_connection(connect: Connect):
    opened = connect(POST)
    assert is_answered(opened)
    assert seconds_until_closed(opened, every=0.1, part=b"1") < LONGEST


def test_an_answer_that_nobody_reads_closes_the_connection(connect: Connect):
    opened = connect(GET.replace(b"/ ", b"/large ", 1) + b"\r\n")
    time.sleep(2.0)
    got = 0
    with suppress(ConnectionError):
        while part := opened.recv(1 << 20):
            got += len(part)
    assert got < LARGE


def test_who_is_slow_but_goes_on_is_answered_again_and_again(connect: Connect):
    opened = connect()
    for _ in range(4):  # together longer than any limit
        for part in (GET[:10], GET[10:20], GET[20:], b"\r\n"):
            time.sleep(0.1)
            opened.sendall(part)
        assert is_answered(opened)


def test_where_there_are_too_many_the_one_that_waited_longest_ends(connect: Connect, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "RECEIVING", 60.0)
    idle = [connect(GET) for _ in range(3)]
    for _ in range(5):
        newcomer = connect(GET + b"\r\n")
        assert is_answered(newcomer)
        idle.append(newcomer)
    assert seconds_until_closed(idle[0]) < LONGEST
