"""What policies do in environments."""

from typing import Any

import gymnasium


def predicted(policy: Any, env: gymnasium.Env, most: int) -> tuple[list[int], bool]:
    """The inputs of an episode by ``predict``, ``most`` of them at most, and whether it ended."""
    state, inputs, over = None, [], False
    picture, _ = env.reset(seed=3)
    while not over and len(inputs) < most:
        action, state = policy.predict(picture, state)
        inputs.append(int(action))
        picture, _, over, _, _ = env.step(inputs[-1])
    return inputs, over
