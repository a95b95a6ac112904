"""Many finished runs in a few small files, for a repository: all their rows except visits, and no models.

- ``settings.json``       for each method, every setting of its runs except the version and the seed
- ``runs.csv``            one row per run: version, method, seed, inputs, git_commit, software
- ``episodes.csv.xz``     version, method, seed, inputs (raw, of the whole run, when it ended), length, outcome
- ``exploration.csv.xz``  version, method, seed, inputs, unique_states
- ``progress.csv.xz``     version, method, seed, inputs, remaining; as those below, only if a run has any
- ``reached.csv.xz``      version, method, seed, thing, kind, row, column, inputs, order
- ``deaths.csv.xz``       version, method, seed, inputs, deaths

An archive never holds runs of one method with different settings.
"""

import json
import lzma
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from priorlab.envs.base.files import files_under, one_line, read_json, write_bytes, write_whole
from priorlab.envs.base.tables import kinds, read_table
from priorlab.envs.plays.progress import PROGRESS as WAY
from priorlab.envs.plays.tracks import REACHED as THINGS
from priorlab.envs.plays.tracks import TRACKS
from priorlab.envs.results.load import Results, load
from priorlab.envs.results.rows import CONFIGS, FRONT, VISITS, check_config, check_same
from priorlab.envs.results.rows import DEATHS as DIED

if TYPE_CHECKING:
    import pandas as pd

KEY = ("version", "method", "seed")
RUNS = (*KEY, "inputs", "git_commit", "software")
EPISODES = (*KEY, "inputs", "length", "outcome")
EXPLORATION = (*KEY, "inputs", "unique_states")
PROGRESS = (*KEY, *WAY)
REACHED = (*KEY, *THINGS)
DEATHS = (*KEY, *DIED)
TABLES = {
    "episodes": EPISODES, "exploration": EXPLORATION, "progress": PROGRESS, "reached": REACHED, "deaths": DEATHS,
}  # fmt: skip
# of columns; others are text
INTEGERS = dict.fromkeys(("seed", "inputs", "length", "unique_states", "remaining", "deaths"), int)
OF_REACHED = {"row": int, "column": int, "inputs": float, "order": float}
MAY_LACK = ("progress", "reached", "deaths")
OF_ONE_RUN = (
    "version",
    "seed",
    "software",
    "git_commit",
)  # in a run's config, but no settings of its method


