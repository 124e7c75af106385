"""This holds the drawing of a mask over its radiograph."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's orange, apart from every grey for all kinds of colour vision; blue, green, red.
ORANGE = (0, 159, 230)
BLACK = (0, 0, 0)
FILL_SHARE = 0.18  # faint: what lies under the mask is what a reader wants to judge
LINES_PER_SIDE = 512  # an outline is this part of the shorter side thick


def draw(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The radiograph, uint8 rows x columns, in colour with the mask's outline and a faint fill.

    Gives uint8 rows x columns x 3 in OpenCV's order. The outline runs outside the mask, so that it
    hides none of it; a thin dark line sets it off from bright ribs.
    """
    drawn = np.repeat(image[:, :, np.newaxis], 3, axis=2)
    if not mask.any():
        return drawn
    filled = (1 - FILL_SHARE) * drawn[mask] + FILL_SHARE * np.array(ORANGE)
    drawn[mask] = np.rint(filled).astype(np.uint8)
    thickness_px = max(1, round(min(image.shape) / LINES_PER_SIDE))
    outline = _ring(mask, thickness_px)
    drawn[_ring(mask | outline, max(1, thickness_px // 2))] = BLACK
    drawn[outline] = ORANGE
    return drawn


def _ring(mask: NDArray[np.bool_], thickness_px: int) -> NDArray[np.bool_]:
    """The pixels outside the mask that are at most `thickness_px` away."""
    side = 2 * thickness_px + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    grown = cv2.dilate(mask.astype(np.uint8), kernel) > 0
    return np.asarray(grown & ~mask)
