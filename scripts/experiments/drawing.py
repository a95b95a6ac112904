"""How long does it take to draw a step's picture and send it to the screen? Its changes, and the full window.

Opens a real window of each size on the current display; sizes larger than the screen are left out:

    xvfb-run -s "-screen 0 3840x2160x24" python -m priorlab.scripts.experiments.drawing
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pygame
import tyro
from rich.console import Console
from rich.progress import track
from rich.table import Table

from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.window.canvas import Canvas, fit
from priorlab.human_study.window.window import require_display

GAMES = (
    "princess", "princess/masked_objects", "princess/gravity", "key_door", "key_door/gravity", "key_door/all_masked",
    "key_door/masked_similarity", "random", "atari/montezuma_revenge", "atari/riverraid",
)  # fmt: skip
SIZES = ("1024x768", "1366x768", "1920x1080", "3840x2160")
HOLD = 8  # steps for which an input is held
REDRAWS = 20
TURN = 20  # pictures drawn one way before they are drawn the other way
UNCHANGED = 20  # the most steps per timed one


def main(games: tuple[str, ...] = GAMES, sizes: tuple[str, ...] = SIZES, steps: int = 100, seed: int = 0) -> None:
    """Print milliseconds: the median, the 95th percentile and the maximum.

    Args:
        games: games, as GAME, GAME/VERSION or atari/NAME
        sizes: sizes of the window, WIDTHxHEIGHT in pixels
        steps: number of timed steps, in which something changed
        seed: seed of the inputs
    """
    require_display()
    screen, pictures = pygame.display.get_desktop_sizes()[0], {game: pictures_of(game, steps, seed) for game in games}
    table = Table(
        title=f"ms to draw and present: median, 95 %, maximum; {pygame.display.get_driver()}, {steps} steps each"
    )
    for name in ("window", "game", "changes", "full window", "full, after forgetting"):
        table.add_column(name, justify="left" if name in ("window", "game") else "right")
    for size in sizes:
        width, height = (int(length) for length in size.split("x"))
        if width > screen[0] or height > screen[1]:
            continue
        for game in track(games, size):
            with a_window(width, height) as window:
                times = draw_times(window, pictures[game])
            table.add_row(size, game, *map(summary, times))
    Console(width=140).print(table)


@contextmanager
def a_window(width: int, height: int) -> Iterator[pygame.Window]:
    window = pygame.Window("drawing", (width, height), position=(0, 0))
    for _ in range(10):  # until it is open
        pygame.event.get()
        window.get_surface()
        window.flip()
        time.sleep(0.02)
    yield window
    window.destroy()


def draw_times(window: pygame.Window, pictures: list[np.ndarray]) -> tuple[list[float], ...]:
    """Seconds for drawing changes, for the full window in turns with them, and for full pictures after forgetting."""
    canvas = Canvas(window)
    changes, whole, again = [], [], []
    canvas.draw(pictures[0])
    for turn in range(1, len(pictures), TURN):
        for picture in pictures[turn : turn + TURN]:
            changes.append(timed(canvas.draw, picture))
            pygame.event.get()
        before = pygame.surfarray.array2d(window.get_surface())
        for picture in pictures[turn : turn + TURN]:
            whole.append(timed(draw_whole, window, picture))
            pygame.event.get()
        assert (pygame.surfarray.array2d(window.get_surface()) == before).all(), "both draw the same"
    for _ in range(REDRAWS):
        canvas.forget()
        again.append(timed(canvas.draw, pictures[-1]))
    return changes, whole, again


def pictures_of(name: str, steps: int, seed: int) -> list[np.ndarray]:
    """The first picture and ``steps`` pictures that differ from the one before, under random inputs."""
    game, _, version = name.partition("/")
    settings = ChosenGame(name, seed=seed) if game == "atari" else ChosenGame(game, version or None, seed=seed)
    course, chance = settings.open(), np.random.default_rng(seed)
    pictures, action = [course.picture.copy()], 0
    for number in range(UNCHANGED * steps):
        if len(pictures) > steps or course.solved:
            break
        if number % HOLD == 0:
            action = int(chance.integers(len(course.action_names)))
        course.step(action)
        if (course.picture != pictures[-1]).any():
            pictures.append(course.picture.copy())
    return pictures


def draw_whole(window: pygame.Window, picture: np.ndarray) -> None:
    """The plain way: enlarges the picture, and redraws the full window."""
    screen, (tall, wide) = window.get_surface(), picture.shape[:2]
    place = fit((tall, wide), *screen.get_size())
    image = pygame.image.frombuffer(picture.tobytes(), (wide, tall), "RGB").convert(screen)
    pygame.transform.scale(image, place[2:], screen.subsurface(place))
    window.flip()


def timed(draw: Callable[..., None], *given: object) -> float:
    began = time.perf_counter()
    draw(*given)
    return time.perf_counter() - began


def summary(times: list[float]) -> str:
    return " ".join(f"{1000 * value:7.2f}" for value in np.quantile(times, (0.5, 0.95, 1)))


if __name__ == "__main__":
    tyro.cli(main)
