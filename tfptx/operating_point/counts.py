"""This holds the counts of maps: per image how many pixels have each level, all that a sweep needs.

An image takes 80 KB, 4 % of its map at 1024 x 1024.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx import provenance
from tfptx.operating_point import image_table, rule
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point.image_table import Numbers
from tfptx.operating_point.maps import Maps

NAME = "counts.npz"
NUM_BINS = rule.LEVELS + 1
_BLOCK_PX = 2**24  # OpenCV counts in float32, which is exact up to here


@dataclass(frozen=True, eq=False)
class Counts:
    """Of N images the pixels of each level, all and true, uint32 N x 2 x NUM_BINS; their sizes N.

    `patient_ids` and `folds` say whose an image is and where it was held out, `presence` the
    network's probability of any mask, float32, NaN where there is none.
    """

    levels_px: Numbers
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    patient_ids: NDArray[np.str_]
    folds: NDArray[np.int64]
    presence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.levels_px)


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

    def count(position: int) -> Numbers:
        levels = maps.levels(position)
        counted = of_levels(levels, *maps.truth_runs(position))
        if counted[0].sum() != levels.size:
            image_id = maps.index["image_id"].iloc[position]
            maps_on_disk.refuse_beyond_levels(int(levels.max()), f"{maps.folder}: {image_id}")
        return counted

    shape = (len(maps), 2, NUM_BINS)
    levels_px = image_table.kept(maps.folder / NAME, stamp(maps.folder), shape, count, advance)
    return Counts(
        levels_px,
        maps.rows,
        maps.columns,
        maps.index["patient_id"].to_numpy(np.str_),
        maps.index["fold"].to_numpy(np.int64),
        maps.presence,
    )


def of_levels(
    levels: NDArray[np.uint16], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Numbers:
    """Count the levels of a map, in all and in the absolute column-major runs of its truth."""
    return np.stack([histogram(levels), histogram_within(levels, starts, lengths)])


def fingerprint(maps: Maps, counted: Counts) -> str:
    """What tells maps from any others: their index, and how often each level is where."""
    digest = hashlib.sha256()
    for entry in counted.levels_px:
        digest.update(np.ascontiguousarray(entry).data)
    index = provenance.sha256_of_file(maps.folder / maps_on_disk.INDEX)
    return provenance.fingerprint([index, digest.hexdigest()])


def fingerprints(several: Sequence[Maps], counted: Sequence[Counts]) -> list[str]:
    """The fingerprint of each maps. They take reading all counts: ask once."""
    return [fingerprint(*pair) for pair in zip(several, counted, strict=True)]


def joined_fingerprint(fingerprints: Sequence[str]) -> str:
    """The fingerprint of maps that are taken as one, in any order."""
    if len(fingerprints) == 1:
        return fingerprints[0]
    return provenance.fingerprint(sorted(fingerprints))


def stamp(folder: Path) -> str:
    """What changes with the maps of a folder, without reading them: that takes as long as counting.

    Maps that keep their counts alone have their index to go by.
    """
    index = provenance.sha256_of_file(folder / maps_on_disk.INDEX)
    levels = folder / maps_on_disk.LEVELS
    if not levels.is_file():
        return f"{image_table.SCHEMA} {index}"
    status = levels.stat()
    return f"{image_table.SCHEMA} {status.st_size} {status.st_mtime_ns} {index}"


def histogram(levels: NDArray[np.uint16]) -> Numbers:
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
) -> Numbers:
    """The same over the pixels of absolute column-major runs, without drawing their mask."""
    ends = np.cumsum(lengths)
    pixels = np.repeat(starts - (ends - lengths), lengths) + np.arange(lengths.sum())
    columns, rows = np.divmod(pixels, levels.shape[0])
    return np.bincount(levels[rows, columns], minlength=NUM_BINS).astype(np.uint32)
