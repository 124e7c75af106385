"""This holds sliding windows: the map of an image that is larger than the network's own size.

Windows at the image's own resolution overlap, and each pixel's probability is their mean, weighed
by how near the pixel lies to a window's centre.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def probability(
    predict: Predict, image: NDArray[np.uint8], size_px: int, overlap: float, batch_size: int
) -> NDArray[np.float32]:
    """The probability map, float32 R x C, of an image, uint8 R x C.

    `predict` takes windows, float32 N x S x S x 1 with S = `size_px`, and gives their maps; N is
    `batch_size` at most. Neighbours share, to a pixel, at least the part `overlap` of a side, 0 to
    below 1. An
    image that is smaller than a window along an axis is continued there by zeros.
    """
    rows, columns = image.shape
    padded = np.zeros((max(rows, size_px), max(columns, size_px)), np.float32)
    padded[:rows, :columns] = image
    corners = list(product(*(starts(side, size_px, overlap) for side in padded.shape)))
    weight = weights(size_px)
    total, weighed = np.zeros_like(padded), np.zeros_like(padded)
    for first in range(0, len(corners), batch_size):
        places = [
            (slice(row, row + size_px), slice(column, column + size_px))
            for row, column in corners[first : first + batch_size]
        ]
        maps = predict(np.stack([padded[place] for place in places])[..., np.newaxis])
        for place, found in zip(places, maps[..., 0], strict=True):
            total[place] += weight * found
            weighed[place] += weight
    # Rounding may lead a weighed mean of ones past 1.
    return np.minimum(total / weighed, np.float32(1))[:rows, :columns]


def starts(side_px: int, size_px: int, overlap: float) -> list[int]:
    """Where windows begin along an axis: as few as overlap enough, evenly from end to end."""
    num_more = int(np.ceil((side_px - size_px) / (size_px * (1 - overlap))))
    return [round(start) for start in np.linspace(0, side_px - size_px, num_more + 1)]


def weights(size_px: int) -> NDArray[np.float32]:
    """How much each pixel of a window counts, S x S: a sine's square from side to side, never 0."""
    wave = np.sin(np.pi * (np.arange(size_px) + 0.5) / size_px) ** 2
    return np.outer(wave, wave).astype(np.float32)
