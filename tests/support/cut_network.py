"""A network between a browser and a server of this computer, which a test can cut in several ways."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

WAYS = ("dropped", "stalled", "answers lost", "cut in the middle")


class CutNetwork:
    """Forwards connections to a port, in a thread of its own; ``cut`` breaks it for a while."""

    port = 0  # where it listens

    def __init__(self, port: int):
        self._server, self._way, self._open = port, "", set[asyncio.StreamWriter]()
        self.broken = 0  # connections
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)))
        self._thread.start()
        ready.wait()

    def cut(self, way: str, seconds: float) -> None:
        """Breaks the network in one of the ``WAYS`` for so long."""
        asyncio.run_coroutine_threadsafe(self._cut(way, seconds), self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _run(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        listening = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await self._over.wait()
        listening.close()
        self._abort()
        while self._open:
            await asyncio.sleep(0.01)

    async def _cut(self, way: str, seconds: float) -> None:
        self._way = way
        if way == "dropped":
            self._abort()
        await asyncio.sleep(seconds)
        self._way = ""
        if way == "answers lost":  # what was swallowed never comes
            self._abort()

    def _abort(self) -> None:
        self.broken += len(self._open) // 2
        for writer in self._open:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            if self._way != "dropped":
                there, back = await asyncio.open_connection("127.0.0.1", self._server)
                writers.append(back)
                self._open |= {*writers}
                await asyncio.gather(
                    self._pump(reader, back, lambda: False),
                    self._pump(there, writer, lambda: self._way == "answers lost"),
                )
        except OSError:
            self.broken += 1
        finally:
            for each in writers:
                each.transport.abort()
                with suppress(OSError):
                    await each.wait_closed()
            self._open -= {*writers}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_lost: Callable[[], bool]
    ) -> None:
        """Raises OSError where the network is cut."""
        while part := await reader.read(1 << 16):
            while self._way == "stalled":
                await asyncio.sleep(0.02)
            if self._way == "cut in the middle":
                writer.write(part[: len(part) // 2])
                await writer.drain()
                raise ConnectionError
            if not is_lost():
                writer.write(part)
                await writer.drain()
        writer.write_eof()
