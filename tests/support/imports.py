"""Which file imports which, from the code: ``python -m tests.support.imports`` prints what each shelf uses.

Imports inside functions and for type checkers count as those at the top do.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support.paths import ROOT

ROOMS = ("envs", "agents", "human_study", "transfer", "scripts")
Graph = dict[str, set[str]]


def modules() -> dict[str, Path]:
    """Every module and package of the rooms by its name without ``priorlab``."""
    paths = {path for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    return {name_of(path): path for path in sorted(paths)}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(path: Path) -> tuple[ast.AST, ...]:
    """What tells imports: the imports themselves, and the calls."""
    kinds = ast.Import, ast.ImportFrom, ast.Call
    return tuple(node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kinds))


def imported(path: Path) -> Iterator[str]:
    """Dotted names without ``priorlab``: those of modules, and of what is taken from them.

    A name that ends in a dot stands for any module whose name begins so: it is imported by a name made at run time.
    """
    for node in parsed(path):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:  # only the stubs of faces import so
            names = [f"priorlab.{name_of(path)}.{node.module}"]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [ast.unparse(node.args[0]).strip("f'\"").partition("{")[0]]
        yield from (name.removeprefix("priorlab.") for name in names if name.startswith("priorlab."))


@cache
def file_graph() -> Graph:
    known = modules()
    graph: Graph = {}
    for module, path in known.items():
        names = {name for source in (path, path.with_suffix(".pyi")) if source.exists() for name in imported(source)}
        found = {other for name in names for other in resolved(name, known)}
        graph[module] = found - {module}
    return graph


def resolved(name: str, known: Mapping[str, Path]) -> list[str]:
    """The modules that an imported name stands for; a name within a module stands for the module."""
    if name.endswith("."):
        return [module for module in known if module.startswith(name)]
    return [name] if name in known else [module for module in [name.rpartition(".")[0]] if module in known]


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
