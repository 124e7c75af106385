"""This holds the preview of a radiograph: what the report draws masks on."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 256  # the longer one


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """A small JPEG of an image, uint8 rows x columns; one smaller than SIDE_PX keeps its size."""
    scale = min(1.0, SIDE_PX / max(image.shape))
    size = [max(1, round(scale * side)) for side in reversed(image.shape)]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small)[1])
