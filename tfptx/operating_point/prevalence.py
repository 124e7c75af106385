"""This holds what a decision says of an image: predictive values, here and at other prevalences."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import estimates
from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.intervals import LEVEL, Bootstrap, Distribution, Floats, Method


def predictive_values(
    drawn: Bootstrap, is_found: NDArray[np.bool_], is_positive: NDArray[np.bool_]
) -> tuple[Distribution, Distribution]:
    """PPV and NPV on N images: how many of the found, and of the others, are decided rightly."""
    return drawn.share(is_positive, is_found), drawn.share(~is_positive, ~is_found)


def predictive_values_at(
    prevalence: float,
    sensitivity: Distribution,
    specificity: Distribution,
    method: Method = "bca",
) -> tuple[Estimate, Estimate]:
    """PPV and NPV where that share of images is positive, by Bayes's theorem.

    Sensitivity and specificity are taken to be the same there. Both values rise with both, so where
    resamples of one don't differ the ends are those at both of their lower and both of their upper
    ends: with half of the error for each, the interval holds as often as it says (Bonferroni).
    Raises ValueError where the prevalence is not between 0 and 1.
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"the prevalence is {prevalence}; it lies between 0 and 1")

    def positive(sensitivity: Floats, specificity: Floats) -> Floats:
        return _share(prevalence * sensitivity, (1 - prevalence) * (1 - specificity))

    def negative(sensitivity: Floats, specificity: Floats) -> Floats:
        return _share((1 - prevalence) * specificity, prevalence * (1 - sensitivity))

    rates = (sensitivity, specificity)
    return _estimate(positive, rates, method), _estimate(negative, rates, method)


def _estimate(
    rising: Callable[[Floats, Floats], Floats],
    rates: tuple[Distribution, Distribution],
    method: Method,
) -> Estimate:
    """The estimate of what rises with both rates."""
    one, other = rates
    together = one.combine(rising, other)
    if not (one.is_still or other.is_still):
        return estimates.estimate(together, method)
    ends = [rate.interval(method, 1 - (1 - LEVEL) / 2) for rate in rates]
    low, high = (float(rising(*each)) for each in zip(*ends, strict=True))
    return Estimate(float(together.value), low, high)


def _share(right: Floats, wrong: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(right / (right + wrong))
