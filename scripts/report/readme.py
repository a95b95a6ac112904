"""README.md next to a feature's rows: what they show, for a reader on a forge, who installs nothing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import write_whole
from priorlab.scripts.report.plots import Drawing, standalone
from priorlab.scripts.report.render import render

FILE, FINDINGS = "README.md", "FINDINGS.md"
COMMIT = 10  # letters of a commit's name


def readme(
    template: str, folder: Path, *, title: str, finding: str, made: Sequence[str], again: str, software: str = "",
    quick: bool = False, html: bool = True, resumes: bool = True, **values: Any,
) -> str:  # fmt: skip
    """The text of README.md in ``folder``, by a template that extends readme.md and takes ``values``.

    ``finding`` is one sentence; ``made`` are the commands that made the rows, ``again`` the one that writes the page
    from them; FINDINGS.md, which people write, is linked where the folder has one. ``html``: whether that command
    also writes an HTML report; ``resumes``: whether ``made`` add what is missing.
    """
    text = render(
        template, title=title, finding=finding, made=made, again=again, software=software, quick=quick, html=html,
        resumes=resumes,        has_findings=(folder / FINDINGS).exists(), image=image, table=table, **values,
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def write(folder: Path, text: str, figures: Mapping[str, str | Drawing]) -> None:
    """Writes README.md and its figures, drawings or elements from ``plots.svg``, by names of files."""
    for name, figure in figures.items():
        write_whole(folder / name, standalone(figure))
    write_whole(folder / FILE, text)


def image(name: str, shows: str) -> str:
    """A figure and its caption, of one or more sentences."""
    return f"![{shows}]({name})\n\n*{shows}*"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is of names, the others of numbers or of words."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def command(name: str, **flags: object) -> str:
    """``priorlab name`` with these flags, except those that are None, False or empty."""
    words = [f"priorlab {name}"]
    for flag, value in flags.items():
        if value is None or value is False or value == ():
            continue
        words.append(f"--{flag.replace('_', '-')}")
        words += [] if value is True else map(str, value) if isinstance(value, tuple | list) else [str(value)]
    return " ".join(words)


def elsewhere(folder: Path, usual: Path) -> Path | None:
    """``--out`` of a command that writes into ``folder``: none where it would anyway."""
    return None if folder.resolve() == usual.resolve() else folder


def made_with(software: Iterable[str], commits: Iterable[str]) -> str:
    """One sentence of all versions and commits that runs were made with; ``software`` are lists such as "numpy 2.4.6,
    torch 2.13.0"."""
    versions: dict[str, dict[str, None]] = {}
    for text in dict.fromkeys(software):
        for part in filter(None, re.split(r"[,;] ", text)):
            name, _, version = part.rpartition(" ")
            versions.setdefault(name, {})[version] = None
    parts = [f"{name} {' and '.join(own)}" for name, own in versions.items()]
    short = sorted({commit[:COMMIT] for commit in commits if commit})
    parts += [f"commit{'s' if len(short) > 1 else ''} {', '.join(short)}"] if short else []
    listed = [", ".join(parts[: len(versions)]), *parts[len(versions) :]]
    return f"Made with {'; '.join(filter(None, listed))}." if parts else ""
