"""What the study shows beside its own runs: committed rows of players with priors, and of agents in Key and Door."""

from collections.abc import Sequence
from pathlib import Path

from priorlab import ROOT
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import versions
from priorlab.envs.results.archive import load_with_archives
from priorlab.scripts.analysis.players import Section, differences
from priorlab.scripts.analysis.statistics import Played, played
from priorlab.scripts.priors.sealed import read_lives
from priorlab.scripts.study.lives_as_plays import lives_on

RESULTS = ROOT / "results"  # of a checkout; an installed package has none
GAME = "key_door"
AGENTS, LONGER = Path("compare") / GAME, Path("reproduce") / GAME  # runs to people's limit, and of more inputs
PRIORS = Path("priors")


def committed_lives(place: str, names: Sequence[str], results: Path = RESULTS) -> list[Played]:
    """The committed lives of the player with priors on the level ``place`` in these versions; none without rows.

    ValueError, one line, for rows that are not as they were sealed.
    """
    return lives_on(read_lives(results / PRIORS, missing_ok=True), place, names, results / PRIORS)


def committed_section(results: Path = RESULTS) -> Section | None:
    """The section on Key and Door, from committed rows alone; None without any.

    Agents' runs are those that were as long as people's study allows. The longer ones only say whether any ever won.
    """
    lives, agents, longer = (
        committed_lives(GAME, versions(GAME), results),
        *map(runs_in, (results / AGENTS, results / LONGER)),
    )
    runs = [*lives, *agents]
    if not runs:
        return None
    names = [name for name in versions(GAME) if any(run.version == name for run in runs)]
    where = [str(path) for path, rows in ((AGENTS, agents), (LONGER, longer), (PRIORS, lives)) if rows]
    notes = (f"Everything here comes from committed rows: results/{', results/'.join(where)}.", *differences(runs))
    level = Level.read(GAME).text()
    return Section(GAME, level, tuple(names), tuple(runs), notes, longer=tuple(longer))


def runs_in(folder: Path) -> list[Played]:
    return played(load_with_archives([folder])) if folder.is_dir() else []
