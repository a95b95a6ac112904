"""The door to a page that is not for participants: whoever has the token that was printed at the start comes in."""

import hmac
from functools import cache
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from priorlab.human_study.server.guard import bytes_of

LOGIN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
LONGEST_FORM = 1000  # bytes


@cache
def pages() -> Environment:
    """The pages that Python fills."""
    loader = PackageLoader("priorlab.human_study.server", "templates")
    return Environment(loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined)


class Login:
    """Knows a browser by a cookie, which it gets for the right token, at the page's address and below."""

    def __init__(self, token: str, cookie: str):
        self._token, self._cookie = token, cookie

    def knows(self, request: Request) -> bool:
        return self._is_token(request.cookies.get(self._cookie, ""))

    def _is_token(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())

    def page(self) -> Response:
        """Asks for the token."""
        html = pages().get_template("login.html").render()
        headers = {"content-security-policy": LOGIN_POLICY, "referrer-policy": "same-origin"}  # else its origin is null
        return HTMLResponse(html, headers=headers)

    async def answer(self, request: Request) -> Response:
        """Takes the token, and leads back to the page that asked for it."""
        token = await form_of(request)
        response = RedirectResponse(request.url.path, 303)
        if self._is_token(token):
            is_safe, path = request.url.scheme == "https", request.url.path
            response.set_cookie(self._cookie, token, path=path, httponly=True, samesite="strict", secure=is_safe)
        return response


async def form_of(request: Request) -> str:
    """The token in the form of the page."""
    return parse_qs((await bytes_of(request, LONGEST_FORM)).decode("ascii", "replace")).get("token", [""])[0]
