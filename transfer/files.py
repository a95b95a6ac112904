"""Files that are either as before or completely new."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

REPLACE_TRIES = 20  # on Windows a virus scanner can hold a file open for a moment, and it cannot be replaced then


@contextmanager
def writing(path: Path) -> Iterator[io.BufferedWriter]:
    """A draft to write into. It replaces ``path`` at the end of the block, once all of it is on disk.

    If the block fails, the draft is deleted and ``path`` stays as it was.
    """
    draft = path.with_name(path.name + ".draft")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def replace(draft: Path, path: Path) -> None:
    for left in reversed(range(REPLACE_TRIES)):
        try:
            draft.replace(path)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(0.05)
