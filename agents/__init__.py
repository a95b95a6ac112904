"""Learning agents: PPO and DQN on pixels, with curiosity and demonstrations, on the same games as people."""

import sys
from importlib import import_module

if __name__ == "agents":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.agents")
