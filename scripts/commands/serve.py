"""`priorlab serve`: offers a study to browsers, and records every session on this computer."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import error_line


def main(
    study: Annotated[Path, tyro.conf.Positional],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    root_path: str = "",
    trusted_proxy: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
    insecure_lan: bool = False,
) -> None:
    """Serve a study to browsers until Ctrl-C.

    Args:
        study: the study's TOML file
        host: the address to listen at; 0.0.0.0 for every network of this computer
        port: the port to listen at
        root_path: the path at which a proxy offers the study, such as /study
        trusted_proxy: the address of a proxy that encrypts, such as 127.0.0.1; nothing unencrypted is then answered
        certificate: a file with the server's certificate, for https without a proxy
        key: a file with the certificate's key
        insecure_lan: answer without encryption, in a network where nobody listens
    """
    from priorlab.human_study.server.serving import Address, serve

    try:
        serve(study, Address(host, port, root_path, trusted_proxy, certificate, key, insecure_lan))
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab serve: {error_line(error)}") from None
