"""Where tests find the checkout and what was recorded."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
RECORDINGS = ROOT / "tests" / "recordings"
