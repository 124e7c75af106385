"""This holds the reading of PNG and JPEG files, as the competition's re-uploads come."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans import codec, image_headers, image_ids, samples
from tfptx.scans.scan import Scan, refuse_beyond_detectors, refuse_large_file

SUFFIXES = image_ids.IMAGE_SUFFIXES
DISPLAY_BITS = 8
MOST_COLOUR = 32  # levels between the channels of a grey pixel; a JPEG in colour rounds them apart


def read(path: Path) -> Scan:
    """Read a file as a scan whose id is the file's name.

    A grey 8-bit file is kept byte for byte. Grey that was saved in colour becomes grey, an alpha
    channel is dropped, and of 16 bits the upper 8 of those that the image uses remain: files of 16
    bits hold radiographs of 10 to 16.
    Raises ValueError where the file is no decodable PNG or JPEG, in colour, or larger than any
    detector's image.
    """
    refuse_large_file(path)
    image_id, content = image_ids.of_file(path), path.read_bytes()
    if content.startswith(image_headers.JPEG_START):
        header = image_headers.jpeg(content)
        sample = samples.of_jpeg(content, header)
        if header.components == 1:
            return Scan(
                image_ids.of_file(path), content, "jpeg", header.rows, header.columns, sample=sample
            )
    decoded = decode(content)
    rows, columns = decoded.shape[:2]
    if decoded.ndim > 2 or decoded.dtype != np.uint8:
        decoded = _grey(decoded)
        content = codec.to_png(decoded)
    sample = samples.of_pixels(decoded)
    return Scan(image_id, content, "png", rows, columns, sample=sample)


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
        unused = max(int(decoded.max()).bit_length() - DISPLAY_BITS, 0)
        decoded = decoded >> np.uint16(unused)  # type: ignore[operator]
    image = decoded.astype(np.uint8)
    if image.ndim == 2:
        return image
    if image.shape[2] == 2:
        return np.ascontiguousarray(image[:, :, 0])
    colours = image[:, :, :3]
    if int((colours.max(axis=2) - colours.min(axis=2)).max()) > MOST_COLOUR:
        raise ValueError("a picture in colour, not a radiograph")
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY), np.uint8)
