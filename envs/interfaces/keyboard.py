"""The keys for gymnasium.utils.play in our games and Atari's: the same as in the window in which people play."""

from collections.abc import Sequence
from itertools import combinations

FIRST = ("JUMP", "FIRE", "UP", "DOWN", "LEFT", "RIGHT")  # the first of these counts where held keys share no input


def keys_to_action(meanings: Sequence[str]) -> dict[tuple[int, ...], int]:
    """The input for every set of held keys, which are sorted codes of pygame; ``meanings``: each input, in words of
    FIRST.

    Arrow keys, or W A S D; space jumps or fires. Keys are combined if an input has them all.
    """
    import pygame

    names = {
        pygame.K_SPACE: {"JUMP", "FIRE"},
        pygame.K_UP: {"UP"}, pygame.K_DOWN: {"DOWN"}, pygame.K_LEFT: {"LEFT"}, pygame.K_RIGHT: {"RIGHT"},
        pygame.K_w: {"UP"}, pygame.K_s: {"DOWN"}, pygame.K_a: {"LEFT"}, pygame.K_d: {"RIGHT"},
    }  # fmt: skip
    parts = [[name in meaning for name in FIRST] for meaning in meanings]
    inputs = sorted(range(len(parts)), key=lambda number: (sum(parts[number]), parts[number]), reverse=True)
    chosen: dict[tuple[int, ...], int] = {}
    for count in range(1, len(names) + 1):
        for held in combinations(sorted(names), count):
            wanted = set().union(*(names[key] for key in held))
            has = [name in wanted for name in FIRST]
            fitting = [number for number in inputs if all(h or not p for p, h in zip(parts[number], has))]
            if fitting:  # a game may have no NOOP
                chosen[held] = fitting[0]
    return chosen
