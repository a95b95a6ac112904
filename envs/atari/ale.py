"""What clients of ale_py expect of an environment: its interface ``env.unwrapped.ale``, and its names for settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from priorlab.envs.atari.games import Atari

ASKED = (  # of ale_py's methods, those that neither show the screen nor change the game
    "lives", "game_over", "game_truncated", "getLegalActionSet", "getMinimalActionSet", "getScreenDims", "getRAM",
    "getRAMSize", "getFrameNumber", "getEpisodeFrameNumber", "getAvailableModes", "getAvailableDifficulties",
    "getBool", "getFloat", "getInt", "getString",
)  # fmt: skip
OURS = {"frameskip": "frame_skip", "max_num_frames_per_episode": "max_inputs"}
ALONE = {  # settings of ale_py's that have one value here, and what to say instead of another
    "obs_type": ("rgb", "grayscale_obs=True gives gray pictures; the console's memory is env.unwrapped.ale.getRAM()"),
    "mode": (None, "games are played in the mode in which ale_py starts them"),
    "difficulty": (None, "games are played at the difficulty at which ale_py starts them"),
    "continuous": (False, "inputs are whole numbers"),
    "continuous_action_threshold": (0.5, "inputs are whole numbers"),
    "sound_obs": (False, "games are silent"),
}


class MaskedALE:
    """ale_py's interface to a game as far as it shows the game as the player sees it, masked, and changes nothing.

    The pictures are of the last raw frame alone, as ale_py's are.
    """

    def __init__(self, games: Atari):
        self._games = games

    def getScreenRGB(self, screen_data: np.ndarray | None = None) -> np.ndarray:
        """uint8 (H, 160, 3); also written into ``screen_data`` where it is given."""
        return written(self._games.screen(), screen_data)

    def getScreenGrayscale(self, screen_data: np.ndarray | None = None) -> np.ndarray:
        """uint8 (H, 160); also written into ``screen_data`` where it is given."""
        return written(self._games.screen(grayscale=True)[..., 0], screen_data)

    def __getattr__(self, name: str) -> Any:
        if name not in ASKED:
            raise AttributeError(
                f"ale.{name}: not here, where it would show the game unmasked or play past the environment: expected "
                f"getScreenRGB, getScreenGrayscale (both masked), {', '.join(ASKED)}"
            )
        return getattr(self._games.interface(), name)


def written(picture: np.ndarray, target: np.ndarray | None) -> np.ndarray:
    if target is None:
        return picture
    if target.shape != picture.shape:
        raise ValueError(
            f"ALE's screen is asked for as {target.shape}: expected {picture.shape}; make the environment with "
            "screen_size=None for wrappers that read it"
        )
    target[:] = picture
    return target


def ours(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of ale_py's own environment as those of ``Atari``; None is what there is without them.

    Raises ValueError for what can't be had here, TypeError for what neither knows.
    """
    found = {}
    for name, value in settings.items():
        if name in OURS:
            found |= {} if value is None else {OURS[name]: value}
        elif name not in ALONE:
            raise TypeError(
                f"unexpected setting {name!r}: expected those of priorlab.envs.atari.games.Atari, or ale_py's own"
            )
        elif value is not None and value != ALONE[name][0]:
            raise ValueError(f"{name} is {value!r}: expected {ALONE[name][0]!r}; {ALONE[name][1]}")
    return found
