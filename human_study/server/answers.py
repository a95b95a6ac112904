"""How answers are made that every server here gives: files of a page, compressed games, refusals."""

import gzip
import logging
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from priorlab.human_study.browser.bundle import Site
from priorlab.human_study.server.guard import NOTHING, answer
from priorlab.human_study.server.refusals import Refusal

BEARER = re.compile(r"Bearer ([\w.-]{1,200})", re.ASCII)
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


def named(request: Request, files: Mapping[str, Offered], page: str = "") -> Response:
    """The file that the request names, or that page. Raises Refusal for a file that does not exist."""
    name = f"files/{request.path_params['name']}" if request.path_params else page
    if name not in files:
        raise Refusal(404, "there is no such file")
    return files[name].response(request)


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


def streamed(request: Request, parts: Iterator[str]) -> Response:
    """As ``packed``, of JSON in parts, each made in a thread once the one before was taken: however large the answer,
    whoever is slow to read it holds little memory."""
    if not takes_gzip(request):
        return StreamingResponse(parts, media_type="application/json")
    headers = {"content-encoding": "gzip"}
    return StreamingResponse(compressed(parts), media_type="application/json", headers=headers)


def compressed(parts: Iterable[str]) -> Iterator[bytes]:
    """The parts as gzip."""
    packing = zlib.compressobj(PACKING, wbits=zlib.MAX_WBITS | 16)
    for part in parts:
        if made := packing.compress(part.encode()):
            yield made
    yield packing.flush()


def token_of(request: Request) -> str:
    match = BEARER.fullmatch(request.headers.get("authorization", ""))
    if not match:
        raise Refusal(401, "expected the session's token in the header Authorization")
    return match[1]


HANDLERS: dict[Any, Any] = {
    Refusal: refused, HTTPException: unknown, OSError: unwritable, ClientDisconnect: gone,
}  # fmt: skip
