"""The settings of a run: every bad value gets one line that names it, and every setting knows whom it applies to."""

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from priorlab.agents.fields import Only, Range, annotations, rules_of, value_of
from priorlab.agents.settings import Settings

NAMES = [field.name for field in fields(Settings)]
BASES = {"ppo": Settings(), "dqn": Settings(agent="dqn"), "random": Settings(agent="random")}


def error_of(base: Settings, **change: Any) -> str:
    with pytest.raises(ValueError) as error:
        replace(base, **change)
    return str(error.value)


def bad_values(name: str) -> list[object]:
    """Values of every other kind, and for numbers those out of range."""
    plain = annotations(Settings)[name][0]
    kinds = {plain, *get_args(plain)}
    bad: list[object] = [b"bytes", ["a", "list"], 1j]
    bad += [] if str in kinds else ["a text\nof two lines"]
    bad += [] if bool in kinds else [True]
    bad += [] if kinds & {int, float} else [1, 0.5]
    bad += [1.5] if int in kinds else []
    bad += [math.nan, math.inf, -math.inf] if kinds & {int, float} else []
    for allowed in rules_of(Settings(), name, Range):
        bad += [allowed.least - 1] + [allowed.least] * allowed.above
        bad += [allowed.most + 1, *[allowed.most] * allowed.below] if allowed.most < math.inf else []
    return bad


def another_value(name: str) -> object:
    """A good one that is not the default."""
    plain, value = annotations(Settings)[name][0], value_of(Settings(), name)
    if get_origin(plain) is Literal:
        return next(word for word in get_args(plain) if word != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value / 2 if isinstance(value, float) else 2 * value
    return {bool: True, float: 0.5, Path: Path("x"), str: "x"}[(get_args(plain) or (plain,))[0]]


@pytest.mark.parametrize("name", NAMES)
def test_every_bad_value_gets_one_line_that_names_the_setting(name: str):
    for value in bad_values(name):
        message = error_of(Settings(), **{name: value})
        assert message.startswith(f"{name} is ") and ": expected " in message and "\n" not in message


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_that_does_not_apply_must_keep_its_default(name: str):
    for agent, base in BASES.items():
        apart = [rule for rule in rules_of(base, name, Only) if rule.setting == "agent" and agent not in rule.values]
        if apart:
            value = another_value(name)
            message = error_of(base, **{name: value})
            assert message.startswith(f"{name} is {value}: expected {getattr(Settings, name)}, the default, because")
            assert message.endswith(f"it applies only to agent {' or '.join(apart[0].values)}")
            assert name not in base.config()


@pytest.mark.parametrize("name", ["discovery_enough", "discovery_margin", "bonus_scale", "counts", "code_size"])
def test_a_setting_of_other_curiosities_must_keep_its_default(name: str):
    agent = "dqn" if name == "discovery_margin" else "ppo"
    message = error_of(Settings(agent=agent, curiosity="none"), **{name: another_value(name)})
    assert ", the default, because it applies only to curiosity counts" in message


def test_numpys_numbers_are_numbers():
    import numpy as np

    assert Settings(seed=np.int64(3), gamma=np.float32(0.5)).config()["seed"] == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"batch_size": 100}, "batch_size is 100: expected a divisor of n_steps * num_games = 16 * 8 = 128"),
        ({"imitation_batches": 0, "imitation_episodes": 4}, "expected None, the default, because it applies only with"),
        ({"memory": "play", "batch_size": 32, "imitation_enough": 0.1}, "only with imitation_batches above 0"),
        ({"imitation_batches": 0, "discovery_enough": 1}, "discovery_enough is 1: expected 1.2, the default, because"),
        ({"on_device": True, "curiosity": "rnd"}, "curiosity is rnd: expected counts, icm or none with on_device"),
        ({"on_device": True, "imitation_batches": 4}, "imitation_batches is 4: expected 0 or None with on_device"),
        ({"agent": "random", "curiosity": "icm"}, "curiosity is icm: expected none for the random agent"),
    ],
)
def test_settings_that_contradict_each_other_are_rejected(change: dict, message: str):
    assert message in error_of(Settings(), **change)
