"""``python -m priorlab`` is the ``priorlab`` command."""

from priorlab.scripts.main import main

main()
