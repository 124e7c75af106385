"""This holds the draw of an epoch: which examples it takes, and in which order."""

from collections.abc import Sequence
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


def num_further(num_own: int, shares: Sequence[float], batch_size: int) -> list[int]:
    """How many examples further records with these shares have in an epoch beside `num_own`.

    Together they are a whole number of batches, the least at which `num_own` examples have no more
    than the rest of the shares.
    """
    if not shares:
        return []
    total = ceil(round(num_own / (1 - sum(shares)), 6) / batch_size) * batch_size
    ends = np.cumsum(shares) / sum(shares) * (total - num_own)
    return [int(each) for each in np.diff(np.rint(ends), prepend=0)]


def draw_further(
    positives: NDArray[np.int64],
    negatives: NDArray[np.int64],
    positive_share: float,
    num: int,
    seed: Sequence[int],
) -> NDArray[np.int64]:
    """The numbers of `num` examples, `positive_share` of them positive where both kinds are there.

    None is drawn again before all of its kind are.
    """
    random = np.random.default_rng(seed)
    if len(positives) and len(negatives):
        num_positives = round(num * positive_share)
    else:
        num_positives = num if len(positives) else 0
    drawn = [_passes(positives, num_positives, random)]
    drawn.append(_passes(negatives, num - num_positives, random))
    return np.concatenate(drawn)


def order(num: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of an epoch's examples where they come from several records."""
    return np.random.default_rng([seed, epoch]).permutation(num)


def _passes(numbers: NDArray[np.int64], num: int, random: np.random.Generator) -> NDArray[np.int64]:
    whole = [random.permutation(numbers) for _ in range(ceil(num / max(len(numbers), 1)))]
    return np.concatenate([*whole, numbers[:0]])[:num]
