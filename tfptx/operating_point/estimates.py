"""This holds the figures of a table as estimates: the value, and the interval around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import score
from tfptx.operating_point.intervals import Bootstrap, Distribution, Method


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its interval; NaN where no image bears on it."""

    value: float
    low: float
    high: float


def estimate(distribution: Distribution, method: Method = "bca") -> Estimate:
    """The estimate of one figure."""
    low, high = distribution.interval(method)
    return Estimate(float(distribution.value), float(low), float(high))


def figures(
    drawn: Bootstrap,
    dice: NDArray[np.float64],
    predicted_px: NDArray[np.int64],
    truth_px: NDArray[np.int64],
) -> dict[str, Distribution]:
    """The distributions of `score.figures` of masks over N images, paired by their draws."""
    is_positive, is_found = truth_px > 0, predicted_px > 0
    means = (
        drawn.mean(dice),
        drawn.share(dice, is_positive),
        drawn.share(is_found, is_positive),
        drawn.share(~is_found, ~is_positive),
        drawn.mean(~is_found),
    )
    return dict(zip(score.FIGURES, means, strict=True))
