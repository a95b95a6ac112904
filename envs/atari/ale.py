"""The interface ``env.unwrapped.ale`` that clients of ale_py expect of an environment."""

from typing import Any

import numpy as np

from priorlab.envs.atari.games import Atari

ASKED = (  # ale_py's methods that neither show the screen nor change the game
    "lives", "game_over", "game_truncated", "getLegalActionSet", "getMinimalActionSet", "getScreenDims", "getRAM",
    "getRAMSize", "getFrameNumber", "getEpisodeFrameNumber", "getAvailableModes", "getAvailableDifficulties",
    "getBool", "getFloat", "getInt", "getString",
)  # fmt: skip


class MaskedALE:
    """The part of ale_py's interface to a game that shows it as the player sees it, masked, and changes nothing.

    Pictures show only the last raw frame, as ale_py's do.
    """

    def __init__(self, games: Atari):
        self._games = games

    def getScreenRGB(self, screen_data: np.ndarray | None = None) -> np.ndarray:
        """uint8 (H, 160, 3); also written into ``screen_data`` if given."""
        return written(self._games.screen(), screen_data)

    def getScreenGrayscale(self, screen_data: np.ndarray | None = None) -> np.ndarray:
        """uint8 (H, 160); also written into ``screen_data`` if given."""
        return written(self._games.screen(grayscale=True)[..., 0], screen_data)

    def __getattr__(self, name: str) -> Any:
        if name not in ASKED:
            raise AttributeError(
                f"ale.{name}: not available, as it would show the game unmasked or bypass the environment: expected "
                f"getScreenRGB, getScreenGrayscale (both masked), {', '.join(ASKED)}"
            )
        return getattr(self._games.interface(), name)


def written(picture: np.ndarray, target: np.ndarray | None) -> np.ndarray:
    if target is None:
        return picture
    if target.shape != picture.shape:
        raise ValueError(
            f"ALE's screen was requested as {target.shape}: expected {picture.shape}; make the environment with "
            "screen_size=None for wrappers that read it"
        )
    target[:] = picture
    return target
