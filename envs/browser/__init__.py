"""The games in a browser: the lab's own rules, drawing and key rule, compiled to WebAssembly (``build``).

``engine.wasm`` holds them, ``engine.js`` is their face in JavaScript, and ``game_file`` makes the games for it.
"""

from priorlab.envs.browser.game_files import game_file as game_file
from priorlab.envs.browser.shipped import digest as digest
from priorlab.envs.browser.shipped import engine as engine
