"""This holds the measure: Dice per image with its rule for empty masks, and figures over images."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FIGURES = ("mean_dice", "positive_dice", "sensitivity", "specificity", "empty_share")


def dice(mask: NDArray[np.generic], truth: NDArray[np.generic]) -> float:
    """Dice of two masks of one shape, 2|X and Y| / (|X| + |Y|), 1.0 where both are empty.

    A pixel that is not zero is set. Raises ValueError where the shapes differ.
    """
    if mask.shape != truth.shape:
        raise ValueError(f"the mask is {mask.shape}, its truth {truth.shape}; resize one of them")
    predicted, true = mask != 0, truth != 0
    overlap = np.count_nonzero(predicted & true)
    return float(dice_of_counts(overlap, np.count_nonzero(predicted), np.count_nonzero(true)))


def dice_of_counts(
    overlap_px: ArrayLike, predicted_px: ArrayLike, truth_px: ArrayLike
) -> NDArray[np.float64]:
    """Dice, float64, of pixel counts that broadcast: 1.0 where both masks are empty."""
    total = np.asarray(predicted_px, np.float64) + np.asarray(truth_px, np.float64)
    is_empty = total == 0
    overlap = 2 * np.asarray(overlap_px, np.float64)
    return np.where(is_empty, 1.0, overlap / np.where(is_empty, 1.0, total))


def figures(
    dice_per_image: NDArray[np.float64],
    predicted_px: NDArray[np.int64],
    truth_px: NDArray[np.int64],
) -> dict[str, NDArray[np.float64]]:
    """What a table says of masks over images, the first axis; further axes are kept.

    `truth_px` is one number an image. `positive_dice` and `sensitivity` are over images with a
    true pixel, `specificity` is over the others: NaN where there are none. An image counts as
    found where its mask is not empty.
    """
    is_positive, is_found = truth_px > 0, predicted_px > 0
    means = (
        _mean(dice_per_image),
        _mean(dice_per_image[is_positive]),
        _mean(is_found[is_positive]),
        _mean(~is_found[~is_positive]),
        _mean(~is_found),
    )
    return dict(zip(FIGURES, means, strict=True))


def all_empty(truth_px: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """The figures of predicting nothing, which every table shows: its Dice is far from 0."""
    is_empty = np.asarray(truth_px == 0, np.float64)
    return figures(is_empty, np.zeros_like(truth_px), truth_px)


def _mean(values: NDArray[np.generic]) -> NDArray[np.float64]:
    if not len(values):
        return np.full(values.shape[1:], np.nan)
    return np.asarray(np.mean(values.astype(np.float64), axis=0))
