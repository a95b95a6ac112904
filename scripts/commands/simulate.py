"""`priorlab simulate`: plays of simulated players on the versions of a game, labelled simulated."""

from pathlib import Path
from typing import Literal

from rich.progress import track

from priorlab.envs.players.simulated import LIMIT_MINUTES, planted_versions, simulated_play, simulated_setting
from priorlab.envs.plays.play import SUFFIX
from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import plain_console
from priorlab.scripts.run import run


def main(
    players: int = 40, *, game: str = "key_door", versions: tuple[str, ...] = (),
    plant: Literal["published", "none", "masks"] = "published", spread: float = 1.0, minutes: float = LIMIT_MINUTES,
    seed: int = 0, out: Path = Path("runs/simulated"),
) -> None:  # fmt: skip
    """Simulates players: no people, but plays of a known truth to try an analysis on. Each play is a file.

    Args:
        players: how many on each version, each on one alone
        game: princess or key_door
        versions: which versions; by default all that a published ratio is known for
        plant: published (mean times in the published ratios), none (all alike) or masks (all is lost that is masked)
        spread: times the usual differences between players
        minutes: how long a play may last
        seed: the same seed makes the same plays
        out: folder of the plays, <version>/<id>.play
    """
    check_positive(players=players, minutes=minutes, spread=spread)
    if seed < 0:
        raise ValueError(f"seed is {seed}: expected 0 or more")
    settings = [simulated_setting(game, version, plant) for version in versions or planted_versions(game)]
    if not settings:
        raise ValueError(f"nothing is planted for {game}: expected versions")
    console, won = plain_console(), 0
    for setting in settings:
        for number in track(range(players), setting.version, console=console, transient=True):
            play = simulated_play(setting, seed, number, spread, minutes)
            play.save(out / setting.version / f"{play.id}{SUFFIX}")
            won += play.ended == "win"
    total = players * len(settings)
    console.print(f"{total} plays of simulated players in {out}, {won} won", soft_wrap=True)


if __name__ == "__main__":
    run("simulate")
