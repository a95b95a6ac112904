"""`priorlab class`: lets a lecture hall play masked versions in browsers, and shows how far everybody comes."""

from pathlib import Path

from priorlab.scripts.console import error_line


def main(
    *,
    game: str = "key_door",
    versions: tuple[str, ...] = ("original", "masked_semantics", "masked_objects", "masked_similarity"),
    minutes: int = 3,
    host: str = "127.0.0.1",
    port: int = 8000,
    root_path: str = "",
    trusted_proxy: str = "",
    certificate: Path | None = None,
    key: Path | None = None,
    insecure_lan: bool = False,
    link: str = "",
) -> None:
    """Hold a class until Ctrl-C: students open a link, play for a few minutes, and see their lines grow on the wall.

    Args:
        game: princess, key_door or random (a level of the bank)
        versions: versions of the game; each student plays one, and never sees its name
        minutes: longest duration of a play
        host: the address to listen at; 0.0.0.0 for every network of this computer
        port: the port to listen at
        root_path: the path at which a proxy offers the class, such as /class
        trusted_proxy: the address of a proxy that encrypts, such as 127.0.0.1; nothing unencrypted is then answered
        certificate: a file with the server's certificate, for https without a proxy
        key: a file with the certificate's key
        insecure_lan: answer without encryption, in a network where nobody listens
        link: the address that students open, if a proxy or a tunnel has another one
    """
    from priorlab.human_study.classroom.lesson import Revealed
    from priorlab.human_study.classroom.serving import hold
    from priorlab.human_study.server.serving import Address
    from priorlab.scripts.analysis.players import title_of
    from priorlab.scripts.analysis.published import published_line, published_note
    from priorlab.scripts.report.summary import CHANGES

    address = Address(host, port, root_path, trusted_proxy, certificate, key, insecure_lan)
    reveals = {each: Revealed(title_of(each), CHANGES.get(each, ""), published_line(each)) for each in versions}
    try:
        hold(game, versions, minutes, address, link, reveals, published_note())
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab class: {error_line(error)}") from None
