"""Runs a class: checks what is played and the address, prints where everybody finds it, answers until Ctrl-C."""

import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from priorlab.human_study.server.address import Address
from priorlab.human_study.server.serving import run

if TYPE_CHECKING:
    from priorlab.human_study.classroom.lesson import Revealed

MISSING = "a class needs the packages starlette, uvicorn and segno: install priorlab[web]"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # this computer, by the address of everywhere
EVERYWHERE = (*LOOPBACK,)
OUTSIDE = ("192.0.2.1", 9)  # an address of no computer (RFC 5737); nothing is sent to it
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
    link = checked_link(link) if link else link_of(address)
    try:
        from priorlab.human_study.classroom.app import ClassServer, application
        from priorlab.human_study.classroom.lesson import Lesson
    except ImportError as error:
        raise RuntimeError(f"{MISSING} ({error})") from None
    lesson = Lesson(game, versions, minutes, secrets.randbits(64))
    token = secrets.token_urlsafe(16)
    server = ClassServer(lesson, reveals, note, token, link)
    print(f"students: {link}\nlecturer: {lecturer_link(address, link)}lecturer   token {token}", flush=True)
    run(application(server, address.needs_https), address)
    print("The class is over, and nothing of it was kept.", flush=True)


def link_of(address: Address) -> str:
    """The address as students see it: where it is all of this computer's, the one that leads out.

    Raises ValueError, one line, where only the lecturer can know it.
    """
    if address.root_path or address.trusted_proxy:
        raise ValueError("behind a proxy: expected --link, the address at which the proxy offers the class")
    if address.host not in EVERYWHERE:
        return address.url
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(OUTSIDE)
            return address.url.replace("[::]", "0.0.0.0").replace("0.0.0.0", asking.getsockname()[0], 1)
        except OSError:
            raise ValueError("this computer is in no network: expected --link, the address to open") from None


def lecturer_link(address: Address, link: str) -> str:
    """The address for the lecturer: where nothing is encrypted, one of this computer's own, so that the token does not
    go through the network."""
    if address.insecure_lan and not address.certificate and address.host in EVERYWHERE:
        return replace(address, host=LOOPBACK[address.host]).url
    return link


def checked_link(link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(link) > LONGEST_LINK:
        raise ValueError(f"link is {link[:80]!r}: expected an address such as https://lab.example/class/")
    return link.removesuffix("/") + "/"
