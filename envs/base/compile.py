"""Compilation by numba where it is installed; elsewhere the same functions run as plain Python.

numba's disk cache notices a change in the file that holds a kernel, but not in the modules whose functions the kernel
calls. So the cache folder is named after a hash of every source that is compiled (``envs/base/kernel_cache.py``).
"""

import hashlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from priorlab.envs.base import kernel_cache

try:
    numba: Any = import_module("numba")
    extending: Any = import_module("numba.extending")
    cgutils: Any = import_module("numba.core.cgutils")
except ImportError:  # no compiler here (in a browser)
    numba = extending = cgutils = None

COMPILED = numba is not None
REGISTERS = 128  # at most, per GPU thread: with the 185 that drawing would take, half as many threads run at once
F = TypeVar("F", bound=Callable)
SOURCES = (  # files under envs/ that hold compiled code
    "base/compile.py",
    "base/generators.py",
    "game/rules.py",
    "game/playing.py",
    "game/movement.py",
    "game/movement_tree.py",
    "game/replaying.py",
    "game/foreseeing.py",
    "game/gathering.py",
    "game/route_search.py",
    "game/routes.py",
    "game/solver.py",
    "engine/tiles.py",
    "engine/draw.py",
    "engine/lockstep.py",
    "engine/infos.py",
    "engine/crew.py",
    "engine/gpu_kernels.py",
    "interfaces/key_rule.py",
    "random_games/estimate.py",
    "random_games/traps.py",
    "players/atlas.py",
    "players/mind.py",
    "players/planner.py",
    "atari/masked_draw.py",
)


def sources_hash(folder: Path) -> str:
    """The hash of all sources of kernels in ``folder``."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> tuple[Path | None, str]:
    """(the folder that keeps compiled kernels between runs, why it is not the usual one); see ``kernel_cache.py``."""
    return kernel_cache.folder(f"kernels-{sources_hash(Path(__file__).parents[1])}")


def function(plain: F) -> F:
    """A function that kernels call: plain Python, and compiled by numba into each kernel that uses it, on CPU or GPU.

    It allocates nothing, so it needs none of numba's reference counts, and taking a row of an array costs nothing.
    """
    return extending.register_jitable(_nrt=False)(plain) if numba else plain


def inlined(plain: F) -> F:
    """A ``function`` that becomes part of its caller: for one that takes a tuple of arrays, of which a call would copy
    every field of each array."""
    return extending.register_jitable(_nrt=False, forceinline=True)(plain) if numba else plain


def kernel(plain: F) -> F:
    """A function that Python calls: compiled at its first call, cached on disk, run without the interpreter's lock."""
    if not numba:
        return plain
    return kept(plain, numba.njit, nogil=True, _nrt=False, boundscheck=False, error_model="numpy")


def gpu_kernel(plain: Callable) -> Any:
    """A function that Python launches on a GPU, in many threads, or in numba's simulator of one.

    It is compiled at its first launch and cached on disk.
    """
    cuda = import_module("numba.cuda")
    return kept(plain, cuda.jit, **({} if numba.config.ENABLE_CUDASIM else {"max_registers": REGISTERS}))


class Bound:
    """A kernel together with its arguments, to be called often.

    numba looks up the types of all arguments at every call, which takes as long as a step of some games; here they are
    looked up only at the first.
    """

    def __init__(self, kernel: Any, *arguments: Any):
        self._kernel, self._arguments, self._call = kernel, arguments, None

    def __call__(self) -> Any:
        if self._call is None:
            compiled = hasattr(self._kernel, "compile")  # not without numba, and not with NUMBA_DISABLE_JIT
            self._call = self._kernel.compile(tuple(map(numba.typeof, self._arguments))) if compiled else self._kernel
        return self._call(*self._arguments)


def kept(plain: Callable, jit: Callable, **settings: Any) -> Any:
    """The function compiled by ``jit``, and cached in its folder within the one for all kernels."""
    config = numba.config
    folder, why = cache_folder()
    before = config.CACHE_DIR
    try:
        if folder:
            config.CACHE_DIR = str(folder / f"{plain.__module__}.{plain.__qualname__}")
        compiled = jit(cache=folder is not None, **settings)(plain)
    finally:
        config.CACHE_DIR = before
    if hasattr(compiled, "_cache"):  # numba's simulator of a GPU caches nothing
        kernel_cache.Kept(compiled._cache, why)
    return compiled


def intrinsic(plain: Callable) -> Any:
    """A function that kernels call, made of compiler instructions; it has no plain form."""
    return extending.intrinsic(plain) if numba else plain


def element(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """A pointer to ``arguments[0][arguments[1]]``, where the array is int64."""
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, arguments[0])
    return cgutils.get_item_pointer(context, builder, kind, array, [arguments[1]])


@intrinsic
def load(_typing: Any, array: Any, index: Any) -> Any:
    """load(array, index): what another thread stored there. All that it wrote before is then visible, too."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(element(context, builder, signature, arguments), "acquire", 8)

    return array.dtype(array, numba.intp), generate


@intrinsic
def store(_typing: Any, array: Any, index: Any, value: Any) -> Any:
    """store(array, index, value), for another thread to load."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], element(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return numba.void(array, numba.intp, array.dtype), generate
