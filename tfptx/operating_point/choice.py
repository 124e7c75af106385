"""This holds the choice of a cell: what is best, what ties with it within noise, and the middle.

A single best cell is the one that chance favoured most. Its neighbours on a plateau do as well, and
the plateau's middle stands farthest from where the score falls.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tfptx.operating_point import score
from tfptx.operating_point.cells import Pixels
from tfptx.operating_point.grid import Index

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Equal means, summed in another order, may differ in their last bits.
_TIE = 1e-12


@dataclass(frozen=True)
class Criterion:
    """What the chosen cell is to be: of the best mean Dice, or of the least cost.

    Only cells of at least these image-level sensitivity and specificity are taken. Where
    `cost_of_miss` is given, an image whose pneumothorax is missed costs that many times an image
    with a false alarm, and the mean cost decides.
    """

    min_sensitivity: float = 0.0
    min_specificity: float = 0.0
    cost_of_miss: float | None = None

    def gains(self, dice: Floats, predicted_px: Pixels, truth_px: Pixels) -> Floats:
        """What each image adds to a cell's worth, N x [...]: its Dice, or its cost below 0."""
        if self.cost_of_miss is None:
            return dice
        is_positive = (truth_px > 0).reshape(-1, *[1] * (predicted_px.ndim - 1))
        is_found = predicted_px > 0
        costs = self.cost_of_miss * (is_positive & ~is_found) + (~is_positive & is_found)
        return np.asarray(-costs, np.float64)

    def allows(self, figures: dict[str, Floats]) -> Flags:
        """Which cells are taken. A figure that no image bears on forbids none."""
        return ~(
            (figures["sensitivity"] < self.min_sensitivity)
            | (figures["specificity"] < self.min_specificity)
        )


def best(worth: Floats, positive_dice: Floats, allowed: Flags) -> Index:
    """The allowed cell of the largest worth, a tie by the Dice on positives, then by the middle.

    All have the grid's shape. Raises ValueError where no cell is allowed.
    """
    if not allowed.any():
        raise ValueError(
            "no cell of the grid is a rule with the sensitivity and specificity that are asked "
            "for; widen the grid or ask for less"
        )
    tie = allowed
    # Without a positive image that Dice is NaN in every cell.
    for figure in (worth, np.nan_to_num(positive_dice)):
        tie = tie & (figure >= figure[tie].max() - _TIE)
    return _middle(tie)


def plateau(best: Index, behind: Floats, noise: Floats, allowed: Flags) -> Flags:
    """The cells around the best one that tie with it within noise, in one piece.

    `behind` is by how much each cell's worth is below the best one's, `noise` the standard error of
    that paired difference: one such error is the rule of Breiman et al. 1984 ("Classification and
    Regression Trees", section 3.4.3). Cells touch along one axis.
    """
    pieces, _ = ndimage.label(allowed & (behind <= noise + _TIE))
    return np.asarray(pieces == pieces[best])


def middle(plateau: Flags, worth: Floats) -> Index:
    """The cell of a plateau that is farthest from its edge, in steps of the grid.

    What lies beyond the grid counts as lower ground. A tie goes to the larger worth, and then to
    the middle one.
    """
    # An axis of one value has no edge.
    wide = np.atleast_1d(np.squeeze(plateau))
    depth = ndimage.distance_transform_cdt(np.pad(wide, 1), "chessboard")
    inner = depth[(slice(1, -1),) * depth.ndim].reshape(plateau.shape)
    deepest = plateau & (inner == inner[plateau].max())
    return _middle(deepest & (worth >= worth[deepest].max() - _TIE))


def dice(cells: tuple[Pixels, Pixels], truth_px: Pixels) -> Floats:
    """The Dice of each image, N x [...], from the pixels of its masks and those in the truth."""
    predicted, overlap = cells
    return score.dice_of_counts(
        overlap, predicted, truth_px.reshape(-1, *[1] * (predicted.ndim - 1))
    )


def _middle(tie: Flags) -> Index:
    """The cell in the middle: of its values along each axis in turn, the lower median."""
    places = np.argwhere(tie)
    for axis in range(places.shape[1]):
        distinct = np.unique(places[:, axis])
        places = places[places[:, axis] == distinct[(len(distinct) - 1) // 2]]
    return tuple(map(int, places[0]))
