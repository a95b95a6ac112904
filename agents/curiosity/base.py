"""The base of every curiosity: a wrapper around games that adds an exploration bonus to their rewards."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class Curiosity(VecEnvWrapper):
    """A wrapper around any VecEnv with pictures, uint8 (n, S, S, C), for any learner of stable-baselines3.

    Each step pays ``game_rewards`` + ``bonus``: the games' rewards of the last step times ``reward_scale``, and what
    curiosity paid for it times ``scale``, float32 (n,) each. Infos keep the games' unscaled rewards. A ``privileged``
    curiosity uses what no player sees; one that does not ``pays`` has no bonus.
    """

    privileged, pays = False, True

    def __init__(self, venv: VecEnv, scale: float, reward_scale: float = 1.0):
        super().__init__(venv)
        self.scale, self.reward_scale = scale, reward_scale
        self.game_rewards, self.bonus = np.zeros((2, venv.num_envs), np.float32)
        self.actions = np.zeros(venv.num_envs, np.int64)

    def reset(self) -> VecEnvObs:
        observations = self.venv.reset()
        assert isinstance(observations, np.ndarray)
        self.on_reset(observations)
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = np.array(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        observations, rewards, dones, infos = self.venv.step_wait()
        assert isinstance(observations, np.ndarray)
        self.game_rewards = (self.reward_scale * rewards).astype(np.float32)
        self.bonus = (self.scale * self.pay(observations, dones, infos)).astype(np.float32)
        return observations, self.game_rewards + self.bonus, dones, infos

    @abstractmethod
    def on_reset(self, observations: np.ndarray) -> None:
        """All games were reset, and show these observations."""

    @abstractmethod
    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        """The unscaled bonus of each game's step, (n,); the arguments are what the step returned."""

    @abstractmethod
    def statistics(self) -> dict[str, float]:
        """What TensorBoard shows of it."""

    def parameters(self) -> Iterable[torch.Tensor]:
        """The parameters of its networks, if it has any."""
        return ()

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> None:
        """Continues from this state."""


class NoBonus(Curiosity):
    """No curiosity: pays only the games' rewards, times ``reward_scale``. It can stay on a device."""

    pays = False

    def __init__(self, venv: VecEnv, reward_scale: float = 1.0, device: torch.device | str = "cpu"):
        super().__init__(venv, 0.0, reward_scale)
        self.device = torch.device(device)

    def on_reset(self, observations: np.ndarray) -> None:
        """Nothing to do."""

    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        return np.zeros(len(dones), np.float32)

    def pay_on_device(
        self, actions: torch.Tensor, observations: torch.Tensor, ended: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        return torch.zeros(len(actions), device=self.device)

    def statistics(self) -> dict[str, float]:
        return {}

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing to do."""


@runtime_checkable
class StaysOnDevice(Protocol):
    """A curiosity that takes and pays tensors, which never leave its device: for ``OnDevicePPO``."""

    device: torch.device
    reward_scale: float

    def pay_on_device(
        self, actions: torch.Tensor, observations: torch.Tensor, ended: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        """The scaled bonus of each game's step, float32 (N,).

        actions: int64 (N,); observations: uint8 (N, S, S, stack), after the step, which the games will overwrite;
        ended: int64 (n,), games whose episode ended; last: uint8 (n, S, S, stack), their last observations.
        """
        ...


def step_results(observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
    """A copy of what the steps led to: where an episode ended, its last observation, not the next one's first."""
    results = observations.copy()
    for lane in np.flatnonzero(dones):
        results[lane] = infos[lane]["terminal_observation"]
    return results


def find_curiosity(env: VecEnv | None) -> Curiosity | None:
    """The curiosity among an environment's wrappers, None if there is none."""
    while isinstance(env, VecEnvWrapper):
        if isinstance(env, Curiosity):
            return env
        env = env.venv
    return None
