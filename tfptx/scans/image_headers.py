"""This holds what the headers of PNG and JPEG claim, before a decoder reserves memory for it."""

from tfptx.scans.scan import refuse_beyond_detectors

JPEG_START, PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
LARGEST_INFLATION = 1032  # bytes that one byte of a PNG's compressed data can become
PNG_END = b"IEND"
CHUNK_FRAME_BYTES = 12  # length, type and checksum around a chunk's data (PNG, 5.3)
MARKER = 0xFF
# The markers of a JPEG's frame (ITU-T T.81, table B.1), whose header has the size.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def refuse_claims(content: bytes) -> None:
    """Raise ValueError where a file is no PNG or JPEG, or claims what it can't hold."""
    if content.startswith(PNG_START):
        _refuse_png_chunks(content)
        _refuse_png_size(content)
    elif content.startswith(JPEG_START):
        _refuse_jpeg_size(content)
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


def _refuse_jpeg_size(content: bytes) -> None:
    at = 2
    while at + 9 <= len(content) and content[at] == MARKER:
        if content[at + 1] in JPEG_FRAMES:
            refuse_beyond_detectors(_number(content, at + 5, 2), _number(content, at + 7, 2))
            return
        at += 2 + _number(content, at + 2, 2)


def _number(content: bytes, at: int, num_bytes: int) -> int:
    return int.from_bytes(content[at : at + num_bytes], "big")
