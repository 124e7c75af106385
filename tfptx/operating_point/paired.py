"""This holds the paired difference of two systems, or two points of one, on the same images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import decisions, estimates
from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.intervals import Bootstrap


@dataclass(frozen=True, eq=False)
class System:
    """What a system makes of each of N images: the Dice, and the pixels of mask and truth."""

    name: str
    dice: NDArray[np.float64]
    predicted_px: NDArray[np.int64]
    truth_px: NDArray[np.int64]

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether it says of an image rightly that there is a pneumothorax, or none: N."""
        return np.asarray((self.predicted_px > 0) == (self.truth_px > 0))


@dataclass(frozen=True)
class Difference:
    """The mean Dice of one system less that of another, and how likely chance makes as much.

    `permutation_p` is of the mean Dice (`Bootstrap.signs`), `mcnemar_p` of the decisions.
    """

    one: str
    other: str
    mean_dice: Estimate
    permutation_p: float
    mcnemar_p: float


def difference(drawn: Bootstrap, one: System, other: System) -> Difference:
    """Compare two systems on the images that patients were drawn of."""
    return Difference(
        one.name,
        other.name,
        estimates.estimate(drawn.mean(one.dice) - drawn.mean(other.dice)),
        drawn.signs(one.dice - other.dice),
        decisions.mcnemar(one.is_right, other.is_right),
    )
