"""This holds the reading of PNG and JPEG files, as the competition's re-uploads come."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans import image_headers, image_ids
from tfptx.scans.scan import (
    ImageFormat,
    Scan,
    refuse_beyond_detectors,
    refuse_large_file,
    sample_of,
    to_png,
)

SUFFIXES = image_ids.IMAGE_SUFFIXES


def read(path: Path) -> Scan:
    """Read a file as a scan whose id is the file's stem.

    A grey 8-bit file is kept byte for byte; colour becomes grey, an alpha channel is dropped and
    16 bits become the upper 8. Raises ValueError where the file is no decodable PNG or JPEG, or
    larger than any detector's image.
    """
    refuse_large_file(path)
    content = path.read_bytes()
    decoded = decode(content)
    rows, columns = decoded.shape[:2]
    if decoded.ndim == 2 and decoded.dtype == np.uint8:
        image_format: ImageFormat = (
            "jpeg" if content.startswith(image_headers.JPEG_START) else "png"
        )
    else:
        image_format, decoded = "png", _grey(decoded)
        content = to_png(decoded)
    return Scan(path.stem, content, image_format, rows, columns, sample=sample_of(decoded))


def decode(content: bytes) -> NDArray[np.generic]:
    """Decode the bytes of a PNG or JPEG: rows x columns (x channels in OpenCV's order).

    Raises ValueError where they are none, damaged, or larger than any detector's image.
    """
    image_headers.refuse_claims(content)
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:  # thus OpenCV refuses a JPEG beyond a bound of its own
        raise ValueError(f"damaged image: {' '.join(str(error).split())}") from error
    if decoded is None:
        raise ValueError("damaged or cut image")
    refuse_beyond_detectors(*decoded.shape[:2])
    return np.asarray(decoded)


def _grey(decoded: NDArray[np.generic]) -> NDArray[np.uint8]:
    if decoded.dtype == np.uint16:
        decoded = decoded >> np.uint16(8)  # type: ignore[operator]
    image = decoded.astype(np.uint8)
    if image.ndim == 2:
        return image
    if image.shape[2] == 2:
        return np.ascontiguousarray(image[:, :, 0])
    code = cv2.COLOR_BGRA2GRAY if image.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(image, code), np.uint8)
