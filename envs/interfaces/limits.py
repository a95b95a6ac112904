"""How many steps an episode can last: stated in ``env.spec``, and taken from there when a batch is made from it."""

import copy

import numpy as np
from gymnasium.envs.registration import EnvSpec


class Limited:
    """Mixed into an environment that truncates its episodes itself: its spec states after how many steps. It is not a
    gymnasium.Env, as some clients recognise an environment by the direct bases of its class."""

    max_episode_steps: int
    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """The spec that it was made from. Made from it again, it is wrapped in gymnasium's TimeLimit of the same
        length."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = copy.copy(spec)
        if self._spec is not None:
            self._spec.max_episode_steps = self.max_episode_steps


def steps_of(max_inputs: int, frame_skip: int) -> int:
    """The number of steps that take at most that many raw inputs."""
    return -(-max_inputs // frame_skip)


def inputs_of(max_episode_steps: int | None, frame_skip: int, first_inputs: int, limit: int) -> int:
    """``limit``, in raw inputs, or the inputs of ``max_episode_steps``, from gymnasium.make_vec, if these are fewer.

    Raises ValueError if up to ``first_inputs`` inputs before the first step would count among them.
    """
    if max_episode_steps is None:
        return limit
    if not isinstance(max_episode_steps, (int, np.integer)) or isinstance(max_episode_steps, bool):
        raise ValueError(f"max_episode_steps is {max_episode_steps!r}: expected a whole number, 1 or more")
    inputs = int(max_episode_steps) * frame_skip
    if inputs < 1 or (first_inputs and inputs < limit):
        why = "a whole number, 1 or more" if inputs < 1 else "max_inputs, which includes an episode's first inputs"
        raise ValueError(f"max_episode_steps is {max_episode_steps}: expected {why}")
    return min(inputs, limit)
