"""This holds the counts of maps: per image how many pixels have each level, all that a sweep needs.

An image takes 80 KB of memory, 4 % of its map at 1024 x 1024.
"""

import contextlib
import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx import files, provenance
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point import rule
from tfptx.operating_point.maps import Maps

SCHEMA = 1
NAME = "counts.npz"
NUM_BINS = rule.LEVELS + 1
_BLOCK_PX = 2**24  # OpenCV counts in float32, which is exact up to here


@dataclass(frozen=True, eq=False)
class Counts:
    """Of N images the pixels of each level, uint32 N x NUM_BINS, and their sizes, int64 N."""

    all_px: NDArray[np.uint32]
    true_px: NDArray[np.uint32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.all_px)


def of(maps: Maps, advance: Callable[[float], None]) -> Counts:
    """The counts of labelled maps, from the folder's counts.npz or made and kept there.

    `advance` is called with each finished share of the work.
    Raises ValueError where an image has no truth, or a level is none.
    """
    unlabelled = maps.index["image_id"][maps.index["truth_rle"] == ""]
    if len(unlabelled):
        raise ValueError(
            f"{maps.folder}: {len(unlabelled)} of {len(maps)} images have no truth, as "
            f"{unlabelled.iloc[0]}; predict maps of records that were built with --annotations"
        )
    belongs_to = _stamp(maps)
    found = _read(maps, belongs_to)
    if found is not None:
        advance(1.0)
        return found
    made = _count(maps, advance)
    # The maps may be shared read-only; then each sweep counts anew.
    with contextlib.suppress(OSError):
        _write(maps.folder / NAME, made, belongs_to)
    return made


def histogram(levels: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """How many pixels of a map, rows x columns, have each level: uint32, NUM_BINS.

    A level beyond rule.LEVELS is not counted.
    """
    total = np.zeros(NUM_BINS, np.uint32)
    rows_in_block = max(1, _BLOCK_PX // levels.shape[1])
    for start in range(0, len(levels), rows_in_block):
        # np.bincount takes twice as long and holds the interpreter's lock.
        block = cv2.calcHist(
            [levels[start : start + rows_in_block]], [0], None, [NUM_BINS], [0, NUM_BINS]
        )
        total += block.ravel().astype(np.uint32)
    return total


def histogram_within(
    levels: NDArray[np.uint16], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """The same over the pixels of absolute column-major runs, without drawing their mask."""
    ends = np.cumsum(lengths)
    pixels = np.repeat(starts - (ends - lengths), lengths) + np.arange(lengths.sum())
    columns, rows = np.divmod(pixels, levels.shape[0])
    return np.bincount(levels[rows, columns], minlength=NUM_BINS).astype(np.uint32)


def _count(maps: Maps, advance: Callable[[float], None]) -> Counts:
    all_px, true_px = (np.zeros((len(maps), NUM_BINS), np.uint32) for _ in range(2))

    def count(position: int) -> str:
        levels = maps.levels(position)
        all_px[position] = histogram(levels)
        if all_px[position].sum() != levels.size:
            image_id = maps.index["image_id"].iloc[position]
            maps_on_disk.refuse_beyond_levels(int(levels.max()), f"{maps.folder}: {image_id}")
        true_px[position] = histogram_within(levels, *maps.truth_runs(position))
        return maps_on_disk.digest(levels)

    digests = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for digest in pool.map(count, range(len(maps))):
            digests.append(digest)
            advance(1 / len(maps))
    return Counts(all_px, true_px, maps.rows, maps.columns, maps.fingerprint_of(digests))


def _stamp(maps: Maps) -> str:
    """What changes with the maps, without reading them: that would take as long as counting."""
    status = (maps.folder / maps_on_disk.LEVELS).stat()
    index = provenance.sha256_of_file(maps.folder / maps_on_disk.INDEX)
    return f"{SCHEMA} {status.st_size} {status.st_mtime_ns} {index}"


def _read(maps: Maps, belongs_to: str) -> Counts | None:
    """The counts that are kept, None where there are none of these very maps."""
    try:
        with np.load(maps.folder / NAME, allow_pickle=False) as kept:
            if str(kept["belongs_to"]) != belongs_to:
                return None
            fingerprint = str(kept["fingerprint"])
            return Counts(kept["all_px"], kept["true_px"], maps.rows, maps.columns, fingerprint)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, counts: Counts, belongs_to: str) -> None:
    with files.writing(path) as temporary:
        np.savez(
            temporary,
            all_px=counts.all_px,
            true_px=counts.true_px,
            fingerprint=counts.fingerprint,
            belongs_to=belongs_to,
        )
