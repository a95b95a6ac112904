"""The sources of results under some folders: every run and every recording, once each, regardless of copies."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from priorlab.envs.base.files import files_under, one_line, read_json, shown, whole_lines
from priorlab.envs.plays.sessions import Recorded, plays_under, recorded_in, without_copies
from priorlab.envs.results.rows import is_finished

CONFIG = "config.json"
NO_SETTINGS = ("software", "git_commit")  # entries of a run's config that are not settings


def sources(roots: Sequence[Path], experiment: str | None, problems: list[str]) -> Iterator[Path | Recorded]:
    """The ``config.json`` of each run (of ``experiment``, if given) and every play, in the order of their files;
    ``problems`` gains a line for each copy and each recording that can't be read."""
    recordings, copies = without_copies(sorted({path for root in roots for path in plays_under(root)}))
    configs = sorted({path for root in roots for path in files_under(root, CONFIG) if is_of(path, experiment)})
    runs, same = runs_without_copies(configs)
    problems += copies + same
    for path in sorted([*recordings, *runs]):
        if path.name == CONFIG:
            yield path
            continue
        try:
            yield from recorded_in(path)
        except (ValueError, OSError) as error:
            problems.append(one_line(path, error))


def is_of(path: Path, experiment: str | None) -> bool:
    """Whether it is the config of a run of that experiment, or of any if None."""
    is_run = path.name == CONFIG and path.parent.name.startswith("seed_")
    return is_run and experiment in (None, path.resolve().parents[3].name)


def runs_without_copies(configs: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """(the different runs, one line for each that is left out).

    Of two runs with the same settings and seed, one is a copy if its episodes are the first ones of the other; the
    longer one counts.
    """
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in configs:
        groups[settings_in(path)].append(path)
    kept, problems = [], []
    for group in groups.values():
        rows = {path: episodes_of(path) for path in group} if len(group) > 1 else {group[0]: ""}
        longest: list[Path] = []
        for path in sorted(
            group, key=lambda path: (-len(rows[path]), not is_finished(path.parent), len(path.parts), path)
        ):
            same = next((each for each in longest if rows[path] and rows[each].startswith(rows[path])), None)
            if same is None:
                longest.append(path)
                continue
            shorter = " with fewer rows" if rows[path] != rows[same] else ""
            problems.append(
                f"{shown(path.parent)}: a copy of the run in {shown(same.parent)}{shorter}, which alone counts"
            )
        kept += longest
    return sorted(kept), problems


def settings_in(path: Path) -> str:
    """Everything that can change a run's rows, as text; the path itself if it can't be read."""
    try:
        return json.dumps({name: each for name, each in read_json(path).items() if name not in NO_SETTINGS})
    except (ValueError, OSError, AttributeError):
        return str(path)


def episodes_of(path: Path) -> str:
    """The rows of a run's episodes as text, without the header; empty if there are none or they can't be read."""
    try:
        return whole_lines(path.with_name("episodes.csv")).partition("\n")[2]
    except (ValueError, OSError):
        return ""
