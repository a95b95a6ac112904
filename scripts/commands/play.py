"""`priorlab play`: a person plays a game in a window; the session is recorded."""

import shlex
from pathlib import Path

from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import told
from priorlab.scripts.run import run

COUNTED = ("inputs", "deaths", "unique states", "games over", "points")  # of a play's facts


def main(
    version: str | None = None, *, game: str | None = None, level: str | None = None, look_seed: int = 0,
    seed: int = 0, out: Path = Path("runs/people"), player_id: str = "auto", minutes: float = 30.0,
    resume: Path | None = None,
) -> None:  # fmt: skip
    """Play a game: arrow keys or WASD, space jumps (Atari: the button), P pauses, Escape quits, F11 fills the screen.

    Args:
        version: Which version of the game, or mask of an Atari game; the player is not told.
        game: princess, key_door, random (a level of the bank) or atari/NAME; by default the level's, else princess.
        level: A level's name, or a file ending in .txt; by default the version's own.
        look_seed: Which drawing of the version.
        seed: Of the game's own chances: which level of the bank, what an Atari game does.
        out: Folder for the log, <id>.session.jsonl.
        player_id: A code for the player, never a name; auto draws one.
        minutes: How long a play may last.
        resume: The log of an interrupted play, which goes on.
    """
    from priorlab.envs.plays.courses import ChosenGame
    from priorlab.envs.plays.sessions import find_play
    from priorlab.human_study.window.game_loop import play
    from priorlab.human_study.window.game_loop import resume as go_on
    from priorlab.human_study.window.window import NoDisplay

    check_positive(minutes=minutes)
    try:
        if resume is None:
            settings = ChosenGame(game, version, level, look_seed, seed)
            path, ended = play(settings, minutes, out, None if player_id == "auto" else player_id)
        else:
            path, ended = resume, go_on(resume)
    except (NoDisplay, OSError, ValueError) as error:
        raise SystemExit(f"priorlab play: {told(error)}") from None
    facts = find_play(path, -1).play.facts()
    print(f"saved {path}")
    print(f"{ended} after " + ", ".join(f"{value} {name}" for name, value in facts.items() if name in COUNTED))
    print(f"see it again: priorlab replay {shlex.quote(str(path))}")


if __name__ == "__main__":
    run("play")
