"""Games on a card beside the same games on the CPU. As a program: short plays in numba's simulator of a card."""

import copy
import pickle
import sys

import numpy as np
import torch

from priorlab.envs.engine import card as card_games
from priorlab.envs.engine.games import Games
from tests.support.levels import BUSY

SHORT = ["---\nS  G\n####\n", "---\nG m~S\n#####\n", "---\nS * G\n#####\n"]
# what is played, by how many threads a picture
CASES = [
    ({"version": ["original", "masked_objects", "gravity"], "screen_size": 24}, 16),
    ({"random_start": 12, "stack_size": 2, "frame_skip": 3, "grayscale_obs": False, "max_inputs": 30}, 16),
    ({"level": "key_door", "version": ["original", "ladder_interaction", "all_masked"], "screen_size": 20}, 4),
    ({"level": BUSY, "screen_size": 31, "grayscale_obs": False}, 4),
    ({"level": SHORT, "order": "drawn", "max_inputs": 9, "random_start": 4, "looks": {"semantics": 0.5}}, 4),
    ({"level": SHORT, "order": "in_order", "max_inputs": 5, "obs": "tiles", "stack_size": 2}, 4),
]
WARM, STEPS = 400, 14  # steps on the CPU alone, which spread the games; steps of both


def alike(ours: object, theirs: object) -> None:
    """Asserts that arrays on the CPU and tensors on the card are the same, type and all."""
    theirs = theirs.cpu().numpy() if isinstance(theirs, torch.Tensor) else np.asarray(theirs)
    ours = np.asarray(ours)
    assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)


def play_alike(cpu: Games, card: Games, actions: np.ndarray, on_card: bool = True) -> int:
    """Asserts that both are the same after each row of actions; how many episodes ended in these."""
    ended = 0
    for row in actions:
        given = torch.as_tensor(row, device=card.state.device) if on_card else row
        for ours, theirs in zip(cpu.step(row), card.step(given)):
            alike(ours, theirs)
        alike(cpu.state, card.state)
        alike(cpu.ended, card.ended)
        if len(cpu.ended):
            alike(cpu.final_observations, card.final_observations)
            for name, values in cpu.final_info.items():
                alike(values, card.final_info[name])
        ended += len(cpu.ended)
    return ended


def random_actions(steps: int, games: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 6, (steps, games))


def a_case(settings: dict, drawers: int) -> None:
    """From the start, and from where games are after a while; everything that can be asked for."""
    card_games.DRAWERS = card_games.STARTERS = drawers
    settings = {"screen_size": 12} | settings
    cpu, card = Games(3, **settings), Games(3, device="cuda", **settings)
    alike(cpu.reset(5), card.reset(5))
    actions = random_actions(WARM + STEPS, 3)
    play_alike(cpu, card, actions[:3], on_card=False)
    for row in actions[:WARM]:
        cpu.step(row)
    card.restore(cpu.save())
    before = cpu.save()
    ended = play_alike(cpu, card, actions[WARM:])
    assert ended or "max_inputs" not in settings
    alike(cpu.redraw(1), card.redraw(1))
    for saved in (cpu.save(), card.save()):
        for ours, theirs in zip(saved, cpu.save()):
            alike(theirs, ours)
    was = cpu.ended.copy()
    cpu.restart(np.array([1])), card.restart(np.array([1]))
    alike(was, card.ended)
    alike(cpu.lanes.observations, card.lanes.observations)
    card.restore(before, [0, 1, 2]), cpu.restore(before)
    play_alike(cpu, card, actions[:2])
    for name, values in cpu.info().items():
        alike(values, card.info()[name])


def what_is_refused() -> None:
    card = Games(2, level=SHORT[0], device="cuda", screen_size=8, autoreset=False)
    refused = [
        (lambda: card.step([0, 0]), RuntimeError, "step before reset"),
        (lambda: (card.reset(0), card.step([0, 6])), ValueError, "action 6 of game 1: expected 0 to 5"),
        (lambda: card.step([0, 0], np.ones(2, bool)), ValueError, "over: expected None with device='cuda'"),
        (lambda: card.step(torch.zeros(2)), ValueError, "expected 2 whole numbers, shape (2,)"),
        (lambda: card.step(torch.zeros(3, dtype=torch.int64)), ValueError, "expected 2 whole numbers, shape (2,)"),
        (lambda: Games(2, device="cuda", num_threads=2), ValueError, "num_threads is 2: expected 1"),
        (lambda: card.restore(Games(3, level=SHORT[0]).save()), ValueError, "expected the same levels"),
        (lambda: (card.close(), card.step([0, 0])), RuntimeError, "closed"),
    ]
    for call, kind, said in refused:
        try:
            call()
        except kind as error:
            assert said in str(error), error
        else:
            raise AssertionError(said)


def what_waits_and_what_was_visited() -> None:
    """Without autoreset lanes wait; chances take effect; positions are counted over lanes and plays."""
    settings = {"level": SHORT[0], "screen_size": 8, "autoreset": False}
    cpu, card = Games(3, **settings), Games(3, device="cuda", **settings)
    cpu.reset(0), card.reset(0)
    play_alike(cpu, card, np.array([[2, 0, 1]] * 6))
    assert cpu.lanes.terminated.tolist() == [True, False, False]
    cpu.restart(np.array([0])), card.restart(np.array([0]))
    play_alike(cpu, card, np.array([[2, 2, 3]]))
    alike(cpu.visited(), card.visited())
    alike(cpu.native_frame(1), card.native_frame(1))
    settings = {"level": SHORT, "order": "drawn", "screen_size": 8, "max_inputs": 2}
    cpu, card = Games(3, **settings), Games(3, device="cuda", **settings)
    cpu.chances = card.chances = [1, 0, 3]
    cpu.reset(1), card.reset(1)
    assert play_alike(cpu, card, random_actions(8, 3)) >= 12


def what_is_copied() -> None:
    """Copies and what was pickled go on from where the games are, and nothing is shared."""
    settings = {"level": SHORT, "order": "drawn", "screen_size": 8, "max_inputs": 3, "random_start": 2, "stack_size": 2}
    cpu, card = Games(3, **settings), Games(3, device="cuda", **settings)
    cpu.reset([4, None, 5]), card.reset([4, None, 5])
    assert play_alike(cpu, card, random_actions(3, 3))
    for copied in (copy.copy, copy.deepcopy, lambda games: pickle.loads(pickle.dumps(games))):
        ours, theirs = copied(cpu), copied(card)
        assert type(theirs) is type(card)
        alike(ours.ended, theirs.ended)
        alike(ours.final_observations, theirs.final_observations)
        ours.chances = theirs.chances = [0, 1, 1]
        play_alike(ours, theirs, random_actions(4, 3))
        ours.reset(3, np.array([0, 2])), theirs.reset(3, np.array([0, 2]))
        play_alike(ours, theirs, random_actions(2, 3))
    assert play_alike(cpu, card, random_actions(4, 3))


if __name__ == "__main__":
    sys.setswitchinterval(1e-4)  # the simulator's threads wait for each other less
    for case, threads in CASES:
        a_case(case, threads)
    what_is_refused()
    what_waits_and_what_was_visited()
    what_is_copied()
    print("alike")
