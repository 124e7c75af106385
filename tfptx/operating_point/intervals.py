"""This holds the intervals: patients drawn again and again, and what that says of a figure.

The images of one patient resemble each other, so whole patients are drawn (Davison & Hinkley 1997,
section 3.8). Figures of one `Bootstrap` are of the same draws, so their difference is paired.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from tfptx.operating_point import proportion

Floats = NDArray[np.float64]
Method = Literal["percentile", "bca"]

LEVEL = 0.95
NUM_RESAMPLES = 1000
_BLOCK = 100  # resamples at a time: their weights for 12,000 patients take 10 MB
# Equal means, summed in another order, differ in their last bits. Images have few distinct scores,
# so many resamples tie with the figure, and BCa would hang on how many of these ties were seen.
_TIE = 1e-9


@dataclass(frozen=True)
class Draws:
    """How intervals are drawn."""

    method: Method = "bca"
    num_resamples: int = NUM_RESAMPLES
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Distribution:
    """A figure, [...], as it is, in B resamples [B, ...], and without each of P patients [P, ...].

    NaN stands where no image bears on the figure, as in a resample without a positive one.
    `num_patients`, one number or [...], bear on a figure that can't leave 0 to 1; None for others.
    """

    value: Floats
    resampled: Floats
    jackknife: Floats
    num_patients: NDArray[np.int64] | None = None

    def __sub__(self, other: Self) -> "Distribution":
        """Give the paired difference to a figure of the same Bootstrap."""
        return self.combine(np.subtract, other)

    def combine(self, function: Callable[..., Floats], *others: Self) -> "Distribution":
        """Give what an elementwise function makes of this figure and others of its Bootstrap."""
        parts = (self, *others)
        return Distribution(
            function(*(part.value for part in parts)),
            function(*(part.resampled for part in parts)),
            function(*(part.jackknife for part in parts)),
        )

    @property
    def is_still(self) -> NDArray[np.bool_]:
        """Whether all resamples, [...], say the same, as where every positive image is found."""
        widest = np.fmax.reduce(self.resampled) - np.fmin.reduce(self.resampled)
        return np.asarray(widest <= _TIE)

    def interval(self, method: Method = "bca", level: float = LEVEL) -> tuple[Floats, Floats]:
        """Give the ends, [...], of the interval that holds the figure with confidence `level`.

        "percentile" are the quantiles of the resamples. "bca" moves them for bias and acceleration
        (Efron 1987, J. Am. Stat. Assoc. 82:171, section 3). Resamples with NaN are left out.
        Resamples that say the same would make an interval of one point, though 20 of 20 found are
        no proof that all are: of a figure from 0 to 1 it is then that of Clopper and Pearson, each
        patient being one trial (`proportion.interval`). A figure that one patient alone bears on
        has no interval, NaN: nothing says how patients differ.
        """
        shares = np.array([(1 - level) / 2, (1 + level) / 2])
        flat = self.resampled.reshape(len(self.resampled), -1)
        if method == "percentile":
            ends = _quantiles(flat, np.repeat(shares[:, np.newaxis], flat.shape[1], axis=1))
        else:
            ends = _quantiles(flat, self._bca_shares(flat, shares))
        ends = ends.reshape(2, *self.value.shape)
        if self.num_patients is not None:
            exact = proportion.interval(self.value, self.num_patients, level)
            ends = np.where(self.is_still, exact, ends)
        low, high = np.where(self._hangs_on_one, np.nan, ends)
        return low, high

    @property
    def _hangs_on_one(self) -> NDArray[np.bool_]:
        """Whether no image bears on the figure, [...], once some patient is left out."""
        return np.asarray(np.isnan(self.jackknife).any(axis=0))

    def _bca_shares(self, flat: Floats, shares: Floats) -> Floats:
        """The quantiles to take in place of `shares`, 2 x cells."""
        value = self.value.reshape(-1)
        tie = _TIE * np.maximum(1, np.abs(value))
        # What ties counts a half.
        below = (np.mean(flat < value - tie, axis=0) + np.mean(flat <= value + tie, axis=0)) / 2
        known = np.mean(~np.isnan(flat), axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            bias = stats.norm.ppf(below / known)
            jackknife = self.jackknife.reshape(len(self.jackknife), -1)
            left = np.nansum(jackknife, axis=0) / (~np.isnan(jackknife)).sum(axis=0) - jackknife
            cubes, squares = np.nansum(left**3, axis=0), np.nansum(left**2, axis=0)
            acceleration = np.where(squares > 0, cubes / (6 * squares**1.5), 0.0)
            moved = bias + stats.norm.ppf(shares)[:, np.newaxis]
            adjusted = stats.norm.cdf(bias + moved / (1 - acceleration * moved))
        # All resamples on one side of the figure: there is no bias to correct by.
        usable = np.isfinite(bias) & np.isfinite(adjusted).all(axis=0)
        return np.where(usable, adjusted, shares[:, np.newaxis])


class Bootstrap:
    """Draws of patients: `patient_ids` has one id for each of N images; the seed fixes the draws.

    Raises ValueError where there is no image.
    """

    def __init__(
        self, patient_ids: Sequence[str], num_resamples: int = NUM_RESAMPLES, seed: int = 0
    ) -> None:
        if not len(patient_ids):
            raise ValueError("there are no images to draw from")
        patients, patient_of = np.unique(np.asarray(patient_ids, str), return_inverse=True)
        self.num_patients = len(patients)
        self._patient_of = patient_of
        self._order = np.argsort(patient_of, kind="stable")
        self._first = np.searchsorted(patient_of[self._order], np.arange(len(patients)))
        self._num_resamples = num_resamples
        self._seed = seed

    def mean(self, values: ArrayLike) -> Distribution:
        """The mean over images of values from 0 to 1, N x [...]."""
        values = np.asarray(values, np.float64)
        return self.share(values, np.ones(len(values), bool))

    def share(self, values: ArrayLike, among: NDArray[np.bool_]) -> Distribution:
        """The mean of values from 0 to 1, N x [...], over the images of `among`, N or N x [...]."""
        found = self.ratio(np.asarray(values, np.float64), among.astype(np.float64))
        return replace(found, num_patients=self.num_bearing(among))

    def num_bearing(self, among: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many patients have an image of `among`, N x [...]."""
        return np.asarray((self._by_patient(among.astype(np.float64)) > 0).sum(axis=0))

    def ratio(self, numerators: Floats, denominators: Floats) -> Distribution:
        """The sum of numerators x denominators over that of denominators: N x [...], or N."""
        broad = denominators.reshape(
            *denominators.shape, *[1] * (numerators.ndim - denominators.ndim)
        )
        above = self._by_patient(np.where(broad > 0, numerators, 0.0) * broad)
        below = self._by_patient(denominators)
        shape = numerators.shape[1:]
        above, below = above.reshape(self.num_patients, -1), below.reshape(self.num_patients, -1)
        resampled = np.empty((self._num_resamples, above.shape[1]))
        total_above, total_below = above.sum(axis=0), below.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            for first in range(0, self._num_resamples, _BLOCK):
                times = self._times_drawn[first : first + _BLOCK].astype(np.float64)
                resampled[first : first + _BLOCK] = (times @ above) / (times @ below)
            value = total_above / total_below
            jackknife = (total_above - above) / (total_below - below)
        return Distribution(
            value.reshape(shape),
            resampled.reshape(-1, *shape),
            jackknife.reshape(-1, *shape),
        )

    def weighted(
        self, figure: Callable[[Floats], Floats], num_patients: int | None = None
    ) -> Distribution:
        """A figure that `figure` gives, B, for B x N weights of the images, whole numbers.

        `num_patients` are those of a figure from 0 to 1, as in `Distribution`.
        """
        by_image = self._patient_of
        blocks = range(0, self._num_resamples, _BLOCK)
        resampled = [
            figure(self._times_drawn[first : first + _BLOCK, by_image].astype(np.float64))
            for first in blocks
        ]
        without = [
            figure((by_image != np.arange(first, end)[:, np.newaxis]).astype(np.float64))
            for first in range(0, self.num_patients, _BLOCK)
            for end in [min(first + _BLOCK, self.num_patients)]
        ]
        value = figure(np.ones((1, len(by_image))))[0]
        return Distribution(
            np.asarray(value),
            np.concatenate(resampled),
            np.concatenate(without),
            None if num_patients is None else np.asarray(num_patients),
        )

    def standard_error(self, values: ArrayLike) -> Floats:
        """The standard error of the mean over images of values, N x [...], patients being drawn.

        The mean is the ratio of the patients' sums to their numbers of images: that is linearised
        (Davison & Hinkley 1997, section 2.7.2).
        """
        values = np.asarray(values, np.float64)
        sums, numbers = self._by_patient(values), self._by_patient(np.ones(len(values)))
        left = sums - numbers.reshape(-1, *[1] * (values.ndim - 1)) * values.mean(axis=0)
        return np.asarray(np.sqrt((left**2).sum(axis=0)) / len(values))

    def signs(self, differences: ArrayLike) -> float:
        """Give the two-sided p of a paired permutation test of a mean difference, N values.

        Two systems that are alike can be swapped in any patient: so the signs of the patients'
        sums are drawn at random (Good 2005, "Permutation, Parametric, and Bootstrap Tests of
        Hypotheses", section 3.2). The smallest p is 1 / (resamples + 1). NaN where one of them is.
        """
        sums = self._by_patient(np.asarray(differences, np.float64))
        if np.isnan(sums).any():
            return np.nan
        random = np.random.default_rng([self._seed, 1])
        reached = 0
        for first in range(0, self._num_resamples, _BLOCK):
            num_draws = min(_BLOCK, self._num_resamples - first)
            flips = random.integers(0, 2, (num_draws, self.num_patients), np.int8)
            drawn = np.abs((2.0 * flips - 1) @ sums)
            reached += int(np.count_nonzero(drawn >= abs(sums.sum()) - _TIE))
        return float((reached + 1) / (self._num_resamples + 1))

    @cached_property
    def _times_drawn(self) -> NDArray[np.uint16]:
        """How often each patient is in each resample, B x P."""
        random = np.random.default_rng(self._seed)
        drawn = (
            np.bincount(
                random.integers(self.num_patients, size=self.num_patients),
                minlength=self.num_patients,
            )
            for _ in range(self._num_resamples)
        )
        return np.array([times.astype(np.uint16) for times in drawn])

    def _by_patient(self, values: Floats) -> Floats:
        return np.add.reduceat(values[self._order], self._first, axis=0)


def _quantiles(values: Floats, shares: Floats) -> Floats:
    """The quantiles, 2 x cells, of each column, B x cells, at its own shares; NaN is left out."""
    columns = (
        np.quantile(column[known], share) if (known := ~np.isnan(column)).any() else [np.nan] * 2
        for column, share in zip(values.T, shares.T, strict=True)
    )
    return np.array(list(columns)).reshape(-1, 2).T
