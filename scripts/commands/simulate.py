"""`priorlab simulate`: records plays of simulated players on the versions of a game, labelled simulated."""

from pathlib import Path
from typing import Literal

from rich.progress import track

from priorlab.envs.players.simulated import LIMIT_MINUTES, planted_versions, simulated_play, simulated_setting
from priorlab.envs.plays.play import SUFFIX
from priorlab.scripts.analysis.repeats import turns_of
from priorlab.scripts.checks import check_counts, check_positive
from priorlab.scripts.console import plain_console


def main(
    players: int = 40, *, game: str = "key_door", versions: tuple[str, ...] = (),
    plant: Literal["published", "none", "masks"] = "published", spread: float = 1.0, minutes: float = LIMIT_MINUTES,
    within: bool = False, repeats: int = 1, practice: float = 0.8, seed: int = 0, out: Path = Path("runs/simulated"),
) -> None:  # fmt: skip
    """Simulate players with known effects, to test an analysis. Each play is one file.

    Args:
        players: players per version, each of whom plays one version only; within subjects, in total
        game: princess or key_door
        versions: versions to play (default: all with a published ratio)
        plant: the effect of a mask: published (mean times in the published ratios), none, or masks (players lose
            everything that is masked)
        spread: differences between players, relative to the usual ones
        minutes: longest duration of a play
        within: each player plays every version, in counterbalanced order; one play per day, the last one today
        repeats: how often a player plays each version, one play per day
        practice: factor on a player's pace (how long it rests, tries things and recovers) for each earlier play
        seed: the same seed gives the same plays
        out: folder for the plays, <version>/<id>.play
    """
    check_positive(players=players, minutes=minutes, spread=spread, practice=practice)
    check_counts(repeats=repeats)
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    settings = [simulated_setting(game, version, plant) for version in versions or planted_versions(game)]
    if not settings:
        raise ValueError(f"{game} has no published ratios: name --versions")
    console, won, total = plain_console(), 0, 0
    turns = turns_of(len(settings), players, repeats, practice, within, seed)
    for setting, of_version in zip(settings, turns):
        for number, turn, date in track(of_version, setting.version, console=console, transient=True):
            play = simulated_play(setting, seed, number, spread, minutes, turn, date)
            play.save(out / setting.version / f"{play.id}{SUFFIX}")
            won, total = won + (play.ended == "win"), total + 1
    console.print(f"{total} plays of simulated players in {out}, {won} won", soft_wrap=True)
