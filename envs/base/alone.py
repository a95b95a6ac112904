"""Objects that only one thread uses at a time, and whose copies are independent."""

import copy
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Self, TypeVar

F = TypeVar("F", bound=Callable)
SPACES = ("action_space", "observation_space", "single_action_space", "single_observation_space")
TAKEN = "another thread is stepping these games, which allow only one at a time"


def in_turn(method: F) -> F:
    """Marks a method of something ``Alone`` that one thread calls at a time; others get a RuntimeError meanwhile."""

    @wraps(method)
    def called(self: "Alone", *args: Any, **kwargs: Any) -> Any:
        if not self.turn.acquire(False):
            raise RuntimeError(f"{method.__name__}: {TAKEN}")
        try:
            return method(self, *args, **kwargs)
        finally:
            self.turn.release()

    return called  # pyright: ignore[reportReturnType]  called as the method is


class Alone:
    """Has a ``turn``, held by the thread that is in a method marked ``in_turn``. A copy, or what was pickled, shares
    nothing with the original: stepping one does not change the other."""

    turn: threading.Lock

    def __getstate__(self) -> dict[str, Any]:
        for each in (self, *(getattr(self, name, None) for name in SPACES)):
            getattr(each, "np_random", None)  # gymnasium makes it on first use, and would give a copy's other entropy
        return {name: value for name, value in vars(self).items() if name != "turn"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, turn=threading.Lock())

    def __copy__(self) -> Self:
        return copy.deepcopy(self)
