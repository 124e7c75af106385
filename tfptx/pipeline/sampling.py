"""This holds the draw of an epoch: which examples it takes, and in which order."""

from math import ceil

import numpy as np
from numpy.typing import NDArray


def num_examples(
    num_positives: int, num_negatives: int, positive_share: float, batch_size: int
) -> int:
    """The size of an epoch of all positives and as many negatives as `positive_share` leaves.

    It is a whole number of batches, filled up with more negatives; only where all negatives are
    in it can the last batch be smaller.
    """
    num_batches = ceil(round(num_positives / positive_share) / batch_size)
    return min(num_batches * batch_size, num_positives + num_negatives)


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
    without replacement. Raises ValueError where there are no positives.
    """
    if not len(positives):
        raise ValueError("an epoch is drawn around its positive examples, got none")
    size = num_examples(len(positives), len(negatives), positive_share, batch_size)
    random = np.random.default_rng([seed, epoch])
    drawn = random.choice(negatives, size - len(positives), replace=False)
    return random.permutation(np.concatenate([positives, drawn]))
