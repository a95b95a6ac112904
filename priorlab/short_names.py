"""From a checkout's root, ``import envs`` gives ``priorlab.envs``: one module under two names, never two of them."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType

ROOMS = ("envs", "agents", "human_study", "transfer", "scripts")


class LongName(Loader):
    """Loads a module of a room by importing it by its long name."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = import_module(f"priorlab.{module.__name__}")

    def get_code(self, name: str) -> CodeType | None:
        """What ``python -m`` runs."""
        spec = find_spec(f"priorlab.{name}")
        return spec.loader.get_code(spec.name) if spec and hasattr(spec.loader, "get_code") else None  # type: ignore


class ShortNames(MetaPathFinder):
    """Finds ``envs`` where Python would take this checkout's, and whatever is in it."""

    def __init__(self, root: Path):
        self.root = root

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        room = name.partition(".")[0]
        if room not in ROOMS or not (self.is_here(room) if path is None else self.is_known(room)):
            return None
        return ModuleSpec(name, LongName(), is_package=path is None)

    def is_here(self, room: str) -> bool:
        found = PathFinder.find_spec(room)
        return found is not None and Path(found.origin or "").resolve().parent == self.root / room

    def is_known(self, room: str) -> bool:
        return sys.modules.get(room) is sys.modules.get(f"priorlab.{room}", self)


def install(root: Path) -> None:
    """From now on, the short names find this checkout's rooms, at any place of ``root`` on Python's path."""
    sys.meta_path.insert(0, ShortNames(root))
