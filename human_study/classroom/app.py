"""The server of a class: the student's page and what it asks for under ``api/``, and the lecturer's page."""

import re
from collections.abc import Mapping

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from priorlab.human_study.classroom.lesson import Lesson, Revealed
from priorlab.human_study.classroom.pages import lecturer_site, student_site
from priorlab.human_study.server.answers import HANDLERS, named, offered, packed, token_of
from priorlab.human_study.server.guard import USUAL, Guard, body_of
from priorlab.human_study.server.login import Login
from priorlab.human_study.server.refusals import Refusal

COOKIE = "priorlab_lecturer"
INPUTS = re.compile(r"[0-5]*", re.ASCII)


class ClassServer:
    """Answers requests. Nothing here waits for a disk."""

    def __init__(self, lesson: Lesson, reveals: Mapping[str, Revealed], note: str, token: str, link: str):
        """``reveals``: by version; ``note``: where the published figures come from; ``token``: the lecturer's."""
        self.lesson, self.reveals, self.note = lesson, reveals, note
        self.login = Login(token, COOKIE)
        student, lecturer = offered(student_site(lesson.minutes)), offered(lecturer_site(link))
        self.lecturer_page = lecturer.pop("")
        self.files = lecturer | student

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page), Route("/files/{name}", self.page),
            Route("/api/join", self.join, methods=["POST"]), Route("/api/inputs", self.inputs, methods=["POST"]),
            Route("/lecturer", self.lecturer), Route("/lecturer", self.login.answer, methods=["POST"]),
            Route("/lecturer/now", self.now), Route("/lecturer/reveal", self.reveal, methods=["POST"]),
        ]  # fmt: skip

    async def page(self, request: Request) -> Response:
        return named(request, self.files)

    # what the student's page asks

    async def join(self, request: Request) -> Response:
        is_counted = (await body_of(request)).get("counted")
        if not isinstance(is_counted, bool):
            raise Refusal(400, "counted: expected true or false")
        token, arm = self.lesson.join(is_counted)
        return packed(request, {"token": token, "game": arm.file})

    async def inputs(self, request: Request) -> Response:
        student = self.lesson.find(token_of(request))
        content = await body_of(request, self.lesson.limit + USUAL)
        student.bucket.require()
        first, inputs, has_left = (content.get(name) for name in ("n", "inputs", "left"))
        if type(first) is not int or first < 0 or not isinstance(has_left, bool):
            raise Refusal(400, "expected n, a whole number, and left, true or false")
        if not isinstance(inputs, str) or not INPUTS.fullmatch(inputs):
            raise Refusal(400, "inputs: expected a text of digits from 0 to 5")
        numbers = np.frombuffer(inputs.encode(), np.uint8) - ord("0")
        next = self.lesson.take(student, first, numbers, has_left)
        return JSONResponse({"next": next, self.lesson.measure: student.far})

    # what the lecturer's page asks

    async def lecturer(self, request: Request) -> Response:
        return self.lecturer_page.response(request) if self.login.knows(request) else self.login.page()

    async def now(self, request: Request) -> Response:
        self._check(request)
        overview = self.lesson.overview()
        if overview["revealed"]:
            for arm, shown in zip(self.lesson.arms, overview["arms"]):
                revealed = self.reveals[arm.version]
                shown |= {"title": revealed.title, "masks": revealed.masks, "published": revealed.published}
                shown["picture"] = arm.picture
            overview["note"] = self.note
        return packed(request, overview)

    async def reveal(self, request: Request) -> Response:
        self._check(request)
        self.lesson.reveal()
        return JSONResponse({})

    def _check(self, request: Request) -> None:
        if not self.login.knows(request):
            raise Refusal(401, "expected the lecturer's token: open the lecturer's page and log in")


def application(server: ClassServer, needs_https: bool = False, is_local: bool = False) -> ASGIApp:
    """The server as an ASGI application. ``needs_https`` and ``is_local`` as ``Guard`` has them."""
    app = Starlette(routes=server.routes(), exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return Guard(app, needs_https, is_local)
