"""This holds the samples: short texts by which images that may be the same are found.

A checksum of all pixels would take as long as their decoding. A sample begins with the image's size
and with what it was taken of, since only samples of the same can be compared.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from tfptx.scans import codec
from tfptx.scans.image_headers import Jpeg

STEP_PX = 8
PIXELS, BLOCKS = "pixels", "blocks"


def of_pixels(image: NDArray[np.generic]) -> str:
    """The sample of every STEP_PX-th pixel, down and across, of an image of rows x columns."""
    rows, columns = image.shape
    return _sample(rows, columns, PIXELS, image[::STEP_PX, ::STEP_PX])


def of_jpeg(content: bytes, header: Jpeg) -> str:
    """The sample of the means of a grey JPEG's blocks. Raises ValueError where it is damaged."""
    return _sample(header.rows, header.columns, BLOCKS, codec.block_means(content))


def size_of(sample: str) -> str:
    """The size that stands in a sample."""
    return sample.split(" ", maxsplit=1)[0]


def kind_of(sample: str) -> str:
    """Whether a sample was taken of PIXELS or BLOCKS."""
    return sample.split(" ")[1]


def _sample(rows: int, columns: int, kind: str, values: NDArray[np.generic]) -> str:
    digest = hashlib.blake2b(values.tobytes(), digest_size=16).hexdigest()
    return f"{rows}x{columns} {kind} {digest}"
