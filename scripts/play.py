"""`priorlab play`: a person plays a game in a window; the play is recorded."""

import shlex
from pathlib import Path

import tyro


def main(
    version: str = "original",
    *,
    game: str | None = None,
    level: str | None = None,
    look_seed: int = 0,
    out: Path = Path("runs/people"),
    player_id: str = "auto",
    minutes: float = 30.0,
) -> None:
    """Play a game: arrow keys or WASD, space jumps, Escape quits, F11 fills the screen.

    Args:
        version: Which version of the game; the player is not told.
        game: princess or key_door; by default the level's, and princess where no level is given.
        level: A level's name, or a file ending in .txt; by default the version's own.
        look_seed: Which drawing of the version.
        out: Folder for the recording, <id>.play.
        player_id: A code for the player, never a name; auto draws one.
        minutes: How long a play may last.
    """
    from envs.places import version_on
    from envs.play import INPUTS_PER_SECOND
    from envs.record import Recording
    from human_study.window import NoDisplay, play, require_display

    try:
        _, chosen = version_on(game, version, level)
        require_display()
        recording = Recording(
            out,
            version,
            level=chosen,
            look_seed=look_seed,
            player_id=player_id,
            limit=round(minutes * 60 * INPUTS_PER_SECOND),
        )
        played = play(recording)
    except (NoDisplay, OSError, ValueError) as error:
        raise SystemExit(f"priorlab play: {error}") from None
    found = played.measure()
    print(f"saved {recording.path}")
    print(
        f"{played.ended} after {found.inputs:,} inputs ({found.minutes:.1f} minutes), {found.total_deaths} deaths, "
        f"{found.total_unique_states:,} unique states"
    )
    print(f"see it again: priorlab replay {shlex.quote(str(recording.path))}")


if __name__ == "__main__":
    tyro.cli(main)
