"""This holds the comparison of two systems' decisions, whether an image has a pneumothorax."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def mcnemar(is_right: NDArray[np.bool_], is_other_right: NDArray[np.bool_]) -> float:
    """Give the two-sided p of McNemar's exact test: whether two systems are right equally often.

    Only the images count that one system decides rightly and the other not; if both are alike, each
    is as likely to be the one (McNemar 1947, Psychometrika 12:153; the binomial in place of its
    approximation). Images are taken as independent, so of several of one patient p is too small.
    """
    one = int(np.count_nonzero(is_right & ~is_other_right))
    other = int(np.count_nonzero(~is_right & is_other_right))
    return float(stats.binomtest(one, one + other).pvalue) if one + other else 1.0
