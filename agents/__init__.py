"""Learning agents: PPO and DQN on pixels, with curiosity and demonstrations, on the same games as people.

    from priorlab.agents import Settings, train
    print(train(Settings(version="masked_semantics")))

The public names are listed in ``__init__.pyi``, and each is imported when it is first used.
"""

import sys
from importlib import import_module

import lazy_loader

if __name__ == "agents":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.agents")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
