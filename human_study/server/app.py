"""The study's server: the participant's page, what it asks for under ``api/``, and the researcher's page."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from priorlab.human_study.browser.bundle import site
from priorlab.human_study.data.chunks import is_chunk_number, is_list_of_entries
from priorlab.human_study.protocol.described import described
from priorlab.human_study.server.answers import HANDLERS, named, offered, packed, streamed, token_of
from priorlab.human_study.server.guard import LARGEST, Guard, body_of
from priorlab.human_study.server.imports import Imports
from priorlab.human_study.server.login import LOGIN_POLICY, Login
from priorlab.human_study.server.refusals import Refusal
from priorlab.human_study.server.researcher import COOKIE, Researcher
from priorlab.human_study.server.running import Running
from priorlab.human_study.server.sessions import Sessions
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts


class Server:
    """Answers requests. Whatever waits for the disk does so in a thread; beginnings and withdrawals, which take long,
    one after another, so that chunks always find a thread that is free."""

    def __init__(self, study: Study, languages: Mapping[str, Texts], researcher_token: str):
        self.sessions = Sessions(study, languages)
        self.imports = Imports(self.sessions)
        self.login, self.researcher = Login(researcher_token, COOKIE), Researcher(self.sessions)
        self._beginning, self._deleting = asyncio.Lock(), asyncio.Lock()
        self.files = offered(site(described(study, languages, is_judged=True)))

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page), Route("/files/{name}", self.page),
            Route("/api/judge", self.judge, methods=["POST"]),
            Route("/api/begin", self.begin, methods=["POST"]), Route("/api/session", self.session),
            Route("/api/chunk", self.chunk, methods=["POST"]), Route("/api/chunks", self.chunks),
            Route("/api/finish", self.finish, methods=["POST"]),
            Route("/api/withdraw", self.withdraw, methods=["POST"]),
            Route("/api/refused", self.refused, methods=["POST"]),
            Route("/researcher", self.research), Route("/researcher", self.login.answer, methods=["POST"]),
        ]  # fmt: skip

    async def page(self, request: Request) -> Response:
        return named(request, self.files)

    # what the participant's page asks

    async def judge(self, request: Request) -> Response:
        """With a session's token, a round of its checks; without, an answer of somebody who has no session yet."""
        content = await body_of(request)
        if "authorization" not in request.headers:
            return JSONResponse(self.sessions.judge_eligible(content.get("question"), content.get("answer")))
        running = self.running(request)
        running.reads.require()
        return JSONResponse(await run_in_threadpool(self.sessions.judge_checks, running))

    async def begin(self, request: Request) -> Response:
        wishes = await body_of(request)
        async with self._beginning:
            admission = await run_in_threadpool(self.sessions.begin, wishes)
        return await run_in_threadpool(packed, request, admission)

    async def session(self, request: Request) -> Response:
        running = self.running(request)
        running.reads.require()
        return await run_in_threadpool(packed, request, self.sessions.admission(running))

    async def chunk(self, request: Request) -> Response:
        running = self.running(request)
        running.bucket.require()
        content = await body_of(request, LARGEST)
        number, entries = content.get("n"), content.get("entries")
        if not is_chunk_number(number) or not is_list_of_entries(entries):
            raise Refusal(400, "expected n, a whole number, and entries, a list of lists")
        return JSONResponse({"next": await run_in_threadpool(self.sessions.add, running, number, entries)})

    async def chunks(self, request: Request) -> Response:
        """What the session wrote so far, for a participant of a panel who comes back with another browser."""
        running = self.running(request)
        running.reads.require()
        return streamed(request, await run_in_threadpool(self.sessions.chunks, running))

    async def finish(self, request: Request) -> Response:
        running = self.running(request)
        count = (await body_of(request)).get("chunks")
        if type(count) is not int:
            raise Refusal(400, "chunks: expected how many there are")
        told = self.sessions.finish(running, count)
        self.imports.ask(running)
        return JSONResponse(told)

    async def withdraw(self, request: Request) -> Response:
        token = token_of(request)
        self.sessions.code_of(token)  # whoever has no token waits for nobody, and nobody for them
        async with self._deleting:  # it looks into every file of the study
            await run_in_threadpool(self.sessions.delete, token)
        return JSONResponse({})

    async def refused(self, request: Request) -> Response:
        return JSONResponse(self.sessions.refused((await body_of(request)).get("why")))

    def running(self, request: Request) -> Running:
        return self.sessions.find(token_of(request))

    # what the researcher asks

    async def research(self, request: Request) -> Response:
        if not self.login.knows(request):
            return self.login.page()
        html = await run_in_threadpool(self.researcher.page)
        return HTMLResponse(html, headers={"content-security-policy": LOGIN_POLICY})


def application(server: Server, needs_https: bool = False, is_local: bool = False) -> ASGIApp:
    """The server as an ASGI application. ``needs_https`` and ``is_local`` as ``Guard`` has them."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(server.imports.run())
        yield
        task.cancel()
        server.imports.close()

    app = Starlette(routes=server.routes(), exception_handlers=HANDLERS, lifespan=lifespan)
    app.router.redirect_slashes = False  # to an address that whoever asks can choose
    return Guard(app, needs_https, is_local)
