"""This holds the asking of a model: scans by batches, answers each with its file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans import intake
from tfptx.scans.intake import File, Left
from tfptx.scans.radiograph import Take
from tfptx.scans.scan import Scan
from tfptx.serving.answers import Answer, Model

MAX_BATCH_PX = 100_000_000  # beside the largest image that is read no other is


@dataclass(frozen=True)
class Answered:
    """A file, its scan or why it has none, and what the model says of the scan."""

    file: File
    content: Scan | Left
    answer: Answer | None = None


def read(take: Take, file: File) -> tuple[File, Scan | Left]:
    """A file and its scan, or why it has none."""
    return file, intake.read(file, take)


def ask(
    model: Model, contents: Iterable[tuple[File, Scan | Left]], batch_size: int
) -> Iterator[Answered]:
    """Give each file in turn with its answer; the scans among them are asked for by batches.

    Raises ValueError as the model does.
    """
    batch: list[tuple[File, Scan | Left]] = []
    for content in contents:
        if batch and _is_full([*batch, content], batch_size):
            yield from _answered(model, batch)
            batch = []
        batch.append(content)
    yield from _answered(model, batch)


def mask_of(answer: Answer, scan: Scan) -> NDArray[np.bool_]:
    """The mask of an answer, rows x columns of its scan.

    Raises ValueError where a model gives no such mask.
    """
    encoded = np.frombuffer(answer.mask_png, np.uint8)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) if len(encoded) else None
    if decoded is None or decoded.shape != (scan.rows, scan.columns):
        raise ValueError(f"the model gives no mask of {scan.rows} x {scan.columns} pixels")
    return np.asarray(decoded) > 0


def _is_full(batch: list[tuple[File, Scan | Left]], batch_size: int) -> bool:
    scans = [content for _, content in batch if isinstance(content, Scan)]
    num_px = sum(scan.rows * scan.columns for scan in scans)
    return len(scans) > batch_size or num_px > MAX_BATCH_PX


def _answered(model: Model, batch: list[tuple[File, Scan | Left]]) -> Iterator[Answered]:
    images = [content.image for _, content in batch if isinstance(content, Scan)]
    answers = iter(model(images) if images else ())
    for file, content in batch:
        answer = next(answers) if isinstance(content, Scan) else None
        yield Answered(file, content, answer)
