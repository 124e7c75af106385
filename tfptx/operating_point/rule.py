"""This holds the rule that turns a probability map into a mask, and its exact levels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVELS = 10_000  # steps between probability 0 and 1: every threshold of four decimals is one
EDGES = (np.arange(1, LEVELS + 1) / LEVELS).astype(np.float32)
# A level k holds the probabilities from the k-th of these up to the next.
_LOWEST = np.concatenate([[np.float32(-np.inf)], EDGES, [np.float32(np.inf)]])


@dataclass(frozen=True)
class Pair:
    """The operating point: pixels of at least `threshold`, unless they are fewer than `min_pixels`.

    `min_pixels` belongs to an image of `size_px` squared; elsewhere it scales with the area.
    """

    threshold: float
    min_pixels: int
    size_px: int

    def __post_init__(self) -> None:
        level_of(self.threshold)
        if self.min_pixels < 0:
            raise ValueError(f"min_pixels is {self.min_pixels}, it can't be below 0")
        if self.size_px < 1:
            raise ValueError(f"size_px is {self.size_px}, it must be at least 1")


def level_of(threshold: float) -> int:
    """The level from which on a pixel reaches `threshold`.

    Raises ValueError where the threshold is not from 0 to 1 or has more than four decimals.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"the threshold is {threshold}, a probability is from 0 to 1")
    level = round(LEVELS * threshold)
    if level / LEVELS != threshold:
        raise ValueError(f"the threshold {threshold!r} has more than four decimals; round it")
    return level


def is_large_enough(
    count: ArrayLike, min_pixels: ArrayLike, size_px: int, rows: ArrayLike, columns: ArrayLike
) -> NDArray[np.bool_]:
    """Whether count / (rows columns) >= min_pixels / size_px^2, in whole numbers that broadcast."""
    scaled = np.asarray(min_pixels, np.int64) * np.asarray(rows, np.int64)
    scaled = scaled * np.asarray(columns, np.int64)
    # The least whole number that suffices: count * size_px^2 could leave int64 where this can't.
    return np.asarray(count) >= -(-scaled // size_px**2)


def mask(probability: NDArray[np.float32], pair: Pair) -> NDArray[np.bool_]:
    """The mask, rows x columns, of a float32 probability map.

    Raises ValueError where the map is not float32 or not within 0 and 1.
    """
    _refuse_other_than_probabilities(probability)
    return _unless_too_small(probability >= np.float32(pair.threshold), pair)


def mask_of_levels(levels: NDArray[np.uint16], pair: Pair) -> NDArray[np.bool_]:
    """The mask, rows x columns, of a map's levels: the same as `mask` makes of the map."""
    return _unless_too_small(levels >= level_of(pair.threshold), pair)


def levels(probability: NDArray[np.float32]) -> NDArray[np.uint16]:
    """How many of EDGES are at or below each pixel: 0 to LEVELS, in the shape of the map.

    So a pixel reaches a threshold exactly where its level reaches `level_of(threshold)`.
    Raises ValueError where the map is not float32 or not within 0 and 1.
    """
    _refuse_other_than_probabilities(probability)
    # The product is rounded, so this is off by at most one; the comparisons then decide.
    guess = (probability * np.float32(LEVELS)).astype(np.uint16)
    guess -= probability < _LOWEST[guess]
    guess += probability >= _LOWEST[guess + 1]
    return guess


def _refuse_other_than_probabilities(probability: NDArray[np.float32]) -> None:
    if probability.dtype != np.float32:
        raise ValueError(f"a probability map is float32, got {probability.dtype}; convert it once")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError(
            f"a probability map lies within 0 and 1, got {probability.min()} to "
            f"{probability.max()}; logits need a sigmoid, NaN a look at the network"
        )


def _unless_too_small(pixels: NDArray[np.bool_], pair: Pair) -> NDArray[np.bool_]:
    rows, columns = pixels.shape
    count = np.count_nonzero(pixels)
    if is_large_enough(count, pair.min_pixels, pair.size_px, rows, columns):
        return pixels
    return np.zeros_like(pixels)