@dataclass(frozen=True)
class Archive:
    """Archived runs: ``settings`` by method, ``runs`` with the columns RUNS, and the TABLES."""

    settings: Mapping[str, Mapping[str, Any]]
    runs: "pd.DataFrame"
    episodes: "pd.DataFrame"
    exploration: "pd.DataFrame"
    progress: "pd.DataFrame" = field(default_factory=lambda: none(PROGRESS))
    reached: "pd.DataFrame" = field(default_factory=lambda: none(REACHED))
    deaths: "pd.DataFrame" = field(default_factory=lambda: none(DEATHS))

    @property
    def tables(self) -> dict[str, Any]:
        """The TABLES by name."""
        return {name: getattr(self, name) for name in TABLES}

    @classmethod
    def read(cls, folder: Path) -> "Archive":
        """Reads an archive, empty if there is no folder. Rows of runs that are not in ``runs.csv`` are left out.

        Raises ValueError, one line that names the file, for what is damaged.
        """

        described = folder / "settings.json"
        settings = read_json(described) if described.exists() else {}
        tables: dict[str, Any] = {}
        for name, columns in {"runs": RUNS, **TABLES}.items():
            path = folder / (f"{name}.csv.xz" if name in TABLES else f"{name}.csv")
            types = kinds(columns, **INTEGERS | (OF_REACHED if name == "reached" else {}))
            tables[name] = read_table(path, types) if path.exists() else none(columns)
        runs = tables.pop("runs")
        missing = set(runs["method"]) - set(settings)
        if missing:
            raise ValueError(f"{described}: no settings of {', '.join(sorted(missing))}: expected those of each method")
        return cls(settings, runs, **{name: rows_of(runs, table) for name, table in tables.items()})

    @classmethod
    def of(cls, results: Results, but: Collection[tuple] = ()) -> "Archive":
        """The finished runs of agents in ``results``, except those with the keys ``but``.

        Raises ValueError if runs of one method have different settings.
        """
        import pandas as pd

        settings: dict[str, dict] = {}
        rows = []
        for run in results.configs.to_dict("records"):
            if not run["finished"] or run["player"] != "agent" or tuple(run[name] for name in KEY) in but:
                continue
            shared = settings_of(run["settings"])
            check_same(settings.setdefault(str(run["method"]), shared), shared, Path(run["folder"]))
            about = run["settings"]
            software = ", ".join(f"{name} {version}" for name, version in about.get("software", {}).items())
            rows.append([*(run[name] for name in KEY), run["inputs"], about.get("git_commit") or "", software])
        runs = pd.DataFrame(rows, columns=list(RUNS))
        tables = {name: getattr(results, name)[list(columns)] for name, columns in TABLES.items()}
        return cls(settings, runs, **{name: rows_of(runs, table) for name, table in tables.items()})

    def keys(self) -> set[tuple]:
        """The (version, method, seed) of each run."""
        return set(self.runs[list(KEY)].itertuples(index=False, name=None))

    def check(self, method: str, config: Mapping[str, Any], where: Path) -> None:
        """Raises ValueError, which begins with ``where``, if its runs of that method have other settings."""
        if method in self.settings:
            check_same(self.settings[method], settings_of(config), where)

    def joined(self, other: "Archive", where: Path, problems: list[str]) -> "Archive":
        """These runs, and those of another archive, at ``where``, that are not among them.

        ``problems`` gains a line for each run that both have with different rows, of which this archive's count. Raises
        ValueError if settings differ.
        """
        import pandas as pd

        for method, settings in other.settings.items():
            self.check(method, settings, where)
        both = self.keys() & other.keys()
        mine, theirs = (each.prints() if both else {} for each in (self, other))
        for key in sorted(both):
            if mine.get(key) != theirs.get(key):
                name = ", ".join(map(str, key))
                problems.append(f"{where}: the run {name} is here already with other rows, which alone count")
        is_new = [key not in both for key in other.runs[list(KEY)].itertuples(index=False, name=None)]
        if not any(is_new):
            return self
        runs: Any = other.runs[is_new]
        joined = {"runs": runs, **{name: rows_of(runs, table) for name, table in other.tables.items()}}
        for name, mine in {"runs": self.runs, **self.tables}.items():
            pair = [
                table for table in (mine, joined[name]) if len(table)
            ]  # empty ones would change the types of columns
            joined[name] = pd.concat(pair, ignore_index=True) if pair else mine
        return Archive({**other.settings, **self.settings}, **joined)

    def prints(self) -> dict[tuple, int]:
        """(version, method, seed) -> a number that is the same for runs with the same episodes."""
        from pandas.util import hash_pandas_object

        rows = self.episodes
        hashed = hash_pandas_object(rows[["inputs", "length", "outcome"]], index=False)  # pyright: ignore[reportCallIssue]
        hashes = rows.assign(hash=hashed)
        return hashes.groupby(list(KEY)).agg({"hash": "sum"})["hash"].to_dict()

    def write(self, folder: Path) -> None:
        """Replaces the files in ``folder``; ``runs.csv``, which lists the runs that count, last."""
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "settings.json", json.dumps(dict(sorted(self.settings.items())), indent=2) + "\n")
        for name, table in self.tables.items():
            path = folder / f"{name}.csv.xz"
            if not len(table) and name in MAY_LACK:
                path.unlink(missing_ok=True)
                continue
            text = table.sort_values(list(KEY), kind="stable").to_csv(index=False, lineterminator="\n")
            write_bytes(path, lzma.compress(text.encode()))
        write_whole(folder / "runs.csv", self.runs.sort_values(list(KEY)).to_csv(index=False, lineterminator="\n"))

    def results(self, folder: Path) -> Results:
        """The same runs as ``load`` returns them; ``folder`` is named as where they are."""
        import pandas as pd

        fronts, configs = {}, []
        for run in self.runs.to_dict("records"):
            config = {**self.settings[run["method"]], "version": run["version"], "seed": run["seed"]}
            check_config(config, folder)
            key = tuple(run[name] for name in KEY)
            fronts[key] = {"experiment": folder.name, **{name: config[name] for name in FRONT[1:]}}
            config |= {"git_commit": run["git_commit"], "software": software_of(run["software"])}
            configs.append({
                **fronts[key], "finished": True, "folder": f"{folder} {' '.join(map(str, key))}",
                "frame_skip": config["frame_skip"], "level": config["level"], "inputs": run["inputs"],
                "settings": config,
            })  # fmt: skip
        front = pd.DataFrame(fronts.values(), columns=list(FRONT))
        died = self.episodes.assign(died=self.episodes["outcome"] == "death").groupby(list(KEY), sort=False)
        episodes = self.episodes.assign(episode=died.cumcount(), deaths=died["died"].cumsum())
        empty = {
            name: pd.DataFrame(columns=[*FRONT, *columns]) for name, columns in (("visits", VISITS), ("tracks", TRACKS))
        }
        return Results(
            episodes=in_front(front, episodes),
            **{name: in_front(front, table) for name, table in self.tables.items() if name != "episodes"},
            configs=pd.DataFrame(configs, columns=[*FRONT, *CONFIGS]),
            problems=(),
            **empty,
        )


