"""What the room makes public: every name is there, described, and loaded only when it is used."""

import subprocess
import sys
from inspect import getdoc

import pytest

from priorlab import transfer
from priorlab.transfer import fewshot


@pytest.mark.parametrize("face", [transfer, fewshot])
def test_every_public_name_is_there_and_described(face):
    assert {*face.__all__} <= {*dir(face)}
    for name in face.__all__:
        value = getattr(face, name)
        assert name == "METHODS" or getdoc(value), name
    with pytest.raises(AttributeError, match="nothing"):
        face.nothing  # noqa: B018


def test_the_room_alone_loads_neither_torch_nor_stable_baselines3():
    code = """
import sys, priorlab.transfer as transfer
assert not {"torch", "stable_baselines3"} & {*sys.modules}
transfer.keep
assert "stable_baselines3" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
