"""The public names of the agents: each is there, says what it is, and costs nothing until it is used."""

import subprocess
import sys
from types import ModuleType

import pytest

import priorlab.agents
import priorlab.agents.apprentice
import priorlab.agents.priors
import priorlab.agents.training  # modules that were imported before hide no public name


def test_importing_the_agents_imports_no_torch():
    code = (
        "import sys; from priorlab.agents import Settings, train; from priorlab.agents.priors import RaiseSettings; "
        "from priorlab.agents.apprentice import ApprenticeSettings; "
        "print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("face", [priorlab.agents, priorlab.agents.apprentice, priorlab.agents.priors])
def test_every_public_name_is_documented_and_is_no_module(face):
    for name in face.__all__:
        found = getattr(face, name)
        assert not isinstance(found, ModuleType)
        if not name.isupper():  # a constant has neither text nor name of its own
            assert callable(found) and found.__doc__ and found.__name__ == name
