"""Compiles the engine for browsers: ``python -m priorlab.envs.browser.build`` writes engine.wasm and engine.json.

numba compiles the exported functions, with all that they call, to LLVM's intermediate representation, and LLVM compiles
that to WebAssembly. Building twice gives the same bytes.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

os.environ["NUMBA_OPT"] = "0"  # before numba is imported: what it optimises is meant for this machine's processor

import llvmlite.binding as llvm
import numba

from priorlab.envs.base.files import write_bytes, write_whole
from priorlab.envs.browser.exported import EXPORTED
from priorlab.envs.browser.object_file import executable
from priorlab.envs.browser.shipped import ENGINE, ORIGIN, SOURCES, source_hash

TRIPLE = "wasm32-unknown-unknown"
FEATURES = "+bulk-memory,+bulk-memory-opt"  # loops that copy or clear become one instruction
SWITCHES = '"no-jump-tables"="true"'  # those would be data, which need a linker
DECLARATION = re.compile(r"^declare (.*?)( #\d+)?$", re.MULTILINE)
RUNTIME = re.compile(r'@"?(Py|_Py|NRT_|numba_)')  # what numba and Python would have to be there for
DEFINITION = re.compile(r"^(define .*)\{$", re.MULTILINE)
TARGET = re.compile(r"^target (datalayout|triple) = .*$", re.MULTILINE)
OF_THE_LAB = re.compile(r"_ZN8priorlab4envs((?:\d+[a-z_]\w*)*)")
OF_THE_BUILD = ("browser/build.py", "browser/exported.py", "browser/game_files.py", "browser/object_file.py")


def build() -> tuple[bytes, dict[str, Any]]:
    """(engine.wasm, engine.json)."""
    representations = [represented(each, signature) for each, signature in EXPORTED.items()]
    sources = source_hashes("".join(representations))
    edition = edition_of(sources)
    representations.append(represented(returning(edition), "int32()"))
    wasm = executable(compiled(representations), [each.__name__ for each in EXPORTED] + ["edition"])
    built_with = {name: version(name) for name in ("numba", "llvmlite")}
    return wasm, {"sha256": sha256(wasm), "edition": edition, "built_with": built_with, "sources": sources}


def returning(number: int) -> Callable[[], int]:
    def edition() -> int:
        return number

    return edition


def represented(function: Callable, signature: str) -> str:
    """The representation of a function and of all that it calls, as text; its own name is as in Python."""
    compiled = numba.cfunc(signature, error_model="numpy")(function)
    text: str = compiled.inspect_llvm()
    text = text.replace(compiled.native_name, function.__name__)
    text = TARGET.sub("", text)
    text = DEFINITION.sub(rf"\1 {SWITCHES} {{", text)
    # what would call into Python runs only where something failed, which nothing here can
    return DECLARATION.sub(lambda found: unreachable(found[1]) if RUNTIME.search(found[1]) else found[0], text)


def unreachable(prototype: str) -> str:
    return f"define linkonce_odr {prototype} {{\n  unreachable\n}}"


def compiled(representations: list[str]) -> bytes:
    """The object file of all of them: optimised, with nothing visible but the exported functions."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu="mvp", features=FEATURES, opt=3)
    head = f'target datalayout = "{machine.target_data}"\ntarget triple = "{TRIPLE}"\n'
    module, *others = [llvm.parse_assembly(head + text) for text in representations]
    for other in others:
        module.link_in(other)
    names = {each.__name__ for each in EXPORTED} | {"edition"}
    for each in [*module.functions, *module.global_variables]:
        if not each.is_declaration and each.name not in names:
            each.linkage = "internal"
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(module, passes)
    module.verify()
    return machine.emit_object(module)


def source_hashes(representation: str) -> dict[str, str]:
    """The SHA-256 of each file under envs/ that functions of the representation are from, or that builds them."""
    found = {part for path in OF_THE_LAB.findall(representation) for part in [source_of(path)] if part}
    return {name: source_hash(name) for name in sorted({*found, *OF_THE_BUILD})}


def source_of(path: str) -> str:
    """``4game5rules4stepB2v8`` -> ``game/rules.py``."""
    parts: list[str] = []
    while (number := re.match(r"\d+", path)) and not (SOURCES / "/".join(parts)).with_suffix(".py").is_file():
        end = number.end() + int(number[0])
        parts.append(path[number.end() : end])
        path = path[end:]
    return "/".join(parts) + ".py"


def edition_of(sources: dict[str, str]) -> int:
    """A number that game files and the engine share: 31 bits of the hash of all sources."""
    return int(sha256(json.dumps(sources, sort_keys=True).encode())[:8], 16) >> 1


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    wasm, origin = build()
    write_bytes(ENGINE, wasm)
    write_whole(ORIGIN, json.dumps(origin, indent=2) + "\n")
    print(f"{ENGINE}: {len(wasm):,} bytes, edition {origin['edition']}")


if __name__ == "__main__":
    main()
