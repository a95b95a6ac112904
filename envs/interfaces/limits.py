"""How many steps an episode can last: told in ``env.spec``, and taken from it when a batch is made of one."""

import copy

import numpy as np
from gymnasium.envs.registration import EnvSpec


class Limited:
    """What an environment is, beside a gymnasium.Env, that truncates its episodes itself: its spec says after how many
    steps. No Env of its own: some clients know an environment by its class's direct bases."""

    max_episode_steps: int
    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """As what it was made; made of this anew, it is wrapped in gymnasium's TimeLimit of the same length."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = copy.copy(spec)
        if self._spec is not None:
            self._spec.max_episode_steps = self.max_episode_steps


def steps_of(max_inputs: int, frame_skip: int) -> int:
    """The most steps in which that many raw inputs are taken."""
    return -(-max_inputs // frame_skip)


def inputs_of(max_episode_steps: int | None, frame_skip: int, first_inputs: int, limit: int) -> int:
    """``limit``, raw inputs, or those of ``max_episode_steps``, which gymnasium.make_vec passes on, where fewer.

    Raises ValueError where up to ``first_inputs`` inputs before the first step would count among them.
    """
    if max_episode_steps is None:
        return limit
    if not isinstance(max_episode_steps, (int, np.integer)) or isinstance(max_episode_steps, bool):
        raise ValueError(f"max_episode_steps is {max_episode_steps!r}: expected a whole number, 1 or more")
    inputs = int(max_episode_steps) * frame_skip
    if inputs < 1 or (first_inputs and inputs < limit):
        why = (
            "a whole number, 1 or more" if inputs < 1 else "max_inputs instead, which counts an episode's first inputs"
        )
        raise ValueError(f"max_episode_steps is {max_episode_steps}: expected {why}")
    return min(inputs, limit)
