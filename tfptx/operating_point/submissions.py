"""This holds the competition's csv of masks: its writing, and its pixels against the truth."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import files
from tfptx.scans import annotations, rle
from tfptx.scans.annotations import Annotations
from tfptx.scans.rle import Runs


def runs(table: Annotations, image_id: str, size_px: int, path: Path) -> Runs:
    """The runs of an image's mask of `size_px` squared; several rows are parts of one mask.

    Raises ValueError, naming the file `path`, where a run leaves the image.
    """
    try:
        return rle.union([rle.parse(part, size_px, size_px) for part in table.rles[image_id]])
    except ValueError as error:
        raise ValueError(f"{path}: {image_id}: {error}") from error


def pixels(predicted: Runs, true: Runs) -> tuple[int, int, int]:
    """The pixels of overlap, prediction and truth of two masks, without drawing them."""
    return overlap_px(predicted, true), int(predicted[1].sum()), int(true[1].sum())


def write(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write image ids and their run-length texts as the competition's csv."""
    with (
        files.writing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((annotations.ID_COLUMN, annotations.RLE_COLUMN))
        writer.writerows(rows)


def overlap_px(one: Runs, other: Runs) -> int:
    """The pixels that two masks share, from their absolute, ascending, non-overlapping runs."""
    starts, lengths = one
    return int((_before(other, starts + lengths) - _before(other, starts)).sum())


def _before(runs: Runs, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many pixels of a mask come before each of `pixels`."""
    starts, lengths = runs
    ends = np.concatenate([[0], starts + lengths])
    up_to = np.concatenate([[0], np.cumsum(lengths)])
    run = np.searchsorted(starts, pixels, side="right")
    return up_to[run] - np.maximum(ends[run] - pixels, 0)
