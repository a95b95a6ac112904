"""Records what an agent does; ``priorlab.human_study.data.recorder`` records people."""

from typing import Any

import numpy as np

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import PLAY_INPUTS
from priorlab.envs.plays.play import CHARACTERS, Outcome, Play


class LaneRecorder:
    """Records the plays of one lane of ``Games``: after each ``games.step``, pass the lane's action to ``step``.

    Make it right after ``games.reset``. Raises ValueError unless the games use autoreset, order "own" and no random
    start, whose inputs are not reported. An action repeated by frame skip is recorded as often as it was taken.
    ``about``: further fields of ``Play``.
    """

    def __init__(self, games: Games, lane: int, version: str, *, look_seed: int = 0, **about: Any):
        if not games.autoreset or games.random_start or games.order != "own":
            raise ValueError('LaneRecorder: expected games with autoreset, order "own" and without random_start')
        self.games, self.lane, self.version = games, lane, version
        level = games.places[games.lanes.scene[lane]].level
        self._about: dict[str, Any] = {"player": "agent", "level": level, "look_seed": look_seed, **about}
        self._inputs = ""

    def step(self, action: int) -> Play | None:
        """The play that ended with this step, or None."""
        games, lane = self.games, self.lane
        ended = np.flatnonzero(games.ended == lane)
        total = games.final_info["inputs"][ended[0]] if len(ended) else games.state[lane, PLAY_INPUTS]
        self._inputs += CHARACTERS[action] * (int(total) - len(self._inputs))
        over = len(ended) and (games.lanes.truncated[lane] or games.final_info["solved"][ended[0]])
        return self.end("limit") if over else None  # a death ends the agent's episode, not the play

    def end(self, ended: Outcome = "quit") -> Play:
        """Ends the play and returns it; the next one begins."""
        inputs, self._inputs = self._inputs, ""
        return Play.of(inputs, self.version, ended=ended, **self._about)
