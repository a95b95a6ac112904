"""Many plays at once, on the CPU or a GPU: a game keeps its level and look through deaths, until it is moved."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.engine.engine import Saved, on_cpu
from priorlab.envs.engine.games import Games
from priorlab.envs.engine.infos import info_of
from priorlab.envs.engine.lockstep import OWN
from priorlab.envs.game.rules import DEATHS, PLAY_INPUTS, SOLVED
from priorlab.envs.plays.play import NO_LIMIT


class Plays:
    """N games, each in one of the places, which are painted once; ``move`` puts games at the start of others.

    A death puts the player back at the start of the same place and the play continues, under all rules; a game that is
    won starts again in its place, as a new play. There is no limit of inputs.
    """

    def __init__(self, places: Sequence[Scenery], count: int, screen_size: int, frame_skip: int, device: torch.device):
        different = list(dict.fromkeys(places))  # ``Games`` holds equal places once
        scene = {place: k for k, place in enumerate(different)}
        self.scenes = np.array([scene[place] for place in places], np.int64)  # of each place
        [split] = {place.split for place in different}
        self.games = Games(
            count, [place.version for place in different], level=[place.level for place in different],
            looks=[place.looks for place in different], look_seed=[place.look_seed for place in different],
            split=split, order="drawn", screen_size=screen_size, grayscale_obs=False, frame_skip=frame_skip,
            max_inputs=NO_LIMIT, device=device.type, still=False,
        )  # fmt: skip
        self.device = device
        self.games.reset(0)
        self._put("draws", np.arange(count), np.full(count, OWN))  # so that a game stays in its place

    def move(self, lanes: np.ndarray, places: np.ndarray) -> None:
        """Begins new plays in these games, int64 (n,), in the places with these numbers, int64 (n,)."""
        self._put("scene", lanes, self.scenes[places])
        self.games.restart(lanes)

    def back(self, lanes: np.ndarray) -> None:
        """Puts these games back at the start of their place."""
        self.games.restart(lanes)

    def step(self, actions: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Takes actions, int64 (N,), an array or a tensor on the device; (won, died), bool (N,) each, on the device."""
        deaths = torch.as_tensor(self.games.state)[:, DEATHS]
        before = deaths.clone()
        rewards = self.games.step(actions)[1]
        return torch.as_tensor(rewards) > 0, deaths > before  # a play that is won has begun again, without deaths

    @property
    def pictures(self) -> torch.Tensor:
        """uint8 (N, S, S, 3) on the device; the next step overwrites them."""
        return torch.as_tensor(self.games.lanes.observations)

    @property
    def inputs(self) -> torch.Tensor:
        """int32 (N,), on the device: raw inputs of each play so far."""
        return torch.as_tensor(self.games.state)[:, PLAY_INPUTS]

    def infos(self, lanes: np.ndarray) -> dict[str, np.ndarray]:
        """The infos of these games, int64 (n,): arrays over them; where the last step won, as they were then."""
        states = on_cpu(self.games.state).copy()
        ended, last = on_cpu(self.games.ended), on_cpu(self.games.final_states)
        won = last[:, SOLVED] != 0
        states[ended[won]] = last[won]
        return info_of(states[lanes])

    def save(self) -> dict[str, torch.Tensor]:
        """The state of all games, for ``restore``."""
        return {name: torch.from_numpy(on_cpu(each).copy()) for name, each in self.games.save()._asdict().items()}

    def restore(self, saved: dict[str, torch.Tensor]) -> None:
        """Continues from what games in the same places saved; ValueError where they were others."""
        self._put("scene", np.arange(self.games.num_games), saved["scene"].numpy())
        self.games.restore(Saved(**{name: each.numpy() for name, each in saved.items()}))

    def close(self) -> None:
        self.games.close()

    def _put(self, name: str, lanes: np.ndarray, values: np.ndarray) -> None:
        self.games.engine.put(getattr(self.games.lanes, name), lanes, values)
