"""The rule that turns keys into inputs, as a person would say it, and events to try it with."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from priorlab.envs.game.rules import DOWN, INPUT_COUNT, JUMP, LEFT, NONE, RIGHT, UP
from priorlab.human_study.protocol.keys import ALE_ACTIONS

KEYS = st.integers(0, 9)
EVENTS = st.lists(
    st.one_of(
        st.just(("take",)), st.just(("release_all",)),
        st.tuples(st.just("press"), KEYS, st.integers(0, INPUT_COUNT - 1)), st.tuples(st.just("release"), KEYS),
    )
)  # fmt: skip

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a machine that is busy


class Expected:
    """The rule as a person would say it."""

    def __init__(self):
        self.keys, self.pressed = {}, []

    def press(self, key, action):
        if key not in self.keys:
            self.keys[key] = action
            self.pressed.append(action)

    def release(self, key):
        self.keys.pop(key, None)

    def release_all(self):
        self.keys, self.pressed = {}, []

    @property
    def held(self):
        return bool(self.keys)

    def take(self):
        pressed, self.pressed = self.pressed, []
        if pressed:
            return JUMP if JUMP in pressed else pressed[-1]
        return [NONE, *self.keys.values()][-1]


class ExpectedOfAtari(Expected):
    def take(self):
        chosen, self.pressed = [*self.keys.values(), *self.pressed], []
        across = [NONE, *(action for action in chosen if action in (LEFT, RIGHT))][-1]
        along = [NONE, *(action for action in chosen if action in (UP, DOWN))][-1]
        return ALE_ACTIONS[along, across, JUMP in chosen]


def follows(keys, expected, events):
    for name, *arguments in events:
        assert getattr(keys, name)(*arguments) == getattr(expected, name)(*arguments)
        assert keys.held == expected.held
