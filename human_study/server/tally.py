"""How far a session in a browser has come, and how well its game runs, counted from its entries as they arrive."""

from collections.abc import Iterable
from dataclasses import dataclass

from priorlab.envs.plays.play import INPUTS_PER_SECOND
from priorlab.human_study.data.chunks import Entry
from priorlab.human_study.data.judging import Judge, Unearned
from priorlab.human_study.data.recorder import LEFT

LONGEST = 200  # characters that are shown of what a browser sent
LATE = 0.5 / INPUTS_PER_SECOND * 1e6  # microseconds after which an input counts as taken late


@dataclass
class Tally:
    of: int  # plays that the session has
    judge: Judge
    page: str = ""  # the last one that was shown
    plays: int = 0  # begun so far
    played: int = 0  # plays with an input or an end
    inputs: int = 0
    late: int = 0  # inputs
    reloads: int = 0
    offline: int = 0  # times that the connection was lost
    is_finished: bool = False
    is_stopped: bool = False
    is_excluded: bool = False
    is_unearned: bool = False  # whether the page went on although the answers did not earn it

    @property
    def end(self) -> str:
        """What a panel is told, once the session is finished."""
        if self.is_excluded or self.is_unearned:
            return "screened_out"
        return "complete" if self.played == self.of and not self.is_stopped else "stopped"

    def take(self, entries: Iterable[Entry]) -> None:
        """Counts entries; those that make no sense count as nothing, and are reported when they are imported."""
        for entry in entries:
            self._judge(entry)
            match entry:
                case ["s", _, int(due), int(done), _]:
                    self.inputs += 1
                    self.played += self.played < self.plays
                    self.late += done - due > LATE
                case ["p", _, int(number)] if number == self.plays < self.of:
                    self.plays, self.page = self.plays + 1, f"play:{self.plays}"
                case ["q", _, reason]:
                    self.is_stopped |= reason != LEFT
                    self.played += self.played < self.plays
                case ["r", _]:
                    self.reloads += 1
                case ["f", _]:
                    self.is_finished = True
                case ["e", _, "page", {"page": str(page), "what": what}]:
                    self.page = page[:LONGEST]
                    self.is_stopped |= what == "stop"
                case ["e", _, "excluded", _]:
                    self.is_excluded = True
                case ["e", _, "offline", {"what": "begin"}]:
                    self.offline += 1

    def _judge(self, entry: Entry) -> None:
        try:
            match entry:
                case ["e", _, str(name), dict(fields)]:
                    self.judge.take(name, fields)
                case ["p", *_]:
                    self.judge.begin_play()
        except Unearned:
            self.is_unearned = True
        except (ValueError, TypeError, KeyError):
            return
