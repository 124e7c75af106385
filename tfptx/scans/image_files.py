"""This holds the reading of PNG and JPEG files, as the competition's re-uploads come."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans import codec, image_headers, image_ids, samples
from tfptx.scans.scan import Scan, refuse_beyond_detectors, refuse_large_file

SUFFIXES = image_ids.IMAGE_SUFFIXES


def read(path: Path) -> Scan:
    """Read a file as a scan whose id is the file's stem.

    A grey 8-bit file is kept byte for byte; colour becomes grey, an alpha channel is dropped and
    16 bits become the upper 8. Raises ValueError where the file is no decodable PNG or JPEG, or
    larger than any detector's image.
    """
    refuse_large_file(path)
    content = path.read_bytes()
    if content.startswith(image_headers.JPEG_START):
        header = image_headers.jpeg(content)
        if header.components == 1:
            sample = samples.of_jpeg(content, header)
            return Scan(path.stem, content, "jpeg", header.rows, header.columns, sample=sample)
    decoded = decode(content)
    rows, columns = decoded.shape[:2]
    if decoded.ndim > 2 or decoded.dtype != np.uint8:
        decoded = _grey(decoded)
        content = codec.to_png(decoded)
    sample = samples.of_pixels(decoded)
    return Scan(path.stem, content, "png", rows, columns, sample=sample)


def decode(content: bytes) -> NDArray[np.generic]:
    """Decode the bytes of a PNG or JPEG: rows x columns (x channels in OpenCV's order).

    Raises ValueError where they are none, damaged, or larger than any detector's image.
    """
    image_headers.refuse_claims(content)
    decoded = codec.decode(content)
    refuse_beyond_detectors(*decoded.shape[:2])
    return decoded


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
