"""How long a connection may keep the server waiting, and which one ends where there are too many.

uvicorn (0.54) has no limit of its own for requests that never end, nor for whoever never reads an answer.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE = 30.0  # seconds without a request
RECEIVING = 30.0  # seconds from a request's first byte to its last
ANSWERING = 300.0  # seconds from there until the answer was taken: a page has less than a MB


class Room:
    """Connections, in the order in which they began to wait for a request, or to be answered."""

    def __init__(self, most: int):
        """``most``: where there are more, the one ends that has kept the server waiting longest, before any that is
        answered: whoever sends a request at once is not kept out by those who send none."""
        self.most = most
        self.waiting: dict[TimedProtocol, None] = {}
        self.answered: dict[TimedProtocol, None] = {}

    def put(self, connection: "TimedProtocol", is_answered: bool) -> None:
        self.remove(connection)
        (self.answered if is_answered else self.waiting)[connection] = None
        while len(self.waiting) + len(self.answered) > self.most:
            last = next(iter(self.waiting or self.answered))
            self.remove(last)
            last.transport.abort()

    def remove(self, connection: "TimedProtocol") -> None:
        self.waiting.pop(connection, None)
        self.answered.pop(connection, None)


class TimedProtocol(H11Protocol):
    """uvicorn's protocol of one connection, with limits of time."""

    room: Room
    _timer: asyncio.TimerHandle | None = None
    _phase = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._phase == "answered":  # else the rest of a refused request is still to come, within its time
            self._phase = ""
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.remove(self)
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Begins a new limit whenever another phase begins, and at no other time."""
        state, has_begun = self.conn.their_state, bool(self.conn.trailing_data[0])
        if state is h11.IDLE and not has_begun:
            phase, seconds = "idle", IDLE
        elif state in (h11.IDLE, h11.SEND_BODY):
            phase, seconds = "receiving", RECEIVING
        else:
            phase, seconds = "answered", ANSWERING
        if phase == self._phase or self.transport.is_closing():
            return
        is_being_taken = phase == "idle" and self.transport.get_write_buffer_size() > 0
        self._phase = phase
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(ANSWERING if is_being_taken else seconds, self.transport.abort)
        self.room.put(self, phase == "answered" or is_being_taken)


def protocol(most: int) -> type[TimedProtocol]:
    """For a server with that many connections at most."""
    return type("Protocol", (TimedProtocol,), {"room": Room(most)})
