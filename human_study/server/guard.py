"""What every request passes before anything answers it: encryption, origin, size; and headers of every answer."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from priorlab.human_study.data.outside import parsed
from priorlab.human_study.server.address import is_loopback
from priorlab.human_study.server.refusals import Refusal

LARGEST = 1 << 20  # bytes of a chunk; most have a few hundred
USUAL = 16 << 10  # bytes of any other body
PATIENCE = 20.0  # seconds within which a body must arrive
NOTHING = "default-src 'none'; frame-ancestors 'none'"  # what an answer that is no page may load
HEADERS = {
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "content-security-policy": NOTHING, "cache-control": "no-store",
}  # fmt: skip
YEAR = 365 * 24 * 3600
SAME = ("same-origin", "none")  # Sec-Fetch-Site of what a page of ours, or somebody at an address bar, asks

log = logging.getLogger("priorlab.serve")


class Guard:
    """Wraps the application. ``needs_https``: refuses whatever did not come encrypted. ``is_local``: refuses whatever
    was not asked under a name of this computer, such as by a page whose own name was made to lead here."""

    def __init__(self, app: ASGIApp, needs_https: bool, is_local: bool = False):
        self.app, self.needs_https, self.is_local = app, needs_https, is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_safe = scope["scheme"] == "https"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                ours = HEADERS | ({"strict-transport-security": f"max-age={YEAR}"} if is_safe else {})
                message["headers"] += [
                    (name.encode(), value.encode()) for name, value in ours.items() if name.encode() not in given
                ]
            await send(message)

        headers = dict(scope["headers"])
        refusal = None
        if self.needs_https and not is_safe:
            refusal = Refusal(403, "this page needs https: expected an address that begins with https://")
        elif self.is_local and not is_loopback(name_in(headers.get(b"host", b""))):
            refusal = Refusal(403, "this server answers only on this computer: expected http://127.0.0.1")
        elif scope["method"] == "POST" and is_from_elsewhere(headers, is_safe):
            refusal = Refusal(403, "asked by a page of another site: expected the server's own page")
        if refusal:
            await answer(refusal)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)


def name_in(host: bytes) -> str:
    """The name or address in the header Host, without the port."""
    text = host.decode("latin-1").lower()
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def is_from_elsewhere(headers: Mapping[bytes, bytes], is_safe: bool) -> bool:
    """Whether a page of another site asks. Without encryption browsers say only where the page came from."""
    if (site := headers.get(b"sec-fetch-site")) is not None:
        return site.decode("latin-1") not in SAME
    origin = headers.get(b"origin")
    return origin is not None and not is_safe and origin != b"http://" + headers.get(b"host", b"")


async def body_of(request: Request, most: int = USUAL) -> dict[str, Any]:
    """The JSON object in the body. Raises Refusal if it is none, has more than ``most`` bytes or is too slow."""
    try:
        content = parsed(await bytes_of(request, most))
    except ValueError:
        raise Refusal(400, "expected a JSON object") from None
    if not isinstance(content, dict):
        raise Refusal(400, "expected a JSON object")
    return content


async def bytes_of(request: Request, most: int) -> bytes:
    """The body. Raises Refusal if it has more than ``most`` bytes or is too slow."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > most:
                    raise Refusal(413, f"more than {most} bytes: expected less")
    except TimeoutError:
        raise Refusal(408, f"did not arrive within {PATIENCE:g} seconds") from None
    return b"".join(parts)


def answer(refusal: Refusal) -> JSONResponse:
    return JSONResponse(refusal.answer, refusal.status)
