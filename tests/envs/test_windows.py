"""Every window that shows games can share a process with torch."""

import os
import subprocess
import sys

import pytest

OPENERS = {
    "one game": "import priorlab, gymnasium; gymnasium.make('PriorLab/Princess-v0', render_mode='human').reset(seed=0)",
    "people": "from priorlab.human_study.window.window import Window; Window((240, 240))",
    "gymnasium": "import priorlab, gymnasium; from gymnasium.wrappers import HumanRendering; "
    "HumanRendering(gymnasium.make('PriorLab/Atari-v0', render_mode='rgb_array')).reset(seed=0)",
}
REPORT = """
import os, sys, pygame
def opened(*_):
    print(os.environ.get("SDL_FRAMEBUFFER_ACCELERATION"))
    sys.exit()
pygame.display.init = opened
"""


@pytest.mark.parametrize(("opener", "said"), [*((opener, None) for opener in OPENERS), ("people", "1")])
def test_sdl_is_told_to_draw_without_opengl_before_a_window_opens(opener, said):
    """Otherwise Mesa's LLVM and that of torch's triton would end the process. A user's setting is kept."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("SDL_")} | {"DISPLAY": ":0"}
    env |= {"SDL_FRAMEBUFFER_ACCELERATION": said} if said else {}
    command = [sys.executable, "-c", REPORT + OPENERS[opener]]
    printed = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert printed.split()[-1] == (said or "0")
