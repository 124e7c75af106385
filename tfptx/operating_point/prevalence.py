"""This holds what a decision says of an image: predictive values, here and at other prevalences."""

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point.intervals import Bootstrap, Distribution, Floats


def predictive_values(
    drawn: Bootstrap, is_found: NDArray[np.bool_], is_positive: NDArray[np.bool_]
) -> tuple[Distribution, Distribution]:
    """PPV and NPV on N images: how many of the found, and of the others, are decided rightly."""
    return drawn.share(is_positive, is_found), drawn.share(~is_positive, ~is_found)


def predictive_values_at(
    prevalence: float, sensitivity: Distribution, specificity: Distribution
) -> tuple[Distribution, Distribution]:
    """PPV and NPV where that share of images is positive, by Bayes's theorem.

    Sensitivity and specificity are taken to be the same there. Raises ValueError where the
    prevalence is not between 0 and 1.
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"the prevalence is {prevalence}; it lies between 0 and 1")

    def positive(sensitivity: Floats, specificity: Floats) -> Floats:
        return _share(prevalence * sensitivity, (1 - prevalence) * (1 - specificity))

    def negative(sensitivity: Floats, specificity: Floats) -> Floats:
        return _share((1 - prevalence) * specificity, prevalence * (1 - sensitivity))

    return sensitivity.combine(positive, specificity), sensitivity.combine(negative, specificity)


def _share(right: Floats, wrong: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(right / (right + wrong))
