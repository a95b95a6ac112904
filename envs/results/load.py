"""Loads results: joins the rows of runs and of recorded plays into one set of tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from priorlab.envs.base.files import one_line, read_json, whole_lines
from priorlab.envs.base.tables import kinds, parse_table
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.progress import PROGRESS
from priorlab.envs.plays.sessions import Recorded
from priorlab.envs.plays.tracks import REACHED, TRACKS
from priorlab.envs.results.play_rows import rows_of
from priorlab.envs.results.rows import (
    CONFIGS,
    DEATHS,
    EPISODES,
    EXPLORATION,
    FRONT,
    OUTCOMES,
    REQUIRED,
    VISITS,
    check_config,
    is_finished,
)
from priorlab.envs.results.sources import sources

if TYPE_CHECKING:
    import pandas as pd

FURTHER = {  # files that not every run has, and the types of their columns
    "progress": dict.fromkeys(PROGRESS, int),
    "deaths": dict.fromkeys(DEATHS, int),
    "reached": kinds(REACHED, row=int, column=int, inputs=float, order=float),
    "tracks": dict.fromkeys(TRACKS, float) | {"inputs": int, "life": int},
}
EXPERIMENTS = {"person": "people", "simulated": "simulated"}  # experiments of plays, by player


@dataclass(frozen=True)
class Results:
    """Rows of many runs and plays as pandas frames, whose first columns are experiment, game, version, method, player,
    privileged and seed.

    ``configs`` has one row per run: finished (bool), folder (or play file), frame_skip, level, inputs, settings (dict).
    The other tables have the columns of a run's files (``envs/results/rows.py``), and no rows of runs without that
    file. ``problems`` lists what could not be read, one line each.
    """

    episodes: "pd.DataFrame"
    exploration: "pd.DataFrame"
    visits: "pd.DataFrame"
    tracks: "pd.DataFrame"
    reached: "pd.DataFrame"
    progress: "pd.DataFrame"
    deaths: "pd.DataFrame"
    configs: "pd.DataFrame"
    problems: tuple[str, ...]


def load(root: str | Path | Sequence[str | Path], experiment: str | None = None) -> Results:
    """Loads every run and play under ``root``, one folder or several; with ``experiment``, only its runs, and all
    plays.

    A run or play that is found twice, or as a copy, counts once and is listed among the problems.
    """
    import pandas as pd

    roots, problems = [Path(each) for each in ([root] if isinstance(root, (str, Path)) else root)], list[str]()
    columns = {
        "episodes": EPISODES, "exploration": EXPLORATION, "visits": VISITS, "tracks": TRACKS, "reached": REACHED,
        "progress": PROGRESS, "deaths": DEATHS,
    }  # fmt: skip
    configs, tables = list[dict](), {name: list[pd.DataFrame | None]() for name in columns}
    seen: dict[tuple, Path] = {}
    for source in sources(roots, experiment, problems):
        path = source if isinstance(source, Path) else source.path
        try:
            config, rows = read_run(source.parent) if isinstance(source, Path) else read_play(source)
        except Exception as error:  # any problem of one is listed, and the others are still loaded
            problems.append(one_line(path, error))
            continue
        if not isinstance(source, Path) and key_of(config) in seen:  # another play in a file with the same name
            config["seed"] = source.play.id
        first = seen.setdefault(key_of(config), path)
        if first != path:
            problems.append(
                f"{path}: its experiment, version, method and seed or id are those of {first}, which alone counts"
            )
            continue
        configs.append(config)
        for name, frames in tables.items():
            frames.append(rows.get(name))
    described = pd.DataFrame(configs, columns=[*FRONT, *CONFIGS])
    joined = {name: joined_rows(described, frames, columns[name]) for name, frames in tables.items()}
    return Results(**joined, configs=described, problems=tuple(problems))


def key_of(config: dict) -> tuple:
    return tuple(config[name] for name in FRONT)


def joined_rows(
    configs: "pd.DataFrame", frames: "Sequence[pd.DataFrame | None]", columns: Sequence[str]
) -> "pd.DataFrame":
    """The rows of one table of all runs, behind the first columns of each; None: a run has no such table."""
    import pandas as pd

    known = [frame for frame in frames if frame is not None]
    if not known:
        return pd.DataFrame(columns=[*FRONT, *columns])
    of_run = np.repeat(np.arange(len(frames)), [0 if frame is None else len(frame) for frame in frames])
    front = configs[[*FRONT]].iloc[of_run].infer_objects().reset_index(drop=True)
    return pd.concat([front, pd.concat(known, ignore_index=True)], axis=1)


def read_run(folder: Path) -> "tuple[dict, dict[str, pd.DataFrame]]":
    """The row of ``configs`` of one run's folder, and its tables."""
    config = read_json(folder / "config.json")
    check_config(config, folder / "config.json")
    rows = {
        "episodes": read_rows(folder / "episodes.csv", EPISODES),
        "exploration": read_rows(folder / "exploration.csv", EXPLORATION),
        "visits": read_rows(folder / "visits.csv", VISITS),
    }
    unknown = set(rows["episodes"]["outcome"]) - set(OUTCOMES)
    if unknown:
        raise ValueError(f"{folder / 'episodes.csv'}: outcomes {sorted(unknown)}: expected {', '.join(OUTCOMES)}")
    front = {**{name: config[name] for name in REQUIRED}, "experiment": folder.resolve().parents[2].name}
    for name, columns in FURTHER.items():
        path = folder / f"{name}.csv"
        if path.exists():
            rows[name] = parse_table(whole_lines(path), columns, path)
    return describe(front, rows, is_finished(folder), folder, config), rows


