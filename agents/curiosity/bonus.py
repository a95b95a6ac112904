"""What every curiosity is: a wrapper around games that adds a bonus to their rewards, for whatever learner."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class Curiosity(VecEnvWrapper):
    """Around any VecEnv with pictures, uint8 (n, S, S, C); ``step`` pays own + bonus.

    own: float32 (n,), the games' own rewards of the last step, times ``reward_scale``; bonus: float32 (n,), what
    curiosity paid for it, times ``scale``. Infos keep the games' own rewards. A ``privileged`` one sees what no player
    sees; one that does not ``pays`` has no bonus.
    """

    privileged, pays = False, True

    def __init__(self, venv: VecEnv, scale: float, reward_scale: float = 1.0):
        super().__init__(venv)
        self.scale, self.reward_scale = scale, reward_scale
        self.own, self.bonus = np.zeros((2, venv.num_envs), np.float32)
        self.actions = np.zeros(venv.num_envs, np.int64)

    def reset(self) -> VecEnvObs:
        observations = self.venv.reset()
        assert isinstance(observations, np.ndarray)
        self.begin(observations)
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = np.array(actions)
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        observations, rewards, dones, infos = self.venv.step_wait()
        assert isinstance(observations, np.ndarray)
        self.own = (self.reward_scale * rewards).astype(np.float32)
        self.bonus = (self.scale * self.pay(observations, dones, infos)).astype(np.float32)
        return observations, self.own + self.bonus, dones, infos

    @abstractmethod
    def begin(self, observations: np.ndarray) -> None:
        """All games begin anew, here."""

    @abstractmethod
    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        """The bonus of each game's step, (n,), before it is scaled; the arguments are what the step returned."""

    @abstractmethod
    def told(self) -> dict[str, float]:
        """What TensorBoard shows of it."""

    def parameters(self) -> Iterable[torch.Tensor]:
        """What it learns, if it does."""
        return ()

    @abstractmethod
    def memory(self) -> dict[str, Any]:
        """Everything that a resumed run needs."""

    @abstractmethod
    def restore(self, memory: dict[str, Any]) -> None:
        """Goes on where the curiosity with this memory was."""


class NoBonus(Curiosity):
    """No curiosity: pays the games' own rewards, times ``reward_scale``, and nothing else; stays on a device."""

    pays = False

    def __init__(self, venv: VecEnv, reward_scale: float = 1.0, device: torch.device | str = "cpu"):
        super().__init__(venv, 0.0, reward_scale)
        self.device = torch.device(device)

    def begin(self, observations: np.ndarray) -> None:
        """Nothing is kept."""

    def pay(self, observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        return np.zeros(len(dones), np.float32)

    def pay_on_device(
        self, actions: torch.Tensor, observations: torch.Tensor, ended: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        return torch.zeros(len(actions), device=self.device)

    def told(self) -> dict[str, float]:
        return {}

    def memory(self) -> dict[str, Any]:
        return {}

    def restore(self, memory: dict[str, Any]) -> None:
        """Nothing was kept."""


@runtime_checkable
class StaysOnDevice(Protocol):
    """A curiosity that can pay for tensors, which never leave its device: for ``OnDevicePPO``."""

    device: torch.device
    reward_scale: float

    def pay_on_device(
        self, actions: torch.Tensor, observations: torch.Tensor, ended: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        """The bonus of each game's step, float32 (N,), scaled.

        actions: int64 (N,); observations: uint8 (N, S, S, stack), after the step, which the games will overwrite;
        ended: int64 (n,), games that started over; last: uint8 (n, S, S, stack), what these saw last.
        """
        ...


def reached(observations: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
    """What the steps led to: where an episode ended, its last picture instead of the next one's first. A copy."""
    led_to = observations.copy()
    for lane in np.flatnonzero(dones):
        led_to[lane] = infos[lane]["terminal_observation"]
    return led_to


def curiosity_of(env: VecEnv | None) -> Curiosity | None:
    """The curiosity among an environment's wrappers, None where there is none."""
    while isinstance(env, VecEnvWrapper):
        if isinstance(env, Curiosity):
            return env
        env = env.venv
    return None
