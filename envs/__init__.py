"""The games of the lab. Importing this registers them with gymnasium (``registration``)."""

import os
import sys
from importlib import import_module

from priorlab.envs.registration import register_all

if __name__ == "envs":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.envs")

# SDL draws a window through OpenGL where it can, and Mesa's LLVM and the one in torch's triton end a process that loads
# both. Set here, since every window is opened by what imports this, or shows its games (gymnasium's HumanRendering).
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
register_all()
