"""Grids of tiles: connected groups and horizontal runs."""

import numpy as np


def runs(mask: np.ndarray) -> list[tuple[int, int, int]]:
    """(row, first column, length) of every maximal horizontal run of true tiles, row by row."""
    width = mask.shape[1] + 1
    wide = np.zeros((mask.shape[0], width + 1), bool)
    wide[:, 1:-1] = mask
    edges = np.flatnonzero(wide[:, 1:] != wide[:, :-1]).tolist()  # where a run begins, where it ends, in turn
    return [(begin // width, begin % width, end - begin) for begin, end in zip(edges[::2], edges[1::2])]


def groups(mask: np.ndarray) -> list[np.ndarray]:
    """int (n, 2) rows and columns of every connected block of true tiles, in the order of their first tiles."""
    left = {(int(r), int(c)): None for r, c in np.argwhere(mask)}
    blocks = []
    while left:
        block = [next(iter(left))]
        del left[block[0]]
        for r, c in block:
            for beside in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                if beside in left:
                    del left[beside]
                    block.append(beside)
        blocks.append(np.array(sorted(block)))
    return blocks
