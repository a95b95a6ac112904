"""What every request passes before anything answers it: encryption, origin, size; and headers of every answer."""

import asyncio
import json
import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from priorlab.human_study.server.refusals import Refusal

LARGEST = 1 << 20  # bytes of a body; a chunk has a few hundred
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
    """Wraps the application. ``needs_https``: refuses whatever did not come encrypted."""

    def __init__(self, app: ASGIApp, needs_https: bool):
        self.app, self.needs_https = app, needs_https

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
        elif scope["method"] == "POST" and headers.get(b"sec-fetch-site", b"none").decode("latin-1") not in SAME:
            refusal = Refusal(403, "asked by a page of another site: expected the server's own page")
        if refusal:
            await answer(refusal)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises Refusal if it is none, too large or too slow."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > LARGEST:
                    raise Refusal(413, f"more than {LARGEST >> 10} kB: expected less")
    except TimeoutError:
        raise Refusal(408, f"did not arrive within {PATIENCE:g} seconds") from None
    try:
        content = json.loads(b"".join(parts), parse_constant=not_a_number)
    except (ValueError, RecursionError):
        raise Refusal(400, "expected a JSON object") from None
    if not isinstance(content, dict):
        raise Refusal(400, "expected a JSON object")
    return content


def not_a_number(name: str) -> None:
    raise ValueError(name)


def answer(refusal: Refusal) -> JSONResponse:
    return JSONResponse(refusal.answer, refusal.status)
