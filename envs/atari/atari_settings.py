"""The settings of a batch of Atari games, under every interface: each documented here, with its default and its range;
and ale_py's names for some of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from priorlab.envs.base.settings import check_whole, complete


class AtariSettings(TypedDict, total=False):
    """How Atari games look, and how they are seen and stepped."""

    mask: str | Sequence[str]
    """none (default), colours, textures, objects, background, all, or several of them"""

    mask_seed: int
    """which drawing of the mask is shown (default 0)"""

    frame_skip: int
    """raw frames for which a step holds its action (default 4). The picture is the maximum, per pixel and channel, of
    the last two raw frames, each drawn with the mask (Machado et al. 2018)."""

    screen_size: int | None
    """pixels per side (default 84); None keeps the size of ALE's screen, 210 x 160 in most games"""

    grayscale_obs: bool
    """one gray channel instead of three colours (default false)"""

    stack_size: int
    """how many frames an observation stacks along its channels, the newest last (default 1)"""

    repeat_action_probability: float
    """probability that ALE repeats the last input instead (Machado et al. 2018), drawn by the seed (default 0)"""

    max_inputs: int
    """raw frames after which an episode is truncated (default 108,000)"""

    noop_max: int
    """each episode begins with 0 to this many raw frames without input, which count as inputs (default 0)"""

    full_action_space: bool
    """all 18 inputs, even where the game uses fewer (default false)"""


class AleSettings(AtariSettings, total=False):
    """``AtariSettings``, and the names that ale_py's environments use. None stands for the default."""

    frameskip: int | None
    """``frame_skip``"""

    max_num_frames_per_episode: int | None
    """``max_inputs``"""

    obs_type: str | None
    """only rgb; see ``grayscale_obs``"""

    mode: int | None
    """only the game's first"""

    difficulty: int | None
    """only the game's first"""

    continuous: bool | None
    """only false"""

    continuous_action_threshold: float | None
    """only 0.5"""

    sound_obs: bool | None
    """only false"""


DEFAULTS: dict[str, Any] = {
    "mask": "none", "mask_seed": 0, "frame_skip": 4, "screen_size": 84, "grayscale_obs": False, "stack_size": 1,
    "repeat_action_probability": 0.0, "max_inputs": 108_000, "noop_max": 0, "full_action_space": False,
}  # fmt: skip
LEAST = {"stack_size": 1, "frame_skip": 1, "max_inputs": 1, "noop_max": 0, "mask_seed": 0}
RENAMED = {"frameskip": "frame_skip", "max_num_frames_per_episode": "max_inputs"}  # ale_py's names
FIXED = {  # settings of ale_py that have one value here, and what to say to another
    "obs_type": ("rgb", "grayscale_obs=True gives gray pictures; the console's memory is env.unwrapped.ale.getRAM()"),
    "mode": (None, "games are played in the mode in which ale_py starts them"),
    "difficulty": (None, "games are played at the difficulty at which ale_py starts them"),
    "continuous": (False, "inputs are whole numbers"),
    "continuous_action_threshold": (0.5, "inputs are whole numbers"),
    "sound_obs": (False, "games are silent"),
}


def check_settings(settings: Mapping[str, Any]) -> None:
    """ValueError, one line, for the first value out of range. Games and masks are checked as they are read."""
    for name, least in LEAST.items():
        check_whole(name, settings[name], least)
    if settings["screen_size"] is not None:
        check_whole("screen_size", settings["screen_size"], 1)
    if not 0 <= settings["repeat_action_probability"] <= 1:
        raise ValueError(f"repeat_action_probability is {settings['repeat_action_probability']!r}: expected 0 to 1")
    if settings["max_inputs"] <= settings["noop_max"]:
        raise ValueError(f"max_inputs is {settings['max_inputs']}: expected more than noop_max, {settings['noop_max']}")


def with_ale_names(given: Mapping[str, Any], others: Iterable[str]) -> dict[str, Any]:
    """All of ``AtariSettings``, from settings that may have ale_py's names.

    Raises ValueError for values of ale_py's settings that can't be had here, TypeError for a name that neither has;
    ``others`` are names that the caller takes by itself.
    """
    complete(given, DEFAULTS | dict.fromkeys(RENAMED) | dict.fromkeys(FIXED), others)
    settings = {name: value for name, value in given.items() if name in DEFAULTS}
    for name, value in given.items():
        if name in RENAMED and value is not None:
            settings[RENAMED[name]] = value
        if name in FIXED and value is not None and value != FIXED[name][0]:
            raise ValueError(f"{name} is {value!r}: expected {FIXED[name][0]!r}; {FIXED[name][1]}")
    return DEFAULTS | settings
