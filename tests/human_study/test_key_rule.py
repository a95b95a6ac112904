"""The rule that turns keys into inputs, beside the same rule in other words: a dictionary of the keys that are held."""

from hypothesis import given

from priorlab.envs.game.rules import LEFT, NONE, RIGHT
from priorlab.envs.interfaces.key_rule import MOST
from priorlab.human_study.protocol.keys import AtariKeys, Keys
from tests.support.expected_keys import EVENTS, Expected, ExpectedOfAtari, follows, patiently


@patiently
@given(EVENTS)
def test_the_input_is_the_rules(events):
    follows(Keys(), Expected(), events)


@patiently
@given(EVENTS)
def test_the_action_of_atari_is_the_rules(events):
    follows(AtariKeys(), ExpectedOfAtari(), events)


def test_more_keys_than_a_keyboard_has_count_once():
    keys = Keys()
    for key in range(MOST):
        keys.press(key, LEFT)
    keys.press("another", RIGHT)
    assert [keys.take(), keys.take()] == [RIGHT, LEFT]
    for key in range(MOST):
        keys.release(key)
    assert not keys.held
    assert keys.take() == NONE
