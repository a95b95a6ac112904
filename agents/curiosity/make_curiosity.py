"""The curiosity that the settings ask for: a ``Curiosity`` (``base.py``), which learns from the steps it sees."""

from typing import Any

from priorlab.agents.curiosity.base import Curiosity, NoBonus
from priorlab.agents.curiosity.counts import CountBonus, PictureCodes, PrivilegedCountBonus
from priorlab.agents.curiosity.icm import ICM
from priorlab.agents.curiosity.on_device_counts import OnDeviceCounts
from priorlab.agents.curiosity.rnd import RND
from priorlab.agents.device import device_of
from priorlab.agents.settings import Settings
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv


def make_curiosity(games: PriorLabVecEnv, settings: Settings) -> Curiosity:
    """Wraps the games in the curiosity of the settings; without one, rewards are still scaled."""
    scales = {"scale": settings.value("bonus_scale"), "reward_scale": settings.reward_scale}
    learning: dict[str, Any] = {
        "n_steps": settings.n_steps,
        "batch_size": settings.value("batch_size"),
        "n_epochs": settings.n_epochs,
        "seed": settings.seed,
    }
    if settings.curiosity_learning_rate is not None:
        learning["learning_rate"] = settings.curiosity_learning_rate
    shape = games.observation_space.shape
    assert shape
    match settings.curiosity:
        case "counts":
            device = device_of(settings) if settings.on_device else None
            codes = PictureCodes(shape, settings.code_size, settings.code_step, device=device)
            if device:
                return OnDeviceCounts(games, codes=codes, device=device, counted=settings.counts, **scales)
            return CountBonus(games, codes=codes, counted=settings.counts, **scales)
        case "privileged-counts":
            return PrivilegedCountBonus(games, games=games.games, counted=settings.counts, **scales)
        case "icm":
            scales["scale"] *= settings.reward_scale  # published next to a reward of 1, which is reward_scale here
            device = device_of(settings) if settings.on_device else "cpu"
            return ICM(games, device=device, **scales, **learning)
        case "rnd":
            return RND(games, frame=shape[2] // settings.stack_size, gamma=settings.bonus_gamma, **scales, **learning)
        case "none":
            return NoBonus(games, settings.reward_scale, device_of(settings) if settings.on_device else "cpu")
