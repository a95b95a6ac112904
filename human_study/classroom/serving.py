"""Runs a class: checks what is played and the address, prints where everybody finds it, answers until Ctrl-C."""

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from priorlab.human_study.server.address import Address, link_of, private_link
from priorlab.human_study.server.serving import run

if TYPE_CHECKING:
    from priorlab.human_study.classroom.lesson import Revealed

MISSING = "a class needs the packages starlette, uvicorn and segno: pip install '.[web]' in the checkout"
LONGEST_LINK = 200  # characters, of which a camera still reads the code from the last row


def hold(
    game: str, versions: Sequence[str], minutes: int, address: Address, link: str, reveals: "Mapping[str, Revealed]",
    note: str,
) -> None:  # fmt: skip
    """Holds a class until Ctrl-C. ``link``: where students find it, if that is not the address.

    Raises ValueError, one line, for an address that ``Address.check`` refuses, and for what can't be played;
    RuntimeError if a package is missing.
    """
    address.check()
    is_local = address.is_local and not link
    link = checked_link(link) if link else students_link(address)
    try:
        from priorlab.human_study.classroom.app import ClassServer, application
        from priorlab.human_study.classroom.lesson import Lesson
    except ImportError as error:
        raise RuntimeError(f"{MISSING} ({error})") from None
    lesson = Lesson(game, versions, minutes, secrets.randbits(64))
    token = secrets.token_urlsafe(16)
    server = ClassServer(lesson, reveals, note, token, link)
    print(f"students: {link}\nlecturer: {private_link(address, link)}lecturer   token {token}", flush=True)
    run(application(server, address.needs_https, is_local), address)
    print("The class is over, and nothing of it was kept.", flush=True)


def students_link(address: Address) -> str:
    """The address as students see it. Raises ValueError, one line, where only the lecturer can know it."""
    if address.is_behind_proxy:
        raise ValueError("behind a proxy: expected --link, the address at which the proxy offers the class")
    return link_of(address)


def checked_link(link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(link) > LONGEST_LINK:
        raise ValueError(f"link is {link[:80]!r}: expected an address such as https://lab.example/class/")
    return link.removesuffix("/") + "/"
