"""The settings of a batch of games, under every interface: each documented here, with its default and its range."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from priorlab.envs.base.settings import check_choice, check_whole
from priorlab.envs.game.level import Level
from priorlab.envs.looks.dials import Dials


class PlaySettings(TypedDict, total=False):
    """How a game is seen and stepped."""

    obs: Literal["pixels", "tiles"]
    """``pixels``: pictures (default). ``tiles``: no pictures but, for each cell of a T x T square of tiles, the numbers
    that ``envs/engine/tiles.py`` describes."""

    screen_size: int
    """pixels per side of an observation (default 84)"""

    grayscale_obs: bool
    """one gray channel instead of three colours (default true; false for gymnasium)"""

    stack_size: int
    """how many frames an observation stacks along its channels, the newest last (default 1)"""

    frame_skip: int
    """how often an action is repeated in one step (default 1)"""

    max_inputs: int | None
    """raw inputs after which an episode is truncated; None (default) takes the limit of the game's rules"""

    random_start: int
    """each episode begins with 0 to this many uniformly random inputs, which count as inputs (default 0)"""

    num_threads: int
    """threads that step the games, on the CPU (default 1)"""


class GameSettings(PlaySettings, total=False):
    """Which games are played, how they look, and how they are seen and stepped.

    ``game``, ``level``, ``look_seed`` and ``looks`` are one value for all lanes or a sequence of one per lane.
    """

    game: str | Sequence[str] | None
    """princess or key_door; None (default) is the level's game, and Princess where no level is given"""

    level: str | Path | Level | Sequence[str | Path | Level | None] | None
    """a level's name, file or text, or a ``Level``; None (default) is the version's level"""

    look_seed: int | Sequence[int]
    """which drawings of the version's look are shown (default 0)"""

    order: Literal["own", "in_order", "drawn"]
    """``own``: each lane keeps its game (default). Otherwise the sequences may have any length, and a lane plays each
    episode in the next of their games (``in_order``) or in one drawn with the probabilities ``Games.chances``
    (``drawn``). ``info["place"]`` is its number. Every episode is then a separate play."""

    looks: Dials | Mapping[str, float] | Sequence[Dials | Mapping[str, float] | None] | None
    """dials, or a dict of their settings (``edition`` is one), that draw a random look in place of the version's
    (default None)"""

    split: str
    """training (default) or held_out: the set of drawings from which random looks are drawn"""


DEFAULTS: dict[str, Any] = {
    "game": None, "level": None, "look_seed": 0, "order": "own", "looks": None, "split": "training", "obs": "pixels",
    "screen_size": 84, "grayscale_obs": True, "stack_size": 1, "frame_skip": 1, "max_inputs": None, "random_start": 0,
    "num_threads": 1,
}  # fmt: skip
IN_COLOUR = DEFAULTS | {"grayscale_obs": False}
CHOICES = {"order": ("own", "in_order", "drawn"), "obs": ("pixels", "tiles")}
LEAST = {"screen_size": 1, "stack_size": 1, "frame_skip": 1, "random_start": 0, "num_threads": 1}


def check_settings(settings: Mapping[str, Any]) -> None:
    """ValueError, one line, for the first value out of range. Games, levels and looks are checked as they are read."""
    for name, least in LEAST.items():
        check_whole(name, settings[name], least)
    if settings["max_inputs"] is not None:
        check_whole("max_inputs", settings["max_inputs"], 1)
    for name, choices in CHOICES.items():
        check_choice(name, settings[name], choices)
