"""This holds the scan: one chest radiograph, its lossless bytes and what is known of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tfptx.scans import codec

ImageFormat = Literal["jpeg", "png"]
MAX_PIXELS = 100_000_000  # four times the largest detector: a larger header is damaged or hostile
# Two such images of 16 bits and room to spare; what is larger holds many frames, or is hostile.
MAX_FILE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Scan:
    """One radiograph.

    `image` is a grey 8-bit JPEG or PNG that decodes to the pixels as displayed, `rows` x `columns`.
    Texts are empty and numbers None where the source does not say. `spacing_mm` is that of rows;
    `pixel_aspect` is a pixel's height over its width, 1 where the source does not say.
    `sample` is what `samples` gives of the image.
    """

    image_id: str
    image: bytes
    image_format: ImageFormat
    rows: int
    columns: int
    patient_id: str = ""
    view: str = ""
    sex: str = ""
    age: int | None = None
    spacing_mm: float | None = None
    pixel_aspect: float = 1.0
    sample: str = ""

    @property
    def pixel_mm2(self) -> float | None:
        """The area of one pixel."""
        return None if self.spacing_mm is None else self.spacing_mm**2 / self.pixel_aspect


def pixels(scan: Scan) -> NDArray[np.uint8]:
    """Decode a scan to its uint8 pixels, rows x columns. Raises ValueError where it does not."""
    decoded = codec.decode(scan.image)
    if decoded.shape != (scan.rows, scan.columns):
        raise ValueError(f"{scan.image_id}: its {scan.image_format} does not decode; read it anew")
    return np.asarray(decoded, np.uint8)


def refuse_beyond_detectors(rows: int, columns: int) -> None:
    """Raise ValueError where an image is larger than MAX_PIXELS, best before it is decoded."""
    if rows * columns > MAX_PIXELS:
        raise ValueError(f"{rows} x {columns} pixels are more than any detector's")


def refuse_large_file(path: Path) -> None:
    """Raise ValueError where a file is larger than any radiograph's, before it is read."""
    if (num_bytes := path.stat().st_size) > MAX_FILE_BYTES:
        raise ValueError(f"{num_bytes} bytes are more than any radiograph's")
