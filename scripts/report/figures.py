"""Every figure of a page as files: SVG for the screen and for editing, PDF for papers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from priorlab.envs.base.files import write_bytes, write_whole
from priorlab.scripts.report.plots import Drawing, standalone

PAPER = "paper"  # the name of the figure that is made for print
INDEX = "files.txt"  # in the folder: the files written there, one a line, so that the next page can remove them
OF_A_VERSION = {  # by what the page calls a panel
    "progress": "progress", "states": "states", "survival": "survival", "minutes": "solved",
    "mean_deaths": "deaths-over-time", "entropy": "entropy", "single_covered": "each-progress",
    "single_states": "each-states", "plays": "learning", "episodes": "episodes",
}  # fmt: skip


def figures_of(part: Mapping) -> dict[str, Drawing]:
    """The figures of a section, as ``section.show`` returns it, by the names of their files."""
    found: dict[str, Drawing | str | None] = {PAPER: part["progress"]["print"]}
    for version in part["versions"]:
        found |= {f"{name}-{version['name']}": version.get(key) for key, name in OF_A_VERSION.items()}
    found |= {name: drawn.get("wide") for name, drawn in part["figures"].items()}
    if part["contrasts"]:
        found["claim"] = part["contrasts"]["figure"]["wide"]
    if part["quality"]:
        found["flow"] = part["quality"]["flow"]["wide"]
    if part["reach"]:
        found |= {f"reached-{thing.name.replace(' ', '-')}": drawn for thing, drawn in part["reach"]["panels"]}
        found["reached-order"] = part["reach"]["order"].get("wide")
    return {part["at"] + name: drawn for name, drawn in found.items() if isinstance(drawn, Drawing)}


def write_figures(folder: Path, parts: Sequence[Mapping]) -> int:
    """Writes the figures of these sections to ``folder``, each as ``<name>.svg`` and ``<name>.pdf``; returns how many.

    Of several sections, the second's names begin with "s1-", as in the addresses of the page, and so on. ``files.txt``
    lists the files, for ``remove_figures``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: drawn for part in parts for name, drawn in figures_of(part).items()}
    write_whole(folder / INDEX, "".join(f"{name}.svg\n{name}.pdf\n" for name in found))
    for name, drawn in found.items():
        write_whole(folder / f"{name}.svg", standalone(drawn))
        write_bytes(folder / f"{name}.pdf", drawn.pdf())
    return len(found)


def remove_figures(folder: Path) -> None:
    """Removes the figures that an earlier page wrote to ``folder``, if any; files that it did not write stay."""
    if not (folder / INDEX).exists():
        return
    for name in (folder / INDEX).read_text(encoding="utf-8").splitlines():
        if name == Path(name).name and Path(name).suffix in (".svg", ".pdf"):
            (folder / name).unlink(missing_ok=True)
    (folder / INDEX).unlink()
