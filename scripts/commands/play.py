"""`priorlab play`: lets a person play a game in a window and records the session."""

import shlex
from pathlib import Path

from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import error_line

COUNTED = ("inputs", "deaths", "unique states", "games over", "points")  # the facts of a play that are printed


def main(
    version: str | None = None, *, game: str | None = None, level: str | None = None, look_seed: int = 0,
    seed: int = 0, out: Path = Path("runs/people"), player_id: str = "auto", minutes: float = 30.0,
    resume: Path | None = None,
) -> None:  # fmt: skip
    """Play a game: arrow keys or WASD, space jumps (Atari: the button), P pauses, Escape quits, F11 fills the screen.

    Args:
        version: version of the game, or mask of an Atari game; the player does not see its name
        game: princess, key_door, random (a level of the bank) or atari/NAME (default: the level's game, else princess)
        level: a level's name, or a file ending in .txt (default: the version's level)
        look_seed: picks the drawings of the version
        seed: seed of the game's random events: which level of the bank, what an Atari game does
        out: folder for the log, <id>.session.jsonl
        player_id: a code for the player, never a name; auto draws one at random
        minutes: longest duration of a play
        resume: resume the interrupted play of this log
    """
    from priorlab.envs.plays.courses import ChosenGame
    from priorlab.envs.plays.sessions import find_play
    from priorlab.human_study.window.game_loop import play
    from priorlab.human_study.window.game_loop import resume as resume_play
    from priorlab.human_study.window.window import NoDisplay

    check_positive(minutes=minutes)
    try:
        if resume is None:
            settings = ChosenGame(game, version, level, look_seed, seed)
            path, ended = play(settings, minutes, out, None if player_id == "auto" else player_id)
        else:
            path, ended = resume, resume_play(resume)
    except (NoDisplay, OSError, ValueError) as error:
        raise SystemExit(f"priorlab play: {error_line(error)}") from None
    facts = find_play(path, -1).play.facts()
    print(f"saved {path}")
    print(f"{ended} after " + ", ".join(f"{value} {name}" for name, value in facts.items() if name in COUNTED))
    print(f"watch it: priorlab replay {shlex.quote(str(path))}")
