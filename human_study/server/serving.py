"""Runs the study's server: checks the study, the data folder and the address, then answers until Ctrl-C."""

import logging
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from priorlab.envs.base.locks import held
from priorlab.human_study.data.chunks import FOLDER, SERVER_LOCK
from priorlab.human_study.protocol.ready import load_study
from priorlab.human_study.server.address import Address, link_of, private_link

if TYPE_CHECKING:
    from starlette.types import ASGIApp

MISSING = "serving needs the packages starlette and uvicorn: pip install '.[web]' in the checkout"
MOST_CONNECTIONS = 5000  # as far as the computer allows twice as many open files


def serve(path: Path, address: Address) -> None:
    """Serves the study of that file until Ctrl-C.

    Raises ValueError and FileNotFoundError as ``load_study``; ValueError for an address that ``Address.check`` refuses,
    and for Atari games; RuntimeError if a package is missing; OSError if another server has the data folder.
    """
    address.check()
    link = f"your proxy's address{address.root_path}/" if address.is_behind_proxy else link_of(address)
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
        print(f"participants: {link}", flush=True)
        print(f"researcher:   {private_link(address, link)}researcher   token {token}", flush=True)
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

    uvicorn.run(app, **settings(address))


def settings(address: Address) -> dict[str, Any]:
    """Of uvicorn."""
    from priorlab.human_study.server.connections import IDLE, protocol

    most = connections()
    return {
        "host": address.host, "port": address.port, "root_path": address.root_path,
        "proxy_headers": bool(address.trusted_proxy), "forwarded_allow_ips": address.trusted_proxy or None,
        "ssl_certfile": address.certificate, "ssl_keyfile": address.key, "log_config": None, "log_level": "warning",
        "access_log": False, "server_header": False, "http": protocol(most), "ws": "none", "timeout_keep_alive": IDLE,
        "limit_concurrency": 2 * most,  # more than ever are there: `protocol` makes room before
        "timeout_graceful_shutdown": 5,
    }  # fmt: skip
