"""How every command runs: it prints on every console, and whatever ends it is said in one line."""

import _thread
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from io import StringIO, TextIOWrapper
from typing import Any

from priorlab.scripts.console import printable, told

STOPPED, BROKEN_PIPE = 130, 141  # exit codes: as shells give them to what Ctrl-C, or a reader that left, has ended


def run(name: str, words: Sequence[str] | None = None) -> None:
    """Runs the command of that name with the words of the command line, ``in_a_line``."""
    with in_a_line(f"priorlab {name}"):
        from priorlab.scripts.words import called

        command = import_module(f"priorlab.scripts.commands.{name.replace('-', '_')}").main
        called(command, f"priorlab {name}", sys.argv[1:] if words is None else words)()


@contextmanager
def in_a_line(name: str) -> Iterator[None]:
    """Whatever ends the block early prints one line: exit code 1 where it was refused or failed, 130 after Ctrl-C; for
    a reader that left, as `head` does, none."""
    sys.stdout, sys.stderr = (stream or StringIO() for stream in (sys.stdout, sys.stderr))  # one may be closed
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=printable.__name__)
    before, sys.unraisablehook = sys.unraisablehook, unraisable
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        exec("")  # else Python ends itself by the signal where it came within an exec, although it is caught here
        print(f"{name}: {str(stop) or 'stopped'}", file=sys.stderr)
        sys.exit(STOPPED)
    except BrokenPipeError:
        with suppress(OSError):  # what is left to be written has nowhere to go
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(f"{name}: {told(error)}")
    finally:
        sys.unraisablehook = before


def unraisable(caught: Any) -> None:
    """Ctrl-C while the interpreter was where nothing can be raised is tried again, and not printed as a traceback."""
    if caught.exc_type is KeyboardInterrupt:
        _thread.interrupt_main()
    else:
        sys.__unraisablehook__(caught)
