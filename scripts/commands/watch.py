"""`priorlab watch`: an agent with priors plays, beside what it believes."""

from pathlib import Path
from typing import Literal

from priorlab.scripts.checks import check_positive
from priorlab.scripts.console import error_line, plain_console


def main(
    *, player: Literal["learned", "hand_designed"] = "learned", weights: Path | None = None,
    movement: Literal["given", "learned"] | Path = "given", acting: Literal["planned", "learned"] | Path = "planned",
    game: str | None = None, version: str | None = None, level: str | None = None, bank: str | None = None,
    number: int = 0, look_seed: int | None = None, dials: tuple[float, float, float, float] | None = None,
    split: str = "held_out", seed: int = 0, speed: float = 1.0, delay: int = 0, slips: float = 0.0,
    hesitation: float = 0.0, limit: int = 54_000, out: Path | None = None, width: int = 1920,
) -> None:  # fmt: skip
    """Watch an agent with priors play: the game beside what it believes, what it is after, and what surprises it.

    In the window: space pauses, the right arrow takes one input, S goes on to the next surprise, up and down change the
    speed, R starts again, N shows another life, F11 fills the screen, Escape leaves.

    Args:
        player: learned, or hand_designed, which is told the role of every cell
        weights: what it learned, FILE.safetensors of priorlab raise (default: what comes with the package)
        movement: given, by the rules; learned, as in the package; or FILE.safetensors of priorlab movement
        acting: planned; learned, as in the package; or FILE.safetensors of priorlab acting
        game: princess or key_door (default: the level's game, else a level of a bank)
        version: its rules, and its look where no dials are given (default: original, for a bank's in a random look)
        level: a level's name, or a file ending in .txt (default: the version's level)
        bank: a bank's name or file, such as held_out (default: large_held_out, if neither game nor level is chosen)
        number: which level of the bank
        look_seed: picks the drawings (default: number, or 0 outside of banks)
        dials: a random look in place of the version's, by its semantics, objects, affordance and similarity, 0 to 1
        split: training or held_out: which drawings random looks take
        seed: seed of what the player draws at random
        delay: a person's limits: inputs from seeing to pressing, 0 to 30
        slips: probability per input of pressing something else for a while
        hesitation: mean number of inputs of rest before each new plan
        speed: relative to people's 30 inputs a second
        limit: inputs after which the life ends, if it has not won
        out: write this .mp4 or lossless .mkv file instead of opening a window, or the last frame as .png
        width: width of the video's frames in px; their height is 9/16 of it
    """
    from priorlab.human_study.window.window import NoDisplay
    from priorlab.scripts.watch.choosing import Chosen
    from priorlab.scripts.watch.film import film
    from priorlab.scripts.watch.screen import show

    try:
        check_positive(speed=speed)
        chosen = Chosen(player, weights, movement, acting, game, version, level, bank, number, look_seed, dials, split,
                        seed, limit, delay, slips, hesitation)  # fmt: skip
        watched = show(chosen.begin, speed) if out is None else film(chosen.begin, out, width, speed)
    except (NoDisplay, OSError, RuntimeError, ValueError) as error:
        raise SystemExit(f"priorlab watch: {error_line(error)}") from None
    plain_console().print(watched.summary(), soft_wrap=True)
    if out is not None:
        plain_console().print(f"wrote {out}", soft_wrap=True)
