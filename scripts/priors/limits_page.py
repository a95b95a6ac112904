"""The page of `priorlab priors --experiment limits`: README.md, from whatever rows there are."""

from pathlib import Path

from priorlab.envs.base.files import write_whole
from priorlab.scripts.priors import tables
from priorlab.scripts.priors.cast import AIMLESS, CONTACT, FULL, LIMITS
from priorlab.scripts.priors.cells import ORIGINAL, VERSIONS, Cells
from priorlab.scripts.priors.page import NUMBERS, cast_of, numbers_of, so_far
from priorlab.scripts.priors.recorded import GROUPS, Recorded, read_recorded
from priorlab.scripts.priors.request import FOLDERS
from priorlab.scripts.priors.sealed import SOFTWARE, read_rows
from priorlab.scripts.priors.slowdowns import Slowdown, find, slowdowns_of
from priorlab.scripts.report import readme
from priorlab.scripts.report.summary import NOTHING, number

SHOWN = (FULL, LIMITS, CONTACT, AIMLESS)


def write_page(folder: Path) -> str:
    """Writes README.md and NUMBERS into ``folder``, from its rows; returns the finding, one sentence.

    ValueError, in one line, where there are no rows.
    """
    recorded = read_recorded(folder)
    groups = Cells.of(recorded).by_group()
    slowdowns = slowdowns_of(recorded, groups)
    text, finding = text_of(folder, recorded, groups, slowdowns)
    readme.write(folder, text, {})
    write_whole(folder / NUMBERS, numbers_of(slowdowns))
    return finding


def text_of(folder: Path, recorded: Recorded, groups: dict[str, Cells], slowdowns: list[Slowdown]) -> tuple[str, str]:
    """The text of README.md, and the finding."""
    out = readme.elsewhere(folder, FOLDERS["limits"])
    finding = headline(recorded, slowdowns)
    text = readme.readme(
        "limits.md",
        folder,
        title="What limits cost the learned player",
        finding=finding,
        made=[
            readme.command("priors", experiment="limits", fix=True, out=out),
            readme.command("priors", experiment="limits", out=out),
        ],
        again=readme.command("priors", experiment="limits", report_only=True, out=out),
        software=readme.made_with(read_rows(folder / SOFTWARE)["software"], recorded.lives["commit"].astype(str)),
        html=False,
        so_far=so_far(recorded),
        limit=f"{recorded.limit:,}",
        limits=limits_of(recorded),
        groups=[
            {
                "title": GROUPS[name],
                "inputs": inputs_table(slowdowns, name),
                "beside": tables.beside_table(recorded, SHOWN[1:], cells),
                "like_people": tables.slowdown_table(slowdowns, LIMITS, name) if name == "key_door" else None,
            }
            for name, cells in groups.items()
        ],
        order=tables.order_table(groups, SHOWN),
        compute=tables.compute_table(recorded),
        cast=cast_of(recorded),
    )
    return text, finding


def headline(recorded: Recorded, slowdowns: list[Slowdown]) -> str:
    """What the original of Key and Door takes each player."""
    means = {name: here.mean for name in SHOWN if (here := find(slowdowns, name, "key_door", ORIGINAL))}
    if len(means) < len(SHOWN):
        return "Not every player has lives on Key and Door yet"
    words = (
        f"On the original Key and Door, the learned player takes {number(means[FULL])} inputs, "
        f"{number(means[LIMITS])} with a person's limits, {number(means[CONTACT])} where it learned how it moves, and "
        f"{number(means[AIMLESS])} without its preference for objects"
    )
    return f"So far: {words[0].lower()}{words[1:]}" if recorded.unfinished else words


def limits_of(recorded: Recorded) -> dict[str, str]:
    """The limits that were fixed, as words."""
    plays = recorded.fixed["players"][LIMITS]["plays"]
    return {name: f"{plays[name]:g}" for name in ("delay", "slips", "hesitation")}


def inputs_table(slowdowns: list[Slowdown], group: str) -> tables.Table:
    """Mean inputs of each player on each version, deaths in brackets, and people's published ratio."""
    rows = []
    for version in VERSIONS:
        found = [find(slowdowns, player, group, version) for player in SHOWN]
        if any(found):
            cells = [taken(each) for each in found]
            rows.append([tables.title_of(version), *cells, tables.people_text(version)])
    return ["version", *map(tables.named, SHOWN), "people, Key and Door (grade)"], rows


def taken(here: Slowdown | None) -> str:
    """Mean inputs, a lower bound where lives were not solved, and deaths."""
    if here is None:
        return NOTHING
    return f"{'≥ ' if here.solved < 1 else ''}{number(here.mean)} ({here.deaths:.1f})"
