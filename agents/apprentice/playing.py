"""Zero-shot lives: an apprentice plays levels that are new to it, without learning, deaths included."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from priorlab.agents.apprentice.network import Shape
from priorlab.agents.apprentice.plays import Plays
from priorlab.agents.device import one_thread
from priorlab.agents.learners.recurrent import RecurrentPolicy
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.engine.engine import on_cpu


class Outcome(NamedTuple):
    """How a life ended, after so many raw inputs."""

    inputs: int
    solved: bool
    deaths: int
    unique_states: int


@torch.no_grad()
def play_lives(
    network: RecurrentPolicy, shape: Shape, places: Sequence[Scenery], draws: Sequence[np.random.Generator], limit: int
) -> list[Outcome]:
    """One life in each place, side by side, on the network's device, until the win or ``limit`` raw inputs.

    Actions are sampled with the network's probabilities, by numbers that the life's own generator draws. The places
    must be of one split.
    """
    plays = Plays(places, len(places), shape.screen_size, shape.frame_skip, network.device)
    plays.move(np.arange(len(places)), np.arange(len(places)))
    left: np.ndarray = np.arange(len(places))  # lives that go on
    ended: dict[int, Outcome] = {}
    memory, actions = network.empty_memory(len(places)), torch.zeros(len(places), dtype=torch.int64)
    network.set_training_mode(False)
    with one_thread():
        while len(left):
            if shape.memory == "nothing":
                memory = network.empty_memory(len(left))
            memory = network.next_memory(plays.pictures[torch.as_tensor(left)].movedim(-1, 1), memory)
            chances = network.heads_of(memory[0])[0].exp().cpu().double().cumsum(1)
            drawn = torch.tensor([draws[life].random() for life in left])
            actions[left] = (chances < (drawn * chances[:, -1])[:, None]).sum(1).clamp(max=chances.shape[1] - 1)
            won, _ = plays.step(actions.to(network.device))
            over: np.ndarray = on_cpu(won | (plays.inputs >= limit))[left]
            if over.any():
                columns = plays.infos(left[over])
                for k, life in enumerate(left[over].tolist()):
                    ended[life] = Outcome(*(columns[name][k].item() for name in Outcome._fields))
                stays = torch.from_numpy(~over).to(network.device)
                memory, left = (memory[0][stays], memory[1][stays]), left[~over]
    plays.close()
    return [ended[life] for life in range(len(places))]
