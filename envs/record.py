"""Recorders: a person's play as it happens, written so that a crash loses next to nothing, and an agent's."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from envs.games import Games
from envs.level import Level
from envs.places import version_on
from envs.play import (
    CHARACTERS,
    INPUTS_PER_SECOND,
    SUFFIX,
    Course,
    Outcome,
    Play,
    hash_picture,
    hash_state,
    new_id,
    reserve,
    today,
    write_whole,
)
from envs.results import software
from envs.rules import PLAY_INPUTS

LIMIT = 30 * 60 * INPUTS_PER_SECOND  # inputs of a person's play: 30 minutes
PLAYER_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Recording:
    """A play as it happens, and its file ``<folder>/<id>.play``. ``game`` and ``level`` are as in ``Games``.

    The file is written once a second of inputs, at each death and at the end, so that a crash loses at most a
    second; until the end it holds the play so far, marked unfinished. A thread of its own writes it, so that
    a slow disk makes no step late.
    """

    def __init__(
        self,
        folder: str | Path,
        version: str = "original",
        *,
        game: str | None = None,
        level: str | Path | Level | None = None,
        look_seed: int = 0,
        seed: int = 0,
        player_id: str = "auto",
        limit: int = LIMIT,
    ):
        if not PLAYER_ID.fullmatch(player_id):
            raise ValueError(f"player_id is {player_id!r}: expected 1 to 32 letters, digits, '-' or '_'")
        if limit < 1:
            raise ValueError(f"limit is {limit}: expected 1 input or more")
        chosen, found = version_on(game, version, level)
        Course(version, found, look_seed, seed).step(0)  # compiles what must not be compiled while somebody plays
        self.course = Course(version, found, look_seed, seed)
        name = new_id()
        self._about: dict[str, Any] = {
            "version": version, "level": found, "look_seed": look_seed, "seed": seed, "id": name,
            "player_id": name if player_id == "auto" else player_id, "software": software(),
            "date": today(),
            "first_picture": hash_picture(self.course.picture),
            "rules": chosen.rules,
        }  # fmt: skip
        self.limit, self._inputs = limit, bytearray()
        self.ended: Outcome | None = None
        self._writer, self._writing = ThreadPoolExecutor(1), Future[None]()
        self._writing.set_result(None)
        self.path = reserve(Path(folder) / f"{name}{SUFFIX}")
        self._write(self.play())
        self._writing.result()

    def step(self, action: int) -> Outcome | None:
        """One input; how the play ended by it, or None."""
        if self.ended:
            raise RuntimeError(f"the play has ended ({self.ended}): expected no input after it")
        died = self.course.step(action)
        self._inputs += CHARACTERS[action].encode()
        late = len(self._inputs) >= self.limit
        self.ended = "win" if self.course.solved else "limit" if late else None
        if died or self.ended or (len(self._inputs) % INPUTS_PER_SECOND == 0 and self._writing.done()):
            self._write(self.play())
        return self.ended

    def play(self) -> Play:
        """The play so far; until it has ended it counts as quit and is unfinished."""
        inputs, last = self._inputs.decode(), hash_state(self.course.state)
        return Play(
            inputs=inputs, ended=self.ended or "quit", unfinished=not self.ended, last_state=last, **self._about
        )

    def end(self) -> Play:
        """Writes the finished play, a quit unless it was won or at the limit; nothing can be recorded after it."""
        self.ended = self.ended or "quit"
        play = self.play()
        self._write(play)
        self._writer.shutdown()
        self._writing.result()
        return play

    def _write(self, play: Play) -> None:
        self._writing.result()  # raises what went wrong with the last one
        self._writing = self._writer.submit(lambda: write_whole(self.path, play.text()))


class LaneRecorder:
    """Records the plays of one lane of a batch: after each ``games.step``, give ``step`` the lane's action.

    Made right after ``games.reset``. The batch must restart its lanes itself (autoreset), in the same game each, and
    without random inputs, of which nobody tells. An action repeated counts as often as it was. ``about`` are fields of
    Play.
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
        """The play so far; the next one begins."""
        inputs, self._inputs = self._inputs, ""
        return Play.of(inputs, self.version, ended=ended, **self._about)
