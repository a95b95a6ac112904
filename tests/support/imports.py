"""Which file imports which, from the code: ``python -m tests.support.imports`` prints what each shelf uses.

Imports inside functions and for type checkers count as those at the top do.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support.paths import ROOT

ROOMS = ("envs", "agents", "human_study", "transfer", "scripts")
Graph = dict[str, set[str]]


def modules() -> dict[str, Path]:
    """Every module of the rooms by its name without ``priorlab``, but for packages that only name what is public."""
    paths = {path for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(paths)}


def imported(path: Path) -> Iterator[str]:
    """Dotted names without ``priorlab``: those of modules, and of what is taken from them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("priorlab.") for name in names if name.startswith("priorlab."))


def file_graph() -> Graph:
    known = modules()
    graph: Graph = {}
    for module, path in known.items():
        found = {name if name in known else name.rpartition(".")[0] for name in imported(path)}
        graph[module] = {name for name in found if name in known and name != module}
    return graph


def shelf_of(module: str) -> str:
    """The folder a module is in; what stands in a room without a shelf is one of its own."""
    parts = module.split(".")
    return ".".join(parts[:2])


def shelf_graph(files: Mapping[str, set[str]]) -> Graph:
    graph: Graph = defaultdict(set)
    for module, others in files.items():
        graph[shelf_of(module)] |= {shelf_of(other) for other in others} - {shelf_of(module)}
    return dict(graph)


def circle(graph: Graph) -> list[str]:
    """One way round and back, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


if __name__ == "__main__":
    for shelf, others in sorted(shelf_graph(file_graph()).items()):
        print(f"{shelf:28} {'  '.join(sorted(others))}")
