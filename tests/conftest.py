"""What several files of tests need."""

import os
from collections.abc import Iterator

import pytest

os.environ["PRIORLAB_QUIET"] = "1"  # whatever a test starts says nothing of what it may have to compile
os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; set before numpy and torch are imported


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch on one thread: so small a network is slower on more, and its sums differ."""
    import torch  # takes seconds, and most tests do without

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
