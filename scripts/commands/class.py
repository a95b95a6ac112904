"""`priorlab class`: lets a lecture hall play masked versions in browsers, and shows how far everybody comes."""

from typing import Annotated

import tyro

from priorlab.human_study.server.address import Address
from priorlab.scripts.console import error_line


def main(
    *,
    game: str = "key_door",
    versions: tuple[str, ...] = ("original", "masked_semantics", "masked_objects", "masked_similarity"),
    minutes: int = 3,
    address: Annotated[Address, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")],
    link: str = "",
) -> None:
    """Hold a class until Ctrl-C: students open a link, play for a few minutes, and see their lines grow on the wall.

    Args:
        game: princess, key_door or random (a level of the bank)
        versions: versions of the game; each student plays one, and never sees its name
        minutes: longest duration of a play
        link: the address that students open, if a proxy or a tunnel has another one
    """
    from priorlab.human_study.classroom.lesson import Revealed
    from priorlab.human_study.classroom.serving import hold
    from priorlab.scripts.analysis.players import title_of
    from priorlab.scripts.analysis.published import published_line, published_note
    from priorlab.scripts.report.summary import CHANGES

    reveals = {each: Revealed(title_of(each), CHANGES.get(each, ""), published_line(each)) for each in versions}
    try:
        hold(game, versions, minutes, address, link, reveals, published_note())
    except (OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab class: {error_line(error)}") from None
