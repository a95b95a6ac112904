"""Studies with people. What is public is in ``__init__.pyi``, and is imported when it is used.

``study``: what a researcher writes, and who plays what. ``protocol``: the pages and steps of a session, as data.
``data``: what sessions record, and what becomes of it. ``window``: all of it on a screen, with pygame; no other shelf
needs pygame. ``browser``: the participant's page; ``server`` offers it, which needs the extra ``web``.
"""

import os
import sys
from importlib import import_module

import lazy_loader

if __name__ == "human_study":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.human_study")

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")  # else Windows blurs the picture

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
