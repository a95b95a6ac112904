"""Makes logs of the chunks, in a process of its own: half an hour of play takes seconds."""

import asyncio
import logging
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from pathlib import Path

from priorlab.envs.base.files import one_line
from priorlab.envs.base.workers import worker_pool
from priorlab.human_study.data.chunks import chunks_path
from priorlab.human_study.data.imported import import_session, problem_of
from priorlab.human_study.server.running import Running
from priorlab.human_study.server.sessions import Sessions
from priorlab.human_study.server.tally import LONGEST
from priorlab.human_study.study.study_file import Study

LOOK = 10.0  # seconds between two looks for sessions with news
QUIET = 20.0  # seconds without a chunk, after which an unfinished session is imported, too
KILLED = "the process that imports it was killed; another one tries again"  # such as by a system without memory

log = logging.getLogger("priorlab.serve")


class Imports:
    """Imports each session once it is finished, and after each time that nobody has sent anything for a while."""

    def __init__(self, sessions: Sessions):
        self.sessions = sessions
        self._wanted: dict[str, Running] = {}
        self._news = asyncio.Event()
        self._pool: ProcessPoolExecutor | None = None

    def ask(self, running: Running) -> None:
        """Imports the session soon."""
        self._wanted[running.code] = running
        self._news.set()

    async def run(self) -> None:
        while True:
            now = time.time()
            quiet = [each for each in [*self.sessions.running.values()] if now > each.heard + QUIET]
            wanted, self._wanted = [*self._wanted.values(), *quiet], {}
            self._news.clear()
            for running in sorted(wanted, key=lambda each: each.took):  # whoever made one that takes long waits for it
                with suppress(OSError):  # such as of a network folder that is away: looked for again later
                    running.look()
                    if not running.is_gone and running.imported != running.writer.next:
                        await self._import(running)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK)

    async def _import(self, running: Running) -> None:
        count, began = running.writer.next, time.monotonic()
        if self._pool is None:
            self._pool = worker_pool(1)
        job = partial(import_one, self.sessions.study.path, running.code)
        try:
            running.problem = shortened(await asyncio.get_running_loop().run_in_executor(self._pool, job))
        except BrokenProcessPool:  # it was killed: a new one tries again
            self._pool, running.problem = None, KILLED
            return
        except Exception as error:  # such as a full disk: tried again; and the other sessions go on
            running.problem = shortened(one_line(running.writer.path, error))
            return
        finally:
            running.took = time.monotonic() - began
        running.imported = count
        if running.problem and not running.is_gone:
            log.error("place %d can't be imported: %s", running.place, running.problem)

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


def import_one(study: Path, code: str) -> str:
    """Imports a session; returns "" or, one line, what is wrong with its chunks. Raises OSError."""
    path = study
    try:
        loaded = Study.load(study)
        path = chunks_path(loaded.folder, code)
        import_session(loaded, path)
    except ValueError as error:
        return problem_of(path, error)
    return ""


def shortened(problem: str) -> str:
    """It begins with the file and the line, and ends with the reason; what a browser sent stands between them."""
    return problem if len(problem) <= 2 * LONGEST else f"{problem[:LONGEST]} ... {problem[-LONGEST:]}"
