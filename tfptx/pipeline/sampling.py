"""This holds the draw of an epoch: which examples it takes, and in which order."""

from collections.abc import Sequence
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
    pool = negatives if len(negatives) else positives
    again = _passes(pool, size - len(positives) - num_drawn, random)
    return random.permutation(np.concatenate([positives, drawn, again]))


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


def part(numbers: NDArray[np.int64], batch_size: int, index: int, count: int) -> NDArray[np.int64]:
    """The numbers that one of `count` processes loads: an equal run of each batch, in order."""
    by_process = numbers.reshape(-1, count, batch_size // count)
    return by_process[:, index].ravel()


def _passes(numbers: NDArray[np.int64], num: int, random: np.random.Generator) -> NDArray[np.int64]:
    whole = [random.permutation(numbers) for _ in range(ceil(num / max(len(numbers), 1)))]
    return np.concatenate([*whole, numbers[:0]])[:num]
