"""Networks that keep what they learned, under any training loop of torch. Imports none of the other rooms.

Public: the names in ``__all__``, and those of ``priorlab.transfer.fewshot``. Each is loaded when it is first used, as
torch and stable-baselines3 take seconds.
"""

import sys
from importlib import import_module

import lazy_loader

if __name__ == "transfer":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.transfer")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
