"""What a batch of games is to gymnasium, whoever steps them: its spaces, how games start over, what it is told."""

import copy
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Self

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from envs.resets import checked_mask, checked_seeds


def alone[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """A method that one thread calls at a time; RuntimeError for another thread that calls one meanwhile."""

    @wraps(method)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        turn: threading.Lock = args[0]._turn  # pyright: ignore[reportAttributeAccessIssue]  the object's own
        if not turn.acquire(blocking=False):
            raise RuntimeError(f"{method.__name__}: another thread is in these games; one at a time")
        try:
            return method(*args, **kwargs)
        finally:
            turn.release()

    return called
