"""This holds what the headers of PNG and JPEG claim, before a decoder reserves memory for it."""

import re
from dataclasses import dataclass

from tfptx.scans.scan import refuse_beyond_detectors

JPEG_START, PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
LARGEST_INFLATION = 1032  # bytes that one byte of a PNG's compressed data can become
PNG_END = b"IEND"
CHUNK_FRAME_BYTES = 12  # length, type and checksum around a chunk's data (PNG, 5.3)
END, SCAN = 0xD9, 0xDA  # markers of a JPEG (ITU-T T.81, table B.1)
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # their headers have the size
JPEG_LS_FRAME = 0xF7  # ITU-T T.87, C.1.1
SEQUENTIAL = frozenset({0xC0, 0xC1})
J2K_START = b"\xff\x4f\xff\x51"  # SOC and SIZ (ITU-T T.800, A.5.1)
MANY_SCANS = 1000  # more than any progressive JPEG has; decoders take time for each
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
# Within a scan's data 00 follows FF, or it is a marker of restart.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


@dataclass(frozen=True)
class Jpeg:
    """What the markers of a JPEG say; it ends with its end marker, `num_bytes` from its start."""

    num_bytes: int
    rows: int
    columns: int
    components: int


def refuse_claims(content: bytes) -> None:
    """Raise ValueError where a file is no PNG or JPEG, or claims what it can't hold."""
    if content.startswith(PNG_START):
        _refuse_png_chunks(content)
        _refuse_png_size(content)
    elif content.startswith(JPEG_START):
        jpeg(content)
    else:
        raise ValueError("neither PNG nor JPEG by its first bytes")


def _refuse_png_chunks(content: bytes) -> None:
    """Walk the chunks: OpenCV fills memory of a chunk's length before it looks for the data."""
    at, kind = len(PNG_START), b""
    while kind != PNG_END:
        kind = content[at + 4 : at + 8]
        at += CHUNK_FRAME_BYTES + int.from_bytes(content[at : at + 4], "big")
        if at > len(content):
            raise ValueError("damaged or cut image")


def _refuse_png_size(content: bytes) -> None:
    # Width, height and bits of a sample are IHDR's first fields (PNG, 11.2.1).
    columns, rows = _number(content, 16, 4), _number(content, 20, 4)
    refuse_beyond_detectors(rows, columns)
    if rows * columns * _number(content, 24, 1) / 8 > LARGEST_INFLATION * len(content):
        raise ValueError(f"damaged image: {rows} x {columns} pixels in {len(content)} bytes")


def jpeg(content: bytes) -> Jpeg:
    """Read the markers of a JPEG.

    Raises ValueError where no sequence of whole segments and scans leads to its end, or it claims
    too large an image: OpenCV would paint what is missing, TensorFlow refuse the record.
    """
    at, scans_left = 2, MANY_SCANS
    rows = columns = components = 0
    while (found := _NEXT_MARKER.match(content, at)) is not None:
        kind, at = found[1][0], found.end()
        if kind == END:
            return Jpeg(at, rows, columns, components)
        if kind in JPEG_FRAMES:
            rows, columns = _number(content, at + 3, 2), _number(content, at + 5, 2)
            components = _number(content, at + 7, 1)
            refuse_beyond_detectors(rows, columns)
            # A sequential frame has at most a scan for each of its components.
            scans_left = components if kind in SEQUENTIAL else MANY_SCANS
        at += _number(content, at, 2)
        if kind == SCAN:
            scans_left -= 1
            if scans_left < 0:
                break
            following = _AFTER_SCAN.search(content, at)
            at = following.start() if following else len(content)
    raise ValueError(f"damaged or cut JPEG: no marker at byte {at} of {len(content)}")


def coded_size(content: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and samples that a JPEG, JPEG-LS or JPEG 2000 claims, by its frame's header.

    None where there is none of these. Decoders reserve memory for what it says, whatever a DICOM's
    own attributes do.
    """
    if (start := content.find(J2K_START)) >= 0 and not content.startswith(JPEG_START):
        right, bottom, left, top = (_number(content, start + at, 4) for at in (8, 12, 16, 20))
        return bottom - top, right - left, _number(content, start + 40, 2)
    at = 2
    while (found := _NEXT_MARKER.match(content, at)) is not None:
        kind, at = found[1][0], found.end()
        if kind in JPEG_FRAMES or kind == JPEG_LS_FRAME:
            size = _number(content, at + 3, 2), _number(content, at + 5, 2)
            return *size, _number(content, at + 7, 1)
        if kind in {END, SCAN}:
            return None
        at += _number(content, at, 2)
    return None


def _number(content: bytes, at: int, num_bytes: int) -> int:
    return int.from_bytes(content[at : at + num_bytes], "big")
