"""This holds the rule that turns a probability map into a mask, and its exact levels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tfptx.operating_point import components

LEVELS = 10_000  # steps between probability 0 and 1: every threshold of four decimals is one
EDGES = (np.arange(1, LEVELS + 1) / LEVELS).astype(np.float32)
# A level k holds the probabilities from the k-th of these up to the next.
_LOWEST = np.concatenate([[np.float32(-np.inf)], EDGES, [np.float32(np.inf)]])


@dataclass(frozen=True)
class Rule:
    """The operating point: the pixels of at least `bottom_threshold`, cleaned, or none.

    None where fewer than `area_px` pixels reach `top_threshold` (the triplet of the challenge's
    first place). With both thresholds equal it is the pair: a threshold and a smallest mask. Then
    holes are filled where `fills_holes`, and components of fewer than `min_component_px` dropped.
    Pixels belong to an image of `size_px` squared; elsewhere they scale with the area. Nor is there
    a mask where the network's own probability that there is any, its presence, is below
    `min_presence`.
    """

    top_threshold: float
    area_px: int
    bottom_threshold: float
    size_px: int
    fills_holes: bool = False
    min_component_px: int = 0
    min_presence: float = 0.0

    def __post_init__(self) -> None:
        if level_of(self.top_threshold) < level_of(self.bottom_threshold):
            raise ValueError(
                f"the top threshold {self.top_threshold} is below the bottom one, "
                f"{self.bottom_threshold}"
            )
        level_of(self.min_presence)
        for name, pixels in (("area", self.area_px), ("component", self.min_component_px)):
            if pixels < 0:
                raise ValueError(f"the smallest {name} is {pixels} px, it can't be below 0")
        if self.size_px < 1:
            raise ValueError(f"size_px is {self.size_px}, it must be at least 1")

    @property
    def looks_at_components(self) -> bool:
        """Whether counts of pixels don't do: the mask hangs on which pixels touch."""
        return self.fills_holes or self.min_component_px > 0


def pair(threshold: float, min_pixels: int, size_px: int) -> Rule:
    """The rule of one threshold: its pixels, unless they are fewer than `min_pixels`."""
    return Rule(threshold, min_pixels, threshold, size_px)


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


def least_pixels(
    min_pixels: ArrayLike, size_px: int, rows: ArrayLike, columns: ArrayLike
) -> NDArray[np.int64]:
    """The least count with count / (rows columns) >= min_pixels / size_px^2, int64.

    All broadcast.
    """
    scaled = np.asarray(min_pixels, np.int64) * np.asarray(rows, np.int64)
    scaled = scaled * np.asarray(columns, np.int64)
    return np.asarray(-(-scaled // size_px**2))


def mask(
    probability: NDArray[np.float32], rule: Rule, presence: np.float32 | None = None
) -> NDArray[np.bool_]:
    """The mask, rows x columns, of a float32 probability map, and of the image's presence.

    Raises ValueError where the map is not float32 or not within 0 and 1, or where the rule asks a
    presence that is not there.
    """
    _refuse_other_than_probabilities(probability)
    top, bottom = np.float32(rule.top_threshold), np.float32(rule.bottom_threshold)
    return _decided(probability >= top, probability >= bottom, rule, presence)


def mask_of_levels(
    levels: NDArray[np.uint16], rule: Rule, presence: np.float32 | None = None
) -> NDArray[np.bool_]:
    """The mask, rows x columns, of a map's levels: the same as `mask` makes of the map."""
    top, bottom = level_of(rule.top_threshold), level_of(rule.bottom_threshold)
    return _decided(levels >= top, levels >= bottom, rule, presence)


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


def _decided(
    sure: NDArray[np.bool_],
    pixels: NDArray[np.bool_],
    rule: Rule,
    presence: np.float32 | None,
) -> NDArray[np.bool_]:
    rows, columns = pixels.shape
    if rule.min_presence > 0:
        if presence is None or np.isnan(presence):
            raise ValueError(
                f"the rule asks a presence of {rule.min_presence}, and the image has none; predict "
                'it with a network that was fitted with heads = ["presence"]'
            )
        if presence < np.float32(rule.min_presence):
            return np.zeros_like(pixels)
    if np.count_nonzero(sure) < least_pixels(rule.area_px, rule.size_px, rows, columns):
        return np.zeros_like(pixels)
    if rule.fills_holes:
        pixels = components.filled(pixels)
    smallest = int(least_pixels(rule.min_component_px, rule.size_px, rows, columns))
    return components.dropped(pixels, smallest) if smallest > 1 else pixels
