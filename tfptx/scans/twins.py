"""This holds the finding of images that are the same pixel by pixel."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tfptx.scans import samples
from tfptx.scans.scan import Scan, pixels


def find(told: Sequence[str], scan_of: Callable[[int], Scan]) -> list[int]:
    """For each scan the position of the first one with the same pixels, often its own.

    `told` are the scans' samples; `scan_of` gives the scan at a position. It is called where
    samples agree, and where they can't be compared; and only images that differ byte by byte are
    decoded.
    """
    alike: dict[str, list[int]] = defaultdict(list)
    for position, sample in enumerate(_comparable(told, scan_of)):
        alike[sample].append(position)
    first_of = list(range(len(told)))
    for candidates in alike.values():
        if len(candidates) < 2:
            continue
        copies: dict[bytes, list[int]] = defaultdict(list)
        for position in candidates:
            copies[_digest(scan_of(position).image)].append(position)
        first_with: dict[bytes, int] = {}
        for positions in copies.values():
            first = positions[0]
            if len(copies) > 1:
                first = first_with.setdefault(_digest(pixels(scan_of(first)).data), first)
            for position in positions:
                first_of[position] = first
    return first_of


def _comparable(told: Sequence[str], scan_of: Callable[[int], Scan]) -> list[str]:
    """The samples, those of blocks replaced where images of their size have samples of pixels."""
    with_pixels = {
        samples.size_of(each) for each in told if samples.kind_of(each) == samples.PIXELS
    }
    mixed = [
        position
        for position, each in enumerate(told)
        if samples.kind_of(each) == samples.BLOCKS and samples.size_of(each) in with_pixels
    ]
    comparable = list(told)
    with ThreadPoolExecutor() as pool:
        drawn = pool.map(lambda position: samples.of_pixels(pixels(scan_of(position))), mixed)
        for position, sample in zip(mixed, drawn, strict=True):
            comparable[position] = sample
    return comparable


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).digest()
