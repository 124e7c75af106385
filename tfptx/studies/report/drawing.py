"""This holds the drawing of a case: the outlines of mask and annotation on a radiograph."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import rule
from tfptx.serving import overlay

TRUTH = (233, 180, 86)  # Okabe and Ito's sky blue, as OpenCV's blue, green, red
LINE_PX = 2
BORDER_PX = 1  # dark, on either side of a dash
DASH_PX, GAP_PX = 9, 6
STEPS = 255  # of a drawn probability, as in drawing.js
# Colour at full resolution: at half of it, which is usual, thin lines turn grey.
JPEG = (
    *(cv2.IMWRITE_JPEG_QUALITY, 88),
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)


def draw(
    image: NDArray[np.uint8], truth: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The radiograph, uint8 rows x columns, with the mask outlined and the truth dashed over it.

    Gives uint8 of the same rows and columns x 3 in OpenCV's order.
    """
    small = resized(mask, image.shape)
    drawn = overlay.draw(image, small)
    # The overlay's own line is one pixel wide here, and lost where a page shows it at half size.
    cv2.drawContours(drawn, _outlines(small), -1, overlay.ORANGE, LINE_PX)
    for outline in _outlines(resized(truth, image.shape)):
        closed = np.concatenate([outline, outline[:1]])
        for start in range(0, len(closed), DASH_PX + GAP_PX):
            dash = closed[start : start + DASH_PX]
            cv2.polylines(drawn, [dash], False, overlay.BLACK, LINE_PX + 2 * BORDER_PX)
            cv2.polylines(drawn, [dash], False, TRUTH, LINE_PX)
    return drawn


def jpeg(drawn: NDArray[np.uint8]) -> bytes:
    """A drawing as the file that a page has."""
    return bytes(cv2.imencode(".jpg", drawn, JPEG)[1])


def steps(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """A map's levels as the steps of probability that drawing.js draws."""
    return np.asarray(np.rint(levels * (STEPS / rule.LEVELS)), np.uint8)


def resized(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask at a drawing's size; what is smaller than a pixel there still shows."""
    interpolation = cv2.INTER_AREA if mask.size > shape[0] * shape[1] else cv2.INTER_NEAREST
    small = cv2.resize(mask.astype(np.float32), shape[1::-1], interpolation=interpolation)
    is_set = small >= min(0.5, float(small.max()))
    return np.asarray(is_set & (small > 0))


def _outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return list(found)
