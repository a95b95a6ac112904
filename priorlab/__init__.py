"""Priorlab: what does a player already know? Importing this registers the games with gymnasium.

The rooms are ``priorlab.envs``, ``priorlab.agents``, ``priorlab.human_study``, ``priorlab.transfer`` and
``priorlab.scripts``. A checkout holds them at its root. There they also have short names (``import envs``), which give
the same modules.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # a checkout's root, or the folder that packages are installed in
PROJECT = ROOT / "pyproject.toml"

if PROJECT.is_file() and 'name = "priorlab"' in PROJECT.read_text(encoding="utf-8"):
    from priorlab import short_names

    __path__.append(str(ROOT))  # finds the rooms where this package's links to them became plain files, as in a zip
    short_names.install(ROOT)

import priorlab.envs  # noqa: E402, F401  registers the games
