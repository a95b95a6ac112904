"""The ``priorlab`` command, the experiments and the pages."""

import sys
from importlib import import_module

if __name__ == "scripts":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.scripts")
