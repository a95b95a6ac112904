"""Files that one process holds at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


class Taken(OSError):
    """Another process holds the lock file."""


def hold(path: Path, taken: str) -> FileLock:
    """Locks the file until ``release``; raises ``Taken``, with the message ``taken``, if another process holds it."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Taken(taken) from None
    except NotImplementedError as error:
        raise OSError(f"{path}: this folder can't lock files ({error}): expected a local folder, or NFS 4") from None
    return lock


def release(lock: FileLock) -> None:
    # deleted before it is unlocked: afterwards it may be another process's already, and a third would not see it
    with suppress(OSError):  # Windows deletes it when it is unlocked
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


@contextmanager
def held(path: Path, taken: str) -> Iterator[None]:
    """Calls ``hold``, and ``release`` at the end of the block, however it ends."""
    lock = hold(path, taken)
    try:
        yield
    finally:
        release(lock)