def read_play(recorded: "Recorded") -> "tuple[dict, dict[str, pd.DataFrame]]":
    """The row of ``configs`` of a play, and its tables."""
    play, total = recorded.play, len(recorded.play.inputs)
    if play.player not in EXPERIMENTS or not total:
        reason = "nothing was played" if not total else "not a person's play; agents are compared by their runs"
        raise ValueError(f"{recorded.path}: {reason}")
    rows = rows_of(play)
    front = {
        "experiment": EXPERIMENTS[play.player], "game": play.game, "version": play.version, "method": play.player,
        "player": play.player, "privileged": False, "seed": name_of(recorded),
        "level": play.level.text() if isinstance(play, Play) else "",
    }  # fmt: skip
    settings = {
        "player_id": recorded.participant, "study": recorded.study, "number": recorded.number,
        "minutes": total / play.inputs_per_second / 60, "answers": recorded.answers, "software": play.software,
        "inputs_per_second": play.inputs_per_second, "date": play.date,
    }  # fmt: skip
    copied = (
        "wall_seconds", "play_seconds", "paused_seconds", "idle_seconds", "resumed", "quit_reason", "limit", "missed",
        "missed_share",
    )  # fmt: skip
    settings |= {name: recorded.about[name] for name in copied if name in recorded.about}
    if "limit" not in settings and play.ended == "limit":  # a .play file has it only there
        settings["limit"] = total
    drawn = (
        {"look_seed": play.look_seed, "engine": play.engine} if isinstance(play, Play)
        else {"look_seed": play.about["look_seed"]}
    )  # fmt: skip
    settings |= drawn
    return describe(front, rows, True, recorded.path, settings), rows


def name_of(recorded: "Recorded") -> str:
    """The name of a play: for a log's, its id and number; for others, the file's."""
    return recorded.play.id if recorded.about else recorded.path.stem


def describe(front: dict, rows: dict, finished: bool, folder: Path, settings: dict) -> dict:
    """The row of ``configs``."""
    inputs = max(
        (int(rows[name]["inputs"].iloc[-1]) for name in ("episodes", "exploration") if len(rows.get(name, ()))),
        default=0,
    )
    more = {"finished": finished, "folder": str(folder), "frame_skip": settings.get("frame_skip", 1)}
    more |= {"level": front["level"], "inputs": inputs, "settings": settings}
    return {**{name: front[name] for name in FRONT}, **more}


def read_rows(path: Path, columns: tuple[str, ...]) -> "pd.DataFrame":
    """The table in ``path``, without an incomplete last line; empty if there is no file."""
    import pandas as pd

    text = whole_lines(path)
    if not text:
        return pd.DataFrame({name: pd.Series(dtype=object if name == "outcome" else np.int64) for name in columns})
    return parse_table(text, {name: str if name == "outcome" else int for name in columns}, path)
