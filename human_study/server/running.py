"""One session that is in a browser, or was."""

import threading
from dataclasses import dataclass, field

from priorlab.human_study.data.chunks import ChunkWriter
from priorlab.human_study.data.judging import Judge
from priorlab.human_study.server.limits import Bucket
from priorlab.human_study.server.tally import Tally
from priorlab.human_study.study.criteria import Criteria

CHUNKS_A_SECOND, CHUNKS_AT_ONCE = 20.0, 400.0  # of one session; after an interruption all that waited comes at once
READS_A_SECOND, READS_AT_ONCE = 0.2, 20.0  # of one session: each time that its page is opened, or its checks are judged


@dataclass
class Running:
    """``writer`` belongs to whoever holds the lock."""

    code: str
    place: int
    versions: tuple[str, ...]
    language: str
    began: float  # when consent was given, seconds since 1970
    client: str  # hash of what the browser calls itself
    writer: ChunkWriter
    criteria: Criteria
    tally: Tally = field(init=False)
    heard: float = 0.0  # of the last chunk, seconds since 1970
    imported: int = -1  # chunks that its log holds
    took: float = 0.0  # seconds of the last import
    problem: str = ""  # why its log is not up to date
    is_gone: bool = False  # whether its record was deleted
    lock: threading.Lock = field(default_factory=threading.Lock)
    bucket: Bucket = field(default_factory=lambda: Bucket(CHUNKS_A_SECOND, CHUNKS_AT_ONCE))
    reads: Bucket = field(default_factory=lambda: Bucket(READS_A_SECOND, READS_AT_ONCE))

    def __post_init__(self) -> None:
        self.tally = self._empty()

    def _empty(self) -> Tally:
        return Tally(len(self.versions), Judge(self.criteria))

    def forget(self) -> None:
        """The record was deleted."""
        self.is_gone, self.tally, self.problem = True, self._empty(), ""

    def look(self) -> None:
        """Notices that `priorlab withdraw` deleted the record."""
        if not self.writer.path.exists():
            self.forget()
