"""This holds the draw of an epoch: which examples it takes, and in which order."""

from math import ceil

import numpy as np
from numpy.typing import NDArray


def num_examples(
    num_positives: int, num_negatives: int, positive_share: float, batch_size: int
) -> int:
    """The size of an epoch of all positives and as many negatives as `positive_share` leaves.

    It is a whole number of batches, filled up with more negatives: a step compiled for batches of
    one size, or shared by several devices, takes no smaller one.
    """
    wanted = min(round(num_positives / positive_share), num_positives + num_negatives)
    return ceil(wanted / batch_size) * batch_size


def draw(
    positives: NDArray[np.int64],
    negatives: NDArray[np.int64],
    positive_share: float,
    batch_size: int,
    seed: int,
    epoch: int,
) -> NDArray[np.int64]:
    """The numbers of an epoch's examples in their order; it hangs on the arguments alone.

    `positives` and `negatives` are the examples' numbers. Every positive is drawn once, negatives
    without replacement; only what the last batch lacks once all are in it is drawn again, from the
    negatives if there are any. Raises ValueError where there are no positives.
    """
    if not len(positives):
        raise ValueError("an epoch is drawn around its positive examples, got none")
    size = num_examples(len(positives), len(negatives), positive_share, batch_size)
    random = np.random.default_rng([seed, epoch])
    num_drawn = min(size - len(positives), len(negatives))
    drawn = random.choice(negatives, num_drawn, replace=False)
    again = np.resize(
        random.permutation(negatives if len(negatives) else positives),
        size - len(positives) - num_drawn,
    )
    return random.permutation(np.concatenate([positives, drawn, again]))


def part(numbers: NDArray[np.int64], batch_size: int, index: int, count: int) -> NDArray[np.int64]:
    """The numbers that one of `count` processes loads: an equal run of each batch, in order."""
    by_process = numbers.reshape(-1, count, batch_size // count)
    return by_process[:, index].ravel()
