"""Simulated players beside agents, on both games: the comparison as `priorlab compare` makes it, kept for a repository.

`python -m priorlab.scripts.experiments.beside_agents` simulates the players, whose seeds make them the same each time,
takes the agents from the archives in `OUT/<game>/`, and writes figures, two small tables and README.md.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import tyro

from priorlab.envs.base.files import read_json, write_whole
from priorlab.envs.base.tables import csv_of
from priorlab.envs.results.archive import Archive, load_with_archives
from priorlab.scripts.analysis.players import title_of, title_of_game
from priorlab.scripts.commands import simulate
from priorlab.scripts.console import plain_console
from priorlab.scripts.report.page import write_comparison
from priorlab.scripts.report.progress import MARKS
from priorlab.scripts.report.readme import made_with, readme, table, write
from priorlab.scripts.report.summary import NOTHING, percent

GAMES = ("princess", "key_door")
PLAYERS, SEED = 40, 0  # simulated players on each version, and the seed of all
FIGURES = {"paper": "", "claim": "-claim"}  # of the comparison, by the ends of their names here
SHARES, RATIOS = "progress.csv", "ratio_of_ratios.csv"


def compared(game: str, out: Path, runs: Path) -> None:
    """Compares a game's simulated players with its archived agents, and keeps what README.md shows in ``out``."""
    players, page = runs / "simulated" / game, runs / game
    simulate.main(PLAYERS, game=game, seed=SEED, out=players)
    write_comparison(load_with_archives([players, out / game]), page / "index.html", figures=True)
    for name, end in FIGURES.items():
        write_whole(out / f"{game}{end}.svg", (page / "figures" / f"{name}.svg").read_text(encoding="utf-8"))
    shares: Any = pd.read_csv(page / "data" / SHARES)
    marks = [shares.iloc[(shares["inputs"] - mark).abs().argmin()]["inputs"] for mark in MARKS]
    kept = shares[shares["inputs"].isin(marks)].dropna(subset="progress")
    write_whole(out / game / SHARES, csv_of(kept[["version", "player", "n", "inputs", "progress", "low", "high"]]))
    ratios: Any = pd.read_csv(page / "data" / RATIOS)
    write_whole(out / game / RATIOS, csv_of(ratios.drop(columns=["game", "level", "study", "limit"])))


def shares_table(rows: Any) -> str:
    """The share of the shortest way covered, by version and player, after so many inputs."""
    inputs = sorted(rows["inputs"].unique())
    by = {key: each.set_index("inputs")["progress"] for key, each in rows.groupby(["version", "player"], sort=False)}
    cells = [
        (title_of(version), player, *(share_words(shares, each) for each in inputs))
        for (version, player), shares in by.items()
    ]
    return table(("version", "player", *(f"{each:,.0f}" for each in inputs)), cells)


def share_words(shares: pd.Series, inputs: float) -> str:
    """The share at these inputs; of a kind of which everybody had won before, 100 %."""
    if inputs in shares.index:
        return percent(float(shares.loc[inputs]))
    return percent(1) if shares.iloc[-1] == 1 else NOTHING


def ratios_table(rows: Any) -> str:
    """People's slow-down, the agent's, and their ratio, one row per version and agent."""
    cells = []
    for row in rows.to_dict("records"):
        words = [number_words(row, name) for name in ("ratio", "agent_ratio", "ratio_of_ratios")]
        words[2] = f"{row['bound'] if isinstance(row['bound'], str) else ''} {words[2]}".strip()
        cells.append((title_of(row["version"]), row["agent"], *words, p_words(row["p_holm"])))
    return table(("version", "agent", "players", "agent's", "ratio of ratios (95 %)", "p (Holm)"), cells)


def number_words(row: dict, name: str) -> str:
    low, high = ("low", "high") if name == "ratio_of_ratios" else (f"{name}_low", f"{name}_high")
    if pd.isna(row[name]):
        return NOTHING
    value = f"{row[name]:.2f}"
    return value if pd.isna(row[low]) else f"{value} ({row[low]:.2f} to {row[high]:.2f})"


def p_words(p: float) -> str:
    return NOTHING if pd.isna(p) else "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def finding_of(folder: Path) -> str:
    """One sentence on both games."""
    parts = []
    for game in GAMES:
        rows: Any = pd.read_csv(folder / game / RATIOS)
        clear = rows[(rows["low"] > 1) & (rows["p_holm"] < 0.05)]
        versions, of = clear["version"].nunique(), rows["version"].nunique()
        shares: Any = pd.read_csv(folder / game / SHARES)
        here = shares[shares["version"] == "original"]
        at = here.loc[(here["inputs"] - 300).abs().idxmin(), "inputs"]
        by = here[here["inputs"] == at].set_index("player")["progress"]
        covered = ", ".join(f"{player} {percent(share)}" for player, share in by.items())
        slowed = f"{versions} of {of} versions clearly slow simulated players more than an agent" if of else (
            "no agent won the original, so slow-downs can't be compared"
        )  # fmt: skip
        parts.append(f"{title_of_game(game)}: after {at:,.0f} inputs on the original, {covered}; {slowed}")
    return ". ".join(parts)


def readme_of(folder: Path) -> str:
    """The text of README.md from what is kept in ``folder``."""
    archives = [Archive.read(folder / game) for game in GAMES]
    runs = pd.concat([archive.runs for archive in archives])
    parts = [
        {
            "game": game, "title": title_of_game(game), "seeds": archive.runs["seed"].nunique(),
            "inputs": f"{archive.runs['inputs'].max():,}",
            "shares": shares_table(pd.read_csv(folder / game / SHARES)),
            "ratios": ratios_table(ratios) if len(ratios := pd.read_csv(folder / game / RATIOS)) else "",
        }
        for game, archive in zip(GAMES, archives)
    ]  # fmt: skip
    command = "python -m priorlab.scripts.experiments.beside_agents"
    return readme(
        "beside.md", folder, title="Simulated players beside agents", finding=finding_of(folder),
        made=[*read_json(folder / "commands.json"), f"{command} --agents runs/beside-agents"],
        again=f"{command} --report-only", software=made_with(runs["software"], runs["git_commit"]),
        parts=parts, players=PLAYERS,
    )  # fmt: skip


def main(
    *, out: Path = Path("results/compare"), agents: Path | None = None, runs: Path = Path("runs/beside"),
    report_only: bool = False,
) -> None:  # fmt: skip
    """Compare simulated players with archived agents on both games.

    Args:
        out: folder for archives, figures, tables and README.md
        agents: add the archived runs of this folder, `<game>` in it, to those in out
        runs: folder for the plays and the pages
        report_only: simulate nothing; only write README.md from what is kept
    """
    console, problems = plain_console(), list[str]()
    for game in GAMES if agents else ():
        Archive.read(out / game).joined(Archive.read(Path(agents or "") / game), out / game, problems).write(out / game)
    for game in () if report_only else GAMES:
        compared(game, out, runs)
    write(out, readme_of(out), {})
    console.print("\n".join([*problems, str(out / "README.md")]), highlight=False)


if __name__ == "__main__":
    tyro.cli(main)
