"""This holds what a DICOM's compressed parts claim, before memory is reserved for it."""

import zlib

from tfptx.scans import image_headers
from tfptx.scans.scan import MAX_FILE_BYTES

_STEP_BYTES = 2**20


def refuse_inflation(deflated: bytes) -> None:
    """Raise ValueError where a deflated dataset (PS3.5, A.5) inflates beyond MAX_FILE_BYTES."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = MAX_FILE_BYTES
    while deflated:
        left -= len(inflater.decompress(deflated, _STEP_BYTES))
        if left < 0:
            raise ValueError(f"its data inflate to more than {MAX_FILE_BYTES} bytes")
        deflated = inflater.unconsumed_tail


def refuse_frame(frame: bytes, rows: int, columns: int, bits: int) -> None:
    """Raise ValueError where an encapsulated frame is of another size, or can't hold its pixels."""
    if rows * columns * bits / 8 > image_headers.LARGEST_INFLATION * len(frame):
        raise ValueError(f"{rows} x {columns} pixels in {len(frame)} bytes")
    size = image_headers.coded_size(frame)
    if size is not None and size != (rows, columns, 1):
        raise other_shape(size if size[2] != 1 else size[:2], rows, columns)


def other_shape(shape: tuple[int, ...], rows: int, columns: int) -> ValueError:
    """The error of a frame whose shape is not what the header says."""
    return ValueError(f"the frame is {shape}, the header says {rows} x {columns}")
