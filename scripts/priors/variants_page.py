"""The pages of experiments that lay the learned player beside variants of itself: README.md, from its rows."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from priorlab.envs.base.files import write_whole
from priorlab.scripts.priors import tables
from priorlab.scripts.priors.cast import ACTING, AIMLESS, CONTACT, FULL, LIMITS, RANDOM
from priorlab.scripts.priors.cells import ORIGINAL, VERSIONS, Cells
from priorlab.scripts.priors.page import NUMBERS, cast_of, numbers_of, so_far
from priorlab.scripts.priors.recorded import GROUPS, Recorded, read_recorded
from priorlab.scripts.priors.request import FOLDERS
from priorlab.scripts.priors.sealed import SOFTWARE, read_rows
from priorlab.scripts.priors.slowdowns import Slowdown, find, slowdowns_of
from priorlab.scripts.report import readme
from priorlab.scripts.report.summary import NOTHING, number


class Variants(NamedTuple):
    """An experiment's page. ``players``: the columns of its tables, the learned player first; ``detailed``: the player
    whose measures are shown one by one, in ``detailed_in`` these groups. Its template has the experiment's name."""

    name: str
    title: str
    players: tuple[str, ...]
    detailed: str
    detailed_in: tuple[str, ...]
    headline: Callable[[list[Slowdown], Recorded], str]


def write_page(page: Variants, folder: Path) -> str:
    """Writes README.md and NUMBERS into ``folder``, from its rows; returns the finding, one sentence.

    ValueError, in one line, where there are no rows.
    """
    recorded = read_recorded(folder)
    groups = Cells.of(recorded).by_group()
    slowdowns = slowdowns_of(recorded, groups)
    text, finding = text_of(page, folder, recorded, groups, slowdowns)
    readme.write(folder, text, {})
    write_whole(folder / NUMBERS, numbers_of(slowdowns))
    return finding


def text_of(
    page: Variants, folder: Path, recorded: Recorded, groups: dict[str, Cells], slowdowns: list[Slowdown]
) -> tuple[str, str]:
    """The text of README.md, and the finding."""
    out = readme.elsewhere(folder, FOLDERS[page.name])
    finding = recorded.so_far(page.headline(slowdowns, recorded))
    text = readme.readme(
        f"{page.name}.md",
        folder,
        title=page.title,
        finding=finding,
        made=[
            readme.command("priors", experiment=page.name, fix=True, out=out),
            readme.command("priors", experiment=page.name, out=out),
        ],
        again=readme.command("priors", experiment=page.name, report_only=True, out=out),
        software=readme.made_with(read_rows(folder / SOFTWARE)["software"], recorded.lives["commit"].astype(str)),
        html=False,
        so_far=so_far(recorded),
        limit=f"{recorded.limit:,}",
        plays={name: player["plays"] for name, player in recorded.fixed["players"].items()},
        detailed=page.detailed,
        groups=[
            {
                "title": GROUPS[name],
                "inputs": inputs_table(slowdowns, page.players, name),
                "beside": tables.beside_table(recorded, page.players[1:], cells),
                "detailed": tables.slowdown_table(slowdowns, page.detailed, name) if name in page.detailed_in else None,
            }
            for name, cells in groups.items()
        ],
        order=tables.order_table(groups, [name for name in page.players if name != RANDOM]),
        compute=tables.compute_table(recorded),
        cast=cast_of(recorded),
    )
    return text, finding


def limits_headline(slowdowns: list[Slowdown], recorded: Recorded) -> str:
    """What the original of Key and Door takes each player."""
    found = [find(slowdowns, name, "key_door", ORIGINAL) for name in (FULL, LIMITS, CONTACT, AIMLESS)]
    means = [number(here.mean) for here in found if here]
    if len(means) < len(found):
        return "Not every player has lives on Key and Door yet"
    return (
        f"On the original Key and Door, the learned player takes {means[0]} inputs, {means[1]} with a person's limits, "
        f"{means[2]} where it learned how it moves, and {means[3]} without its preference for objects"
    )


def acting_headline(slowdowns: list[Slowdown], recorded: Recorded) -> str:
    """How many lives each player won."""
    lives = recorded.lives.groupby("player")["solved"].agg(["sum", "size"])
    if not {ACTING, CONTACT, RANDOM} <= {*lives.index}:
        return "Not every player has lives yet"
    won = {name: f"{int(here['sum'])} of {int(here['size'])}" for name, here in lives.iterrows()}
    return (
        f"The player that learned to act on its belief won {won[ACTING]} lives, the one that plans {won[CONTACT]}, and "
        f"random play {won[RANDOM]}"
    )


PAGES = (
    Variants(
        "limits", "What limits cost the learned player", (FULL, LIMITS, CONTACT, AIMLESS), LIMITS, ("key_door",),
        limits_headline,
    ),
    Variants(
        "acting", "A policy on the belief map", (FULL, CONTACT, ACTING, RANDOM), ACTING, tuple(GROUPS), acting_headline,
    ),
)  # fmt: skip


def inputs_table(slowdowns: list[Slowdown], players: tuple[str, ...], group: str) -> tables.Table:
    """Mean inputs of each player on each version, deaths in brackets, and people's published ratio."""
    rows = []
    for version in VERSIONS:
        found = [find(slowdowns, player, group, version) for player in players]
        if any(found):
            cells = [taken(each) for each in found]
            rows.append([tables.title_of(version), *cells, tables.people_text(version)])
    return ["version", *map(tables.named, players), "people, Key and Door (grade)"], rows


def taken(here: Slowdown | None) -> str:
    """Mean inputs, a lower bound where lives were not solved, and deaths."""
    if here is None:
        return NOTHING
    return f"{'≥ ' if here.solved < 1 else ''}{number(here.mean)} ({here.deaths:.1f})"
