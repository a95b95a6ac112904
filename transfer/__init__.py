"""Networks that keep what they learned, under any torch learner. Imports none of the other rooms."""

import sys
from importlib import import_module

if __name__ == "transfer":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.transfer")
