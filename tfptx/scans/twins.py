"""This holds the finding of images that are the same pixel by pixel."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tfptx.scans import sources
from tfptx.scans.scan import Scan, pixels


def find(paths: Sequence[Path], scans: Sequence[Scan]) -> list[int]:
    """For each scan the position of the first one with the same pixels, often its own.

    Only scans that agree in size and sample are read again, from `paths`, to be compared whole.
    Raises ValueError or OSError where one of them can't be read any more.
    """
    alike: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for position, scan in enumerate(scans):
        alike[scan.rows, scan.columns, scan.sample].append(position)
    first_of = list(range(len(scans)))
    for candidates in alike.values():
        if len(candidates) < 2:
            continue
        first_with: dict[bytes, int] = {}
        for position in candidates:
            content = hashlib.sha256(pixels(sources.read(paths[position])).tobytes()).digest()
            first_of[position] = first_with.setdefault(content, position)
    return first_of
