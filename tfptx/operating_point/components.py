"""This holds the components of a mask: holes filled, small ones dropped, pixels of each.

Pixels that touch by a side or a corner are of one component; a hole is background that touches the
border of the image by no chain of sides.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def filled(mask: Mask) -> Mask:
    """The mask, rows x columns, with its holes."""
    background = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(background, connectivity=4)
    # The frame around the image, label of its corner, joins all background that reaches the border.
    return np.asarray(labels != labels[0, 0])[1:-1, 1:-1]


def dropped(mask: Mask, min_px: int) -> Mask:
    """The mask, rows x columns, without its components of fewer than `min_px` pixels."""
    labels, found = _labelled(mask)
    is_kept = found >= min_px
    is_kept[0] = False
    return np.asarray(is_kept[labels])


def areas(mask: Mask, truth: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixels of each component of a mask, and those of them within `truth`."""
    labels, found = _labelled(mask)
    within = np.bincount(labels[truth], minlength=len(found))
    return found[1:], within[1:]


def _labelled(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The component of each pixel, 0 outside of the mask, and the pixels of each."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    return labels, statistics[:, cv2.CC_STAT_AREA].astype(np.int64)