def none(columns: Sequence[str]) -> "pd.DataFrame":
    """No rows, in these columns."""
    import pandas as pd

    return pd.DataFrame(columns=list(columns))


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that all runs of a method share."""
    return {name: value for name, value in config.items() if name not in OF_ONE_RUN}


def rows_of(runs: Any, table: Any) -> Any:
    """The rows of these runs in a table, both with the columns KEY."""
    return table.merge(runs[list(KEY)]) if len(table) else table


def in_front(front: Any, table: Any) -> Any:
    """A table with the columns KEY, after the first columns of each run."""
    further = [name for name in table if name not in KEY]
    return front.merge(table, on=list(KEY)) if len(table) else none([*FRONT, *further])


def software_of(text: str) -> dict[str, str]:
    """Name -> version, from "numpy 2.4.1, torch 2.13.0"."""
    return dict(each.split(" ", 1) for each in text.split(", ") if each)


def load_with_archives(roots: Sequence[str | Path]) -> Results:
    """What ``load`` finds under ``roots``, and the runs of the archives there.

    A run that is there already, with the same experiment, version, method and seed, is listed among the problems, as is
    an archive that can't be read.
    """
    import pandas as pd

    results = load(roots)
    for folder in sorted({path.parent for root in roots for path in files_under(Path(root), "runs.csv")}):
        if not (folder / "settings.json").exists() or not (folder / "episodes.csv.xz").exists():
            continue
        problems = list(results.problems)
        try:
            archived = Archive.read(folder).results(folder)
        except (ValueError, OSError) as error:
            problems.append(one_line(folder, error))
            results = replace(results, problems=tuple(problems))
            continue
        front = archived.configs[list(FRONT)]
        known = set(results.configs[list(FRONT)].itertuples(index=False, name=None))  # seeds are numbers, plays' names
        is_new = np.array([key not in known for key in front.itertuples(index=False, name=None)], bool)
        if not is_new.all():
            problems.append(f"{folder}: {(~is_new).sum()} archived runs are also in other folders, which alone count")
        kept = front[is_new]
        joined = {}
        for name in (each.name for each in fields(Results) if each.name != "problems"):
            tables = getattr(results, name), getattr(archived, name).merge(kept)
            filled = [table for table in tables if len(table)]  # empty ones would change the types of columns
            joined[name] = pd.concat(filled, ignore_index=True) if filled else tables[0]
        results = Results(**joined, problems=tuple(problems))
    return results
