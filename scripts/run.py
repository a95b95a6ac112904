"""Runs a command: it prints on every console, and any error that ends it becomes one line."""

import _thread
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from io import StringIO, TextIOWrapper
from types import ModuleType
from typing import Any

from priorlab.envs.base.workers import follow_if_asked
from priorlab.scripts.console import error_line, printable

STOPPED, BROKEN_PIPE = 130, 141  # exit codes, as shells give them: after Ctrl-C, and when the reader of a pipe left
SHORTLY = 0.01  # seconds
COLLECT_AFTER = 10_000  # new objects; with Python's 700, searching for garbage takes a tenth of a comparison's time


def run(name: str, arguments: Sequence[str] | None = None) -> None:
    """Runs the command of that name with these arguments, by default the command line's."""
    with errors_in_one_line(f"priorlab {name}"):
        follow_if_asked()
        from priorlab.scripts.arguments import parse_call

        command = load(f"priorlab.scripts.commands.{name.replace('-', '_')}").main
        parse_call(command, f"priorlab {name}", sys.argv[1:] if arguments is None else arguments)()


def load(name: str) -> ModuleType:
    """Imports a command. What it imports stays until the end, so the garbage collector need not search it."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        gc.enable()


@contextmanager
def errors_in_one_line(name: str) -> Iterator[None]:
    """Prints one line for an error that ends the block and exits: with code 1 after an error, 130 after Ctrl-C. Exits
    silently with 141 if the reader of a pipe left, as `head` does."""
    sys.stdout, sys.stderr = (stream or StringIO() for stream in (sys.stdout, sys.stderr))  # one may be closed
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=printable.__name__)
    before, sys.unraisablehook = sys.unraisablehook, retry_interrupt
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        exec("")  # without it, a signal that came within an exec ends Python, although it was caught here
        print(f"{name}: {str(stop) or 'stopped'}", file=sys.stderr)
        sys.exit(STOPPED)
    except BrokenPipeError:
        with suppress(OSError):  # buffered output has nowhere to go
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except (ValueError, OSError, FloatingPointError) as error:
        sys.exit(f"{name}: {error_line(error)}")
    finally:
        sys.unraisablehook = before


def retry_interrupt(caught: Any) -> None:
    """Raises Ctrl-C again if it came where the interpreter could not raise it, instead of printing a traceback.

    It does so a little later: raised before this function returns, it would be ignored once more, and lost.
    """
    if caught.exc_type is KeyboardInterrupt:
        threading.Timer(SHORTLY, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(caught)
