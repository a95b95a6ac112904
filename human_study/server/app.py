"""The study's server: the participant's page, what it asks for under ``api/``, and the researcher's page."""

import asyncio
import gzip
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from priorlab.human_study.browser.bundle import Site, site
from priorlab.human_study.data.chunks import Entry
from priorlab.human_study.protocol.described import described
from priorlab.human_study.server.guard import NOTHING, Guard, answer, body_of
from priorlab.human_study.server.imports import Imports
from priorlab.human_study.server.limits import Bucket
from priorlab.human_study.server.refusals import Refusal
from priorlab.human_study.server.researcher import LOGIN_POLICY, Researcher
from priorlab.human_study.server.sessions import Running, Sessions
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts

BEARER = re.compile(r"Bearer ([\w.-]{1,200})", re.ASCII)
BEGINNINGS_A_SECOND, BEGINNINGS_AT_ONCE = 5.0, 500.0  # a lecture hall begins within a minute, from one address
KEPT = "public, max-age=31536000, immutable"  # for files whose names change with their content
DISK_FULL = 507
PACKING = 3  # of gzip's levels, for what is packed while a participant waits

log = logging.getLogger("priorlab.serve")


@dataclass(frozen=True)
class Offered:
    """A file of the participant's page, and the same compressed."""

    content: bytes
    packed: bytes
    headers: Mapping[str, str]

    @staticmethod
    def of(content: bytes, kind: str, **headers: str) -> "Offered":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Offered(content, gzip.compress(content), {"content-type": kind, "vary": "accept-encoding", **named})

    def response(self, request: Request) -> Response:
        is_packed = takes_gzip(request)
        headers = dict(self.headers) | ({"content-encoding": "gzip"} if is_packed else {})
        return Response(self.packed if is_packed else self.content, headers=headers)


class Server:
    """Answers requests. Whatever waits for the disk does so in a thread."""

    def __init__(self, study: Study, languages: Mapping[str, Texts], researcher_token: str):
        self.sessions = Sessions(study, languages)
        self.imports = Imports(self.sessions)
        self.researcher = Researcher(self.sessions, researcher_token)
        self.beginnings = Bucket(BEGINNINGS_A_SECOND, BEGINNINGS_AT_ONCE)
        self.files = offered(site(described(study, languages)))

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page), Route("/files/{name}", self.page),
            Route("/api/begin", self.begin, methods=["POST"]), Route("/api/session", self.session),
            Route("/api/chunk", self.chunk, methods=["POST"]), Route("/api/chunks", self.chunks),
            Route("/api/finish", self.finish, methods=["POST"]),
            Route("/api/withdraw", self.withdraw, methods=["POST"]),
            Route("/api/refused", self.refused, methods=["POST"]),
            Route("/researcher", self.research), Route("/researcher", self.log_in, methods=["POST"]),
        ]  # fmt: skip

    async def page(self, request: Request) -> Response:
        name = f"files/{request.path_params['name']}" if request.path_params else ""
        if name not in self.files:
            raise Refusal(404, "there is no such file")
        return self.files[name].response(request)

    # what the participant's page asks

    async def begin(self, request: Request) -> Response:
        wishes = await body_of(request)
        if not self.beginnings.take():
            raise Refusal(429, "too many participants begin at once: try again in a few seconds")
        return await run_in_threadpool(packed, request, await run_in_threadpool(self.sessions.begin, wishes))

    async def session(self, request: Request) -> Response:
        return await run_in_threadpool(packed, request, self.sessions.admission(self.running(request)))

    async def chunk(self, request: Request) -> Response:
        running = self.running(request)
        content = await body_of(request)
        if not running.bucket.take():
            raise Refusal(429, "too many chunks: try again in a second")
        number, entries = content.get("n"), content.get("entries")
        if type(number) is not int or number < 0 or not is_list_of_entries(entries):
            raise Refusal(400, "expected n, a whole number, and entries, a list of lists")
        return JSONResponse({"next": await run_in_threadpool(self.sessions.add, running, number, entries)})

    async def chunks(self, request: Request) -> Response:
        """What the session wrote so far, for a participant of a panel who comes back with another browser."""
        return await run_in_threadpool(packed, request, {"chunks": self.sessions.chunks(self.running(request))})

    async def finish(self, request: Request) -> Response:
        running = self.running(request)
        count = (await body_of(request)).get("chunks")
        if type(count) is not int:
            raise Refusal(400, "chunks: expected how many there are")
        told = self.sessions.finish(running, count)
        self.imports.ask(running)
        return JSONResponse(told)

    async def withdraw(self, request: Request) -> Response:
        await run_in_threadpool(self.sessions.delete, token_of(request))
        return JSONResponse({})

    async def refused(self, request: Request) -> Response:
        return JSONResponse(self.sessions.refused((await body_of(request)).get("why")))

    def running(self, request: Request) -> Running:
        return self.sessions.find(token_of(request))

    # what the researcher asks

    async def research(self, request: Request) -> Response:
        if not self.researcher.knows(request.cookies):
            return HTMLResponse(self.researcher.login(), headers={"content-security-policy": LOGIN_POLICY})
        html = await run_in_threadpool(self.researcher.page)
        return HTMLResponse(html, headers={"content-security-policy": LOGIN_POLICY})

    async def log_in(self, request: Request) -> Response:
        cookie = self.researcher.cookie(await form_of(request))
        response = RedirectResponse(request.url.path, 303)
        if cookie:
            is_safe = request.url.scheme == "https"
            path = request.url.path
            response.set_cookie(*cookie, path=path, httponly=True, samesite="strict", secure=is_safe)
        return response


