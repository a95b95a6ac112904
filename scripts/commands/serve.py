"""`priorlab serve`: offers a study to browsers, and records every session on this computer."""

from pathlib import Path
from typing import Annotated

import tyro

from priorlab.human_study.server.address import Address
from priorlab.scripts.console import error_line


def main(
    study: Annotated[Path, tyro.conf.Positional],
    *,
    address: Annotated[Address, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")],
) -> None:
    """Serve a study to browsers until Ctrl-C.

    Args:
        study: the study's TOML file
    """
    from priorlab.human_study.server.serving import serve

    try:
        serve(study, address)
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab serve: {error_line(error)}") from None
