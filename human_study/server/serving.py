"""Runs the study's server: checks the study, the data folder and the address, then answers until Ctrl-C."""

import ipaddress
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from priorlab.envs.base.locks import held
from priorlab.human_study.data.chunks import FOLDER, SERVER_LOCK
from priorlab.human_study.protocol.ready import load_study
from priorlab.human_study.server.loopback import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp

MISSING = "serving needs the packages starlette and uvicorn: install priorlab[web]"
KEEP_ALIVE = 30  # seconds that an idle connection stays open
MOST_CONNECTIONS = 5000  # as far as the computer allows twice as many open files


@dataclass(frozen=True)
class Address:
    """Where the server can be reached, and how it is encrypted.

    ``trusted_proxy``: the address of a proxy that encrypts; what it says of the browser's connection is believed.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    root_path: str = ""
    trusted_proxy: str = ""
    certificate: Path | None = None
    key: Path | None = None
    insecure_lan: bool = False

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def is_local(self) -> bool:
        """Whether only this computer's own browsers ask, and not a proxy for others."""
        return self.is_loopback and not self.trusted_proxy

    @property
    def needs_https(self) -> bool:
        """Whether requests that are not encrypted are refused."""
        return not self.insecure_lan and (bool(self.trusted_proxy) or not self.is_loopback)

    @property
    def url(self) -> str:
        """Without a proxy, which has its own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.certificate else ''}://{host}:{self.port}/"

    def check(self) -> None:
        """Raises ValueError, one line, for an address that makes no sense, or that others reach unencrypted."""
        if not 0 <= self.port < 65536:
            raise ValueError(f"port is {self.port}: expected 0 to 65535")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise ValueError(f"root_path is {self.root_path!r}: expected a path such as /study")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("expected both certificate and key, or none of them")
        for name, path in (("certificate", self.certificate), ("key", self.key)):
            if path and not path.is_file():
                raise ValueError(f"{name} is {path}: there is no such file")
        if self.trusted_proxy:
            try:
                ipaddress.ip_network(self.trusted_proxy)
            except ValueError:
                raise ValueError(
                    f"trusted_proxy is {self.trusted_proxy!r}: expected its address, such as 127.0.0.1"
                ) from None
        if self.needs_https and not self.certificate and not self.trusted_proxy:
            raise ValueError(
                f"host is {self.host!r}, which others can reach: expected a certificate and a key, or a trusted proxy "
                "that encrypts, or --insecure-lan in a network where nobody listens"
            )


def serve(path: Path, address: Address) -> None:
    """Serves the study of that file until Ctrl-C.

    Raises ValueError and FileNotFoundError as ``load_study``; ValueError for an address that ``Address.check`` refuses,
    and for Atari games; RuntimeError if a package is missing; OSError if another server has the data folder.
    """
    address.check()
    study, languages = load_study(path)
    if study.settings(study.versions[0]).is_atari:
        raise ValueError(f"{path}: game is {study.game!r}: expected one of ours; Atari's games can't be in a browser")
    try:
        import uvicorn  # noqa: F401

        from priorlab.human_study.server.app import Server, application
    except ImportError as error:
        raise RuntimeError(f"{MISSING} ({error})") from None
    folder = study.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / SERVER_LOCK, f"{folder}: another server has this folder: expected only one"):
        token = secrets.token_urlsafe(16)
        server = Server(study, languages, token)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
        where = f"your proxy's address{address.root_path}/" if address.trusted_proxy else address.url
        print(f"participants: {where}\nresearcher:   {where}researcher   token {token}", flush=True)
        for problem in server.sessions.problems:
            print(f"left out      {problem}", flush=True)
        run(application(server, address.needs_https, address.is_local), address)


def connections() -> int:
    """How many connections at most leave as many files for everything else, after raising the limit of this process."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with suppress(ValueError, OSError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            soft = allowed
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, soft // 2)


def run(app: "ASGIApp", address: Address) -> None:
    """Answers at that address until Ctrl-C; logs neither addresses nor what is asked."""
    import uvicorn

    uvicorn.run(
        app, host=address.host, port=address.port, root_path=address.root_path,
        proxy_headers=bool(address.trusted_proxy), forwarded_allow_ips=address.trusted_proxy or None,
        ssl_certfile=address.certificate, ssl_keyfile=address.key, log_config=None, log_level="warning",
        access_log=False, server_header=False, timeout_keep_alive=KEEP_ALIVE, limit_concurrency=connections(),
        timeout_graceful_shutdown=5,
    )  # fmt: skip
