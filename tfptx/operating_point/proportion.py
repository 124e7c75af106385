"""This holds the exact interval of a proportion, for where drawing anew says nothing."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


def interval(share: ArrayLike, num_trials: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Give the ends of the interval of Clopper & Pearson (1934, Biometrika 26:404).

    All broadcast. It holds the proportion with confidence `level` at least. A share of trials need
    be no whole number of them (Korn & Graubard 1998, Survey Methodology 24:193), and where all
    trials are 0 or all are 1 the interval holds the mean of any values from 0 to 1, since they are
    all 1 no more often than their mean to the power of trials. NaN without a trial.
    """
    num_trials = np.asarray(num_trials, np.float64)
    hits = np.asarray(share, np.float64) * num_trials
    misses = num_trials - hits
    tail = (1 - level) / 2
    is_known = (num_trials > 0) & ~np.isnan(hits)
    low = np.where(hits > 0, stats.beta.ppf(tail, hits, misses + 1), 0.0)
    high = np.where(misses > 0, stats.beta.ppf(1 - tail, hits + 1, misses), 1.0)
    return np.where(is_known, low, np.nan), np.where(is_known, high, np.nan)
