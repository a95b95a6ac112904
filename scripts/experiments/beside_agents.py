"""Simulated players beside agents, on both games: the comparison as `priorlab compare` makes it, kept for a repository.

`python -m priorlab.scripts.experiments.beside_agents` simulates the players, whose seeds make them the same each time,
takes the agents from the archives in `OUT/<game>/`, and writes figures, two small tables and README.md.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
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
from priorlab.scripts.report.readme import made_with, readme, table, write
from priorlab.scripts.report.summary import NOTHING, percent

GAMES = ("princess", "key_door")
PLAYERS, SEED = 40, 0  # simulated players on each version, and the seed of all
FIGURES = {"paper": "", "claim": "-claim"}  # of the comparison, by the ends of their names here
SHARES, RATIOS = "progress_at.csv", "ratio_of_ratios.csv"
EARLY = 300  # inputs of the finding
NAMED = {"Simulated players": "simulated players", "Random": "random play"}  # in a sentence
BOUNDS = {">=": "\N{GREATER-THAN OR EQUAL TO}", "<=": "\N{LESS-THAN OR EQUAL TO}", "~": "\N{ALMOST EQUAL TO}"}


def compared(game: str, out: Path, scratch: Path) -> None:
    """Compares a game's simulated players with its archived agents, and keeps what README.md shows in ``out``."""
    players, page = scratch / game / "players", scratch / game / "page"
    simulate.main(PLAYERS, game=game, seed=SEED, out=players)
    write_comparison(load_with_archives([players, out / game]), page / "index.html", figures=True)
    for name, end in FIGURES.items():
        drawn, kept_as = page / "figures" / f"{name}.svg", out / f"{game}{end}.svg"
        kept_as.unlink(missing_ok=True)
        if drawn.exists():
            write_whole(kept_as, drawn.read_text(encoding="utf-8"))
    shares: Any = pd.read_csv(page / "data" / SHARES)
    matched = shares.groupby("player")["inputs"].max().min()  # to which all kinds of players were followed
    kept = shares.loc[shares["inputs"] <= matched, ["version", "player", "n", "inputs", "progress"]]
    write_whole(out / game / SHARES, csv_of(kept))
    if (page / "data" / RATIOS).exists():  # not if an agent's slow-down is unknown everywhere
        ratios: Any = pd.read_csv(page / "data" / RATIOS)
        write_whole(out / game / RATIOS, csv_of(ratios.drop(columns=["game", "level", "study", "limit"])))


def ratios_in(folder: Path) -> Any:
    """The ratios of ratios kept of a game; no rows if there are none."""
    path = folder / RATIOS
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["version", "low", "p_holm"])


def shares_table(rows: Any) -> str:
    """The share of the shortest way covered, by version and player, after so many inputs."""
    marks = sorted(rows["inputs"].unique())
    cells = []
    for (version, player), each in rows.groupby(["version", "player"], sort=False):
        shares = each.set_index("inputs")["progress"]
        words = [percent(float(shares.loc[mark])) if mark in shares.index else NOTHING for mark in marks]
        cells.append((title_of(version), player, *words))
    return table(("version", "player", *(f"{mark:,}" for mark in marks)), cells)


def ratios_table(rows: Any) -> str:
    """People's slow-down, the agent's, and their ratio, one row per version and agent."""
    cells = []
    for row in rows.to_dict("records"):
        words = [number_words(row, name) for name in ("ratio", "agent_ratio", "ratio_of_ratios")]
        words[2] = f"{BOUNDS.get(row['bound'], '')} {words[2]}".strip()
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
    """Two sentences on each game."""
    parts = []
    for game in GAMES:
        shares: Any = pd.read_csv(folder / game / SHARES)
        here = shares[(shares["version"] == "original") & (shares["inputs"] == EARLY)].set_index("player")["progress"]
        first, *others = [NAMED.get(player, player) for player in here.index]
        words = [f"{name} {percent(share)}" for name, share in zip(others, here.iloc[1:])]
        parts.append(
            f"{title_of_game(game)}: on the original, {first} have covered {percent(here.iloc[0])} of the shortest way "
            f"after {EARLY} inputs, {', '.join(words)}"
        )
        rows = ratios_in(folder / game)
        clear = rows[(rows["low"] > 1) & (rows["p_holm"] < 0.05)]
        slowed = f"{clear['version'].nunique()} of {rows['version'].nunique()} versions clearly slow them more than PPO"
        parts.append(slowed if len(rows) else "No agent won, so slow-downs can't be compared")
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
            "ratios": ratios_table(ratios) if len(ratios := ratios_in(folder / game)) else "",
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


def main(*, out: Path = Path("results/compare"), agents: Path | None = None, report_only: bool = False) -> None:
    """Compare simulated players with archived agents on both games.

    Args:
        out: folder for archives, figures, tables and README.md
        agents: add the archived runs of this folder, `<game>` in it, to those in out
        report_only: simulate nothing; only write README.md from what is kept
    """
    console, problems = plain_console(), list[str]()
    for game in GAMES if agents else ():
        Archive.read(out / game).joined(Archive.read(Path(agents or "") / game), out / game, problems).write(out / game)
    with TemporaryDirectory() as scratch:
        for game in () if report_only else GAMES:
            compared(game, out, Path(scratch))
    write(out, readme_of(out), {})
    console.print("\n".join([*problems, str(out / "README.md")]), highlight=False)


if __name__ == "__main__":
    tyro.cli(main)
