"""This holds how well an image's score ranks positives before negatives, at no threshold."""

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point.intervals import Bootstrap, Distribution, Floats


def auroc(drawn: Bootstrap, scores: Floats, is_positive: NDArray[np.bool_]) -> Distribution:
    """The area under the ROC curve: how often a positive's score is above a negative's.

    Equal scores count a half (Hanley & McNeil 1982, Radiology 143:29). NaN without a positive or
    without a negative image. Pairs of a positive patient with a negative one that share none are
    independent trials: as many as there are bound the area where no resample errs.
    """

    def figure(weights: Floats) -> Floats:
        found, false = _reached(weights, scores, is_positive)
        width = np.diff(false, prepend=0.0)
        height = found - np.diff(found, prepend=0.0) / 2
        with np.errstate(invalid="ignore"):
            return np.asarray((width * height).sum(axis=1) / (found[:, -1] * false[:, -1]))

    num_of_each = (int(drawn.num_bearing(among)) for among in (is_positive, ~is_positive))
    return drawn.weighted(figure, min(drawn.num_patients // 2, *num_of_each))


def average_precision(
    drawn: Bootstrap, scores: Floats, is_positive: NDArray[np.bool_]
) -> Distribution:
    """The mean precision at the score of each positive, as scikit-learn has it: no interpolation.

    A ranking by chance has the prevalence. NaN without a positive image. Where no resample errs the
    interval is the point 1 alone, and says nothing.
    """

    def figure(weights: Floats) -> Floats:
        found, false = _reached(weights, scores, is_positive)
        with np.errstate(invalid="ignore"):
            precision = np.where(found > 0, found / (found + false), 0.0)
            gained = np.diff(found, prepend=0.0)
            return np.asarray((gained * precision).sum(axis=1) / found[:, -1])

    return drawn.weighted(figure)


def _reached(
    weights: Floats, scores: Floats, is_positive: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """The weights of positives and of negatives that reach each distinct score, from the highest.

    `weights` are B x N, both are B x the number of distinct scores.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    ordered, positive = weights[:, order], is_positive[order]
    found = np.cumsum(ordered * positive, axis=1)[:, last]
    return found, np.cumsum(ordered * ~positive, axis=1)[:, last]
