"""The games: played one at a time or in batches, by people and by agents; the looks, levels, plays and results.

Importing this registers the games with gymnasium (``registration``). The public names are listed in ``__init__.pyi``,
and each is imported when it is first used.
"""

import os
import sys
from importlib import import_module

import lazy_loader

from priorlab.envs.registration import register_all

if __name__ == "envs":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.envs")

# SDL draws a window through OpenGL where it can, and Mesa's LLVM and the one in torch's triton end a process that loads
# both. Set here, since every window is opened by what imports this, or shows its games (gymnasium's HumanRendering).
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
register_all()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
