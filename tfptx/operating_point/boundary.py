"""This holds the distances between two outlines, in millimetres."""

import warnings
from typing import NamedTuple

import numpy as np
import surface_distance
from numpy.typing import NDArray

TOLERANCE_MM = 2.0  # our choice: about 14 pixels of a SIIM-ACR image
PERCENT = 95


class Distances(NamedTuple):
    """The 95th percentile of the distances, and the share of both outlines within TOLERANCE_MM."""

    hd95_mm: float
    surface_dice: float


def distances(mask: NDArray[np.bool_], truth: NDArray[np.bool_], spacing_mm: float) -> Distances:
    """Measure two masks, rows x columns, whose pixels are squares of `spacing_mm`.

    HD95 is the larger of the two directed 95th percentiles, the surface Dice that of Nikolov et al.
    2021 (J. Med. Internet Res. 23:e26151), also called normalised surface distance. Both are NaN
    where a mask is empty, which has no outline, or the spacing is unknown.
    """
    if np.isnan(spacing_mm) or not (mask.any() and truth.any()):
        return Distances(np.nan, np.nan)
    with warnings.catch_warnings():
        # The library, whose last release this is, names functions of SciPy by their old place.
        warnings.filterwarnings("ignore", "Please import `.*` from the `scipy", DeprecationWarning)
        measured = surface_distance.compute_surface_distances(truth, mask, (spacing_mm,) * 2)
    return Distances(
        float(surface_distance.compute_robust_hausdorff(measured, PERCENT)),
        float(surface_distance.compute_surface_dice_at_tolerance(measured, TOLERANCE_MM)),
    )
