"""This holds the competition's csv of masks: its score against the truth, and its writing."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import files
from tfptx.operating_point import score as measure
from tfptx.scans import annotations, rle
from tfptx.scans.annotations import Annotations

Runs = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Scored:
    """The figures over the images of both files, and how many are in one of them only."""

    figures: dict[str, float]
    all_empty: dict[str, float]
    num_images: int
    only_in_predictions: int
    only_in_truth: int


def score(predictions: Path, truth: Path, size_px: int) -> Scored:
    """Score a csv of predictions against a csv of truth, both of masks of `size_px` squared.

    Masks are compared by their runs, without drawing them. Several rows of an image are parts of
    one mask. Raises ValueError where a run leaves the image or no image is in both files.
    """
    predicted, true = annotations.read(predictions), annotations.read(truth)
    image_ids = [image_id for image_id in predicted.rles if image_id in true.rles]
    if not image_ids:
        raise ValueError(
            f"no image of {predictions} is in {truth}: one has {_example(predicted)}, the other "
            f"{_example(true)}"
        )
    pixels = np.zeros((3, len(image_ids)), np.int64)
    for i, image_id in enumerate(image_ids):
        runs = _runs(predicted, image_id, size_px, predictions)
        true_runs = _runs(true, image_id, size_px, truth)
        pixels[:, i] = overlap_px(runs, true_runs), runs[1].sum(), true_runs[1].sum()
    found = measure.figures(measure.dice_of_counts(*pixels), pixels[1], pixels[2])
    return Scored(
        {name: float(value) for name, value in found.items()},
        {name: float(value) for name, value in measure.all_empty(pixels[2]).items()},
        len(image_ids),
        len(predicted.rles) - len(image_ids),
        len(true.rles) - len(image_ids),
    )


def write(path: Path, rows: Iterable[tuple[str, str]]) -> None:
    """Write image ids and their run-length texts as the competition's csv."""
    with (
        files.writing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((annotations.ID_COLUMN, annotations.RLE_COLUMN))
        writer.writerows(rows)


def union(parts: Sequence[Runs]) -> Runs:
    """The absolute, ascending, non-overlapping runs of the union of masks, of none too."""
    starts = np.concatenate([np.empty(0, np.int64), *(starts for starts, _ in parts)])
    lengths = np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in parts)])
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate((starts + lengths)[order])
    is_first = np.concatenate([[True], starts[1:] > ends[:-1]])[: len(starts)]
    is_last = np.concatenate([is_first[1:], [True]])[: len(starts)]
    return starts[is_first], ends[is_last] - starts[is_first]


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


def _runs(table: Annotations, image_id: str, size_px: int, path: Path) -> Runs:
    try:
        return union([rle.parse(part, size_px, size_px) for part in table.rles[image_id]])
    except ValueError as error:
        raise ValueError(f"{path}: {image_id}: {error}") from error


def _example(table: Annotations) -> str:
    return next(iter(table.rles), "no image at all")
