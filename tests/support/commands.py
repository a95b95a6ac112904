"""A command that refuses its words, run in this process."""

import pytest

from priorlab.scripts.run import run


def refused(*words: str) -> str:
    """The one line that ``priorlab WORDS`` ends with: Python prints it on stderr and exits with code 1."""
    with pytest.raises(SystemExit) as caught:
        run(words[0], words[1:])
    assert isinstance(caught.value.code, str) and len(caught.value.code.splitlines()) == 1
    return caught.value.code
