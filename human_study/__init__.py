"""Studies with people: the window they play in, a session's steps, and what it leaves."""

import os
import sys
from importlib import import_module

if __name__ == "human_study":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.human_study")

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")  # else Windows blurs the picture