def application(server: Server, needs_https: bool = False) -> ASGIApp:
    """The server as an ASGI application."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(server.imports.run())
        yield
        task.cancel()
        server.imports.close()

    handlers: dict[Any, Any] = {Refusal: refused, HTTPException: unknown, OSError: unwritable, ClientDisconnect: gone}
    app = Starlette(routes=server.routes(), exception_handlers=handlers, lifespan=lifespan)
    return Guard(app, needs_https)


def refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return answer(error)


def unknown(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


def unwritable(_: Request, error: Exception) -> Response:
    """The page tries again; the researcher reads why."""
    log.error("%s", " ".join(str(error).split()))
    return JSONResponse({"error": "the study can't write at the moment: try again"}, DISK_FULL)


def gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


def offered(made: Site) -> dict[str, Offered]:
    """The participant's page ("") and its files, by their names."""
    policy = f"{made.policy}; frame-ancestors 'none'"
    page = Offered.of(made.index, "text/html; charset=utf-8", content_security_policy=policy, cache_control="no-cache")
    kept = {"cache_control": KEPT, "content_security_policy": NOTHING}
    return {"": page} | {
        name: Offered.of(content, f"{made.type_of(name)}; charset=utf-8", **kept)
        for name, content in made.files.items()
    }


def takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def packed(request: Request, content: dict[str, Any]) -> Response:
    """A long answer, compressed: of games, a hundredth is left."""
    plain = JSONResponse(content)
    if not takes_gzip(request):
        return plain
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    return Response(gzip.compress(bytes(plain.body), PACKING), headers=headers)


def token_of(request: Request) -> str:
    match = BEARER.fullmatch(request.headers.get("authorization", ""))
    if not match:
        raise Refusal(401, "expected the session's token in the header Authorization")
    return match[1]


def is_list_of_entries(entries: Any) -> TypeGuard[list[Entry]]:
    return isinstance(entries, list) and all(
        isinstance(entry, list) and entry and isinstance(entry[0], str) for entry in entries
    )


async def form_of(request: Request) -> str:
    """The token in the form of the researcher's page."""
    parts = b""
    async for part in request.stream():
        parts += part
        if len(parts) > 1000:
            raise Refusal(413, "expected the token that was printed at the start")
    return parse_qs(parts.decode("ascii", "replace")).get("token", [""])[0]
