"""How far a group of players came, by the time that they had played."""

import numpy as np

LEAST = 5  # players of whom a curve is shown; of fewer, one could be recognised
WAITED_FOR = 0.25  # share of those still playing who may not have come as far as the curve


def mean_curve(values: np.ndarray, played: np.ndarray, is_over: np.ndarray) -> np.ndarray:
    """float64 (k,): the group's mean after 0, 1, ... k - 1 seconds of play; k is 0 for a group of fewer than LEAST.

    values: float (n, seconds + 1), what each player had reached after so many seconds, and at the end of the row what
    was reached last; played: int (n,), the seconds played so far; is_over: bool (n,).

    A play that is over keeps what it had reached: so those who stop early, or win early, stay in the mean. The curve
    ends where more than a quarter of those still playing have not arrived, since the others would be the fast ones.
    """
    if len(values) < LEAST:
        return np.zeros(0)
    going = np.sort(played[~is_over])
    end = int(going[int(WAITED_FOR * len(going))]) if len(going) else int(played.max())
    seconds = np.arange(end + 1)
    known = is_over[:, None] | (seconds <= played[:, None])  # (n, k)
    counts = known.sum(0)
    reached = np.where(known, values[:, : end + 1], 0).sum(0)
    return (reached / np.maximum(counts, 1))[counts >= LEAST]
